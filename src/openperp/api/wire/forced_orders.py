"""Orders that the venue placed against an account, as rows."""

from openperp.api.wire.numbers import InstrumentFormat
from openperp.api.wire.row import Row
from openperp.engine.records import OrderRecord


def forced_order_row(order: OrderRecord, instrument: InstrumentFormat) -> Row:
    """One row of forceOrders: an ended order that closed a position of its account."""
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "pair": order.symbol,
        "status": order.status.name,
        "clientOrderId": order.client_id,
        "price": instrument.price[order.ticks],
        "avgPrice": instrument.derived_price(order.filled_value, order.filled_lots),
        "origQty": instrument.quantity[order.lots],
        "executedQty": instrument.quantity[order.filled_lots],
        "cumQuote": instrument.quote_text(order.filled_value),
        "timeInForce": order.time_in_force.name,
        "type": order.type.name,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side.name,
        "positionSide": order.position_side.name,
        "stopPrice": instrument.price[order.trigger_ticks],
        "workingType": order.working_type.name,
        "origType": order.original_type.name,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }
