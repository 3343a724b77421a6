"""Orders that are held near the mark price, in instruments whose terms ask for it."""

from openperp.engine.numbers import PPM, divide_up
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Market, State
from openperp.engine.terms import BUY, LIMIT, MARKET, PRICED_TYPES, SELL, OrderType, Side


def take_bound(market: Market, side: Side) -> int:
    """The furthest price, in ticks, at which a MARKET order of `side` may trade; that of a
    seller is never below zero, and then holds nobody.

    Source: the fapi's marketTakeBound, the greatest distance from mark price. The distance
    is rounded down, so that the price itself is inside.
    """
    mark = market.mark_ticks
    return max(0, mark + side * (mark * market.spec.market_take_bound_ppm // PPM))


def take_limit(state: State, market: Market, side: Side) -> int:
    """`take_bound` where MARKET orders sweep no further than that; zero where nothing bounds them.

    Orders with which the venue closes positions are no MARKET orders.
    """
    if not market.guarded or not state.bounds_sweeps:
        return 0
    return take_bound(market, side)


def check_taken(market: Market, side: Side) -> None:
    """A MARKET order finds its first price inside the bound, or no price at all."""
    best = market.book.opposite(side).best_ticks()
    if best and (best - take_bound(market, side)) * side > 0:
        refuse(Reason.BEST_PRICE_BEYOND_BOUND, best_ticks=best, mark_ticks=market.mark_ticks)


def check_guards(
    market: Market, side: Side, type: OrderType, ticks: int, trigger_ticks: int
) -> None:
    """How far from mark price, or from its trigger, an order may buy above or sell below it.

    Source: the fapi's filter PERCENT_PRICE, which holds buyers to the upper and
    sellers to the lower bound, and marketTakeBound for the best price that a
    MARKET order would find.
    """
    spec, mark = market.spec, market.mark_ticks
    if type is LIMIT:
        highest = mark * spec.multiplier_up_ppm // PPM
        lowest = divide_up(mark * spec.multiplier_down_ppm, PPM)
        if side is BUY and ticks > highest:
            refuse(Reason.PRICE_ABOVE_MARK_BOUND, ticks=ticks, bound_ticks=highest, mark_ticks=mark)
        if side is SELL and ticks < lowest:
            refuse(Reason.PRICE_BELOW_MARK_BOUND, ticks=ticks, bound_ticks=lowest, mark_ticks=mark)
    elif type is MARKET:
        check_taken(market, side)
    elif type in PRICED_TYPES:
        _check_trigger_band(market, side, ticks, trigger_ticks)


def _check_trigger_band(market: Market, side: Side, ticks: int, trigger: int) -> None:
    """How far from its trigger price a STOP or TAKE_PROFIT may buy above or sell below it.

    Source: the fapi's refusals by multipliers of the stop price; they are those of mark.
    """
    spec = market.spec
    if side is BUY:
        bound = trigger * spec.multiplier_up_ppm // PPM
        if ticks > bound:
            refuse(Reason.PRICE_ABOVE_TRIGGER_BOUND, ticks=ticks, bound_ticks=bound)
    else:
        bound = divide_up(trigger * spec.multiplier_down_ppm, PPM)
        if ticks < bound:
            refuse(Reason.PRICE_BELOW_TRIGGER_BOUND, ticks=ticks, bound_ticks=bound)
