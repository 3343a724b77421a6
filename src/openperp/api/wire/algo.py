"""Trigger orders as algo order objects.

A number that an order does not have is left out, never sent as an empty text:
strict clients parse every number that they find.
"""

from typing import Final

from openperp.api.wire.numbers import InstrumentFormat, percent_texts
from openperp.api.wire.orders import reduces_only
from openperp.api.wire.row import Row
from openperp.engine.records import OrderRecord
from openperp.engine.terms import OBSTACLES, Cause, OrderStatus, OrderType

_BRACKET_PRICES: Final = ("tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice")


def algo_status(order: OrderRecord) -> str:
    """The life of a trigger order: NEW until it fires, TRIGGERED while it rests in the book.

    FINISHED is what fired and then ended in the book, REJECTED what fired and was kept
    out of it, as where margin was missing. EXPIRED is what the venue gave up before, or
    held back with `priceProtect`.
    """
    if not order.triggered_ms:
        return order.status.name
    if order.status in {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}:
        return "TRIGGERED"
    if not was_kept_out(order):
        return "FINISHED"
    return "EXPIRED" if order.cause is Cause.PRICES_APART else "REJECTED"


def was_kept_out(order: OrderRecord) -> bool:
    """Whether it was over the moment it fired, for a reason that keeps orders out of the book."""
    at_once = order.updated_ms == order.triggered_ms and not order.filled_lots
    return at_once and order.status is OrderStatus.EXPIRED and order.cause in OBSTACLES


def has_entered(order: OrderRecord) -> bool:
    """Whether it fired and was let into the book, where it keeps its id."""
    return bool(order.triggered_ms) and not was_kept_out(order)


def algo_order(order: OrderRecord, instrument: InstrumentFormat) -> Row:
    """The reply to a new algo order."""
    row: Row = {
        "algoId": order.order_id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": order.original_type.name,
        "symbol": order.symbol,
        "side": order.side.name,
        "positionSide": order.position_side.name,
        "timeInForce": order.time_in_force.name,
        "quantity": instrument.quantity[order.lots],
        "algoStatus": algo_status(order),
        "triggerPrice": instrument.price[order.trigger_ticks],
        "price": instrument.price[order.ticks],
        "selfTradePreventionMode": order.stp.name,
        "workingType": order.working_type.name,
        "priceMatch": order.price_match.name,
        "closePosition": order.close_position,
        "priceProtect": order.price_protect,
        "reduceOnly": reduces_only(order),
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
        "goodTillDate": order.expires_ms,
    }
    if order.original_type is OrderType.TRAILING_STOP_MARKET:
        row["activatePrice"] = instrument.price[order.activation_ticks]
        row["callbackRate"] = percent_texts[order.callback_ppm]
    if order.parent_id:
        row["parentOrderId"] = order.parent_id
    return row


def algo_query(order: OrderRecord, instrument: InstrumentFormat) -> Row:
    """The order with what became of it in the book, where it keeps its id.

    It brings no order to take profit along: that is an order of its own here.

    `actualOrderId` and `actualType` are empty unless it came into the book.
    """
    row = algo_order(order, instrument)
    entered = has_entered(order)
    row["actualOrderId"] = str(order.order_id) if entered else ""
    row["actualPrice"] = instrument.derived_price(order.filled_value, order.filled_lots)
    row["actualQty"] = instrument.quantity[order.filled_lots]
    row["tpOrderType"] = ""
    row["actualType"] = order.type.name if entered else ""
    return row


def algo_entry(order: OrderRecord, instrument: InstrumentFormat) -> Row:
    """The order in a list: with prices to take profit and stop loss at, which it never has."""
    row = algo_query(order, instrument)
    row |= dict.fromkeys(_BRACKET_PRICES, instrument.price[0])
    return row


def algo_canceled(order: OrderRecord) -> Row:
    """The reply to a cancel; its code is a text, unlike everywhere else."""
    return {
        "algoId": order.order_id,
        "clientAlgoId": order.client_id,
        "code": "200",
        "msg": "success",
    }
