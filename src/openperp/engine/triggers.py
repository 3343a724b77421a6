"""Trigger orders that wait for a price: which of them a price fires.

Source of the conditions: the venue's public rules. A STOP of a buyer and a
TAKE_PROFIT of a seller fire at or above their trigger price, the other two at
or below it. A trailing stop activates when the price reaches its activation
price, remembers the extreme since, and fires once the price has come back from
it by the callback rate.
"""

from heapq import heapify, heappop, heappush

from openperp.engine.numbers import PPM
from openperp.engine.order import Order
from openperp.engine.terms import (
    BUY,
    MARK_PRICE,
    SELL,
    TAKE_PROFIT_TYPES,
    TRAILING_STOP_MARKET,
    OrderType,
    Side,
    WorkingType,
)


def fires_rising(type: OrderType, side: Side) -> bool:
    """Whether such an order fires at or above its trigger price (else at or below)."""
    return (side is SELL) == (type in TAKE_PROFIT_TYPES)


def is_reached(type: OrderType, side: Side, trigger_ticks: int, ticks: int) -> bool:
    """Whether the price `ticks` fires an order with a fixed trigger price."""
    if fires_rising(type, side):
        return ticks >= trigger_ticks
    return ticks <= trigger_ticks


class TriggerHeap:
    """Orders of one market and price that fire in one direction, nearest first.

    `sign` is 1 for orders that fire on a rising price and -1 for a falling one.
    Cancelled orders stay behind as stale entries until they outnumber the rest.
    """

    __slots__ = ("entries", "sign", "stale")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.entries: list[tuple[int, int, Order]] = []
        self.stale = 0

    def add(self, order: Order) -> None:
        heappush(self.entries, (self.sign * order.trigger_ticks, order.order_id, order))

    def discard(self) -> None:
        """Notes that an entry, no matter which, has become stale."""
        self.stale += 1
        if self.stale > 64 and self.stale * 2 > len(self.entries):
            self.entries = [entry for entry in self.entries if entry[2].indexed]
            heapify(self.entries)
            self.stale = 0

    def take(self, ticks: int, fired: list[Order]) -> None:
        """Moves every order that the price `ticks` fires to `fired`."""
        entries = self.entries
        reach = self.sign * ticks
        while entries and entries[0][0] <= reach:
            order = heappop(entries)[2]
            if order.indexed:
                order.indexed = False
                fired.append(order)
            else:
                self.stale -= 1


class TriggerQueue:
    """The waiting orders of one market that watch one kind of price.

    It alone puts an order in and takes it out, and `Order.indexed` says which.
    """

    __slots__ = ("falling", "rising", "trailing")

    def __init__(self) -> None:
        self.rising = TriggerHeap(1)
        self.falling = TriggerHeap(-1)
        self.trailing: dict[int, Order] = {}

    def add(self, order: Order) -> None:
        order.indexed = True
        if order.type is TRAILING_STOP_MARKET:
            self.trailing[order.order_id] = order
        else:
            self._heap(order).add(order)

    def discard(self, order: Order) -> None:
        """Forgets an order that no longer waits, if it is still there."""
        if not order.indexed:
            return
        order.indexed = False
        if order.type is TRAILING_STOP_MARKET:
            del self.trailing[order.order_id]
        else:
            self._heap(order).discard()

    def take(self, ticks: int) -> list[Order]:
        """The orders that the price `ticks` fires: nearest trigger first, then by age."""
        fired: list[Order] = []
        self.rising.take(ticks, fired)
        self.falling.take(ticks, fired)
        if self.trailing:
            trailed = [order for order in self.trailing.values() if trail(order, ticks)]
            trailed.sort(key=lambda order: order.order_id)
            for order in trailed:
                self.discard(order)
            fired += trailed
        return fired

    def orders(self) -> list[Order]:
        """Every order that is in, in no useful order."""
        entries = self.rising.entries + self.falling.entries
        return [*self.trailing.values(), *[entry[2] for entry in entries if entry[2].indexed]]

    def _heap(self, order: Order) -> TriggerHeap:
        return self.rising if fires_rising(order.type, order.side) else self.falling


def trail(order: Order, ticks: int) -> bool:
    """Moves a trailing stop along with the price; whether it fires."""
    if not order.activated:
        if (ticks - order.activation_ticks) * order.side > 0:
            return False
        order.activated = True
        order.extreme_ticks = ticks
        return False
    if (ticks - order.extreme_ticks) * order.side < 0:
        order.extreme_ticks = ticks
        return False
    return is_trailed_back(order, ticks)


def is_trailed_back(order: Order, ticks: int) -> bool:
    """Whether the price is back from the extreme by the callback rate."""
    if order.side is BUY:
        return ticks * PPM >= order.extreme_ticks * (PPM + order.callback_ppm)
    return ticks * PPM <= order.extreme_ticks * (PPM - order.callback_ppm)


class TriggerIndex:
    """All waiting orders of a market; dormant children are not in it."""

    __slots__ = ("contract", "mark")

    def __init__(self) -> None:
        self.contract = TriggerQueue()
        self.mark = TriggerQueue()

    def queue(self, working_type: WorkingType) -> TriggerQueue:
        return self.mark if working_type is MARK_PRICE else self.contract
