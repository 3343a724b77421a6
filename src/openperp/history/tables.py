"""Rows of the history in SQLite: written by one thread, read by any."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, Generic

import msgspec

from openperp.engine.events import Fill, OrderRecord
from openperp.history.absorb import Rows
from openperp.history.client_ids import ClientIdIndex
from openperp.history.file import Connection
from openperp.history.span import Row, Span, fill_key

ID_BITS: Final = 40
"""Bits of an order id, or of a trade id and its side, under the owner in a key."""
ID_MASK: Final = 2**ID_BITS - 1
INSERT_ROWS: Final = 128
"""Rows in one statement: a writer that holds the interpreter's lock for no longer than it takes
to encode them, and that need not win it back for each one."""

_encode = msgspec.msgpack.Encoder().encode


class Owners:
    """Numbers for pairs of account and symbol, in the high bits of their keys."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bases: dict[tuple[int, str], int] = {}
        self._symbols: dict[int, tuple[str, ...]] = {}
        for owner, account, symbol in connection.query("SELECT * FROM owners ORDER BY owner"):
            self._note(owner, account, symbol)

    def _note(self, owner: int, account: int, symbol: str) -> None:
        self._bases[account, symbol] = owner << ID_BITS
        self._symbols[account] = (*self._symbols.get(account, ()), symbol)

    def base(self, account: int, symbol: str) -> int:
        """What the keys of the pair begin with; a new pair is written down."""
        base = self._bases.get((account, symbol))
        if base is None:
            owner = len(self._bases) + 1
            self._connection.execute(
                "INSERT INTO owners VALUES (?, ?, ?)", (owner, account, symbol)
            )
            self._note(owner, account, symbol)
            base = owner << ID_BITS
        return base

    def find_bases(self, account: int, symbol: str) -> list[int]:
        """The bases of an account on one symbol, or (empty) on all it ever had rows for."""
        symbols = (symbol,) if symbol else self._symbols.get(account, ())
        bases = (self._bases.get((account, symbol)) for symbol in symbols)
        return [base for base in bases if base is not None]


class Writer:
    """Writes rows in the transaction that its caller keeps open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.owners = Owners(connection)
        self.client_ids = ClientIdIndex(connection)

    def write(self, rows: Rows, position: int) -> None:
        if rows.cleared:
            self._connection.execute("DELETE FROM orders")
            self._connection.execute("DELETE FROM fills")
            self.client_ids.clear()
        if rows.orders:
            self._write_orders(rows.orders)
        if rows.fills:
            self._write_fills(rows.fills)
        self._connection.execute("UPDATE history SET position = ?", (position,))

    def _write_orders(self, orders: list[OrderRecord]) -> None:
        base = self.owners.base
        keys: list[int] = []
        orders.sort(key=lambda order: order.order_id)
        for start in range(0, len(orders), INSERT_ROWS):
            values: list[int | bytes] = []
            for order in orders[start : start + INSERT_ROWS]:
                key = base(order.account, order.symbol) | order.order_id
                keys.append(key)
                values += (key, _encode(order))
            self._connection.execute(_insert_statement("orders", 2, len(values) // 2), values)
        self.client_ids.add(orders, keys)

    def _write_fills(self, fills: list[Fill]) -> None:
        base = self.owners.base
        for start in range(0, len(fills), INSERT_ROWS):
            values: list[int | bytes] = []
            for fill in fills[start : start + INSERT_ROWS]:
                key = base(fill.account, fill.symbol) | fill_key(fill)
                values += (key, fill.order_id, _encode(fill))
            self._connection.execute(_insert_statement("fills", 3, len(values) // 3), values)


# Or replace: a file whose position is behind its rows is made whole by replay all the same.
@lru_cache(maxsize=2 * INSERT_ROWS)
def _insert_statement(table: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"INSERT OR REPLACE INTO {table} VALUES {', '.join([row] * rows)}"  # noqa: S608


class Table(Generic[Row]):
    """Reads one kind of row; an id is shifted by `shift` bits in the key."""

    def __init__(self, name: str, row_type: type[Row], shift: int, time: str) -> None:
        self._name = name
        self._decode: Callable[[bytes], Row] = msgspec.msgpack.Decoder(row_type).decode
        self._shift = shift
        self._time = time

    def find(self, connection: sqlite3.Connection, key: int) -> Row | None:
        row = connection.execute(
            f"SELECT CAST(record AS BLOB) FROM {self._name} WHERE key = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return None if row is None else self._decode(row[0])

    def list(
        self, connection: sqlite3.Connection, base: int, span: Span, order_id: int | None = None
    ) -> Iterator[tuple[int, Row]]:
        """Up to the span's limit of an owner's rows, with their keys less the owner."""
        low, high = self._range(connection, base, span)
        wanted = "" if order_id is None else f"AND order_id = {order_id:d}"
        order = "DESC" if span.from_end else "ASC"
        rows = connection.execute(
            f"SELECT key, CAST(record AS BLOB) FROM {self._name} WHERE key BETWEEN ? AND ? {wanted}"  # noqa: S608
            f" ORDER BY key {order} LIMIT ?",
            (low, high, span.limit),
        )
        for key, record in rows:
            yield key & ID_MASK, self._decode(record)

    def _range(self, connection: sqlite3.Connection, base: int, span: Span) -> tuple[int, int]:
        """The first and the last key that the span admits."""
        low, high = base, base | ID_MASK
        if span.from_id is not None:
            low = min(base + (max(0, span.from_id) << self._shift), high + 1)
        if span.until_id is not None:
            high = min(base + (max(0, span.until_id + 1) << self._shift) - 1, high)
        if span.start_ms is not None:
            low = self._first_key_at(connection, low, high, span.start_ms)
        if span.end_ms is not None:
            high = self._first_key_at(connection, low, high, span.end_ms + 1) - 1
        return low, high

    def _first_key_at(
        self, connection: sqlite3.Connection, low: int, high: int, time_ms: int
    ) -> int:
        """The lowest key in the range with a row of `time_ms` or later; `high` + 1 if none.

        Times rise with ids, so halving the range finds it without an index.
        """
        statement = (
            f"SELECT key, CAST(record AS BLOB) FROM {self._name} WHERE key BETWEEN ? AND ?"  # noqa: S608
            " ORDER BY key {} LIMIT 1"
        )
        last = connection.execute(statement.format("DESC"), (low, high)).fetchone()
        if last is None or self._time_of(last[1]) < time_ms:
            return high + 1
        found = end = last[0]
        while low < end:
            middle = (low + end) // 2
            key, record = connection.execute(statement.format("ASC"), (middle, high)).fetchone()
            if self._time_of(record) >= time_ms:
                found, end = key, middle
            else:
                low = key + 1
        return int(found)

    def _time_of(self, record: bytes) -> int:
        return int(getattr(self._decode(record), self._time))


ORDERS: Final = Table("orders", OrderRecord, 0, "created_ms")
FILLS: Final = Table("fills", Fill, 1, "time_ms")
