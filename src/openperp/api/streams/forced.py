"""Streams of liquidations: the orders with which the venue closes positions."""

from collections.abc import Iterable

from openperp.api.streams.channel import USD_MARGINED, Channel, encode
from openperp.api.streams.names import Stream
from openperp.api.view import View
from openperp.api.wire.row import Row
from openperp.engine.records import OrderRecord
from openperp.engine.terms import OrderStatus


class ForceOrders(Channel):
    """Of the liquidation orders of each symbol that ended since it spoke last, the largest.

    Size is value at the price of the order; of equal ones the later is told. What is taken
    in deleveraging is not among them.
    """

    follows_forced = True

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._waiting: dict[str, tuple[OrderRecord, int]] = {}
        self._last_lots: dict[int, int] = {}

    def hear_forced(self, order: OrderRecord, lots: int) -> bool:
        if self.stream.symbol not in {"", order.symbol}:
            return False
        last_lots = self._last_lots.pop(order.order_id, 0)
        last_lots = lots or last_lots
        if order.status is OrderStatus.PARTIALLY_FILLED:
            self._last_lots[order.order_id] = last_lots
            return False
        known = self._waiting.get(order.symbol)
        if known is None or order.lots * order.ticks >= known[0].lots * known[0].ticks:
            self._waiting[order.symbol] = order, last_lots
        return True

    def reset(self) -> None:
        self._waiting = {}
        self._last_lots = {}

    def speak(self) -> Iterable[bytes]:
        waiting, self._waiting = self._waiting, {}
        return [encode(self._tell(order, last_lots)) for order, last_lots in waiting.values()]

    def _tell(self, order: OrderRecord, last_lots: int) -> Row:
        text = self.view.format_of(self.view.state.markets[order.symbol])
        return {
            "e": "forceOrder",
            "E": self.view.now_ms(),
            "ps": order.symbol,
            "st": USD_MARGINED,
            "o": {
                "s": order.symbol,
                "S": order.side.name,
                "o": order.type.name,
                "f": order.time_in_force.name,
                "q": text.quantity[order.lots],
                "p": text.price[order.ticks],
                "ap": text.derived_price(order.filled_value, order.filled_lots),
                "X": order.status.name,
                "l": text.quantity[last_lots],
                "z": text.quantity[order.filled_lots],
                "T": order.updated_ms,
            },
        }
