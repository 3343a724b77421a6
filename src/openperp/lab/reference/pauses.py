"""How long random traffic waits: mostly for nothing, now and then for what time brings about."""

from collections.abc import Callable
from random import Random

from openperp.engine.pricing import HOUR_MS
from openperp.engine.state import Market, State

DAY_MS = 24 * HOUR_MS
SOON = (0, 0, 1, 1, 5, 1_000)
LONGER = 0.04
"""How often it is a longer wait, and how often that is one of hours: more often while a book
leans to one side of its index, so that a rate comes of it.
"""
HOURS = 0.25
LEANING = 0.8
YEARS = 0.1


class Pauses:
    """Waits that the slow engine can follow.

    It takes each sample, so it is kept from waiting for days while a market
    follows the formula, and for years while any sample could show something.
    """

    def __init__(self, random: Random, state: State) -> None:
        self._random = random
        self._state = state

    def pick(self) -> int:
        random = self._random
        if random.random() > LONGER:
            return random.choice(SOON)
        if random.random() < YEARS and self._is_calm():
            return random.choice((367, 500)) * DAY_MS
        hours = (HOUR_MS, 8 * HOUR_MS, DAY_MS)
        if self._follows():
            hours = (HOUR_MS, HOUR_MS, 8 * HOUR_MS)
        stamp = self._leaning_stamp()
        if stamp and random.random() < LEANING:
            return self._until(stamp)
        if random.random() < HOURS:
            return self._until(random.choice(hours))
        waits: tuple[Callable[[], int], ...] = (
            lambda: self._until(5_000),
            lambda: random.randrange(20_000),
            lambda: random.randrange(20_000),
            lambda: 60_000,
            lambda: 200_000,
            lambda: 600_000,
        )
        return random.choice(waits)()

    def _until(self, step_ms: int) -> int:
        """To the next multiple of this time, or to a millisecond beside it."""
        left = step_ms - self._state.time_ms % step_ms
        return left + self._random.choice((-1, 0, 0, 0, 1))

    def _follows(self) -> bool:
        return any(market.formula for market in self._state.markets.values())

    def _leaning_stamp(self) -> int:
        """When a market is funded soon whose last premium was not zero; zero for none."""
        most = HOUR_MS if self._follows() else DAY_MS
        stamps = [each.funding_ms for each in self._state.markets.values() if each.premium]
        return min([each for each in stamps if each < self._state.time_ms + most], default=0)

    def _is_calm(self) -> bool:
        """Whether nothing but fundings, not too many of them, will happen by itself."""
        return all(_is_still(market) for market in self._state.markets.values())


def _is_still(market: Market) -> bool:
    """The index lies between the best prices, and will whatever orders end."""
    bid, ask = market.book.bids.best_ticks(), market.book.asks.best_ticks()
    between = bid <= market.index_ticks and (not ask or ask >= market.index_ticks)
    few = market.spec.funding_hours not in range(1, 8)
    return not market.formula and (not market.funding_ms or (between and few))
