"""What was traded: single trades, aggregated ones, and a day of them in one row."""

from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.spans import DAY_MS, HOUR_MS, check_span
from openperp.api.endpoints.symbols import MaybeSymbol, find_market, one_or_all, weight_by_symbol
from openperp.api.errors import ApiError
from openperp.api.kinds import Long, Symbol
from openperp.api.params import Params
from openperp.api.wire.market import agg_trade_row, day_ticker_row, trade_row
from openperp.api.wire.rolling_day import last_lots
from openperp.api.wire.row import Row
from openperp.engine.state import Market

AGGREGATES_KEPT_MS: Final = 48 * HOUR_MS
"""How far back aggregated trades can be asked for."""
AGGREGATES_SPAN_HOURS: Final = 1
TRADES_KEPT_MS: Final = 30 * DAY_MS
"""How far back older trades can be asked for."""


class Recent(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    limit: Annotated[int, Long(1, 1_000)] = 500


class Older(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    limit: Annotated[int, Long(1, 500)] = 100
    from_id: Annotated[int, Long()] = -1


class Aggregates(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    from_id: Annotated[int, Long()] = -1
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, 1_000)] = 500


def get_trades(call: Call, params: Recent) -> list[Row]:
    """The last trades, oldest first."""
    market = find_market(call, params.symbol)
    text = call.view.format_of(market)
    trades = call.view.history.market.list_trades(params.symbol, limit=params.limit)
    return [trade_row(trade, text) for trade in trades]


def get_older_trades(call: Call, params: Older) -> list[Row]:
    """Trades of the last month: from an id on the first ones, otherwise the last."""
    market = find_market(call, params.symbol)
    text = call.view.format_of(market)
    kept_ms = max(0, call.now_ms - TRADES_KEPT_MS)
    by_id = params.from_id >= 0
    trades = call.view.history.market.list_trades(
        params.symbol,
        from_id=params.from_id if by_id else None,
        start_ms=kept_ms if by_id else None,
        limit=params.limit,
    )
    return [trade_row(trade, text) for trade in trades if trade.time_ms >= kept_ms]


def get_agg_trades(call: Call, params: Aggregates) -> list[Row]:
    """From an id or a start on the first ones, otherwise the last; of the last 48 hours."""
    market = find_market(call, params.symbol)
    start_ms, end_ms, by_id = params.start_time, params.end_time, params.from_id >= 0
    if by_id and (start_ms or end_ms):
        raise ApiError(-1128, explain="fromId excludes startTime and endTime")
    check_span(start_ms, end_ms)
    if start_ms and end_ms - start_ms > AGGREGATES_SPAN_HOURS * HOUR_MS:
        raise ApiError(-1127, AGGREGATES_SPAN_HOURS, explain=f"{end_ms - start_ms} ms apart")
    kept_ms = max(0, call.now_ms - AGGREGATES_KEPT_MS)
    trades = call.view.history.market.list_agg_trades(
        params.symbol,
        from_id=params.from_id if by_id else None,
        start_ms=max(start_ms, kept_ms) if start_ms or by_id else None,
        end_ms=min(end_ms or call.now_ms, call.now_ms),
        limit=params.limit,
    )
    text = call.view.format_of(market)
    return [agg_trade_row(trade, text) for trade in trades if trade.time_ms >= kept_ms]


def get_day(call: Call, params: MaybeSymbol) -> Row | list[Row]:
    found: Row | list[Row] = one_or_all(call, params, _day)
    return found


def _day(call: Call, market: Market) -> Row:
    history, symbol = call.view.history.market, market.spec.symbol
    day = history.rolling_day(symbol, call.now_ms)
    text = call.view.format_of(market)
    return day_ticker_row(market, day, last_lots(history, symbol), text, call.now_ms)


_NONE: Final = Security.NONE

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint("GET", "/fapi/v1/trades", _NONE, Recent, get_trades, "Last trades", 5),
    Endpoint(
        "GET",
        "/fapi/v1/historicalTrades",
        Security.MARKET_DATA,
        Older,
        get_older_trades,
        "Trades of the last month",
        200,
    ),
    Endpoint(
        "GET", "/fapi/v1/aggTrades", _NONE, Aggregates, get_agg_trades, "Aggregated trades", 20
    ),
    Endpoint(
        "GET",
        "/fapi/v1/ticker/24hr",
        _NONE,
        MaybeSymbol,
        get_day,
        "Price and volume of 24 hours",
        weight_by_symbol(1, 40),
    ),
)
