"""Orders that wait for one price to come, nearest first."""

from heapq import heapify, heappop, heappush

from openperp.engine.order import Order

STALE_MIN = 64
"""So many cancelled orders stay behind without being looked at."""


class TriggerHeap:
    """Orders of one market and price that wait for it in one direction.

    `sign` is 1 for orders that wait for a rising price and -1 for a falling one.
    Cancelled orders stay behind as stale entries until they outnumber the rest.
    """

    __slots__ = ("entries", "sign", "stale")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.entries: list[tuple[int, int, Order]] = []
        self.stale = 0

    def add(self, order: Order, ticks: int) -> None:
        """Lets `order` wait for the price `ticks`."""
        heappush(self.entries, (self.sign * ticks, order.order_id, order))

    def discard(self) -> None:
        """Notes that an entry, no matter which, has become stale."""
        self.stale += 1
        if self.stale > STALE_MIN and self.stale * 2 > len(self.entries):
            self.entries = [entry for entry in self.entries if entry[2].indexed]
            heapify(self.entries)
            self.stale = 0

    def take(self, ticks: int, taken: list[Order]) -> None:
        """Moves every order whose price has come with `ticks` to `taken`."""
        entries = self.entries
        reach = self.sign * ticks
        while entries and entries[0][0] <= reach:
            order = heappop(entries)[2]
            if order.indexed:
                taken.append(order)
            else:
                self.stale -= 1

    def orders(self) -> list[Order]:
        """Every order that waits, in no useful order."""
        return [entry[2] for entry in self.entries if entry[2].indexed]
