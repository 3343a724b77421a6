"""Funding: the rate of a period, and who pays whom at its end."""

from decimal import Decimal

from openperp.engine.events import FundingPaid, FundingSettled, FundingSkipped
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.terms import PositionSide
from openperp.lab.reference.amounts import (
    CENT,
    ONE,
    ZERO,
    from_money,
    money_down,
    money_up,
    nearest,
    ratio,
)
from openperp.lab.reference.model import Account, Market
from openperp.lab.reference.prices import HOUR_MS, samples_until, tell_time
from openperp.lab.reference.records import ticks_of
from openperp.lab.reference.stakes import has_room
from openperp.lab.reference.trading import tell_position
from openperp.lab.reference.venue import Venue, sides_of

DAMPER = Decimal("0.0005")
"""How far the interest may pull the rate away from the premium."""
BASE_HOURS = Decimal(8)
HORIZON_MS = 366 * 24 * HOUR_MS
"""Fundings later than this after the record before are skipped."""


def next_stamp(spec: InstrumentSpec, now: int) -> int:
    """The first funding after now, by the clock of UTC; zero for none."""
    if not spec.funding_hours:
        return 0
    interval = spec.funding_hours * HOUR_MS
    return now - now % interval + interval


def plan_funding(venue: Venue, market: Market) -> None:
    """Follows the terms of a market: where the next funding is another one, its period begins
    now; where there is none, there is no rate either.
    """
    due_ms = next_stamp(market.spec, venue.now)
    if not due_ms:
        market.premium = market.funding_rate = ZERO
    if due_ms != market.funding_ms:
        begin_period(market, venue.now)


def begin_period(market: Market, now: int) -> None:
    """A period up to the next stamp, without samples yet."""
    market.premiums = []
    market.funding_ms = next_stamp(market.spec, now)
    market.period_ms = now if market.funding_ms else 0


def funding_rate(market: Market, now: int) -> Decimal:
    """(P + clamp(I - P, -0.05 %, 0.05 %)) / (8 / hours), within the cap either way.

    P is the average of the premiums of the period; the i-th weighs i.
    """
    weights = sum(range(1, samples_until(market, now) + 1))
    premium = ZERO
    if weights:
        weighed = sum([number * each for number, each in market.premiums], ZERO)
        premium = nearest(weighed, Decimal(weights), CENT)
    pull = _clamp(ratio(market.spec.interest_ppm) - premium, DAMPER)
    hours = Decimal(market.spec.funding_hours)
    rate = nearest((premium + pull) * hours, BASE_HOURS, CENT)
    return _clamp(rate, ratio(market.spec.funding_cap_ppm))


def _clamp(value: Decimal, bound: Decimal) -> Decimal:
    return max(-bound, min(bound, value))


def settle_funding(venue: Venue, symbol: str) -> None:
    """Positions pay or receive by account, LONG before SHORT."""
    market = venue.markets[symbol]
    rate = funding_rate(market, venue.now)
    if not has_room(venue, _most_paid(venue, market, rate)):
        skip_funding(venue, symbol, venue.now)
        return
    tell_time(venue)
    mark = ticks_of(market, market.mark)
    venue.events.append(FundingSettled(symbol, from_money(rate), mark, venue.now))
    for account in venue.accounts.values():
        for side in sides_of(account):
            _pay(venue, account, symbol, side, rate)
    market.funding_rate = rate
    begin_period(market, venue.now)


def _most_paid(venue: Venue, market: Market, rate: Decimal) -> Decimal:
    """The rate on all positions: the long ones pay it and the short ones receive it, or the other
    way round. Twice the smallest amount of money for each: the position may pay or miss
    that much by rounding, and the fund gets it.
    """
    keys = [(market.spec.symbol, side) for side in PositionSide]
    sizes = [
        abs(account.positions[key].quantity)
        for account in venue.accounts.values()
        for key in keys
        if rate and key in account.positions and account.positions[key].quantity
    ]
    paid = money_up(sum(sizes, ZERO) * market.mark * abs(rate), ONE)
    return paid + 2 * len(sizes) * CENT


def _pay(venue: Venue, account: Account, symbol: str, side: PositionSide, rate: Decimal) -> None:
    """What is paid is rounded up, what is received down; the insurance fund has the rest.

    An isolated position pays from its own money as far as that goes.
    """
    position = venue.position(account, symbol, side)
    owed = position.quantity * venue.markets[symbol].mark * rate
    amount = -money_up(owed, ONE) if owed > 0 else money_down(-owed, ONE)
    if not amount:
        return
    account.wallet += amount
    venue.insurance -= amount
    alone = symbol in account.isolated
    if alone:
        position.own = max(ZERO, position.own + amount)
    venue.events.append(
        FundingPaid(
            account=account.account_id,
            symbol=symbol,
            position_side=side,
            amount=from_money(amount),
            wallet=from_money(account.wallet),
            time_ms=venue.now,
            set_aside=from_money(account.set_aside),
        )
    )
    if alone:
        venue.events.append(tell_position(venue, account, symbol, side))


def skip_funding(venue: Venue, symbol: str, until_ms: int) -> None:
    """Nobody pays at this stamp, nor at any other up to `until_ms`; the last of them is told."""
    market = venue.markets[symbol]
    tell_time(venue)
    venue.events.append(FundingSkipped(symbol, venue.now))
    begin_period(market, venue.now)
    last_ms = next_stamp(market.spec, until_ms) - market.spec.funding_hours * HOUR_MS
    market.funding_ms = max(market.funding_ms, last_ms)
