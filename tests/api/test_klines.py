"""Bars of all prices."""

from typing import Any

import pytest
from tests.api.offline import START_MS, OfflineVenue, fault, header
from tests.api.trader import Trader, trade

MINUTE = 60_000
V1 = "/fapi/v1/"
SYMBOL_PATHS = ("klines", "markPriceKlines", "premiumIndexKlines")


def bars(trader: Trader, path: str, query: str = "symbol=BTCUSDT&interval=1m") -> list[list[Any]]:
    rows: list[list[Any]] = trader.venue.get(V1 + path, query)
    assert all(len(row) == 12 for row in rows)
    return rows


def test_a_bar_of_trades(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    bob.limit(price="59000", quantity="0.02")
    alice.post("/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.02")
    assert bars(alice, "klines")[-1] == [
        START_MS,
        "60000",
        "60000",
        "59000",
        "59000",
        "0.03",
        START_MS + MINUTE - 1,
        "1780",
        2,
        "0.01",
        "600",
        "0",
    ]


def test_bars_join_and_continuous_ones_leave_out_empty_periods(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    alice.venue.now_ms += 3 * MINUTE
    trade(alice, bob)
    query = f"interval=1m&startTime={START_MS}"
    joined = bars(alice, "klines", f"symbol=BTCUSDT&{query}")
    assert [row[0] for row in joined] == [START_MS + n * MINUTE for n in range(4)]
    assert joined[1][1:6] == ["60000", "60000", "60000", "60000", "0"]
    pair = f"pair=BTCUSDT&contractType=PERPETUAL&{query}"
    assert [row[0] for row in bars(alice, "continuousKlines", pair)] == [
        START_MS,
        START_MS + 3 * MINUTE,
    ]
    assert bars(alice, "continuousKlines", pair.replace("PERPETUAL", "NEXT_QUARTER")) == []


def test_bars_by_second_are_continuous_ones_alone(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    alice.venue.now_ms += 1_000
    trade(alice, bob)
    rows = bars(alice, "continuousKlines", "pair=BTCUSDT&contractType=PERPETUAL&interval=1s")
    assert [row[0] for row in rows[-2:]] == [START_MS, START_MS + 1_000]
    answer = alice.venue.ask("GET", V1 + "klines", "symbol=BTCUSDT&interval=1s")
    assert fault(answer) == (400, -1120, "Invalid interval.")


def test_bars_of_prices_that_nobody_trades(alice: Trader) -> None:
    alice.venue.now_ms += MINUTE
    alice.venue.price("BTCUSDT", 612_000)
    index = bars(alice, "indexPriceKlines", "pair=BTCUSDT&interval=1h")[-1]
    assert index[:6] == [START_MS, "60000", "61200", "60000", "61200", "0"]
    assert (index[6], index[7], index[9:]) == (START_MS + 60 * MINUTE - 1, "0", ["0", "0", "0"])
    assert bars(alice, "markPriceKlines", "symbol=BTCUSDT&interval=1h")[-1][1:5] == index[1:5]
    premium = bars(alice, "premiumIndexKlines")[-1]
    assert premium[1:5] == ["0.00000000"] * 4


def test_limit_and_span(alice: Trader, bob: Trader) -> None:
    for _ in range(5):
        trade(alice, bob)
        alice.venue.now_ms += MINUTE

    def opens(query: str) -> list[int]:
        rows = bars(alice, "klines", f"symbol=BTCUSDT&interval=1m&{query}")
        return [(row[0] - START_MS) // MINUTE for row in rows]

    assert opens("limit=2") == [4, 5]
    assert opens(f"startTime={START_MS}&limit=2") == [0, 1]
    assert opens(f"endTime={START_MS + 2 * MINUTE}&limit=2") == [1, 2]
    assert opens(f"startTime={START_MS + 1}&endTime={START_MS + 3 * MINUTE}") == [1, 2, 3]
    assert opens(f"startTime={START_MS + 100 * MINUTE}") == []


@pytest.mark.parametrize(
    ("interval", "end_ms"),
    [
        ("1m", START_MS + MINUTE),
        ("3d", 1_767_484_800_000),
        ("1w", 1_767_571_200_000),
        ("1M", 1_769_904_000_000),
    ],
)
def test_a_bar_ends_before_the_next_begins(alice: Trader, interval: str, end_ms: int) -> None:
    row = bars(alice, "klines", f"symbol=BTCUSDT&interval={interval}")[-1]
    assert row[6] == end_ms - 1
    assert row[0] <= START_MS


@pytest.mark.parametrize("path", SYMBOL_PATHS)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("symbol=NOPE&interval=1m", -1121),
        ("symbol=BTCUSDT", -1102),
        ("symbol=BTCUSDT&interval=7m", -1120),
        ("symbol=BTCUSDT&interval=1M&limit=1501", -1130),
        ("symbol=BTCUSDT&interval=1m&limit=0", -1130),
        ("symbol=BTCUSDT&interval=1m&startTime=2&endTime=1", -1023),
        ("symbol=BTCUSDT&interval=1m&startTime=-1", -1100),
    ],
)
def test_refusals(path: str, query: str, code: int) -> None:
    assert fault(OfflineVenue().ask("GET", V1 + path, query))[:2] == (400, code)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("indexPriceKlines", "pair=NOPE&interval=1m", -4144),
        ("continuousKlines", "pair=NOPE&contractType=PERPETUAL&interval=1m", -4144),
        ("continuousKlines", "pair=BTCUSDT&contractType=FOREVER&interval=1m", -4104),
        ("continuousKlines", "pair=BTCUSDT&interval=1m", -1102),
    ],
)
def test_refusals_of_pairs(path: str, query: str, code: int) -> None:
    assert fault(OfflineVenue().ask("GET", V1 + path, query))[:2] == (400, code)


@pytest.mark.parametrize(
    ("limit", "weight"), [(1, 1), (99, 1), (100, 2), (499, 2), (500, 5), (1_000, 5), (1_001, 10)]
)
@pytest.mark.parametrize("path", [*SYMBOL_PATHS, "indexPriceKlines", "continuousKlines"])
def test_weights(path: str, limit: int, weight: int) -> None:
    query = f"symbol=BTCUSDT&pair=BTCUSDT&contractType=PERPETUAL&interval=1m&limit={limit}"
    answer = OfflineVenue().ask("GET", V1 + path, query)
    assert (answer.status, header(answer, "x-mbx-used-weight-1m")) == (200, str(weight))
