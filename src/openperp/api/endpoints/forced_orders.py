"""What was done to an account: its liquidation and deleveraging orders, and its place in line."""

from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.order_reading import ALL_KEPT_MS, SPAN_MAX_DAYS, account_of
from openperp.api.endpoints.spans import DAY_MS, check_span
from openperp.api.endpoints.symbols import MaybeSymbol, find_market, weight_by_symbol
from openperp.api.kinds import Long, Symbol, Word
from openperp.api.params import Params
from openperp.api.wire.forced_orders import forced_order_row
from openperp.api.wire.row import Row
from openperp.engine.lookup import list_sides
from openperp.engine.state import Account, Position
from openperp.engine.terms import BOTH, LONG, SHORT, Origin

_ORIGINS: Final = {"LIQUIDATION": Origin.LIQUIDATION, "ADL": Origin.DELEVERAGING}


class ForcedSpan(Params, frozen=True):
    symbol: Annotated[str, Symbol()] = ""
    auto_close_type: Annotated[Origin | None, Word(_ORIGINS)] = None
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, 100)] = 50


def get_forced_orders(call: Call, params: ForcedSpan) -> list[Row]:
    """From a start on the first ones, otherwise the last, of 90 days.

    Without a start they are those of the seven days before the end.
    """
    if params.symbol:
        find_market(call, params.symbol)
    check_span(params.start_time, params.end_time)
    end_ms = params.end_time or call.now_ms
    start_ms = params.start_time or max(0, end_ms - SPAN_MAX_DAYS * DAY_MS)
    first_ms = max(start_ms, call.now_ms - ALL_KEPT_MS)
    orders = call.view.history.list_forced_orders(
        call.account,
        params.symbol,
        origin=params.auto_close_type,
        start_ms=first_ms if params.start_time else None,
        end_ms=end_ms,
        limit=params.limit,
    )
    markets = call.view.state.markets
    return [
        forced_order_row(order, call.view.format_of(markets[order.symbol]))
        for order in orders
        if order.created_ms >= first_ms
    ]


def get_quantiles(call: Call, params: MaybeSymbol) -> list[Row]:
    """A row for each symbol with a position: how near it is to being deleveraged, from 0 to 4.

    Both sides of a cross position in hedge mode have the level of the nearer one, and are
    told by HEDGE. Levels are worked out anew every 30 seconds.
    """
    if params.symbol:
        find_market(call, params.symbol)
    account = account_of(call)
    held: dict[str, list[Position]] = {}
    for position in account.positions.values():
        symbol = position.market.symbol
        if position.lots and params.symbol in {"", symbol}:
            held.setdefault(symbol, []).append(position)
    return [
        {"symbol": symbol, "adlQuantile": _levels(call, account, positions)}
        for symbol, positions in held.items()
    ]


def _levels(call: Call, account: Account, positions: list[Position]) -> dict[str, int]:
    levels = {side.name: 0 for side in (LONG, SHORT, BOTH)}
    for position in positions:
        levels[position.side.name] = find_level(call, account, position)
    if _shares_level(positions[0]):
        level = max(levels.values())
        return {"LONG": level, "SHORT": level, "HEDGE": level}
    return levels


def find_level(call: Call, account: Account, position: Position) -> int:
    """From 0 to 4; 0 for a position that is empty."""
    sides = [position]
    if _shares_level(position):
        sides = list_sides(account, position.market)
    queue, state = call.view.adl_queue, call.view.state
    return max(
        queue.find_level(state, account, side, call.now_ms) if side.lots else 0 for side in sides
    )


def _shares_level(position: Position) -> bool:
    """Whether LONG and SHORT of its market are one to whoever asks for a level."""
    return position.side is not BOTH and not position.isolated


def _get(path: str, params: Any, handle: Any, summary: str, weight: Any) -> Endpoint[Any]:
    return Endpoint("GET", path, Security.USER_DATA, params, handle, summary, weight)


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _get(
        "/fapi/v1/forceOrders",
        ForcedSpan,
        get_forced_orders,
        "Own orders that were forced",
        weight_by_symbol(20, 50),
    ),
    _get(
        "/fapi/v1/adlQuantile",
        MaybeSymbol,
        get_quantiles,
        "Place in the queue of auto-deleveraging",
        5,
    ),
)
