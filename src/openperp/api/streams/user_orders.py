"""Orders as the user data stream tells them: the objects inside its events.

Field names, types and what is left out when are those of Binance's user data
stream. `N` and `n` are there only with a commission, `AP` and `cr` only on
trailing stops.
"""

from collections.abc import Mapping
from typing import Final

from openperp.api.errors import OBSTACLE_TEXTS
from openperp.api.wire.algo import algo_status, has_entered, was_kept_out
from openperp.api.wire.numbers import InstrumentFormat, money_text, percent_texts
from openperp.api.wire.orders import reduces_only
from openperp.api.wire.row import Row
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.terms import (
    TRIGGER_TYPES,
    Cause,
    OrderStatus,
    OrderType,
    Origin,
    TimeInForce,
)

EXPIRY_REASONS: Final[Mapping[Cause, str]] = {
    Cause.NONE: "0",
    Cause.REQUESTED: "0",
    Cause.CASCADE: "0",
    Cause.SIBLING_FIRED: "0",
    Cause.NOTHING_OPENED: "0",
    Cause.POSITION_GONE: "4",
    Cause.NO_LIQUIDITY: "2",
    Cause.MARGIN_MISSING: "8",
    Cause.WOULD_TAKE: "8",
    Cause.NOT_FILLABLE: "8",
    Cause.POSITION_LIMIT: "8",
    Cause.SELF_TRADE: "1",
    Cause.DATE_PASSED: "0",
    Cause.PRICES_APART: "8",
    Cause.DISPLACED: "4",
    Cause.AGED: "0",
    Cause.LIQUIDATED: "5",
    Cause.DELEVERAGED: "0",
    Cause.STAKES_TOO_HIGH: "8",
    Cause.BEST_PRICE_TOO_FAR: "8",
    Cause.BOUND_REACHED: "9",
}
"""`er` of an order that ended so; what kind of order it is makes a difference for three causes."""

LIQUIDATION_TYPE: Final = "LIQUIDATION"
"""The type of the order that closes a position whose margin is used up; elsewhere a LIMIT order."""

_EXPIRED: Final = frozenset({OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH})


def waits(order: OrderRecord) -> bool:
    """Whether it is a trigger order that has not fired, or ended before it did."""
    return order.original_type in TRIGGER_TYPES and not order.triggered_ms


def order_object(
    order: OrderRecord,
    execution: str,
    fill: Fill | None,
    notionals: tuple[int, int],
    time_ms: int,
    instrument: InstrumentFormat,
) -> Row:
    """The `o` of ORDER_TRADE_UPDATE.

    `execution` is the execution type, `notionals` the money that the account's
    resting bids and asks would open on the symbol.
    """
    return {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side.name,
        "o": type_word(order),
        "f": order.time_in_force.name,
        "q": instrument.quantity[order.lots],
        "p": instrument.price[order.ticks],
        "ap": instrument.derived_price(order.filled_value, order.filled_lots),
        "sp": instrument.price[order.trigger_ticks],
        "x": execution,
        "X": order.status.name,
        "i": order.order_id,
        **_fill_fields(fill, order.filled_lots, instrument),
        "T": time_ms,
        "t": fill.trade_id if fill else 0,
        "b": money_text(notionals[0]),
        "a": money_text(notionals[1]),
        "m": bool(fill and fill.maker),
        "R": reduces_only(order),
        "wt": order.working_type.name,
        "ot": order.original_type.name,
        "ps": order.position_side.name,
        "cp": order.close_position,
        **_trailing_fields(order, instrument),
        "pP": order.price_protect,
        "si": 0,
        "ss": 0,
        "rp": money_text(fill.realized if fill else 0),
        "V": order.stp.name,
        "pm": order.price_match.name,
        "gtd": order.expires_ms,
        "er": expiry_reason(order),
    }


def type_word(order: OrderRecord) -> str:
    """The type of an order as the user data stream tells it."""
    return LIQUIDATION_TYPE if order.origin is Origin.LIQUIDATION else order.type.name


def _fill_fields(fill: Fill | None, filled_lots: int, instrument: InstrumentFormat) -> Row:
    row = {
        "l": instrument.quantity[fill.lots if fill else 0],
        "z": instrument.quantity[filled_lots],
        "L": instrument.price[fill.ticks if fill else 0],
    }
    if fill and fill.fee:
        row["N"] = MARGIN_ASSET
        row["n"] = money_text(fill.fee)
    return row


def _trailing_fields(order: OrderRecord, instrument: InstrumentFormat) -> Row:
    if order.original_type is not OrderType.TRAILING_STOP_MARKET:
        return {}
    return {
        "AP": instrument.price[order.activation_ticks],
        "cr": percent_texts[order.callback_ppm],
    }


def expiry_reason(order: OrderRecord) -> str:
    """The digit of `er`: why an order expired, "0" for any that did not."""
    if order.status not in _EXPIRED:
        return "0"
    if order.cause is Cause.SELF_TRADE and order.time_in_force is TimeInForce.IOC:
        return "3"
    if order.cause is Cause.POSITION_GONE and _was_tied(order):
        return "6"
    if order.cause is Cause.NO_LIQUIDITY and order.type is OrderType.MARKET:
        return "9"
    return EXPIRY_REASONS.get(order.cause, "0")


def _was_tied(order: OrderRecord) -> bool:
    """Whether nothing but its position kept it open: it had not fired yet, or says so."""
    return waits(order) or order.time_in_force is TimeInForce.GTE_GTC


def trade_fields(order: OrderRecord, fill: Fill, instrument: InstrumentFormat) -> Row:
    """What TRADE_LITE tells of a fill."""
    return {
        "s": order.symbol,
        "q": instrument.quantity[order.lots],
        "p": instrument.price[order.ticks],
        "m": fill.maker,
        "c": order.client_id,
        "S": order.side.name,
        "L": instrument.price[fill.ticks],
        "l": instrument.quantity[fill.lots],
        "t": fill.trade_id,
        "i": order.order_id,
    }


def algo_object(order: OrderRecord, instrument: InstrumentFormat, *, status: str = "") -> Row:
    """The `o` of ALGO_UPDATE.

    `status` is said where it is not what a query would answer. What the order
    became in the book is told from TRIGGERED on. Only a trailing stop has `ia`.
    """
    status = status or algo_status(order)
    entered = has_entered(order) and status != "TRIGGERING"
    row = {
        "caid": order.client_id,
        "aid": order.order_id,
        "at": "CONDITIONAL",
        "o": order.original_type.name,
        "s": order.symbol,
        "S": order.side.name,
        "ps": order.position_side.name,
        "f": order.time_in_force.name,
        "q": instrument.quantity[order.lots],
        "X": status,
        "ai": str(order.order_id) if entered else "",
        "ap": instrument.derived_price(order.filled_value, order.filled_lots),
        "aq": instrument.quantity[order.filled_lots],
        "act": order.type.name if entered else "",
        "tp": instrument.price[order.trigger_ticks],
        "p": instrument.price[order.ticks],
        "V": order.stp.name,
        "wt": order.working_type.name,
        "pm": order.price_match.name,
        "cp": order.close_position,
        "pP": order.price_protect,
        "R": reduces_only(order),
        "tt": order.triggered_ms,
        "gtd": order.expires_ms,
        "rm": OBSTACLE_TEXTS[order.cause] if was_kept_out(order) else "",
    }
    if order.original_type is OrderType.TRAILING_STOP_MARKET:
        row["ia"] = order.activated
    return row
