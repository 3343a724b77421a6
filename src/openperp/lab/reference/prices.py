"""Mark price and premium index: the formulas, sample by sample.

Prices are rounded to the nearest tick, rates to the nearest 10^-8, halves up;
a premium below zero as the one above it would be.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from openperp.engine.events import PremiumChanged, PriceChanged, TimePassed
from openperp.engine.terms import Side, WorkingType
from openperp.lab.reference.amounts import CENT, ZERO, from_money, nearest
from openperp.lab.reference.model import Market
from openperp.lab.reference.records import ticks_of
from openperp.lab.reference.venue import Venue, to_price

SAMPLE_MS = 5_000
"""Basis and premium are sampled at every multiple of this."""
BASIS_SAMPLES = 30
HOUR_MS = 3_600_000
IMPACT_MARGIN = Decimal(200)
"""Margin, at the highest leverage, of the order that impact prices are for."""
PREMIUM_LIMIT = Decimal(100)
"""A premium counts as no more than this."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the book of a market shows at a sample."""

    basis: Decimal
    premium: Decimal


def look(venue: Venue, market: Market) -> Shown:
    return Shown(_basis(venue, market), _premium(venue, market))


def _basis(venue: Venue, market: Market) -> Decimal:
    """How far the middle of the book is above the index; nothing without both sides."""
    bid = venue.best(market.spec.symbol, Side.BUY)
    ask = venue.best(market.spec.symbol, Side.SELL)
    if bid is None or ask is None:
        return ZERO
    return (bid.price + ask.price) / 2 - market.index


def _premium(venue: Venue, market: Market) -> Decimal:
    """(max(0, impact bid - index) - max(0, index - impact ask)) / index.

    A side that cannot fill the impact order adds nothing.
    """
    index = Fraction(market.index)
    bid = _impact_price(venue, market, Side.BUY)
    ask = _impact_price(venue, market, Side.SELL)
    if bid is not None and bid > index:
        return min(PREMIUM_LIMIT, _to_rate((bid - index) / index))
    if ask is not None and ask < index:
        return -_to_rate((index - ask) / index)
    return ZERO


def _to_rate(ratio: Fraction) -> Decimal:
    return nearest(Decimal(ratio.numerator), Decimal(ratio.denominator), CENT)


def _impact_price(venue: Venue, market: Market, side: Side) -> Fraction | None:
    """The average price of an order that spends its whole value on one side of the book."""
    value = Fraction(IMPACT_MARGIN * market.spec.brackets[0].max_leverage)
    left, bought = value, Fraction(0)
    orders = [order for order in venue.resting(market.spec.symbol) if order.side is side]
    orders.sort(key=lambda order: -side * order.price)
    for order in orders:
        price, quantity = Fraction(order.price), Fraction(order.left)
        taken = min(quantity, left / price)
        left -= taken * price
        bought += taken
        if not left:
            return value / bought
    return None


def mark_by_formula(market: Market, now: int) -> Decimal:
    """The median of three: the index with the last rate for the time to the next funding,
    the index with the average basis, and the last price.
    """
    index, tick, terms = market.index, market.tick, market.spec
    accrued = averaged = index
    if market.funding_ms:
        interval = terms.funding_hours * HOUR_MS
        left = min(max(market.funding_ms - now, 0), interval)
        grown = index * (interval + market.funding_rate * left)
        accrued = nearest(grown, Decimal(interval), tick)
    if market.basis:
        count = Decimal(len(market.basis))
        averaged = nearest(index * count + sum(market.basis, ZERO), count, tick)
    median = sorted((accrued, averaged, market.last))[1]
    return max(to_price(terms, terms.min_ticks), min(to_price(terms, terms.max_ticks), median))


def sample(venue: Venue, market: Market, shown: Shown) -> None:
    """Takes one sample of a market, and lets its mark price follow."""
    if market.funding_ms:
        _sample_premium(venue, market, shown.premium)
    if market.formula:
        market.basis = [*market.basis, shown.basis][-BASIS_SAMPLES:]
        mark = mark_by_formula(market, venue.now)
        if mark != market.mark:
            market.mark = mark
            venue.moves.append((market.spec.symbol, WorkingType.MARK_PRICE, mark, None))
            tell_time(venue)
            venue.events.append(tell_prices(market))


def _sample_premium(venue: Venue, market: Market, premium: Decimal) -> None:
    """Keeps a premium with its number in the period; zeros weigh nothing."""
    if premium != market.premium:
        market.premium = premium
        tell_time(venue)
        venue.events.append(PremiumChanged(market.spec.symbol, from_money(premium)))
    if premium:
        market.premiums.append((samples_until(market, venue.now), premium))


def samples_until(market: Market, now: int) -> int:
    """How many samples the funding period under way has had."""
    return now // SAMPLE_MS - market.period_ms // SAMPLE_MS


def tell_prices(market: Market) -> PriceChanged:
    prices = [ticks_of(market, each) for each in (market.index, market.mark, market.last)]
    return PriceChanged(market.spec.symbol, *prices)


def tell_time(venue: Venue) -> None:
    """Says when what is told next has happened, if not at the time that was told before."""
    if venue.told_ms != venue.now:
        venue.told_ms = venue.now
        venue.events.append(TimePassed(venue.now))
