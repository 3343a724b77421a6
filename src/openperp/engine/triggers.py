"""Trigger orders that wait for a price: which of them a price fires.

Source of the conditions: the venue's public rules. A STOP of a buyer and a
TAKE_PROFIT of a seller fire at or above their trigger price, the other two at
or below it. Trailing stops have a module of their own.
"""

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
from openperp.engine.trailing import TrailingStops
from openperp.engine.trigger_heap import TriggerHeap


def fires_rising(type: OrderType, side: Side) -> bool:
    """Whether such an order fires at or above its trigger price (else at or below)."""
    return (side is SELL) == (type in TAKE_PROFIT_TYPES)


def is_reached(type: OrderType, side: Side, trigger_ticks: int, ticks: int) -> bool:
    """Whether the price `ticks` fires an order with a fixed trigger price."""
    if fires_rising(type, side):
        return ticks >= trigger_ticks
    return ticks <= trigger_ticks


class TriggerQueue:
    """The waiting orders of one market that watch one kind of price.

    It alone puts an order in and takes it out, and `Order.indexed` says which.
    """

    __slots__ = ("buyers", "falling", "rising", "sellers")

    def __init__(self) -> None:
        self.rising = TriggerHeap(1)
        self.falling = TriggerHeap(-1)
        self.buyers = TrailingStops(BUY)
        self.sellers = TrailingStops(SELL)

    def add(self, order: Order) -> None:
        order.indexed = True
        if order.type is TRAILING_STOP_MARKET:
            self._stops(order).add(order)
        else:
            self._heap(order).add(order, order.trigger_ticks)

    def discard(self, order: Order) -> None:
        """Forgets an order that no longer waits, if it is still there."""
        if not order.indexed:
            return
        order.indexed = False
        if order.type is TRAILING_STOP_MARKET:
            self._stops(order).discard(order)
        else:
            self._heap(order).discard()

    def follow(self, ticks: int) -> list[Order]:
        """Lets trailing stops follow the price; those that it activates, by age."""
        activated: list[Order] = []
        self.buyers.follow(ticks, activated)
        self.sellers.follow(ticks, activated)
        if len(activated) > 1:
            activated.sort(key=lambda order: order.order_id)
        return activated

    def take(self, ticks: int) -> list[Order]:
        """The orders that the price fires: nearest trigger first, then trailing stops by age."""
        fired: list[Order] = []
        trailed: list[Order] = []
        self.rising.take(ticks, fired)
        self.falling.take(ticks, fired)
        self.buyers.take(ticks, trailed)
        self.sellers.take(ticks, trailed)
        if trailed:
            trailed.sort(key=lambda order: order.order_id)
            fired += trailed
        for order in fired:
            order.indexed = False
        return fired

    def orders(self) -> list[Order]:
        """Every order that is in, in no useful order."""
        return [
            *self.rising.orders(),
            *self.falling.orders(),
            *self.buyers.orders(),
            *self.sellers.orders(),
        ]

    def _heap(self, order: Order) -> TriggerHeap:
        return self.rising if fires_rising(order.type, order.side) else self.falling

    def _stops(self, order: Order) -> TrailingStops:
        return self.buyers if order.side is BUY else self.sellers


class TriggerIndex:
    """All waiting orders of a market; dormant children are not in it."""

    __slots__ = ("contract", "mark")

    def __init__(self) -> None:
        self.contract = TriggerQueue()
        self.mark = TriggerQueue()

    def queue(self, working_type: WorkingType) -> TriggerQueue:
        return self.mark if working_type is MARK_PRICE else self.contract
