"""Alarms of margin: the mark prices at which a position has to be looked at again.

As long as the mark price lies between the alarms of all positions that stand on the
same margin, that margin is not used up. So a price that moves costs what it alarms,
and not what exists. What an alarm sets off is an exact look at its account; one that
comes too early costs a look and changes nothing. How far away it may be set is said
in `solvency`. Alarms are derived from the state, and no part of it.
"""

from heapq import heapify, heappop, heappush
from typing import Final

STALE_LIMIT: Final = 64
"""Entries out of date that a heap may hold beside one for each that counts."""

AlarmKey = tuple[int, str]
"""A position: its account and its own key."""


class AlarmHeap:
    """The alarms of one market in one direction, nearest first.

    `sign` is 1 for those of a rising price and -1 for those of a falling one. Each
    position has one alarm at most, its price in ticks in `prices`; older entries stay
    behind in the heap until they outnumber the rest.
    """

    __slots__ = ("entries", "prices", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.entries: list[tuple[int, int, str]] = []
        self.prices: dict[AlarmKey, int] = {}

    def set(self, account_id: int, key: str, ticks: int) -> None:
        """Brings the alarm of a position to `ticks`, unless it lies nearer already."""
        alarm_key = (account_id, key)
        before = self.prices.get(alarm_key)
        if before is not None and self.sign * before <= self.sign * ticks:
            return
        self.prices[alarm_key] = ticks
        heappush(self.entries, (self.sign * ticks, account_id, key))
        if len(self.entries) > 2 * len(self.prices) + STALE_LIMIT:
            self.entries = [(self.sign * at, *owner) for owner, at in self.prices.items()]
            heapify(self.entries)

    def drop(self, account_id: int, key: str) -> None:
        """Takes back the alarm of a position, if it has one."""
        self.prices.pop((account_id, key), None)

    def take(self, ticks: int, accounts: list[int]) -> None:
        """Takes out what the price `ticks` alarms, and adds whose it is to `accounts`."""
        entries = self.entries
        reach = self.sign * ticks
        while entries and entries[0][0] <= reach:
            at, account_id, key = heappop(entries)
            alarm_key = (account_id, key)
            if self.prices.get(alarm_key) == self.sign * at:
                del self.prices[alarm_key]
                accounts.append(account_id)


class MarketAlarms:
    """All alarms of a market."""

    __slots__ = ("falling", "rising")

    def __init__(self) -> None:
        self.rising = AlarmHeap(1)
        self.falling = AlarmHeap(-1)

    def drop(self, account_id: int, key: str) -> None:
        """Takes back all alarms of a position that is gone."""
        self.rising.drop(account_id, key)
        self.falling.drop(account_id, key)

    def take(self, ticks: int, accounts: list[int]) -> None:
        """Adds to `accounts` whose margin the mark price `ticks` may have used up."""
        self.rising.take(ticks, accounts)
        self.falling.take(ticks, accounts)
