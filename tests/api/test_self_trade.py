"""selfTradePreventionMode: what is taken, what holds without it, and what is told of it."""

import pytest
from tests.api.caller import Caller
from tests.api.offline import OfflineVenue
from tests.api.streams.listener import HeardVenue, Listener
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, STOP, Trader

MODE = "selfTradePreventionMode"


@pytest.mark.parametrize(("dialect", "mode"), [("ztdx", "NONE"), ("binance", "EXPIRE_MAKER")])
def test_the_default_depends_on_dialect_and_endpoint(dialect: str, mode: str) -> None:
    alice = Trader(OfflineVenue(dialect))
    assert alice.limit()[MODE] == mode
    assert alice.post(ORDER + "/test", **LIMIT)[MODE] == mode
    assert alice.post(BATCH, batchOrders=[LIMIT])[0][MODE] == "NONE"
    stop = {**STOP, "triggerPrice": STOP["stopPrice"], "stopPrice": None}
    assert alice.post(ALGO, algoType="CONDITIONAL", **stop)[MODE] == "NONE"
    assert Caller(alice.venue).result("order.place", **LIMIT)[MODE] == "NONE"


@pytest.mark.parametrize("mode", ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"])
def test_a_mode_is_taken_and_shown(either: Trader, mode: str) -> None:
    order = either.limit(**{MODE: mode})
    assert order[MODE] == mode
    assert either.get(ORDER, symbol="BTCUSDT", orderId=order["orderId"])[MODE] == mode
    (entry,) = either.post(BATCH, batchOrders=[{**LIMIT, MODE: mode}])
    assert entry[MODE] == mode


REASONS = [
    ("EXPIRE_TAKER", "GTC", 2, 1),
    ("EXPIRE_TAKER", "IOC", 2, 3),
    ("EXPIRE_MAKER", "GTC", 1, 1),
]


@pytest.mark.parametrize(("mode", "time_in_force", "ends", "reason"), REASONS)
def test_the_user_stream_tells_why(mode: str, time_in_force: str, ends: int, reason: int) -> None:
    alice = Listener(HeardVenue())
    alice.limit(side="SELL", price="60000")
    alice.hear()
    reply = alice.limit(price="60000", timeInForce=time_in_force, **{MODE: mode})
    ended = reply["status"]
    assert ended == ("NEW" if mode == "EXPIRE_MAKER" else "EXPIRED_IN_MATCH")
    assert alice.hear_told() == [
        "order 2 LIMIT NEW NEW er 0",
        f"order {ends} LIMIT EXPIRED EXPIRED_IN_MATCH er {reason}",
    ]


def test_what_expired_in_the_match_is_recalled(either: Trader) -> None:
    own = either.limit(side="SELL", price="60000")["orderId"]
    either.limit(price="60000", timeInForce="IOC", **{MODE: "EXPIRE_BOTH"})
    told = either.get("/fapi/v1/allOrders", symbol="BTCUSDT")
    assert [row["status"] for row in told] == ["EXPIRED_IN_MATCH"] * 2
    assert either.get(ORDER, symbol="BTCUSDT", orderId=own)["status"] == "EXPIRED_IN_MATCH"
