"""Samples of premium and basis, and the mark price that follows them.

Samples are taken at fixed times, and before the record that finds them due.
Nothing changes between two records but by what is due itself, so any number of
samples is one step while neither basis, premium nor mark price moves.
"""

from openperp.engine.consequences import run_consequences
from openperp.engine.events import PremiumChanged, PriceChanged, TimePassed
from openperp.engine.pricing import (
    BASIS_SAMPLES,
    SAMPLE_MS,
    basis_now,
    count_samples,
    mark_at,
    premium_now,
)
from openperp.engine.state import NEVER, Market, State
from openperp.engine.step import Step
from openperp.engine.terms import MARK_PRICE


def plan_samples(state: State, now_ms: int) -> None:
    """Lets the next sample be taken when its time comes, if any market needs one."""
    state.sample_ms = NEVER
    for market in state.markets.values():
        if market.formula or market.funding_ms:
            state.sample_ms = (now_ms // SAMPLE_MS + 1) * SAMPLE_MS


def take_samples(step: Step, until_ms: int) -> None:
    """Takes every sample up to `until_ms`; nothing else is due before that."""
    state = step.state
    while state.sample_ms <= until_ms:
        markets = list(state.markets.values())
        first_ms = state.sample_ms
        count = (until_ms - first_ms) // SAMPLE_MS + 1
        for market in markets:
            if market.formula:
                count = _count_still(market, first_ms, count)
        if count > 1 and any(_premium_changes(market) for market in markets):
            count = 1
        step.now = first_ms + (count - 1) * SAMPLE_MS
        state.sample_ms = step.now + SAMPLE_MS
        for market in markets:
            if market.funding_ms:
                _sample_premium(step, market, first_ms)
            if market.formula:
                _sample_basis(market, count)
                follow_formula(step, market)
        if step.moves:
            run_consequences(step)


def follow_formula(step: Step, market: Market) -> None:
    """Brings the mark price to where the formula has it now."""
    ticks = mark_at(market, step.now)
    if ticks == market.mark_ticks:
        return
    market.mark_ticks = ticks
    step.price_moved(market, MARK_PRICE, ticks)
    tell_time(step, step.now)
    step.events.append(PriceChanged(market.symbol, market.index_ticks, ticks, market.last_ticks))


def tell_time(step: Step, time_ms: int) -> None:
    """Says when what follows happened, if not at the time of what was told before."""
    if step.told_ms != time_ms:
        step.told_ms = time_ms
        step.events.append(TimePassed(time_ms))


def _count_still(market: Market, first_ms: int, most: int) -> int:
    """Samples from `first_ms` on until the mark price moves, that one included; up to `most`.

    The first sample may move it anywhere: an average or, after a funding, the rate has
    changed. From there the formula leads to one side only until the next funding, so that
    the first move is found by halving.
    """
    if market.basis.count(basis_now(market)) < BASIS_SAMPLES:
        return 1
    if mark_at(market, first_ms) != market.mark_ticks:
        return 1
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if mark_at(market, first_ms + (middle - 1) * SAMPLE_MS) != market.mark_ticks:
            high = middle
        else:
            low = middle + 1
    return low


def _premium_changes(market: Market) -> bool:
    """Whether the first sample tells a premium, which no other market's mark may come before."""
    return market.funding_ms > 0 and premium_now(market) != market.premium


def _sample_premium(step: Step, market: Market, first_ms: int) -> None:
    """Adds the samples from `first_ms` up to now, each with its weight in the period."""
    premium = premium_now(market)
    if premium != market.premium:
        market.premium = premium
        tell_time(step, step.now)
        step.events.append(PremiumChanged(market.symbol, premium))
    if premium:
        before, last = count_samples(market, first_ms) - 1, count_samples(market, step.now)
        market.premium_sum += premium * (last * (last + 1) - before * (before + 1)) // 2


def _sample_basis(market: Market, count: int) -> None:
    basis = basis_now(market)
    kept = market.basis[count - BASIS_SAMPLES :] if count < BASIS_SAMPLES else []
    market.basis = [*kept, *([basis] * min(count, BASIS_SAMPLES))][-BASIS_SAMPLES:]
