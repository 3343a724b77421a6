"""The resting orders of one account on one side of one market, by arrival.

A position offers its size to opposite orders as capacity to close it. The
chain gives that capacity to its oldest orders first; what is left of each
order is its opening part, and only the opening part freezes margin:
opening lots x price x unit / leverage, rounded up to one unit of money. The
parts are a function of the arrival order and the capacity alone; they are kept
up to date step by step, so that a fill costs what it moves and not what rests.

Reduce-only orders freeze nothing and are not members.
"""

from collections.abc import Iterator

from openperp.engine.numbers import divide_up
from openperp.engine.order import Order


class OrderChain:
    """`capacity` and `covered` are lots, `frozen` the money held by all members.

    `value` is the sum of opening lots x ticks: the notional they would open, less the unit.

    `last_covered` is the youngest order with a closing part.
    """

    __slots__ = (
        "capacity",
        "covered",
        "frozen",
        "head",
        "last_covered",
        "leverage",
        "tail",
        "unit",
        "value",
    )

    def __init__(self, unit: int, leverage: int) -> None:
        self.unit = unit
        self.leverage = leverage
        self.capacity = 0
        self.covered = 0
        self.frozen = 0
        self.value = 0
        self.head: Order | None = None
        self.tail: Order | None = None
        self.last_covered: Order | None = None

    def orders(self) -> Iterator[Order]:
        """Every member by arrival."""
        order = self.head
        while order is not None:
            yield order
            order = order.chain_next

    def without(self, order: Order) -> tuple[int, int, int]:
        """What would be left if a member went: money frozen, `value`, and capacity to give."""
        spare = self.capacity - self.covered + order.lots - order.filled_lots - order.opening_lots
        frozen = self.frozen - order.frozen
        value = self.value - order.opening_lots * order.ticks
        other = self.last_covered or self.head
        while other is not None and spare:
            if other is not order:
                lots = min(spare, other.opening_lots)
                opening = other.opening_lots - lots
                frozen += divide_up(opening * other.ticks * self.unit, self.leverage) - other.frozen
                value -= lots * other.ticks
                spare -= lots
            other = other.chain_next
        return frozen, value, spare

    def append(self, order: Order) -> None:
        tail = self.tail
        order.chain_prev = tail
        if tail is None:
            self.head = order
        else:
            tail.chain_next = order
        self.tail = order
        self._set_opening(order, order.lots - order.filled_lots)
        if self.capacity > self.covered:
            self._settle()

    def remove(self, order: Order) -> None:
        covered = order.lots - order.filled_lots - order.opening_lots
        if covered:
            self.covered -= covered
        if self.last_covered is order:
            self.last_covered = order.chain_prev
        self._set_opening(order, 0)
        before, after = order.chain_prev, order.chain_next
        if before is None:
            self.head = after
        else:
            before.chain_next = after
        if after is None:
            self.tail = before
        else:
            after.chain_prev = before
        order.chain_prev = None
        order.chain_next = None
        if covered:
            self._settle()

    def shrink(self, order: Order, lots: int) -> None:
        """Takes `lots` off the rest of a member that is about to be filled by as much.

        The fill also moves the position, so the caller sets the capacity next.
        """
        opening = min(order.opening_lots, lots)
        self._set_opening(order, order.opening_lots - opening)
        covered = lots - opening
        if covered:
            self.covered -= covered
            if order.lots - order.filled_lots == lots and self.last_covered is order:
                self.last_covered = order.chain_prev

    def set_capacity(self, capacity: int) -> None:
        self.capacity = capacity
        self._settle()

    def set_leverage(self, leverage: int) -> None:
        self.leverage = leverage
        for order in self.orders():
            self._set_opening(order, order.opening_lots)

    def frozen_at(self, leverage: int) -> int:
        """What the members would freeze at another leverage."""
        return sum(
            divide_up(order.opening_lots * order.ticks * self.unit, leverage)
            for order in self.orders()
        )

    def _set_opening(self, order: Order, lots: int) -> None:
        frozen = divide_up(lots * order.ticks * self.unit, self.leverage)
        self.frozen += frozen - order.frozen
        self.value += (lots - order.opening_lots) * order.ticks
        order.frozen = frozen
        order.opening_lots = lots

    def _settle(self) -> None:
        while self.covered > self.capacity:
            self._uncover()
        while self.covered < self.capacity:
            if not self._cover():
                break

    def _uncover(self) -> None:
        order = self.last_covered
        assert order is not None
        covered = order.lots - order.filled_lots - order.opening_lots
        lots = min(covered, self.covered - self.capacity)
        self._set_opening(order, order.opening_lots + lots)
        self.covered -= lots
        if lots == covered:
            self.last_covered = order.chain_prev

    def _cover(self) -> bool:
        order = self.last_covered or self.head
        while order is not None and order.opening_lots == 0:
            order = order.chain_next
        if order is None:
            return False
        lots = min(order.opening_lots, self.capacity - self.covered)
        self._set_opening(order, order.opening_lots - lots)
        self.covered += lots
        self.last_covered = order
        return True
