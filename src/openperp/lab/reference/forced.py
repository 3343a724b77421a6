"""Orders that the venue places or ends against the will of their account."""

from decimal import Decimal

from openperp.engine.events import OrderAccepted, OrderExpired
from openperp.engine.terms import Cause, OrderStatus, OrderType, Origin, Side, TimeInForce
from openperp.lab.reference.model import Account, Order
from openperp.lab.reference.parts import Key
from openperp.lab.reference.records import record_of
from openperp.lab.reference.trading import cancel
from openperp.lab.reference.venue import Venue

DELEVERAGING_ID = "adl_autoclose"


def close_by_force(
    venue: Venue, account: Account, key: Key, quantity: Decimal, price: Decimal, origin: Origin
) -> Order:
    """Accepts an order that closes a part of a position, at `price` or not at all."""
    symbol, position_side = key
    order_id = venue.next_order_id
    venue.next_order_id += 1
    client_id = DELEVERAGING_ID
    if origin is Origin.LIQUIDATION:
        client_id = f"autoclose-{venue.now}-{order_id}"
    order = Order(
        order_id=order_id,
        client_id=client_id,
        account=account.account_id,
        symbol=symbol,
        side=Side.SELL if venue.position(account, *key).quantity > 0 else Side.BUY,
        position_side=position_side,
        type=OrderType.LIMIT,
        original_type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        price=price,
        quantity=quantity,
        created_ms=venue.now,
        updated_ms=venue.now,
        reduce_only=True,
        origin=origin,
    )
    venue.orders.append(order)
    venue.events.append(OrderAccepted(record_of(venue.markets[symbol], order)))
    return order


def end_orders(venue: Venue, orders: list[Order], cause: Cause) -> None:
    """Expires orders by their ids; their children go with them, whatever was filled."""
    for order in sorted(orders, key=lambda each: each.order_id):
        if order in venue.orders:
            _end(venue, order, cause)


def _end(venue: Venue, order: Order, cause: Cause) -> None:
    venue.orders.remove(order)
    order.waiting = False
    order.arrival = 0
    order.status = OrderStatus.EXPIRED
    order.updated_ms = venue.now
    venue.events.append(OrderExpired(record_of(venue.markets[order.symbol], order, cause)))
    for child in venue.children(order.order_id):
        cancel(venue, child, Cause.CASCADE)
