"""The price at which a position would be liquidated.

It is the formula that Binance explains: the mark price of one market at which
wallet and unrealized profit equal the maintenance margin. Of cross margin these
are those of the account, its isolated positions aside, while all other prices
stay as they are; in hedge mode both sides of the market move with the price,
each in a bracket of its own. An isolated position has its own wallet, and
nothing else counts.
"""

from collections.abc import Iterator
from math import prod

from openperp.api.wire.numbers import InstrumentFormat
from openperp.engine import margin
from openperp.engine.instruments import Bracket
from openperp.engine.lookup import list_sides
from openperp.engine.numbers import PPM
from openperp.engine.state import Account, Position

Fraction = tuple[int, int]
"""Ticks as numerator and positive denominator."""


def liquidation_text(account: Account, position: Position, instrument: InstrumentFormat) -> str:
    """The liquidation price of a position, which both cross sides of a market share.

    Where one price below and one above would liquidate, as with two sides of
    almost the same size, it is the nearer one; "0" where no positive price would.
    """
    if not position.lots:
        return instrument.derived_price(0, 0)
    if position.isolated:
        sides = [position]
        cushion = position.isolated_wallet - position.entry_cost
    else:
        sides = [side for side in list_sides(account, position.market) if side.lots]
        cushion = _cross_cushion(account, sides)
    prices = list(_liquidation_prices(sides, cushion))
    if not prices:
        return instrument.derived_price(0, 0)
    mark = position.market.mark_ticks
    return instrument.derived_price(*min(prices, key=lambda price: _distance(price, mark)))


def _cross_cushion(account: Account, sides: list[Position]) -> int:
    """Cross margin beside what moves with the price of the market of `sides`."""
    cushion = account.cross_wallet + account.collateral - sum(side.entry_cost for side in sides)
    for other in account.positions.values():
        if other.lots and not other.isolated and other.market is not sides[0].market:
            cushion += margin.unrealized_pnl(other) - margin.maintenance_margin(other)
    return cushion


def _distance(price: Fraction, ticks: int) -> int:
    return abs(price[0] // price[1] - ticks)


def _liquidation_prices(sides: list[Position], cushion: int) -> Iterator[Fraction]:
    """Every price that liquidates: at most one in each range that no bracket divides."""
    table = sides[0].market.spec.brackets
    last = len(table) - 1
    sizes = [abs(side.lots) for side in sides]
    others = [prod(sizes) // size for size in sizes]
    at = [0] * len(sides)
    while True:
        brackets = [table[index] for index in at]
        price = _solve(sides, brackets, cushion)
        if price is not None and all(
            _is_within(side, table, index, price) for side, index in zip(sides, at, strict=True)
        ):
            yield price
        growing = [number for number, index in enumerate(at) if index < last]
        if not growing:
            return
        # As the price rises, the side whose cap / size is smallest leaves its bracket first.
        at[min(growing, key=lambda number: brackets[number].notional_cap * others[number])] += 1


def _solve(sides: list[Position], brackets: list[Bracket], cushion: int) -> Fraction | None:
    """Where `cushion` + lots x price - maintenance margin is zero, if any price does it."""
    numerator, denominator = cushion * PPM, 0
    for side, bracket in zip(sides, brackets, strict=True):
        numerator += bracket.cum * PPM
        denominator += abs(side.lots) * bracket.maintenance_ppm - side.lots * PPM
    denominator *= sides[0].market.unit
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if numerator <= 0 or not denominator:
        return None
    return numerator, denominator


def _is_within(side: Position, table: tuple[Bracket, ...], index: int, price: Fraction) -> bool:
    """Whether the notional of a side at `price` lies in the bracket; the table covers all sizes."""
    numerator, denominator = price
    size = abs(side.lots) * side.market.unit * numerator
    bracket = table[index]
    if index and size < bracket.notional_floor * denominator:
        return False
    return index == len(table) - 1 or size < bracket.notional_cap * denominator
