"""Market data: what anyone may read about the venue and its instruments."""

from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.symbols import MaybeSymbol, find_market, one_or_all, weight_by_symbol
from openperp.api.errors import ApiError
from openperp.api.kinds import Long, Symbol
from openperp.api.params import NoParams, Params
from openperp.api.rate_limits import RATE_LIMITS
from openperp.api.wire.book import list_levels, moved_ms, top_of
from openperp.api.wire.book_ids import last_id, snapshot_id
from openperp.api.wire.contracts import (
    CONTRACT_TYPE,
    PERPETUAL_DELIVERY_MS,
    contract_status,
    funding_rate,
    interest_rate,
    next_funding_ms,
)
from openperp.api.wire.numbers import InstrumentFormat, decimal_text
from openperp.api.wire.row import Row
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_DECIMALS, PPM
from openperp.engine.state import Market
from openperp.engine.terms import OrderType, TimeInForce

DEPTH_WEIGHTS: Final = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}

_TIMES_IN_FORCE: Final = [word for word in TimeInForce.__members__ if word != "GTE_GTC"]
"""The words that fapi lists for an instrument, where GTE_GTC is not among them."""

HIDDEN_DEPTH: Final = 1_000
"""The one depth at which a book is shown with its hidden retail orders."""


class Depth(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    limit: Annotated[int, Long()] = 500


class HiddenDepth(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    limit: Annotated[int, Long()] = HIDDEN_DEPTH


def ping(_call: Call, _params: NoParams) -> Any:
    return {}


def time(call: Call, _params: NoParams) -> Any:
    return {"serverTime": call.now_ms}


def exchange_info(call: Call, _params: NoParams) -> Any:
    state = call.view.state
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": list(RATE_LIMITS.values()),
        "exchangeFilters": [],
        "assets": [
            {
                "asset": name,
                "marginAvailable": True,
                "autoAssetExchange": decimal_text(
                    -asset.spec.exchange_threshold, MONEY_DECIMALS, shortest=True
                ),
            }
            for name, asset in state.assets.items()
        ],
        "symbols": [_symbol(call, market) for market in state.markets.values()],
    }


def _symbol(call: Call, market: Market) -> Row:
    spec = market.spec
    return {
        "symbol": spec.symbol,
        "pair": spec.symbol,
        "contractType": CONTRACT_TYPE,
        "deliveryDate": PERPETUAL_DELIVERY_MS,
        "onboardDate": spec.onboard_ms,
        "status": contract_status(call.view.state, market),
        "maintMarginPercent": _percent(spec.brackets[0].maintenance_ppm),
        "requiredMarginPercent": _percent(PPM // spec.max_leverage),
        "baseAsset": spec.base_asset,
        "quoteAsset": spec.quote_asset,
        "marginAsset": spec.quote_asset,
        "pricePrecision": spec.price_precision,
        "quantityPrecision": spec.quantity_precision,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": _rate(spec.trigger_protect_ppm),
        "liquidationFee": _rate(spec.liquidation_fee_ppm),
        "marketTakeBound": _rate(spec.market_take_bound_ppm),
        "maxMoveOrderLimit": 10_000,
        "filters": _filters(spec, call.view.format_of(market)),
        "orderTypes": [type.name for type in OrderType],
        "timeInForce": _TIMES_IN_FORCE,
        "permissionSets": [],
    }


def _filters(spec: InstrumentSpec, text: InstrumentFormat) -> list[Row]:
    lots = {"minQty": text.quantity[spec.min_lots], "stepSize": text.quantity[1]}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": text.price[spec.min_ticks],
            "maxPrice": text.price[spec.max_ticks],
            "tickSize": text.price[1],
        },
        {"filterType": "LOT_SIZE", "maxQty": text.quantity[spec.max_lots], **lots},
        {"filterType": "MARKET_LOT_SIZE", "maxQty": text.quantity[spec.market_max_lots], **lots},
        {"filterType": "MAX_NUM_ORDERS", "limit": spec.max_orders},
        {
            "filterType": "MIN_NOTIONAL",
            "notional": decimal_text(spec.min_notional, MONEY_DECIMALS, shortest=True),
        },
        *_price_guards(spec),
    ]


def _price_guards(spec: InstrumentSpec) -> list[dict[str, Any]]:
    if not spec.guards_prices:
        return []
    return [
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": _rate(spec.multiplier_up_ppm),
            "multiplierDown": _rate(spec.multiplier_down_ppm),
            "multiplierDecimal": "4",
        }
    ]


def _rate(ppm: int) -> str:
    return decimal_text(ppm, 6, shortest=False)[:-2]


def _percent(ppm: int) -> str:
    return decimal_text(ppm, 4, shortest=False)


def depth(call: Call, params: Depth) -> Any:
    if params.limit not in DEPTH_WEIGHTS:
        raise ApiError(
            -4021,
            params.limit,
            explain=f"limit must be one of {', '.join(map(str, DEPTH_WEIGHTS))}",
        )
    return _book(call, params.symbol, params.limit)


def hidden_depth(call: Call, params: HiddenDepth) -> Any:
    """The book with its hidden retail orders, of which there are none."""
    if params.limit != HIDDEN_DEPTH:
        raise ApiError(-4021, params.limit, explain=f"limit must be {HIDDEN_DEPTH}")
    return _book(call, params.symbol, params.limit)


def _book(call: Call, symbol: str, limit: int) -> Row:
    market = find_market(call, symbol)
    text = call.view.format_of(market)
    book = market.book
    return {
        "lastUpdateId": snapshot_id(book.update_id),
        "E": call.now_ms,
        "T": moved_ms(market),
        "bids": list_levels(book.bids, limit, text),
        "asks": list_levels(book.asks, limit, text),
    }


def premium_index(call: Call, params: MaybeSymbol) -> Any:
    return one_or_all(call, params, _premium_index)


def _premium_index(call: Call, market: Market) -> Row:
    text = call.view.format_of(market)
    return {
        "symbol": market.spec.symbol,
        "markPrice": text.price[market.mark_ticks],
        "indexPrice": text.price[market.index_ticks],
        "estimatedSettlePrice": text.price[market.index_ticks],
        "lastFundingRate": funding_rate(call.view.state, market),
        "interestRate": interest_rate(market),
        "nextFundingTime": next_funding_ms(market, call.now_ms),
        "time": call.now_ms,
    }


def ticker_price(call: Call, params: MaybeSymbol) -> Any:
    return one_or_all(call, params, _ticker_price)


def _ticker_price(call: Call, market: Market) -> Row:
    return {
        "symbol": market.spec.symbol,
        "price": call.view.format_of(market).price[market.last_ticks],
        "time": moved_ms(market),
    }


def book_ticker(call: Call, params: MaybeSymbol) -> Any:
    return one_or_all(call, params, _book_ticker)


def _book_ticker(call: Call, market: Market) -> Row:
    text = call.view.format_of(market)
    top = top_of(market.book)
    return {
        "symbol": market.spec.symbol,
        "bidPrice": text.price[top.bid_ticks],
        "bidQty": text.quantity[top.bid_lots],
        "askPrice": text.price[top.ask_ticks],
        "askQty": text.quantity[top.ask_lots],
        "time": call.now_ms,
        "lastUpdateId": last_id(market.book.update_id),
    }


def _get(
    path: str,
    params: Any,
    handle: Any,
    summary: str,
    weight: Any = 1,
    ws: tuple[str, ...] = (),
    stance: str = "",
) -> Endpoint[Any]:
    return Endpoint(
        "GET", path, Security.NONE, params, handle, summary, weight, ws=ws, stance=stance
    )


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _get("/fapi/v1/ping", NoParams, ping, "Test connectivity"),
    _get("/fapi/v1/time", NoParams, time, "Venue time"),
    _get("/fapi/v1/exchangeInfo", NoParams, exchange_info, "Instruments, filters and limits"),
    _get(
        "/fapi/v1/depth",
        Depth,
        depth,
        "Order book",
        lambda params: DEPTH_WEIGHTS.get(params.limit, 1),
        ("depth",),
    ),
    _get(
        "/fapi/v1/rpiDepth",
        HiddenDepth,
        hidden_depth,
        "Order book with hidden retail orders",
        20,
        stance="The same book as depth shows: there are no hidden retail orders.",
    ),
    _get(
        "/fapi/v1/premiumIndex",
        MaybeSymbol,
        premium_index,
        "Mark price, index price and funding",
        weight_by_symbol(1, 10),
    ),
    _get("/fapi/v1/ticker/price", MaybeSymbol, ticker_price, "Last price", weight_by_symbol(1, 2)),
    _get(
        "/fapi/v2/ticker/price",
        MaybeSymbol,
        ticker_price,
        "Last price",
        weight_by_symbol(1, 2),
        ("ticker.price",),
    ),
    _get(
        "/fapi/v1/ticker/bookTicker",
        MaybeSymbol,
        book_ticker,
        "Best bid and ask",
        weight_by_symbol(2, 5),
        ("ticker.book",),
    ),
)
