"""The order book of one market: price-time priority.

A side keeps its distinct prices sorted with the best one last, so that the
busy end of the list is the cheap end, and the orders of one price in a linked
list, so that a cancel in the middle costs the same as one at the front.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from openperp.engine.order import Order
from openperp.engine.terms import (
    BUY,
    SELL,
    Side,
)


class Level:
    """The orders of one price, oldest first, and the sum of their rests in lots."""

    __slots__ = ("head", "lots", "tail", "ticks")

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks
        self.lots = 0
        self.head: Order | None = None
        self.tail: Order | None = None


class BookSide:
    """One side of a book.

    `keys` holds side x ticks of every level in ascending order: for both sides
    the best price is the last key.
    """

    __slots__ = ("keys", "levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}

    def best(self) -> Level | None:
        keys = self.keys
        if not keys:
            return None
        return self.levels[keys[-1]]

    def best_ticks(self) -> int:
        """Best price, or zero when the side is empty."""
        keys = self.keys
        if not keys:
            return 0
        return keys[-1] * self.side

    def crosses(self, ticks: int) -> bool:
        """Whether a taker with the limit `ticks` would trade against this side."""
        keys = self.keys
        return bool(keys) and keys[-1] >= ticks * self.side

    def add(self, order: Order) -> None:
        key = order.ticks * self.side
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = Level(order.ticks)
            keys = self.keys
            if not keys or key > keys[-1]:
                keys.append(key)
            else:
                insort(keys, key)
        tail = level.tail
        order.level_prev = tail
        if tail is None:
            level.head = order
        else:
            tail.level_next = order
        level.tail = order
        level.lots += order.lots - order.filled_lots
        order.resting = True

    def shrink(self, order: Order, lots: int) -> None:
        """Takes `lots` of a resting order's rest out of its level's sum."""
        self.levels[order.ticks * self.side].lots -= lots

    def remove(self, order: Order) -> None:
        key = order.ticks * self.side
        level = self.levels[key]
        before, after = order.level_prev, order.level_next
        if before is None:
            level.head = after
        else:
            before.level_next = after
        if after is None:
            level.tail = before
        else:
            after.level_prev = before
        order.level_prev = None
        order.level_next = None
        order.resting = False
        level.lots -= order.lots - order.filled_lots
        if level.head is None:
            del self.levels[key]
            keys = self.keys
            if keys[-1] == key:
                keys.pop()
            else:
                del keys[bisect_left(keys, key)]

    def orders(self) -> Iterator[Order]:
        """Every resting order by priority: best price first, then by arrival."""
        for key in reversed(self.keys):
            order = self.levels[key].head
            while order is not None:
                yield order
                order = order.level_next

    def depth(self, limit: int) -> list[tuple[int, int]]:
        """Up to `limit` levels from the best one on, as (ticks, lots)."""
        levels = self.levels
        return [
            (level.ticks, level.lots)
            for level in (levels[key] for key in reversed(self.keys[-limit:]))
        ]


class Book:
    """Both sides. `update_id` counts its changes and never runs backwards."""

    __slots__ = ("asks", "bids", "update_id")

    def __init__(self) -> None:
        self.bids = BookSide(BUY)
        self.asks = BookSide(SELL)
        self.update_id = 0

    def side(self, side: Side) -> BookSide:
        """Where orders of `side` rest."""
        return self.bids if side is BUY else self.asks

    def opposite(self, side: Side) -> BookSide:
        """What an order of `side` takes from."""
        return self.asks if side is BUY else self.bids
