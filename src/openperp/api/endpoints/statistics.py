"""What the venue's own accounts and trades add up to, in periods of five minutes and more.

Accounts of the house hold open interest as any other, but are not counted among
accounts. A ratio to nothing is written as 0.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.spans import DAY_MS, check_span
from openperp.api.endpoints.symbols import OnePair, OneSymbol, find_market, find_pair
from openperp.api.kinds import Long, Symbol, Word
from openperp.api.limits import Pool
from openperp.api.params import Params
from openperp.api.wire.contracts import CONTRACT_TYPE
from openperp.api.wire.numbers import decimal_text, money_text
from openperp.api.wire.row import Row
from openperp.engine.numbers import divide_nearest
from openperp.engine.state import Market
from openperp.history.market import Bar, BarKind, Statistics

PERIODS: Final = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
KEPT_MS: Final = 30 * DAY_MS
"""How far back statistics can be asked for."""
RATIO_DECIMALS: Final = 4

_PERIODS: Final = {word: word for word in PERIODS}
_CONTRACTS: Final = {word: word for word in (CONTRACT_TYPE, "CURRENT_QUARTER", "NEXT_QUARTER")}


class Periods(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    period: Annotated[str, Word(_PERIODS)]
    limit: Annotated[int, Long(1, 500)] = 30
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0


class BasisPeriods(Params, frozen=True):
    pair: Annotated[str, Symbol()]
    contract_type: Annotated[str, Word(_CONTRACTS, -4104)]
    period: Annotated[str, Word(_PERIODS)]
    limit: Annotated[int, Long(1, 500)] = 30
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0


def get_open_interest(call: Call, params: OneSymbol) -> Row:
    """All that is held long just now."""
    market = find_market(call, params.symbol)
    lots = sum(position.lots for position in market.longs.values())
    return {
        "openInterest": call.view.format_of(market).quantity[lots],
        "symbol": params.symbol,
        "time": call.now_ms,
    }


def get_interest_history(call: Call, params: Periods) -> list[Row]:
    market = find_market(call, params.symbol)
    text = call.view.format_of(market)
    return [
        {
            "symbol": params.symbol,
            "sumOpenInterest": text.quantity[row.open_interest_lots],
            "sumOpenInterestValue": money_text(row.open_interest_value * market.unit),
            "CMCCirculatingSupply": "0",
            "timestamp": row.time_ms,
        }
        for row in _statistics(call, params)
    ]


def get_all_accounts(call: Call, params: Periods) -> list[Row]:
    """Accounts that are long to those that are short."""
    return _sides(call, params, lambda row: (row.long_accounts, row.short_accounts))


def get_top_accounts(call: Call, params: Periods) -> list[Row]:
    """The same of the fifth of them with the largest wallets."""
    return _sides(call, params, lambda row: (row.top_long_accounts, row.top_short_accounts))


def get_top_positions(call: Call, params: Periods) -> list[Row]:
    """What these hold long to what they hold short."""
    return _sides(call, params, lambda row: (row.top_long_lots, row.top_short_lots))


def _sides(
    call: Call, params: Periods, count: Callable[[Statistics], tuple[int, int]]
) -> list[Row]:
    find_market(call, params.symbol)
    rows = []
    for row in _statistics(call, params):
        long, short = count(row)
        rows.append(
            {
                "symbol": params.symbol,
                "longShortRatio": ratio_text(long, short),
                "longAccount": ratio_text(long, long + short),
                "shortAccount": ratio_text(short, long + short),
                "timestamp": row.time_ms,
            }
        )
    return rows


def ratio_text(part: int, whole: int) -> str:
    """`part` / `whole` at four decimals, rounded half up; "0.0000" where that is not a number.

    >>> ratio_text(2, 3), ratio_text(-1, 3), ratio_text(5, 0)
    ('0.6667', '-0.3333', '0.0000')
    """
    units = divide_nearest(part * 10**RATIO_DECIMALS, whole) if whole else 0
    return decimal_text(units, RATIO_DECIMALS, shortest=False)


def _statistics(call: Call, params: Periods) -> list[Statistics]:
    start_ms, end_ms = _span(call, params)
    rows = call.view.history.market.list_statistics(
        params.symbol,
        params.period,
        start_ms=start_ms,
        end_ms=end_ms,
        limit=params.limit,
        now_ms=call.now_ms,
    )
    return [row for row in rows if row.time_ms >= call.now_ms - KEPT_MS]


def _span(call: Call, params: Periods | BasisPeriods) -> tuple[int | None, int]:
    """What a list asks of the history, within the last 30 days; no start means the newest."""
    check_span(params.start_time, params.end_time)
    start_ms = None
    if params.start_time:
        start_ms = min(max(params.start_time, call.now_ms - KEPT_MS), call.now_ms + 1)
    return start_ms, min(params.end_time or call.now_ms, call.now_ms)


def get_taker_volume(call: Call, params: Periods) -> list[Row]:
    """What takers bought to what they sold."""
    market = find_market(call, params.symbol)
    text = call.view.format_of(market)
    rows = []
    for bar in _bars(call, market, BarKind.LAST, params):
        bought, sold = bar.taker_buy_lots, bar.lots - bar.taker_buy_lots
        rows.append(
            {
                "buySellRatio": ratio_text(bought, sold),
                "buyVol": text.quantity[bought],
                "sellVol": text.quantity[sold],
                "timestamp": bar.open_ms,
            }
        )
    return rows


def _bars(call: Call, market: Market, kind: BarKind, params: Periods | BasisPeriods) -> list[Bar]:
    start_ms, end_ms = _span(call, params)
    bars = call.view.history.market.list_bars(
        market.spec.symbol,
        kind,
        params.period,
        start_ms=start_ms,
        end_ms=end_ms,
        limit=params.limit,
        now_ms=call.now_ms,
    )
    return [bar for bar in bars if bar.open_ms >= call.now_ms - KEPT_MS]


def get_basis(call: Call, params: BasisPeriods) -> list[Row]:
    """The last price over the index price as each period began.

    A perpetual has no annual rate, and there are no other contracts.
    """
    market = find_pair(call, params.pair)
    if params.contract_type != CONTRACT_TYPE:
        return []
    text = call.view.format_of(market)
    indices = {bar.open_ms: bar.open for bar in _bars(call, market, BarKind.INDEX, params)}
    return [
        {
            "indexPrice": text.price[index],
            "contractType": CONTRACT_TYPE,
            "basisRate": ratio_text(bar.open - index, index),
            "futuresPrice": text.price[bar.open],
            "annualizedBasisRate": "",
            "basis": text.price[bar.open - index],
            "pair": params.pair,
            "timestamp": bar.open_ms,
        }
        for bar in _bars(call, market, BarKind.LAST, params)
        for index in [indices.get(bar.open_ms, 0)]
        if index
    ]


def get_deliveries(call: Call, params: OnePair) -> list[Row]:
    find_pair(call, params.pair)
    return []


def _get(
    path: str,
    params: Any,
    handle: Callable[[Call, Any], Any],
    summary: str,
    pool: Pool | None = Pool.STATISTICS,
    stance: str = "",
) -> Endpoint[Any]:
    return Endpoint(
        "GET",
        f"/futures/data/{path}",
        Security.NONE,
        params,
        handle,
        summary,
        0,
        pool=pool,
        stance=stance,
    )


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        "GET",
        "/fapi/v1/openInterest",
        Security.NONE,
        OneSymbol,
        get_open_interest,
        "Open interest",
    ),
    _get("openInterestHist", Periods, get_interest_history, "Open interest of the past"),
    _get("topLongShortPositionRatio", Periods, get_top_positions, "Long to short, top positions"),
    _get("topLongShortAccountRatio", Periods, get_top_accounts, "Long to short, top accounts"),
    _get("globalLongShortAccountRatio", Periods, get_all_accounts, "Long to short, all accounts"),
    _get("takerlongshortRatio", Periods, get_taker_volume, "What takers bought and sold"),
    _get("basis", BasisPeriods, get_basis, "Last price over index price", None),
    _get(
        "delivery-price",
        OnePair,
        get_deliveries,
        "Prices at which contracts were delivered",
        None,
        "Empty: all contracts are perpetual, and none was ever delivered.",
    ),
)
