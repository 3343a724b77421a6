"""Trades, single and aggregated, and a day of them."""

import json
from typing import Any

import pytest
from tests.api.offline import START_MS, OfflineVenue, fault, header
from tests.api.trader import Trader, trade

HOUR = 3_600_000
DAY = 24 * HOUR
V1 = "/fapi/v1/"


def show(trader: Trader, path: str, query: str = "symbol=BTCUSDT") -> Any:
    return trader.venue.get(V1 + path, query)


def test_a_trade(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    (row,) = show(alice, "trades")
    assert row == {
        "id": row["id"],
        "price": "60000",
        "qty": "0.01",
        "quoteQty": "600",
        "time": START_MS,
        "isBuyerMaker": False,
        "isRPITrade": False,
    }
    assert show(alice, "trades", "symbol=ETHUSDT") == []


def test_trades_are_the_last_ones_in_order(alice: Trader, bob: Trader) -> None:
    for _ in range(3):
        trade(alice, bob)
        alice.venue.now_ms += 1
    ids = [row["id"] for row in show(alice, "trades")]
    assert ids == sorted(ids)
    assert [row["id"] for row in show(alice, "trades", "symbol=BTCUSDT&limit=2")] == ids[1:]
    older = older_ids(alice, f"symbol=BTCUSDT&fromId={ids[1]}&limit=1")
    assert older == [ids[1]]
    assert older_ids(alice, "symbol=BTCUSDT&limit=1") == ids[2:]


def older_ids(trader: Trader, query: str) -> list[int]:
    answer = trader.venue.signed("GET", V1 + "historicalTrades", query)
    return [row["id"] for row in json.loads(answer.body)]


def test_older_trades_end_after_a_month(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    alice.venue.now_ms += 30 * DAY
    trade(alice, bob)
    assert len(older_ids(alice, "symbol=BTCUSDT")) == 2
    alice.venue.now_ms += 1
    assert len(older_ids(alice, "symbol=BTCUSDT")) == 1
    assert len(older_ids(alice, "symbol=BTCUSDT&fromId=0")) == 1


def test_older_trades_need_a_key() -> None:
    answer = OfflineVenue().ask("GET", V1 + "historicalTrades", "symbol=BTCUSDT")
    assert fault(answer)[:2] == (401, -2014)


def test_one_taker_at_one_price_is_one_aggregate(alice: Trader, bob: Trader) -> None:
    for price in ("60000", "60000", "60001"):
        bob.limit(side="SELL", price=price, quantity="0.01")
    alice.post("/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.03")
    first, second = show(alice, "aggTrades")
    assert first == {
        "a": 1,
        "p": "60000",
        "q": "0.02",
        "nq": "0.02",
        "f": first["f"],
        "l": first["f"] + 1,
        "T": START_MS,
        "m": False,
    }
    assert (second["a"], second["p"], second["q"]) == (2, "60001", "0.01")
    assert [row["a"] for row in show(alice, "aggTrades", "symbol=BTCUSDT&fromId=2")] == [2]


def test_aggregates_of_a_span(alice: Trader, bob: Trader) -> None:
    for _ in range(3):
        trade(alice, bob)
        alice.venue.now_ms += 10

    def ids(query: str) -> list[int]:
        return [row["a"] for row in show(alice, "aggTrades", f"symbol=BTCUSDT&{query}")]

    assert ids(f"startTime={START_MS + 10}") == [2, 3]
    assert ids(f"endTime={START_MS + 10}") == [1, 2]
    assert ids(f"startTime={START_MS}&limit=1") == [1]
    assert ids(f"endTime={START_MS + 20}&limit=1") == [3]
    assert ids(f"startTime={START_MS}&endTime={START_MS + HOUR}") == [1, 2, 3]
    alice.venue.now_ms = START_MS + 48 * HOUR + 10
    assert ids("limit=5") == ids("fromId=1") == ids("startTime=1") == [2, 3]


@pytest.mark.parametrize(
    ("query", "code", "msg"),
    [
        ("", -1102, None),
        ("symbol=NOPE", -1121, "Invalid symbol."),
        ("symbol=BTCUSDT&fromId=1&startTime=1", -1128, None),
        ("symbol=BTCUSDT&startTime=2&endTime=1", -1023, None),
        (
            f"symbol=BTCUSDT&startTime=1&endTime={HOUR + 2}",
            -1127,
            "More than 1 hours between startTime and endTime.",
        ),
        ("symbol=BTCUSDT&limit=1001", -1130, None),
        ("symbol=BTCUSDT&fromId=x", -1100, None),
        ("symbol=BTCUSDT&startTime=9223372036854775808", -1130, None),
    ],
)
def test_aggregates_refuse(alice: Trader, query: str, code: int, msg: str | None) -> None:
    status, found, text = fault(alice.venue.ask("GET", V1 + "aggTrades", query))
    assert (status, found) == (400, code)
    assert msg is None or text == msg


@pytest.mark.parametrize("path", ["aggTrades", "klines", "markPriceKlines"])
def test_times_at_the_end_of_64_bits_are_answered(alice: Trader, path: str) -> None:
    query = f"symbol=BTCUSDT&interval=1M&startTime={2**63 - 1}"
    assert show(alice, path, query) == []
    show(alice, path, f"symbol=BTCUSDT&interval=1M&endTime={2**63 - 1}")


def test_a_day_in_one_row(either: Trader) -> None:
    bob = Trader(either.venue, "bob")
    trade(either, bob)
    either.venue.now_ms += HOUR
    ask = bob.limit(side="SELL", price="63000", quantity="0.02")
    either.limit(price="63000", quantity="0.02")
    assert ask["status"] == "NEW"
    row = show(either, "ticker/24hr")
    assert {name: float(row[name]) for name in row if name.endswith("Price")} == {
        "weightedAvgPrice": 62_000,
        "lastPrice": 63_000,
        "openPrice": 60_000,
        "highPrice": 63_000,
        "lowPrice": 60_000,
    }
    assert (float(row["priceChange"]), row["priceChangePercent"]) == (3_000, "5.000")
    assert (float(row["volume"]), float(row["quoteVolume"])) == (0.03, 1_860)
    assert (float(row["lastQty"]), row["count"]) == (0.02, 2)
    assert row["firstId"] < row["lastId"]
    assert row["closeTime"] == START_MS + HOUR
    assert row["closeTime"] - row["openTime"] <= DAY
    assert [each["symbol"] for each in show(either, "ticker/24hr", "")] == [
        "BTCUSDT",
        "ETHUSDT",
        "SOLUSDT",
    ]


def test_a_day_without_a_trade(alice: Trader) -> None:
    row = show(alice, "ticker/24hr", "symbol=ETHUSDT")
    assert (row["lastPrice"], row["lastQty"], row["count"]) == ("3000", "0", 0)
    assert (row["priceChange"], row["priceChangePercent"]) == ("0", "0.000")


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("trades", "symbol=BTCUSDT", 5),
        ("historicalTrades", "symbol=BTCUSDT", 200),
        ("aggTrades", "symbol=BTCUSDT", 20),
        ("ticker/24hr", "symbol=BTCUSDT", 1),
        ("ticker/24hr", "", 40),
    ],
)
def test_weights(alice: Trader, path: str, query: str, weight: int) -> None:
    answer = alice.venue.signed("GET", V1 + path, query)
    assert (answer.status, header(answer, "x-mbx-used-weight-1m")) == (200, str(weight))
