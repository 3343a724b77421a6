"""Trigger orders: when a price fires them, and what they do then."""

from decimal import Decimal

from openperp.engine.events import OrderActivated, OrderTriggered
from openperp.engine.rejects import Reason
from openperp.engine.terms import (
    STOP_TYPES,
    TAKE_PROFIT_TYPES,
    Cause,
    OrderType,
    Side,
    WorkingType,
)
from openperp.lab.reference.amounts import ratio
from openperp.lab.reference.entry import obstacles
from openperp.lab.reference.guards import is_held_back
from openperp.lab.reference.model import Order
from openperp.lab.reference.records import record_of
from openperp.lab.reference.trading import cancel, execute, expire
from openperp.lab.reference.venue import Venue, closable, is_market, room_for

CAUSES = {
    Reason.WOULD_TAKE: Cause.WOULD_TAKE,
    Reason.NOT_FILLABLE: Cause.NOT_FILLABLE,
    Reason.POSITION_LIMIT_EXCEEDED: Cause.POSITION_LIMIT,
    Reason.MARGIN_INSUFFICIENT: Cause.MARGIN_MISSING,
    Reason.STAKES_TOO_HIGH: Cause.STAKES_TOO_HIGH,
    Reason.BEST_PRICE_BEYOND_BOUND: Cause.BEST_PRICE_TOO_FAR,
}


def fires_above(order_type: OrderType, side: Side) -> bool:
    """A buyer's STOP and a seller's TAKE_PROFIT fire at or above their trigger price."""
    if order_type in STOP_TYPES:
        return side is Side.BUY
    assert order_type in TAKE_PROFIT_TYPES
    return side is Side.SELL


def is_passed(order_type: OrderType, side: Side, trigger: Decimal, price: Decimal) -> bool:
    return price >= trigger if fires_above(order_type, side) else price <= trigger


def run_moves(venue: Venue) -> None:
    """Shows every price to the orders that watch it, until nothing fires any more.

    A market that takes no orders fires none.
    """
    while venue.moves:
        symbol, working_type, price, watcher = venue.moves.pop(0)
        if watcher is not None and watcher.waiting:
            watcher.watching = True
        if not venue.trades(venue.markets[symbol]):
            continue
        for order in _find_activated(venue, symbol, working_type, price):
            order.best_price = price
            venue.events.append(OrderActivated(record_of(venue.markets[symbol], order)))
        fired = _find_fired(venue, symbol, working_type, price)
        for order in fired:
            order.watching = False
        for order in fired:
            if order.waiting:
                fire(venue, order)


def _watching(venue: Venue, symbol: str, working_type: WorkingType) -> list[Order]:
    return [
        order
        for order in venue.orders
        if order.watching and order.symbol == symbol and order.working_type is working_type
    ]


def _find_activated(
    venue: Venue, symbol: str, working_type: WorkingType, price: Decimal
) -> list[Order]:
    """Trailing stops, by age, that follow the price from this one on."""
    found = []
    for order in _watching(venue, symbol, working_type):
        if order.type is OrderType.TRAILING_STOP_MARKET and order.best_price is None:
            sells = order.side is Side.SELL
            activation = order.activation_price
            if price >= activation if sells else price <= activation:
                found.append(order)
    return found


def _find_fired(
    venue: Venue, symbol: str, working_type: WorkingType, price: Decimal
) -> list[Order]:
    """Whom a price fires: those that waited for it to rise, then to fall, nearest first;
    trailing stops last; by age where that is the same.
    """
    rising: list[Order] = []
    falling: list[Order] = []
    trailing: list[Order] = []
    for order in _watching(venue, symbol, working_type):
        if order.type is OrderType.TRAILING_STOP_MARKET:
            if order.best_price is not None and _trails(order, order.best_price, price):
                trailing.append(order)
        elif is_passed(order.type, order.side, order.trigger_price, price):
            above = fires_above(order.type, order.side)
            (rising if above else falling).append(order)
    rising.sort(key=lambda order: (order.trigger_price, order.order_id))
    falling.sort(key=lambda order: (-order.trigger_price, order.order_id))
    return rising + falling + trailing


def _trails(order: Order, best: Decimal, price: Decimal) -> bool:
    """Lets a trailing stop see a price; whether that is far enough back from the best one."""
    back = ratio(order.callback_ppm)
    if order.side is Side.SELL:
        order.best_price = max(best, price)
        return price <= order.best_price * (1 - back)
    order.best_price = min(best, price)
    return price >= order.best_price * (1 + back)


def fire(venue: Venue, order: Order) -> None:
    """Makes a LIMIT or MARKET order of a trigger order, under its id."""
    room = closable(venue.position_of(order), order.side)
    order.waiting = False
    order.type = OrderType.MARKET if is_market(order.type) else OrderType.LIMIT
    order.triggered_ms = order.updated_ms = venue.now
    if order.close_position:
        order.reduce_only = True
        order.quantity = room
    elif order.parent_id and room:
        order.quantity = min(order.armed, room)
    elif order.reduce_only and room:
        room = room_for(venue, order)
        order.quantity = min(order.quantity, room) or order.quantity
    venue.events.append(OrderTriggered(record_of(venue.markets[order.symbol], order)))
    if order.reduce_only and not room:
        gone = not closable(venue.position_of(order), order.side)
        expire(venue, order, Cause.POSITION_GONE if gone else Cause.DISPLACED)
        return
    if order.parent_id:
        _end_family(venue, order)
    if is_held_back(venue.markets[order.symbol], order):
        expire(venue, order, Cause.PRICES_APART)
        return
    found = obstacles(venue, order)
    if found:
        expire(venue, order, CAUSES[found[0]])
    else:
        execute(venue, order)


def _end_family(venue: Venue, child: Order) -> None:
    """One child has fired: its siblings and what is left of the parent are cancelled."""
    for sibling in venue.children(child.parent_id):
        cancel(venue, sibling, Cause.SIBLING_FIRED)
    parent = venue.live(child.parent_id)
    if parent is not None:
        cancel(venue, parent, Cause.SIBLING_FIRED)
