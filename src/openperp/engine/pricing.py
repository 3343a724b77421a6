"""Mark price, premium index and funding rate: the formulas, as pure reads of a market.

Source: the venue's public rules on mark price and funding. Rates are in units of
10^-8, prices in ticks; every quotient is rounded to nearest.
"""

from typing import Final

from openperp.engine.book import BookSide
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_ONE, PPM, divide_nearest
from openperp.engine.state import Market

RATE_ONE: Final = 100_000_000
"""A rate of one, in units of 10^-8."""
_RATE_PER_PPM: Final = RATE_ONE // PPM

HOUR_MS: Final = 3_600_000
SAMPLE_MS: Final = 5_000
"""Premium and basis are sampled at each multiple of this."""
BASIS_SAMPLES: Final = 30
"""Samples of the basis that its moving average covers: 2.5 minutes."""
BASE_HOURS: Final = 8
"""The time over which interest and rates are meant before they are scaled to an interval."""
DAMPER: Final = 50_000
"""The interest may pull the rate 0.05 % away from the premium, at most."""
PREMIUM_LIMIT: Final = 100 * RATE_ONE
"""A premium counts as no more than this, far beyond what any cap of a rate leaves of it, so
that the weighted sum of a day's samples stays a number that can be stored."""
IMPACT_MARGIN: Final = 200 * MONEY_ONE
"""Margin of the order that the impact prices are for, at the highest leverage."""


def interval_ms(spec: InstrumentSpec) -> int:
    """Time between two fundings; zero for none."""
    return spec.funding_hours * HOUR_MS


def next_stamp(spec: InstrumentSpec, now_ms: int) -> int:
    """The funding after `now_ms`; zero for none."""
    interval = interval_ms(spec)
    if interval == 0:
        return 0
    return (now_ms // interval + 1) * interval


def basis_now(market: Market) -> int:
    """Twice the distance of the middle of the book from the index; 0 without both sides."""
    bid, ask = market.book.bids.best_ticks(), market.book.asks.best_ticks()
    if bid == 0 or ask == 0:
        return 0
    return bid + ask - 2 * market.index_ticks


def premium_now(market: Market) -> int:
    """The premium index: (max(0, impact bid - index) - max(0, index - impact ask)) / index.

    A side of the book that cannot fill the impact order adds nothing, and none more than
    `PREMIUM_LIMIT`.
    """
    return _advantage(market, market.book.bids) - _advantage(market, market.book.asks)


def _advantage(market: Market, side: BookSide) -> int:
    """How much better than the index a side's impact price is, relative to the index.

    The impact price is the average one of an order that takes `IMPACT_MARGIN` x
    leverage, in money, from that side.
    """
    index = market.index_ticks
    keys = side.keys
    if not keys or keys[-1] <= index * side.side:
        return 0
    wanted = IMPACT_MARGIN * market.spec.max_leverage
    lots = value = 0
    for at in range(len(keys) - 1, -1, -1):
        level = side.levels[keys[at]]
        if value + level.ticks * level.lots * market.unit >= wanted:
            # All of the better levels, and a fraction of a lot's worth of this one.
            taken = lots * level.ticks * market.unit + wanted - value
            better = (wanted * level.ticks - index * taken) * side.side
            return max(0, min(PREMIUM_LIMIT, divide_nearest(better * RATE_ONE, index * taken)))
        lots += level.lots
        value += level.ticks * level.lots * market.unit
    return 0


def default_cap_ppm(maintenance_ppm: int) -> int:
    """The cap of the rate where the terms give none: 0.75 x the first bracket's maintenance."""
    return maintenance_ppm * 3 // 4


def count_samples(market: Market, until_ms: int) -> int:
    """Samples of the premium in the funding period under way, up to `until_ms` included."""
    return until_ms // SAMPLE_MS - market.period_ms // SAMPLE_MS


def estimate_rate(market: Market, until_ms: int) -> int:
    """What the next funding rate is if the period ended at `until_ms`.

    The i-th sample of the period weighs i. All of them up to then have been taken.
    """
    if market.funding_ms == 0:
        return 0
    count = max(0, count_samples(market, until_ms))
    weights = count * (count + 1) // 2
    average = divide_nearest(market.premium_sum, weights) if weights else 0
    return rate_of(market.spec, average)


def rate_of(spec: InstrumentSpec, premium: int) -> int:
    """(P + clamp(I - P, -0.05 %, 0.05 %)) / (8 / hours), within the cap on either side."""
    interest = spec.interest_ppm * _RATE_PER_PPM
    whole = premium + _clamp(interest - premium, DAMPER)
    cap = spec.funding_cap_ppm * _RATE_PER_PPM
    return _clamp(divide_nearest(whole * spec.funding_hours, BASE_HOURS), cap)


def _clamp(value: int, bound: int) -> int:
    return max(-bound, min(bound, value))


def mark_at(market: Market, time_ms: int) -> int:
    """The mark price at `time_ms` if nothing else changes until then.

    The median of index x (1 + last rate x time to funding / interval), of index
    + moving average of the basis, and of the last price.
    """
    index = market.index_ticks
    accrued = averaged = index
    if market.funding_ms:
        interval = interval_ms(market.spec)
        left_ms = max(0, min(interval, market.funding_ms - time_ms))
        accrued += divide_nearest(index * market.funding_rate * left_ms, RATE_ONE * interval)
    if market.basis:
        averaged += divide_nearest(sum(market.basis), 2 * len(market.basis))
    last = market.last_ticks
    median = max(min(accrued, averaged), min(max(accrued, averaged), last))
    return max(market.spec.min_ticks, min(market.spec.max_ticks, median))
