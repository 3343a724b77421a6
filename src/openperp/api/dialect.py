"""What differs between the dialects of fapi: one table, one column per dialect.

Everything that depends on the dialect asks a field of `Dialect` by name;
nothing else compares dialect names. A further dialect is one more column.
"""

from typing import Final

import msgspec

from openperp.engine.terms import StpMode, TimeInForce


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """A code with the arguments of its message.

    An argument in braces stands for the detail of that name which the engine gives.
    """

    code: int
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([str(self.code), *self.arguments])


class Dialect(msgspec.Struct, frozen=True):
    """One way of speaking fapi. Each field is one row of the table below."""

    name: str
    echoes_terminal_orders: bool
    """A batch cancel answers a terminal id with its order, not with -2011."""
    triggers_on_order_endpoint: bool
    """POST order, order/test and batchOrders take trigger types; otherwise -4120."""
    floors_quantity: bool
    """A quantity off the lot is rounded down to it; otherwise -1111."""
    shortest_decimals: bool
    """Prices and quantities drop trailing zeros; otherwise instrument precision."""
    larger_side_margin: bool
    """Open orders freeze the larger of both sides; otherwise the sum."""
    lot_filter: Refusal
    """Answer to a quantity below one lot."""
    notional_filter: Refusal
    """Answer to an order below MIN_NOTIONAL."""
    seed_cancel_fields: bool
    """Replies to cancels carry cumQuote, and batch cancel entries none of the fields added since
    2023."""
    value_in_order_replies: bool
    """Replies to place and amend carry cumQuote and avgPrice."""
    acknowledges_orders: bool
    """Replies to new orders show them as accepted, unless RESULT is asked for and the order cannot
    rest; otherwise as they stand after matching, unless ACK is asked for."""
    separate_trigger_ids: bool
    """Trigger orders have a client-id space of their own and, until they fire, the algo endpoints
    alone find, list and cancel them."""
    triggers_in_order_updates: bool
    """ORDER_TRADE_UPDATE tells of trigger orders before they fire; otherwise ALGO_UPDATE alone."""
    limit_needs_time_in_force: bool
    """A LIMIT order without timeInForce is refused; otherwise it is GTC."""
    closing_time_in_force: TimeInForce
    """timeInForce of an order with closePosition that comes without one."""
    callback_max_ppm: int
    """Largest callbackRate of a trailing stop, in parts per million."""
    order_stp: StpMode
    """Self-trade prevention of POST order without selfTradePreventionMode; elsewhere it is NONE."""


def _columns() -> dict[str, Dialect]:
    table: dict[str, tuple[object, ...]] = {
        "name": ("ztdx", "binance"),
        "echoes_terminal_orders": (True, False),
        "triggers_on_order_endpoint": (True, False),
        "floors_quantity": (True, False),
        "shortest_decimals": (True, False),
        "larger_side_margin": (False, True),
        "lot_filter": ((-1013, ("LOT_SIZE",)), (-1111, ())),
        "notional_filter": ((-1013, ("MIN_NOTIONAL",)), (-4164, ("{min_notional}",))),
        "seed_cancel_fields": (True, False),
        "value_in_order_replies": (True, False),
        "acknowledges_orders": (False, True),
        "separate_trigger_ids": (False, True),
        "triggers_in_order_updates": (True, False),
        "limit_needs_time_in_force": (False, True),
        "closing_time_in_force": (TimeInForce.GTC, TimeInForce.GTE_GTC),
        "callback_max_ppm": (100_000, 200_000),
        "order_stp": (StpMode.NONE, StpMode.EXPIRE_MAKER),
    }
    columns = [
        msgspec.convert(dict(zip(table, cells, strict=True)), Dialect)
        for cells in zip(*table.values(), strict=True)
    ]
    return {column.name: column for column in columns}


DIALECTS: Final = _columns()
DEFAULT_DIALECT: Final = "ztdx"
