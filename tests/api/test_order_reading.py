"""Reading orders and fills: live, ended, and for how long."""

import json
from typing import Any

import pytest
from tests.api.offline import START_MS, header
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, STOP, Trader, trade

from openperp.api.endpoints import order_reading
from openperp.engine.commands import CancelOrder, PlaceOrder
from openperp.engine.records import OrderRecord
from openperp.engine.terms import OrderType, Side

DAY_MS = 86_400_000


def test_an_order_is_found_live_and_ended(either: Trader) -> None:
    order_id = either.limit(newClientOrderId="mine")["orderId"]
    by_id = either.get(ORDER, symbol="BTCUSDT", orderId=order_id)
    assert by_id == either.get(ORDER, symbol="BTCUSDT", origClientOrderId="mine")
    assert by_id == either.get("/fapi/v1/openOrder", symbol="BTCUSDT", orderId=order_id)
    assert by_id["time"] == either.venue.now_ms
    assert {"avgPrice", "cumQuote"} <= by_id.keys()
    either.delete(ORDER, symbol="BTCUSDT", orderId=order_id)
    assert either.get(ORDER, symbol="BTCUSDT", orderId=order_id)["status"] == "CANCELED"
    assert either.get(ORDER, symbol="BTCUSDT", origClientOrderId="mine")["status"] == "CANCELED"
    assert (
        either.refused("GET", "/fapi/v1/openOrder", symbol="BTCUSDT", orderId=order_id).code
        == -2013
    )


@pytest.mark.parametrize("path", [ORDER, "/fapi/v1/openOrder"])
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"orderId": 999}, -2013),
        ({"origClientOrderId": "none"}, -2013),
        ({}, -1102),
        ({"orderId": 1, "symbol": "ETHUSDT"}, -2013),
        ({"orderId": 1, "symbol": "NOSUCH"}, -1121),
        ({"orderId": "x"}, -1100),
    ],
)
def test_an_order_is_not_found(
    either: Trader, path: str, fields: dict[str, Any], code: int
) -> None:
    either.limit()
    assert either.refused("GET", path, **{"symbol": "BTCUSDT", **fields}).code == code


@pytest.mark.parametrize(
    ("days", "found"), [(2, {"gone", "partly", "filled"}), (4, {"partly", "filled"}), (91, set())]
)
def test_ended_orders_can_be_queried_for_a_while(
    either: Trader, days: int, found: set[str]
) -> None:
    bob = Trader(either.venue, "bob")
    either.limit(newClientOrderId="live")
    either.limit(newClientOrderId="gone")
    either.delete(ORDER, symbol="BTCUSDT", origClientOrderId="gone")
    trade(either, bob, newClientOrderId="filled")
    bob.limit(side="SELL", price="60000", quantity="0.005")
    either.limit(price="60000", timeInForce="IOC", newClientOrderId="partly")
    either.venue.now_ms += days * DAY_MS
    seen = set()
    for name in ("live", "gone", "filled", "partly"):
        answer = either.send("GET", ORDER, symbol="BTCUSDT", origClientOrderId=name)
        if answer.status == 200:
            seen.add(name)
    assert seen == found | {"live"}
    rows = either.get("/fapi/v1/allOrders", symbol="BTCUSDT", orderId=1)
    assert {row["clientOrderId"] for row in rows} == seen


@pytest.mark.parametrize(("days", "found"), [(2, True), (4, False)])
def test_cancelled_algo_orders_can_be_queried_for_a_while(
    either: Trader, days: int, found: bool
) -> None:
    stop = {**STOP, "algoType": "CONDITIONAL", "triggerPrice": STOP["stopPrice"]}
    del stop["stopPrice"]
    algo_id = either.post(ALGO, **stop)["algoId"]
    either.delete(ALGO, algoId=algo_id)
    either.venue.now_ms += days * DAY_MS
    assert (either.send("GET", ALGO, algoId=algo_id).status == 200) is found
    rows = either.get("/fapi/v1/allAlgoOrders", symbol="BTCUSDT", algoId=1)
    assert bool(rows) is found


@pytest.mark.parametrize(("days", "found"), [(89, True), (91, False)])
def test_fills_and_income_can_be_queried_for_three_months(
    either: Trader, days: int, found: bool
) -> None:
    trade(either, Trader(either.venue, "bob"))
    either.venue.now_ms += days * DAY_MS
    assert bool(either.get("/fapi/v1/userTrades", symbol="BTCUSDT", fromId=0)) is found
    assert bool(either.get("/fapi/v1/income", incomeType="COMMISSION", startTime=1)) is found


def test_open_orders_of_one_symbol_or_all(either: Trader) -> None:
    bitcoin = either.limit()["orderId"]
    ether = either.limit(symbol="ETHUSDT", price="2500", quantity="0.1")["orderId"]
    answer = either.send("GET", "/fapi/v1/openOrders")
    assert [row["orderId"] for row in json.loads(answer.body)] == [bitcoin, ether]
    rows = either.get("/fapi/v1/openOrders", symbol="ETHUSDT")
    assert [row["orderId"] for row in rows] == [ether]
    assert header(answer, "x-mbx-used-weight-1m") == "40"


def test_orders_that_wait_are_open_orders_of_one_dialect_only(
    alice: Trader, modern: Trader
) -> None:
    waiting = alice.stop()["orderId"]
    assert [row["orderId"] for row in alice.get("/fapi/v1/openOrders")] == [waiting]
    assert alice.get(ORDER, symbol="BTCUSDT", orderId=waiting)["stopPrice"] == "65000"
    waiting = modern.post("/fapi/v1/algoOrder", **STOP)["algoId"]
    assert modern.get("/fapi/v1/openOrders") == []
    assert modern.get("/fapi/v1/allOrders", symbol="BTCUSDT") == []
    assert modern.refused("GET", ORDER, symbol="BTCUSDT", orderId=waiting).code == -2013
    assert modern.refused("DELETE", ORDER, symbol="BTCUSDT", orderId=waiting).code == -2011
    modern.delete("/fapi/v1/algoOrder", algoId=waiting)
    assert modern.refused("GET", ORDER, symbol="BTCUSDT", orderId=waiting).code == -2013
    assert modern.get("/fapi/v1/allOrders", symbol="BTCUSDT") == []


def test_all_orders(either: Trader) -> None:
    bob = Trader(either.venue, "bob")
    ids = [either.limit()["orderId"]]
    ids.append(trade(either, bob)[0])
    either.venue.now_ms += DAY_MS
    ids.append(either.limit()["orderId"])
    either.delete(ORDER, symbol="BTCUSDT", orderId=ids[2])
    ids.append(either.limit(timeInForce="IOC")["orderId"])

    def listed(**fields: Any) -> list[int]:
        rows = either.get("/fapi/v1/allOrders", **{"symbol": "BTCUSDT", **fields})
        return [row["orderId"] for row in rows]

    now = either.venue.now_ms
    assert listed() == ids
    assert listed(symbol=None) == ids
    assert listed(symbol="ETHUSDT") == []
    assert listed(limit=2) == ids[2:]
    assert listed(orderId=ids[1]) == ids[1:]
    assert listed(orderId=ids[1], limit=2) == ids[1:3]
    assert listed(startTime=now) == ids[2:]
    assert listed(endTime=now - 1) == ids[:2]
    assert listed(startTime=now - DAY_MS, endTime=now, limit=3) == ids[:3]
    either.venue.now_ms += 7 * DAY_MS + 1
    assert listed() == []  # the last seven days
    rows = either.get("/fapi/v1/allOrders", symbol="BTCUSDT", orderId=1)
    assert {row["pair"] for row in rows} == {"BTCUSDT"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"startTime": 10 * DAY_MS, "endTime": 9 * DAY_MS}, -1023),
        ({"startTime": 1, "endTime": 8 * DAY_MS}, -4165),
        ({"limit": 1001}, -1130),
        ({"limit": 0}, -1130),
        ({"symbol": "NOSUCH"}, -1121),
    ],
)
@pytest.mark.parametrize("path", ["/fapi/v1/allOrders", "/fapi/v1/userTrades"])
def test_spans_are_bounded(alice: Trader, path: str, fields: dict[str, Any], code: int) -> None:
    assert alice.refused("GET", path, **{"symbol": "BTCUSDT", **fields}).code == code


def end_orders(alice: Trader, count: int) -> None:
    """Places and cancels plain orders, without the way through the API."""
    venue = alice.venue
    for _ in range(count):
        placed = venue.apply(
            PlaceOrder(1, "BTCUSDT", Side.BUY, OrderType.LIMIT, lots=10, ticks=500_000)
        )
        assert isinstance(placed.reply, OrderRecord)
        venue.apply(CancelOrder(1, "BTCUSDT", placed.reply.order_id))


@pytest.mark.parametrize("fields", [{}, {"algoId": 1}, {"startTime": START_MS - 1}])
def test_many_plain_orders_hide_no_algo_order(alice: Trader, fields: dict[str, Any]) -> None:
    ended = alice.post(ALGO, **{**STOP, "stopPrice": None, "triggerPrice": "65000"})["algoId"]
    alice.delete(ALGO, algoId=ended)
    end_orders(alice, 1_100)
    waiting = alice.stop()["orderId"]
    rows = alice.get("/fapi/v1/allAlgoOrders", symbol="BTCUSDT", **fields)
    assert [row["algoId"] for row in rows] == [ended, waiting]


def test_orders_too_old_to_show_hide_no_younger_one(alice: Trader) -> None:
    end_orders(alice, 1_100)
    alice.venue.now_ms += 4 * DAY_MS
    end_orders(alice, 3)
    for fields in ({"orderId": 1}, {"startTime": START_MS}, {}):
        rows = alice.get("/fapi/v1/allOrders", symbol="BTCUSDT", limit=2, **fields)
        ids = [1_102, 1_103] if not fields else [1_101, 1_102]
        assert [row["orderId"] for row in rows] == ids


def test_a_list_looks_through_so_many_orders_and_says_so(
    alice: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_reading, "READ_MAX", 2_000)
    early = alice.stop(quantity="0.02")["orderId"]
    trade(alice, Trader(alice.venue, "bob"))
    end_orders(alice, 2_500)
    late = alice.limit()["orderId"]
    alice.venue.now_ms += 4 * DAY_MS

    def listed(path: str, **fields: Any) -> list[int]:
        rows = alice.get(path, symbol="BTCUSDT", **fields)
        return [row.get("orderId", row.get("algoId")) for row in rows]

    # What lies behind the unread part stays out, so that the next page starts there.
    assert listed("/fapi/v1/allOrders", orderId=1) == [early, early + 2]
    refusal = alice.refused("GET", "/fapi/v1/allOrders", symbol="BTCUSDT", orderId=10)
    assert (refusal.code, refusal.msg) == (-1127, "Lookup interval is too big.")
    following = int(refusal.explain.split("from id ")[1].split()[0])
    assert listed("/fapi/v1/allOrders", orderId=following) == [late]
    assert listed("/fapi/v1/allOrders") == [late]
    refusal = alice.refused("GET", "/fapi/v1/allAlgoOrders", symbol="BTCUSDT")
    assert refusal.code == -1127


def test_user_trades(alice: Trader, bob: Trader) -> None:
    first, _ = trade(alice, bob)
    alice.venue.now_ms += DAY_MS
    bob.limit(side="SELL", price="60001", quantity="0.02")
    second = alice.limit(price="60001", quantity="0.02")["orderId"]

    def listed(**fields: Any) -> list[int]:
        rows = alice.get("/fapi/v1/userTrades", **{"symbol": "BTCUSDT", **fields})
        return [row["id"] for row in rows]

    (row, _) = alice.get("/fapi/v1/userTrades", symbol="BTCUSDT")
    assert (row["orderId"], row["price"], row["qty"], row["buyer"]) == (
        first,
        "60000",
        "0.01",
        True,
    )
    assert (row["commission"], row["commissionAsset"]) == ("0.30000000", "USDT")
    now = alice.venue.now_ms
    assert listed() == [1, 2]
    assert listed(symbol="ETHUSDT") == []
    assert listed(limit=1) == [2]
    assert listed(fromId=0, limit=1) == [1]
    assert listed(fromId=2) == [2]
    assert listed(orderId=first) == [1]
    assert listed(orderId=second) == [2]
    assert listed(startTime=now) == [2]
    assert listed(endTime=now - 1) == [1]
    assert (
        alice.refused("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", fromId=1, startTime=now).code
        == -1128
    )
    alice.venue.now_ms += 7 * DAY_MS + 1
    assert listed() == []
    assert listed(orderId=first) == [1]
    assert listed(fromId=0) == [1, 2]
    alice.venue.now_ms += 90 * DAY_MS
    assert listed(fromId=0) == []


def test_reading_needs_no_permission_to_trade(alice: Trader) -> None:
    alice.venue.add_key("r" * 64, "alice", permissions=frozenset({"read"}))
    reader = Trader(alice.venue, "r")
    assert reader.get("/fapi/v1/openOrders") == []
    assert reader.refused("POST", ORDER, **LIMIT).code == -2015
    assert reader.refused("DELETE", BATCH, symbol="BTCUSDT", orderIdList=[1]).code == -2015
