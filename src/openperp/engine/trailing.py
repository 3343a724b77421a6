"""Trailing stops: which of them a price activates, and which it fires.

Source of the conditions: the venue's public rules. A trailing stop activates
when the price reaches its activation price, remembers the extreme since, and
fires once the price has come back from it by the callback rate.

A price costs what it activates and fires, however many wait. Those that have
seen the same extreme are one group, which moves as one; a price beyond the
extremes of several groups makes them one for good. In a group the smallest
callback fires first, and a heap knows which group fires nearest.
"""

from bisect import bisect_left
from heapq import heapify, heappop, heappush
from typing import Final

from openperp.engine.numbers import PPM
from openperp.engine.order import Extreme, Order
from openperp.engine.terms import Side
from openperp.engine.trigger_heap import STALE_MIN, TriggerHeap

_NO_LIMIT: Final = 1 << 62
"""Beyond every price: the heap of groups does not know the group yet."""


class Group(Extreme):
    """Trailing stops that share their extreme `ticks`; smallest callback first.

    `limit` is the firing price that the heap of groups knows it by, times the
    sign of its side. It may be too near, when the first order has been cancelled.
    """

    __slots__ = ("entries", "limit", "serial", "stands")

    def __init__(self, ticks: int, serial: int) -> None:
        super().__init__(ticks)
        self.serial = serial
        self.entries: list[tuple[int, int, Order]] = []
        self.limit = _NO_LIMIT
        self.stands = True
        """Whether it is still one of the groups, neither empty nor part of another."""


class TrailingStops:
    """The trailing stops of one side that watch one price of a market.

    Prices times `sign` grow in the direction in which extremes move: up for
    sellers, down for buyers. `groups` stand by extreme, the one nearest to the
    price last. Cancelled orders stay behind as in a TriggerHeap.
    """

    __slots__ = ("groups", "idle", "nearest", "serial", "sign", "size", "stale")

    def __init__(self, side: Side) -> None:
        self.sign = -int(side)
        self.idle = TriggerHeap(self.sign)
        """Those that have yet to activate."""
        self.groups: list[Group] = []
        self.nearest: list[tuple[int, int, Group]] = []
        """Heap of groups by negated limit; entries that no group stands by are stale."""
        self.serial = 0
        self.size = 0
        """Entries in groups, of which `stale` are of cancelled orders."""
        self.stale = 0

    def add(self, order: Order) -> None:
        """Puts an order in, which may have activated before."""
        if order.activated:
            self._enter(order, order.extreme_ticks)
        else:
            self.idle.add(order, order.activation_ticks)

    def discard(self, order: Order) -> None:
        """Notes that the entry of `order` has become stale."""
        if not order.activated:
            self.idle.discard()
            return
        self.stale += 1
        if self.stale > STALE_MIN and self.stale * 2 > self.size:
            self._sweep()

    def follow(self, ticks: int, activated: list[Order]) -> None:
        """Moves extremes along with the price; whom it activates goes to `activated`."""
        groups = self.groups
        reach = self.sign * ticks
        if groups and self.sign * groups[-1].ticks < reach:
            moved = groups.pop()
            while groups and self.sign * groups[-1].ticks <= reach:
                moved = self._merge(groups.pop(), moved)
            moved.ticks = ticks
            groups.append(moved)
            self._aim(moved)
        idle = self.idle.entries
        if idle and idle[0][0] <= reach:
            first = len(activated)
            self.idle.take(ticks, activated)
            for order in activated[first:]:
                order.activated = True
                self._enter(order, ticks)

    def take(self, ticks: int, fired: list[Order]) -> None:
        """Moves every order that is back from its extreme far enough to `fired`."""
        reach = self.sign * ticks
        while self.nearest and reach <= -self.nearest[0][0]:
            negated, _, group = heappop(self.nearest)
            if not group.stands or group.limit != -negated:
                continue
            entries = group.entries
            while entries and reach <= self._limit(group, entries[0][0]):
                self.size -= 1
                order = heappop(entries)[2]
                if order.indexed:
                    fired.append(order)
                else:
                    self.stale -= 1
            self._aim(group)

    def orders(self) -> list[Order]:
        """Every order that is in, in no useful order."""
        members = [entry[2] for group in self.groups for entry in group.entries]
        return [*self.idle.orders(), *[order for order in members if order.indexed]]

    def _enter(self, order: Order, ticks: int) -> None:
        """Makes an order one of the group whose extreme is `ticks`."""
        group = self._find_group(ticks)
        order.extreme = group
        heappush(group.entries, (order.callback_ppm, order.order_id, order))
        self.size += 1
        if group.entries[0][2] is order:
            self._aim(group)

    def _find_group(self, ticks: int) -> Group:
        groups = self.groups
        at = len(groups)
        if groups and self.sign * groups[-1].ticks <= self.sign * ticks:
            at = self._find_place(ticks)
            if groups[at].ticks == ticks:
                return groups[at]
        self.serial += 1
        group = Group(ticks, self.serial)
        groups.insert(at, group)
        return group

    def _find_place(self, ticks: int) -> int:
        """Where the group whose extreme is `ticks` stands, or would stand."""
        sign = self.sign
        return bisect_left(self.groups, -sign * ticks, key=lambda group: -sign * group.ticks)

    def _merge(self, one: Group, other: Group) -> Group:
        """Makes one group of two, the smaller going into the larger."""
        small, large = (one, other) if len(one.entries) < len(other.entries) else (other, one)
        for entry in small.entries:
            if entry[2].indexed:
                entry[2].extreme = large
                heappush(large.entries, entry)
            else:
                self.stale -= 1
                self.size -= 1
        small.entries = []
        small.stands = False
        return large

    def _limit(self, group: Group, callback_ppm: int) -> int:
        """The price, times sign, from which on an order of the group fires."""
        return (self.sign * group.ticks * PPM - group.ticks * callback_ppm) // PPM

    def _aim(self, group: Group) -> None:
        """Tells the heap of groups where a group fires now; an empty one is dropped."""
        entries = group.entries
        while entries and not entries[0][2].indexed:
            heappop(entries)
            self.stale -= 1
            self.size -= 1
        if not entries:
            group.stands = False
            del self.groups[self._find_place(group.ticks)]
            return
        limit = self._limit(group, entries[0][0])
        if limit != group.limit:
            group.limit = limit
            heappush(self.nearest, (-limit, group.serial, group))
            if len(self.nearest) > 2 * len(self.groups) + STALE_MIN:
                self._line_up()

    def _line_up(self) -> None:
        """Leaves one entry per group in the heap of groups."""
        self.nearest = [(-group.limit, group.serial, group) for group in self.groups]
        heapify(self.nearest)

    def _sweep(self) -> None:
        """Lets go of every entry that has become stale."""
        for group in self.groups:
            group.entries = [entry for entry in group.entries if entry[2].indexed]
            heapify(group.entries)
            group.stands = bool(group.entries)
            if group.stands:
                group.limit = self._limit(group, group.entries[0][0])
        self.groups = [group for group in self.groups if group.stands]
        self.size -= self.stale
        self.stale = 0
        self._line_up()
