"""How the history keeps rows by owner and id in SQLite, and finds them."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final, Generic

import msgspec

from openperp.engine.records import Fill, OrderRecord
from openperp.history.base import Amendment
from openperp.history.file import Connection
from openperp.history.keys import ID_BITS, MARKET_ACCOUNT
from openperp.history.span import Row, Span

ID_MASK: Final = 2**ID_BITS - 1
INSERT_ROWS: Final = 128
"""Rows in one statement: a writer that holds the interpreter's lock for no longer than it takes
to encode them, and that need not win it back for each one."""


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

    def number(self, symbol: str) -> int:
        """The number of a market, which has rows of its own."""
        return self.base(MARKET_ACCOUNT, symbol) >> ID_BITS

    def find_number(self, symbol: str) -> int | None:
        base = self._bases.get((MARKET_ACCOUNT, symbol))
        return None if base is None else base >> ID_BITS

    def find_bases(self, account: int, symbol: str) -> list[int]:
        """The bases of an account on one symbol, or (empty) on all it ever had rows for."""
        symbols = (symbol,) if symbol else self._symbols.get(account, ())
        bases = (self._bases.get((account, symbol)) for symbol in symbols)
        return [base for base in bases if base is not None]


_encode: Final = msgspec.msgpack.Encoder().encode


def encode_each(records: Iterable[msgspec.Struct]) -> Iterator[bytearray]:
    """Records as values of their column.

    For each `bytes` sqlite3 looks for an adapter, which costs nearly as much as it does to
    encode an order; a bytearray is taken as it is.
    """
    return map(bytearray, map(_encode, records))


def insert(connection: Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Writes `rows`, whose values are in the order of the table's columns."""
    rows = iter(rows)
    while some := list(islice(rows, INSERT_ROWS)):
        statement = _insert_statement(table, len(some[0]), len(some))
        connection.execute(statement, list(chain.from_iterable(some)))


# Or replace: a file whose position is behind its rows is made whole by replay all the same.
@lru_cache(maxsize=8 * INSERT_ROWS)
def _insert_statement(table: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"INSERT OR REPLACE INTO {table} VALUES {', '.join([row] * rows)}"  # noqa: S608


class Table(Generic[Row]):
    """Reads one kind of row; an id is shifted by `shift` bits in the key.

    Rows may be asked for by the value of one more column, `sought`.
    """

    def __init__(
        self, name: str, row_type: type[Row], shift: int, time: str, sought: str = ""
    ) -> None:
        self._name = name
        self._decode: Callable[[bytes], Row] = msgspec.msgpack.Decoder(row_type).decode
        self._shift = shift
        self._time = time
        self._sought = sought

    def find(self, connection: sqlite3.Connection, key: int) -> Row | None:
        row = connection.execute(
            f"SELECT CAST(record AS BLOB) FROM {self._name} WHERE key = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return None if row is None else self._decode(row[0])

    def list(
        self, connection: sqlite3.Connection, base: int, span: Span, sought: int | None = None
    ) -> Iterator[tuple[int, Row]]:
        """Up to the span's limit of an owner's rows, with their keys less the owner."""
        low, high = self._range(connection, base, span)
        wanted = "" if sought is None else f"AND {self._sought} = {sought:d}"
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
FILLS: Final = Table("fills", Fill, 1, "time_ms", "order_id")
FORCED_ORDERS: Final = Table("forced_orders", OrderRecord, 0, "created_ms", "origin")
AMENDMENTS: Final = Table("amendments", Amendment, 0, "time_ms", "order_id")
