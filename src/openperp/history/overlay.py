"""Rows that are absorbed and not yet written: whoever reads looks here first."""

from collections.abc import Iterator
from threading import Lock

from openperp.engine.records import Fill, OrderRecord
from openperp.engine.terms import Origin
from openperp.history.absorb import Rows
from openperp.history.base import Amendment
from openperp.history.span import Span, fill_key


class Layer:
    """The rows of one future transaction, found by the keys that readers use.

    One thread adds to `rows` while others read. The index is made when it is
    first asked for and then carried on: most rows are written before that.
    """

    def __init__(self) -> None:
        self.rows = Rows()
        self._lock = Lock()
        self._indexed: list[OrderRecord] = []
        self._count = 0
        self._by_id: dict[int, OrderRecord] = {}
        self._by_client_id: dict[str, list[OrderRecord]] = {}

    @property
    def cleared(self) -> bool:
        """Whether all orders, fills and amendments before these are gone."""
        return self.rows.cleared

    def find_order(self, order_id: int) -> OrderRecord | None:
        self._index()
        return self._by_id.get(order_id)

    def find_orders_by_client_id(self, client_id: str) -> list[OrderRecord]:
        self._index()
        return list(self._by_client_id.get(client_id, ()))

    def list_orders(self, span: Span) -> Iterator[tuple[int, OrderRecord]]:
        for order in self.rows.orders:
            if span.admits(order.account, order.symbol, order.order_id, order.created_ms):
                yield order.order_id, order

    def list_forced_orders(
        self, span: Span, origin: Origin | None
    ) -> Iterator[tuple[int, OrderRecord]]:
        for order in self.rows.orders:
            if (
                order.origin
                and (origin is None or order.origin == origin)
                and span.admits(order.account, order.symbol, order.order_id, order.created_ms)
            ):
                yield order.order_id, order

    def list_fills(self, span: Span, order_id: int | None) -> Iterator[tuple[int, Fill]]:
        for fill in self.rows.fills:
            if (order_id is None or fill.order_id == order_id) and span.admits(
                fill.account, fill.symbol, fill.trade_id, fill.time_ms
            ):
                yield fill_key(fill), fill

    def list_amendments(self, span: Span, order_id: int | None) -> Iterator[tuple[int, Amendment]]:
        for row in self.rows.amendments:
            if (order_id is None or row.order_id == order_id) and span.admits(
                row.account, row.symbol, row.amendment_id, row.time_ms
            ):
                yield row.amendment_id, row

    def _index(self) -> None:
        orders = self.rows.orders
        if orders is self._indexed and len(orders) == self._count:
            return
        with self._lock:
            if orders is not self._indexed:
                self._indexed, self._count = orders, 0
                self._by_id, self._by_client_id = {}, {}
            fresh = orders[self._count :]
            for order in fresh:
                self._by_id[order.order_id] = order
                self._by_client_id.setdefault(order.client_id, []).append(order)
            self._count += len(fresh)
