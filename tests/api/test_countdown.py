"""POST countdownCancelAll: what callers may write, and what is cancelled when time runs out."""

from typing import Any

import pytest
from tests.api.trader import ALGO, STOP, Trader

from openperp.engine.commands import Pulse

PATH = "/fapi/v1/countdownCancelAll"


def wait(trader: Trader, duration_ms: int) -> None:
    trader.venue.now_ms += duration_ms
    trader.venue.apply(Pulse())


def live(trader: Trader) -> list[int]:
    return [order["orderId"] for order in trader.get("/fapi/v1/openOrders")]


def test_the_orders_of_one_symbol_go_when_time_runs_out(either: Trader) -> None:
    order = either.limit()
    other = either.limit(symbol="ETHUSDT", price="2500", quantity="0.1")
    assert either.post(PATH, symbol="BTCUSDT", countdownTime=5_000) == {
        "symbol": "BTCUSDT",
        "countdownTime": "5000",
    }
    wait(either, 4_999)
    assert live(either) == [order["orderId"], other["orderId"]]
    wait(either, 1)
    assert live(either) == [other["orderId"]]
    ended = either.get("/fapi/v1/order", symbol="BTCUSDT", orderId=order["orderId"])
    assert (ended["status"], ended["updateTime"]) == ("CANCELED", either.venue.now_ms)


def test_each_call_starts_it_anew_and_zero_calls_it_off(either: Trader) -> None:
    order = either.limit()
    for _ in range(3):
        either.post(PATH, symbol="BTCUSDT", countdownTime=5_000)
        wait(either, 4_999)
    either.post(PATH, symbol="BTCUSDT", countdownTime=0)
    wait(either, 10_000)
    assert live(either) == [order["orderId"]]


def test_it_reaches_what_cancelling_all_reaches(alice: Trader, modern: Trader) -> None:
    for trader, reached in ((alice, True), (modern, False)):
        trader.post(ALGO, **{**STOP, "stopPrice": None}, triggerPrice="65000")
        trader.post(PATH, symbol="BTCUSDT", countdownTime=1)
        wait(trader, 1)
        assert (trader.get("/fapi/v1/openAlgoOrders") == []) is reached


def test_children_go_with_their_parents(either: Trader) -> None:
    either.limit(takeProfitPrice="61000", stopLossPrice="49000")
    either.post(PATH, symbol="BTCUSDT", countdownTime=1)
    wait(either, 1)
    assert live(either) == []
    assert either.get("/fapi/v1/openAlgoOrders") == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"symbol": None}, -1102),
        ({"symbol": "NOSUCH"}, -1121),
        ({"countdownTime": None}, -1102),
        ({"countdownTime": -1}, -1100),
        ({"countdownTime": "soon"}, -1100),
        ({"countdownTime": 2**63}, -1130),
    ],
)
def test_refusals(either: Trader, fields: dict[str, Any], code: int) -> None:
    form = {"symbol": "BTCUSDT", "countdownTime": 1_000, **fields}
    refusal = either.refused("POST", PATH, **form)
    assert (refusal.status, refusal.code) == (400, code)


def test_the_longest_countdown_is_kept(either: Trader) -> None:
    either.post(PATH, symbol="BTCUSDT", countdownTime=2**63 - 1)
    assert either.venue.view.digest()


def test_what_it_costs(either: Trader) -> None:
    answer = either.send("POST", PATH, symbol="BTCUSDT", countdownTime=1_000)
    headers = dict(answer.headers)
    assert headers[b"x-mbx-used-weight-1m"] == b"10"
    assert b"x-mbx-order-count-10s" not in headers
