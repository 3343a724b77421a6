"""What is told of a market beside its prices: funding, index, insurance, schedules."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.spans import check_span
from openperp.api.endpoints.symbols import (
    MaybeSymbol,
    OneSymbol,
    find_market,
    one_or_all,
    weight_by_symbol,
)
from openperp.api.errors import ApiError
from openperp.api.kinds import Long, Symbol
from openperp.api.limits import Pool
from openperp.api.params import NoParams, Params
from openperp.api.wire.asset_index import asset_index_row, find_pair, pair_of
from openperp.api.wire.contracts import funding_row, funding_terms, has_own_terms
from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.state import Market

FUNDING_LIST_MAX: Final = 1_000

SCHEDULES: Final = ("EQUITY", "COMMODITY", "KR_EQUITY", "HK_EQUITY", "CN_EQUITY", "FX")
EXCHANGE: Final = "openperp"
WHOLE: Final = "1.00000000"


class FundingSpan(Params, frozen=True):
    symbol: Annotated[str, Symbol()] = ""
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, FUNDING_LIST_MAX)] = 100


def get_funding_rates(call: Call, params: FundingSpan) -> list[Row]:
    """From a start on the first ones, otherwise the last, of one symbol or of all."""
    if params.symbol:
        find_market(call, params.symbol)
    check_span(params.start_time, params.end_time)
    rows = call.view.history.market.list_fundings(
        params.symbol,
        start_ms=params.start_time or None,
        end_ms=params.end_time or None,
        limit=params.limit,
    )
    markets = call.view.state.markets
    return [funding_row(row, call.view.format_of(markets[row.symbol])) for row in rows]


def get_funding_terms(call: Call, _params: NoParams) -> list[Row]:
    """The symbols whose interval or cap is not the ordinary one."""
    markets = call.view.state.markets.values()
    return [funding_terms(market) for market in markets if has_own_terms(market)]


def get_constituents(call: Call, params: OneSymbol) -> Row:
    market = find_market(call, params.symbol)
    index = call.view.format_of(market).price[market.index_ticks]
    part = {"exchange": EXCHANGE, "symbol": market.spec.symbol, "price": index, "weight": WHOLE}
    return {"symbol": market.spec.symbol, "time": call.now_ms, "constituents": [part]}


def get_insurance(call: Call, params: MaybeSymbol) -> Row | list[Row]:
    """The one fund that all symbols share; as an object where a symbol asks for it."""
    state = call.view.state
    if params.symbol:
        find_market(call, params.symbol)
    fund = {
        "symbols": list(state.markets),
        "assets": [
            {
                "asset": MARGIN_ASSET,
                "marginBalance": money_text(state.insurance),
                "updateTime": call.now_ms,
            }
        ],
    }
    return fund if params.symbol else [fund]


def get_adl_risk(call: Call, params: MaybeSymbol) -> Row | list[Row]:
    found: Row | list[Row] = one_or_all(call, params, _adl_risk)
    return found


def _adl_risk(call: Call, market: Market) -> Row:
    risk, updated_ms = call.view.adl_queue.find_risk(call.view.state, market, call.now_ms)
    return {"symbol": market.symbol, "adlRisk": risk, "updateTime": updated_ms}


def get_schedule(call: Call, _params: NoParams) -> Row:
    return {
        "updateTime": call.now_ms,
        "marketSchedules": {market: {"sessions": []} for market in SCHEDULES},
    }


def get_composite_indices(call: Call, params: MaybeSymbol) -> list[Row]:
    """The make-up of composite indices: no symbol stands for one."""
    if params.symbol:
        find_market(call, params.symbol)
    return []


def get_asset_index(call: Call, params: MaybeSymbol) -> Row | list[Row]:
    """One asset in dollars or all of them; -1121 for any other pair."""
    state = call.view.state
    if not params.symbol:
        return [asset_index_row(asset, call.now_ms) for asset in state.assets.values()]
    asset = find_pair(state, params.symbol)
    if asset is None:
        pairs = ", ".join(map(pair_of, state.assets.values()))
        raise ApiError(-1121, explain=f"{params.symbol} has no index; these have: {pairs}")
    return asset_index_row(asset, call.now_ms)


def _get(
    path: str,
    params: Any,
    handle: Callable[[Call, Any], Any],
    summary: str,
    weight: Any,
    stance: str = "",
    pool: Pool | None = None,
) -> Endpoint[Any]:
    return Endpoint(
        "GET", path, Security.NONE, params, handle, summary, weight, pool=pool, stance=stance
    )


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _get(
        "/fapi/v1/fundingRate",
        FundingSpan,
        get_funding_rates,
        "Funding rates of the past",
        0,
        pool=Pool.FUNDING,
    ),
    _get(
        "/fapi/v1/fundingInfo",
        NoParams,
        get_funding_terms,
        "Funding terms other than the default",
        0,
        pool=Pool.FUNDING,
    ),
    _get(
        "/fapi/v1/constituents",
        OneSymbol,
        get_constituents,
        "What the index price is made of",
        2,
        "One source, the venue itself: the operator or the demo market sets the index price.",
    ),
    _get(
        "/fapi/v1/insuranceBalance",
        MaybeSymbol,
        get_insurance,
        "Insurance fund",
        1,
    ),
    _get(
        "/fapi/v1/symbolAdlRisk",
        MaybeSymbol,
        get_adl_risk,
        "Risk of auto-deleveraging by symbol",
        1,
    ),
    _get(
        "/fapi/v1/tradingSchedule",
        NoParams,
        get_schedule,
        "Sessions of the underlying markets",
        5,
        "No sessions: no contract follows a market that opens and closes.",
    ),
    _get(
        "/fapi/v1/indexInfo",
        MaybeSymbol,
        get_composite_indices,
        "Make-up of composite indices",
        1,
        "Empty: no contract follows a composite index.",
    ),
    _get(
        "/fapi/v1/assetIndex",
        MaybeSymbol,
        get_asset_index,
        "Margin assets in dollars",
        weight_by_symbol(1, 10),
    ),
)
