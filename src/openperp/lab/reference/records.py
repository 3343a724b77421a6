"""Orders of the slow engine in the words of events: whole ticks, lots and units of money."""

from decimal import Decimal

from openperp.engine.records import OrderRecord
from openperp.engine.terms import Cause
from openperp.lab.reference.amounts import EXACT
from openperp.lab.reference.model import Market, Order


def ticks_of(market: Market, price: Decimal) -> int:
    return _whole(price / market.tick)


def lots_of(market: Market, quantity: Decimal) -> int:
    return _whole(quantity / market.lot)


def _whole(count: Decimal) -> int:
    """An integer, which anything else in its place would be a mistake."""
    return int(EXACT.to_integral_exact(count))


def record_of(market: Market, order: Order, cause: Cause = Cause.NONE) -> OrderRecord:
    return OrderRecord(
        order_id=order.order_id,
        client_id=order.client_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        original_type=order.original_type,
        time_in_force=order.time_in_force,
        status=order.status,
        ticks=ticks_of(market, order.price),
        lots=lots_of(market, order.quantity),
        filled_lots=lots_of(market, order.filled),
        filled_value=_whole(order.filled_value / (market.tick * market.lot)),
        trigger_ticks=ticks_of(market, order.trigger_price),
        working_type=order.working_type,
        activation_ticks=ticks_of(market, order.activation_price),
        callback_ppm=order.callback_ppm,
        reduce_only=order.reduce_only,
        close_position=order.close_position,
        price_protect=order.price_protect,
        position_side=order.position_side,
        algo=order.algo,
        parent_id=order.parent_id,
        armed_lots=lots_of(market, order.armed),
        created_ms=order.created_ms,
        updated_ms=order.updated_ms,
        triggered_ms=order.triggered_ms,
        cause=cause,
        stp=order.stp,
        expires_ms=order.expires_ms,
        price_match=order.price_match,
        origin=order.origin,
        activated=order.best_price is not None,
    )
