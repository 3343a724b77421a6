"""Market data, and the empty answers that clients need at start."""

from typing import Any

import pytest
from tests.api.offline import START_MS, OfflineVenue, fault

from openperp.api.wire.book_ids import last_id, snapshot_id
from openperp.engine.terms import OrderType

HOUR = 3_600_000
ORDER = "symbol=BTCUSDT&type=LIMIT&timeInForce=GTC"


@pytest.fixture
def offline() -> OfflineVenue:
    return OfflineVenue()


def rest(offline: OfflineVenue, side: str, price: str, quantity: str, name: str = "alice") -> None:
    answer = offline.signed(
        "POST",
        "/fapi/v1/order",
        f"{ORDER}&side={side}&price={price}&quantity={quantity}",
        name=name,
    )
    assert answer.status == 200, answer.body


def test_time(offline: OfflineVenue) -> None:
    offline.now_ms += 7
    assert offline.get("/fapi/v1/time") == {"serverTime": START_MS + 7}


# Instruments.


def symbol_row(offline: OfflineVenue, symbol: str = "BTCUSDT") -> dict[str, Any]:
    rows: list[dict[str, Any]] = offline.get("/fapi/v1/exchangeInfo")["symbols"]
    return next(row for row in rows if row["symbol"] == symbol)


def test_exchange_info_lists_limits_and_assets(offline: OfflineVenue) -> None:
    info = offline.get("/fapi/v1/exchangeInfo")
    assert (info["timezone"], info["serverTime"], info["exchangeFilters"]) == ("UTC", START_MS, [])
    usdt = {"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}
    assert info["assets"] == [usdt]
    limits = [
        (row["rateLimitType"], row["intervalNum"], row["interval"], row["limit"])
        for row in info["rateLimits"]
    ]
    assert limits == [
        ("REQUEST_WEIGHT", 1, "MINUTE", 2400),
        ("ORDERS", 1, "MINUTE", 1200),
        ("ORDERS", 10, "SECOND", 300),
    ]
    assert [row["symbol"] for row in info["symbols"]] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


@pytest.mark.parametrize(
    ("symbol", "tick", "lot", "notional"),
    [
        ("BTCUSDT", "0.1", "0.001", "50"),
        ("ETHUSDT", "0.01", "0.001", "20"),
        ("SOLUSDT", "0.01", "0.1", "5"),
    ],
)
def test_the_filters_of_an_instrument(
    offline: OfflineVenue, symbol: str, tick: str, lot: str, notional: str
) -> None:
    filters = {row["filterType"]: row for row in symbol_row(offline, symbol)["filters"]}
    assert list(filters) == [
        "PRICE_FILTER",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "MAX_NUM_ORDERS",
        "MIN_NOTIONAL",
        "PERCENT_PRICE",
    ]
    assert filters["PRICE_FILTER"]["tickSize"] == tick
    assert filters["LOT_SIZE"]["stepSize"] == filters["LOT_SIZE"]["minQty"] == lot
    assert filters["MARKET_LOT_SIZE"]["stepSize"] == lot
    assert filters["MIN_NOTIONAL"]["notional"] == notional
    assert filters["MAX_NUM_ORDERS"]["limit"] == 200


NEEDED = {
    "symbol": str,
    "pair": str,
    "contractType": str,
    "deliveryDate": int,
    "onboardDate": int,
    "status": str,
    "maintMarginPercent": str,
    "requiredMarginPercent": str,
    "baseAsset": str,
    "quoteAsset": str,
    "marginAsset": str,
    "pricePrecision": int,
    "quantityPrecision": int,
    "baseAssetPrecision": int,
    "quotePrecision": int,
    "underlyingType": str,
    "underlyingSubType": list,
    "settlePlan": int,
    "triggerProtect": str,
    "liquidationFee": str,
    "marketTakeBound": str,
    "filters": list,
    "orderTypes": list,
    "timeInForce": list,
}
"""What the strictest typed client raises on when it is missing."""


def test_an_instrument_has_every_field_that_a_client_needs(offline: OfflineVenue) -> None:
    row = symbol_row(offline)
    assert {name: type(row[name]) for name in NEEDED} == NEEDED
    assert row["orderTypes"] == [type.name for type in OrderType]
    assert row["timeInForce"] == ["GTC", "IOC", "FOK", "GTX", "GTD"]
    assert (row["contractType"], row["status"]) == ("PERPETUAL", "TRADING")
    assert (row["liquidationFee"], row["triggerProtect"]) == ("0.0125", "0.0500")
    assert (row["maintMarginPercent"], row["requiredMarginPercent"]) == ("0.4000", "0.8000")


@pytest.mark.parametrize(
    ("mode", "symbol", "bitcoin", "ether"),
    [
        ("cancel_only", "BTCUSDT", "TRADING_CANCEL_ONLY", "TRADING"),
        ("halted", "", "TRADING_HALT", "TRADING_HALT"),
    ],
)
def test_modes_show_in_the_status(
    offline: OfflineVenue, mode: str, symbol: str, bitcoin: str, ether: str
) -> None:
    offline.operator("POST", "mode", mode=mode, symbol=symbol)
    assert symbol_row(offline)["status"] == bitcoin
    assert symbol_row(offline, "ETHUSDT")["status"] == ether


# Books and prices.


def test_depth(offline: OfflineVenue) -> None:
    empty = offline.get("/fapi/v1/depth", "symbol=BTCUSDT")
    assert (empty["bids"], empty["asks"]) == ([], [])
    for side, price, quantity in (
        ("BUY", "59990", "0.5"),
        ("BUY", "59990.5", "0.25"),
        ("BUY", "59990", "0.1"),
        ("SELL", "60010", "1"),
    ):
        rest(offline, side, price, quantity)
    book = offline.get("/fapi/v1/depth", "symbol=btcusdt&limit=5")
    assert book["bids"] == [["59990.5", "0.25"], ["59990", "0.6"]]
    assert book["asks"] == [["60010", "1"]]
    assert (empty["lastUpdateId"], book["lastUpdateId"]) == (snapshot_id(0), snapshot_id(4))
    assert book["E"] == START_MS


def test_depth_gives_no_more_levels_than_asked_for(offline: OfflineVenue) -> None:
    for number in range(7):
        rest(offline, "BUY", str(59_000 + number), "0.01")
    bids = offline.get("/fapi/v1/depth", "symbol=BTCUSDT&limit=5")["bids"]
    assert [price for price, _ in bids] == ["59006", "59005", "59004", "59003", "59002"]


def test_decimals_in_the_binance_dialect() -> None:
    offline = OfflineVenue("binance")
    rest(offline, "BUY", "59990", "0.5")
    row = offline.get("/fapi/v1/ticker/bookTicker", "symbol=BTCUSDT")
    assert (row["bidPrice"], row["bidQty"]) == ("59990.00", "0.500")
    assert (row["askPrice"], row["askQty"]) == ("0.00", "0.000")


@pytest.mark.parametrize(
    ("query", "code", "msg"),
    [
        ("symbol=BTCUSDT&limit=7", -4021, "'7' is not valid depth limit."),
        ("symbol=NOPE", -1121, "Invalid symbol."),
        ("symbol=BTC%E2%82%AC", -1121, "Invalid symbol."),
        ("limit=5", -1102, None),
    ],
)
def test_depth_refuses(offline: OfflineVenue, query: str, code: int, msg: str | None) -> None:
    status, found, text = fault(offline.ask("GET", "/fapi/v1/depth", query))
    assert (status, found) == (400, code)
    assert msg is None or text == msg


def test_book_ticker(offline: OfflineVenue) -> None:
    rest(offline, "BUY", "59990", "0.5")
    row = offline.get("/fapi/v1/ticker/bookTicker", "symbol=BTCUSDT")
    assert (row["bidPrice"], row["bidQty"]) == ("59990", "0.5")
    assert (row["askPrice"], row["askQty"]) == ("0", "0")
    assert row["lastUpdateId"] == last_id(1)
    assert len(offline.get("/fapi/v1/ticker/bookTicker")) == 3


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_ticker_price_is_that_of_the_last_trade(offline: OfflineVenue, version: str) -> None:
    path = f"/fapi/{version}/ticker/price"
    assert offline.get(path, "symbol=BTCUSDT")["price"] == "60000"
    offline.now_ms += 5
    rest(offline, "BUY", "60500.5", "0.01")
    rest(offline, "SELL", "60500.5", "0.01", name="bob")
    row = {"symbol": "BTCUSDT", "price": "60500.5", "time": START_MS + 5}
    assert offline.get(path, "symbol=BTCUSDT") == row
    rows = offline.get(path)
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert rows[0] == row


@pytest.mark.parametrize(
    ("now_ms", "next_ms"),
    [
        (START_MS, START_MS + 8 * HOUR),
        (START_MS + 1, START_MS + 8 * HOUR),
        (START_MS + 8 * HOUR - 1, START_MS + 8 * HOUR),
        (START_MS + 8 * HOUR, START_MS + 16 * HOUR),
    ],
)
def test_premium_index(offline: OfflineVenue, now_ms: int, next_ms: int) -> None:
    offline.now_ms = now_ms
    assert offline.get("/fapi/v1/premiumIndex", "symbol=ETHUSDT") == {
        "symbol": "ETHUSDT",
        "markPrice": "3000",
        "indexPrice": "3000",
        "estimatedSettlePrice": "3000",
        "lastFundingRate": "0.00010000",
        "interestRate": "0.00010000",
        "nextFundingTime": next_ms,
        "time": now_ms,
    }
    assert len(offline.get("/fapi/v1/premiumIndex")) == 3


# Other products.


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/api/v3/ping", {}),
        ("/api/v3/time", {"serverTime": START_MS}),
        ("/sapi/v1/capital/config/getall", []),
        ("/sapi/v1/margin/allPairs", []),
        ("/sapi/v1/margin/isolated/allPairs", []),
    ],
)
def test_empty_answers_signed_or_not(offline: OfflineVenue, path: str, answer: Any) -> None:
    assert offline.get(path) == answer
    assert offline.signed("GET", path, "recvWindow=10000").status == 200


@pytest.mark.parametrize("path", ["/api/v3/exchangeInfo", "/dapi/v1/exchangeInfo"])
def test_no_instruments_of_other_products(offline: OfflineVenue, path: str) -> None:
    assert offline.get(path)["symbols"] == []
