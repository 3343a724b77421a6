"""What is told of a market beside its prices."""

from typing import Any

import pytest
from tests.api.offline import START_MS, OfflineVenue, fault, header

HALF_HOUR = 30 * 60_000
SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


@pytest.fixture
def offline() -> OfflineVenue:
    return OfflineVenue()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("symbol=NOPE", -1121),
        ("startTime=2&endTime=1", -1023),
        ("limit=1001", -1130),
        ("limit=0", -1130),
        ("startTime=x", -1100),
    ],
)
def test_funding_rates_refuse(offline: OfflineVenue, query: str, code: int) -> None:
    assert fault(offline.ask("GET", "/fapi/v1/fundingRate", query))[:2] == (400, code)


def test_both_kinds_of_funding_draw_on_one_pool_and_weigh_nothing(offline: OfflineVenue) -> None:
    paths = ("/fapi/v1/fundingRate", "/fapi/v1/fundingInfo")
    for number in range(500):
        answer = offline.ask("GET", paths[number % 2])
        assert (answer.status, header(answer, "x-mbx-used-weight-1m")) == (200, "0")
    for path in paths:
        answer = offline.ask("GET", path)
        assert (answer.status, header(answer, "retry-after")) == (429, "300")
        assert "of 500 requests in these 5 minutes" in (header(answer, "x-explain") or "")
    assert offline.ask("GET", paths[0], ip="10.0.0.9").status == 200
    offline.now_ms += 300_000
    assert offline.ask("GET", paths[0]).status == 200


def test_the_index_has_one_source(offline: OfflineVenue) -> None:
    offline.price("ETHUSDT", 310_000)
    assert offline.get("/fapi/v1/constituents", "symbol=ETHUSDT") == {
        "symbol": "ETHUSDT",
        "time": START_MS,
        "constituents": [
            {"exchange": "openperp", "symbol": "ETHUSDT", "price": "3100", "weight": "1.00000000"}
        ],
    }


def test_one_insurance_fund_for_all(offline: OfflineVenue) -> None:
    fund = {
        "symbols": SYMBOLS,
        "assets": [{"asset": "USDT", "marginBalance": "0.00000000", "updateTime": START_MS}],
    }
    assert offline.get("/fapi/v1/insuranceBalance") == [fund]
    assert offline.get("/fapi/v1/insuranceBalance", "symbol=SOLUSDT") == fund


def test_the_risk_of_deleveraging_is_low_where_nobody_holds_anything(offline: OfflineVenue) -> None:
    rows = offline.get("/fapi/v1/symbolAdlRisk")
    assert [row["symbol"] for row in rows] == SYMBOLS
    offline.now_ms += HALF_HOUR - 1
    one = {"symbol": "BTCUSDT", "adlRisk": "low", "updateTime": START_MS}
    assert offline.get("/fapi/v1/symbolAdlRisk", "symbol=BTCUSDT") == rows[0] == one
    offline.now_ms += 1
    row = offline.get("/fapi/v1/symbolAdlRisk", "symbol=BTCUSDT")
    assert row["updateTime"] == START_MS + HALF_HOUR


def test_no_market_opens_and_closes(offline: OfflineVenue) -> None:
    schedule = offline.get("/fapi/v1/tradingSchedule")
    assert schedule["updateTime"] == START_MS
    assert set(schedule["marketSchedules"]) >= {"EQUITY", "COMMODITY", "FX"}
    assert all(market == {"sessions": []} for market in schedule["marketSchedules"].values())


def test_the_margin_asset_is_at_par(offline: OfflineVenue) -> None:
    (row,) = offline.get("/fapi/v1/assetIndex")
    assert (row["symbol"], row["index"], row["bidRate"]) == ("USDTUSD", "1.00000000", "1.00000000")
    assert offline.get("/fapi/v1/assetIndex", "symbol=USDTUSD") == row
    assert fault(offline.ask("GET", "/fapi/v1/assetIndex", "symbol=ADAUSD"))[1] == -1121


@pytest.mark.parametrize(
    "path",
    [
        "/fapi/v1/constituents",
        "/fapi/v1/insuranceBalance",
        "/fapi/v1/symbolAdlRisk",
        "/fapi/v1/indexInfo",
    ],
)
def test_unknown_symbols(offline: OfflineVenue, path: str) -> None:
    assert fault(offline.ask("GET", path, "symbol=NOPE"))[:2] == (400, -1121)


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("constituents", "symbol=BTCUSDT", 2),
        ("insuranceBalance", "", 1),
        ("symbolAdlRisk", "", 1),
        ("tradingSchedule", "", 5),
        ("indexInfo", "", 1),
        ("assetIndex", "symbol=USDTUSD", 1),
        ("assetIndex", "", 10),
    ],
)
def test_weights(offline: OfflineVenue, path: str, query: str, weight: int) -> None:
    answer = offline.ask("GET", f"/fapi/v1/{path}", query)
    assert header(answer, "x-mbx-used-weight-1m") == str(weight)


def test_no_composite_index(offline: OfflineVenue) -> None:
    found: Any = offline.get("/fapi/v1/indexInfo", "symbol=BTCUSDT")
    assert found == []
