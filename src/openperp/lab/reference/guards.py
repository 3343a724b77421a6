"""Orders that are held near a price, in instruments whose terms ask for it."""

from decimal import Decimal

from openperp.engine.rejects import Reason
from openperp.engine.terms import OrderType, Side
from openperp.lab.reference.amounts import ratio
from openperp.lab.reference.model import Market, Order
from openperp.lab.reference.venue import Venue


def guard_faults(venue: Venue, market: Market, order: Order) -> list[Reason]:
    """A LIMIT order by its price, a MARKET order by the best price that it would find; a STOP or
    TAKE_PROFIT by its price too, but to its trigger.

    Nothing is too cheap for a buyer, nor too dear for a seller.
    """
    spec, mark = market.spec, market.mark
    if not spec.guards_prices:
        return []
    buys = order.side is Side.BUY
    if order.type is OrderType.LIMIT:
        if buys and order.price > mark * ratio(spec.multiplier_up_ppm):
            return [Reason.PRICE_ABOVE_MARK_BOUND]
        if not buys and order.price < mark * ratio(spec.multiplier_down_ppm):
            return [Reason.PRICE_BELOW_MARK_BOUND]
    if order.type in (OrderType.STOP, OrderType.TAKE_PROFIT):
        trigger = order.trigger_price
        if buys and order.price > trigger * ratio(spec.multiplier_up_ppm):
            return [Reason.PRICE_ABOVE_TRIGGER_BOUND]
        if not buys and order.price < trigger * ratio(spec.multiplier_down_ppm):
            return [Reason.PRICE_BELOW_TRIGGER_BOUND]
    if order.type is OrderType.MARKET:
        best = venue.best(order.symbol, Side(-order.side))
        if best is not None and is_beyond(market, order, best.price):
            return [Reason.BEST_PRICE_BEYOND_BOUND]
    return []


def is_beyond(market: Market, order: Order, price: Decimal) -> bool:
    """Whether a price is further from mark than a MARKET order can make, on the dear side."""
    spec, mark = market.spec, market.mark
    furthest = mark * ratio(spec.market_take_bound_ppm)
    return spec.guards_prices and order.side * (price - mark) > furthest


def is_held_back(market: Market, order: Order) -> bool:
    """Whether mark and last are too far apart for a protected order to fire."""
    spec = market.spec
    apart = abs(market.mark - market.last) > market.mark * ratio(spec.trigger_protect_ppm)
    return spec.guards_prices and order.price_protect and apart
