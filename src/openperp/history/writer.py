"""Writes rows of the history in SQLite, in one thread and in the transaction it keeps open."""

from collections.abc import Iterator
from operator import attrgetter

import msgspec

from openperp.engine.records import Fill, OrderRecord
from openperp.history.absorb import Rows
from openperp.history.base import Amendment
from openperp.history.client_ids import ClientIdIndex
from openperp.history.file import Connection
from openperp.history.market_tables import write_market
from openperp.history.span import fill_key
from openperp.history.tables import Owners, encode_each, insert

_encode = msgspec.msgpack.Encoder().encode


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
            self._connection.execute("DELETE FROM amendments")
            self._connection.execute("DELETE FROM forced_orders")
            self.client_ids.clear()
        if rows.orders:
            self._write_orders(rows.orders)
        if rows.fills:
            insert(self._connection, "fills", self._fill_values(rows.fills))
        if rows.amendments:
            insert(self._connection, "amendments", self._amendment_values(rows.amendments))
        write_market(self._connection, self.owners, rows.market)
        self._connection.execute("UPDATE history SET position = ?", (position,))

    def _write_orders(self, orders: list[OrderRecord]) -> None:
        base = self.owners.base
        orders.sort(key=attrgetter("order_id"))
        keys = [base(order.account, order.symbol) | order.order_id for order in orders]
        insert(self._connection, "orders", zip(keys, encode_each(orders), strict=True))
        self.client_ids.add(orders, keys)
        forced = [
            (key, order.origin, _encode(order))
            for key, order in zip(keys, orders, strict=True)
            if order.origin
        ]
        insert(self._connection, "forced_orders", forced)

    def _amendment_values(self, amendments: list[Amendment]) -> Iterator[tuple[int, int, bytes]]:
        base = self.owners.base
        for row in amendments:
            yield base(row.account, row.symbol) | row.amendment_id, row.order_id, _encode(row)

    def _fill_values(self, fills: list[Fill]) -> Iterator[tuple[int, int, bytes]]:
        base = self.owners.base
        for fill in fills:
            yield base(fill.account, fill.symbol) | fill_key(fill), fill.order_id, _encode(fill)
