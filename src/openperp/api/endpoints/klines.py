"""Bars of all prices that a market has: of trades, of its index, of its mark, of its premium."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.spans import check_span
from openperp.api.endpoints.symbols import find_market, find_pair
from openperp.api.kinds import Long, Symbol, Word
from openperp.api.params import Params
from openperp.api.wire.contracts import CONTRACT_TYPE
from openperp.api.wire.market import CONTINUOUS_KLINE_INTERVALS, KLINE_INTERVALS, bar_row
from openperp.engine.state import Market
from openperp.history.market import BarKind

BarRow = list[Any]

BARS_MAX: Final = 1_500

_CONTINUOUS: Final = {name: name for name in CONTINUOUS_KLINE_INTERVALS}
_INTERVALS: Final = {name: name for name in KLINE_INTERVALS}
_CONTRACTS: Final = {
    word: word for word in (CONTRACT_TYPE, "CURRENT_QUARTER", "NEXT_QUARTER", "TRADIFI_PERPETUAL")
}
_BAD_INTERVAL: Final = -1120
_BAD_CONTRACT: Final = -4104


class SymbolBars(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    interval: Annotated[str, Word(_INTERVALS, _BAD_INTERVAL)]
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, BARS_MAX)] = 500


class PairBars(Params, frozen=True):
    pair: Annotated[str, Symbol()]
    interval: Annotated[str, Word(_INTERVALS, _BAD_INTERVAL)]
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, BARS_MAX)] = 500


class ContinuousBars(Params, frozen=True):
    pair: Annotated[str, Symbol()]
    contract_type: Annotated[str, Word(_CONTRACTS, _BAD_CONTRACT)]
    interval: Annotated[str, Word(_CONTINUOUS, _BAD_INTERVAL)]
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, BARS_MAX)] = 500


AnyBars = SymbolBars | PairBars | ContinuousBars


def bar_weight(params: AnyBars) -> int:
    if params.limit < 100:
        return 1
    if params.limit < 500:
        return 2
    return 5 if params.limit <= 1_000 else 10


def get_klines(call: Call, params: SymbolBars) -> list[BarRow]:
    return _bars(call, find_market(call, params.symbol), BarKind.LAST, params)


def get_continuous_klines(call: Call, params: ContinuousBars) -> list[BarRow]:
    """Bars of the pair's perpetual without those in which nothing was traded.

    There are no other contracts, so theirs have no bars.
    """
    market = find_pair(call, params.pair)
    if params.contract_type != CONTRACT_TYPE:
        return []
    return _bars(call, market, BarKind.LAST, params, filled=False)


def get_index_klines(call: Call, params: PairBars) -> list[BarRow]:
    return _bars(call, find_pair(call, params.pair), BarKind.INDEX, params)


def get_mark_klines(call: Call, params: SymbolBars) -> list[BarRow]:
    return _bars(call, find_market(call, params.symbol), BarKind.MARK, params)


def get_premium_klines(call: Call, params: SymbolBars) -> list[BarRow]:
    return _bars(call, find_market(call, params.symbol), BarKind.PREMIUM, params)


def _bars(
    call: Call, market: Market, kind: BarKind, params: AnyBars, *, filled: bool = True
) -> list[BarRow]:
    """From a start on the first `limit` bars, otherwise the last."""
    check_span(params.start_time, params.end_time)
    if params.start_time > call.now_ms:
        return []
    bars = call.view.history.market.list_bars(
        market.spec.symbol,
        kind,
        params.interval,
        start_ms=params.start_time or None,
        end_ms=min(params.end_time or call.now_ms, call.now_ms),
        limit=params.limit,
        now_ms=call.now_ms,
        filled=filled,
    )
    text = call.view.format_of(market)
    return [bar_row(bar, kind, params.interval, text) for bar in bars]


def _get(
    path: str, params: Any, handle: Callable[[Call, Any], list[BarRow]], summary: str
) -> Endpoint[Any]:
    return Endpoint("GET", path, Security.NONE, params, handle, summary, bar_weight)


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _get("/fapi/v1/klines", SymbolBars, get_klines, "Bars of trades"),
    _get(
        "/fapi/v1/continuousKlines",
        ContinuousBars,
        get_continuous_klines,
        "Bars of trades by pair, empty ones left out",
    ),
    _get("/fapi/v1/indexPriceKlines", PairBars, get_index_klines, "Bars of the index price"),
    _get("/fapi/v1/markPriceKlines", SymbolBars, get_mark_klines, "Bars of the mark price"),
    _get("/fapi/v1/premiumIndexKlines", SymbolBars, get_premium_klines, "Bars of the premium"),
)
