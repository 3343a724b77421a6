"""What the venue's accounts and trades add up to."""

from typing import Any

import pytest
from tests.api.offline import START_MS, OfflineVenue, fault, header
from tests.api.trader import Trader, trade

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
DATA = "/futures/data/"
RATIOS = ("topLongShortPositionRatio", "topLongShortAccountRatio", "globalLongShortAccountRatio")
POOLED = (*RATIOS, "openInterestHist", "takerlongshortRatio")


def ask(trader: Trader, path: str, query: str = "symbol=BTCUSDT&period=5m") -> Any:
    return trader.venue.get(DATA + path, query)


def later(trader: Trader, minutes: int) -> None:
    trader.venue.now_ms += minutes * MINUTE


def test_open_interest_is_what_is_held_long(alice: Trader, bob: Trader) -> None:
    path = "/fapi/v1/openInterest"
    assert alice.venue.get(path, "symbol=BTCUSDT")["openInterest"] == "0"
    trade(alice, bob)
    trade(alice, bob)
    expected = {"openInterest": "0.02", "symbol": "BTCUSDT", "time": START_MS}
    assert alice.venue.get(path, "symbol=BTCUSDT") == expected
    trade(bob, alice)
    assert alice.venue.get(path, "symbol=BTCUSDT")["openInterest"] == "0.01"
    assert fault(alice.venue.ask("GET", path, "symbol=NOPE"))[1] == -1121


def test_open_interest_of_the_past(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    later(alice, 5)
    trade(alice, bob)
    later(alice, 5)
    rows = ask(alice, "openInterestHist")
    assert [row["timestamp"] for row in rows[-2:]] == [
        START_MS + 5 * MINUTE,
        START_MS + 10 * MINUTE,
    ]
    assert [row["sumOpenInterest"] for row in rows[-2:]] == ["0.01", "0.02"]
    assert rows[-1]["sumOpenInterestValue"] == "1200.00000000"
    assert rows[-1]["CMCCirculatingSupply"] == "0"


@pytest.mark.parametrize("path", RATIOS)
def test_longs_to_shorts(alice: Trader, bob: Trader, path: str) -> None:
    trade(alice, bob)
    later(alice, 5)
    row = ask(alice, path)[-1]
    assert set(row) == {"symbol", "longShortRatio", "longAccount", "shortAccount", "timestamp"}
    if path == "globalLongShortAccountRatio":
        shares = (row["longShortRatio"], row["longAccount"], row["shortAccount"])
        assert shares == ("1.0000", "0.5000", "0.5000")
    else:
        # One of two accounts is the top fifth: the other side has nobody.
        assert {row["longAccount"], row["shortAccount"]} == {"1.0000", "0.0000"}
        assert row["longShortRatio"] == "0.0000"


def test_what_takers_bought_and_sold(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    bob.limit(price="59000", quantity="0.03")
    alice.post("/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.03")
    assert ask(alice, "takerlongshortRatio")[-1] == {
        "buySellRatio": "0.3333",
        "buyVol": "0.01",
        "sellVol": "0.03",
        "timestamp": START_MS,
    }


def test_basis(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    later(alice, 5)
    bob.limit(side="SELL", price="60600", quantity="0.01")
    alice.limit(price="60600", quantity="0.01")
    later(alice, 5)
    query = "pair=BTCUSDT&contractType=PERPETUAL&period=5m"
    assert ask(alice, "basis", query)[-1] == {
        "indexPrice": "60000",
        "contractType": "PERPETUAL",
        "basisRate": "0.0100",
        "futuresPrice": "60600",
        "annualizedBasisRate": "",
        "basis": "600",
        "pair": "BTCUSDT",
        "timestamp": START_MS + 10 * MINUTE,
    }
    assert ask(alice, "basis", query.replace("PERPETUAL", "CURRENT_QUARTER")) == []


def test_nothing_was_delivered(alice: Trader) -> None:
    assert ask(alice, "delivery-price", "pair=BTCUSDT") == []
    assert fault(alice.venue.ask("GET", DATA + "delivery-price", "pair=NOPE"))[1] == -4144


@pytest.mark.parametrize("path", POOLED)
def test_span_limit_and_age(alice: Trader, bob: Trader, path: str) -> None:
    trade(alice, bob)
    later(alice, 60)
    trade(alice, bob)
    query = "symbol=BTCUSDT&period=5m"
    assert len(ask(alice, path, f"{query}&limit=2")) == 2
    newest = ask(alice, path, query)[-1]["timestamp"]
    early = ask(alice, path, f"{query}&startTime={START_MS}&limit=1")[0]["timestamp"]
    assert START_MS <= early <= START_MS + 5 * MINUTE < newest
    assert ask(alice, path, f"{query}&endTime={early}")[-1]["timestamp"] == early
    assert ask(alice, path, f"{query}&startTime={2**63 - 1}") == []
    alice.venue.now_ms = early + 30 * DAY + 1
    assert ask(alice, path, f"{query}&startTime=1&limit=1")[0]["timestamp"] > early
    assert ask(alice, path, f"{query}&endTime={early}") == []


@pytest.mark.parametrize("path", POOLED)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("symbol=NOPE&period=5m", -1121),
        ("symbol=BTCUSDT", -1102),
        ("symbol=BTCUSDT&period=1m", -1130),
        ("symbol=BTCUSDT&period=5m&limit=501", -1130),
        ("symbol=BTCUSDT&period=5m&startTime=2&endTime=1", -1023),
    ],
)
def test_refusals(path: str, query: str, code: int) -> None:
    assert fault(OfflineVenue().ask("GET", DATA + path, query))[:2] == (400, code)


def test_statistics_share_one_pool_and_weigh_nothing() -> None:
    offline = OfflineVenue()
    for number in range(1_000):
        path = DATA + POOLED[number % len(POOLED)]
        answer = offline.ask("GET", path, "symbol=BTCUSDT&period=5m&limit=1")
        assert (answer.status, header(answer, "x-mbx-used-weight-1m")) == (200, "0")
    for path in POOLED:
        answer = offline.ask("GET", DATA + path, "symbol=BTCUSDT&period=5m")
        assert fault(answer)[:2] == (429, -1003)
        assert header(answer, "retry-after") == "300"
        assert "current limit is 1000 requests per 5 minutes." in fault(answer)[2]
    basis = "pair=BTCUSDT&contractType=PERPETUAL&period=5m"
    assert offline.ask("GET", DATA + "basis", basis).status == 200
