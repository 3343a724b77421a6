"""Batches of orders, and cancelling in every way."""

import json
from typing import Any

import pytest
from tests.api.offline import OfflineVenue, header
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, STOP, Trader, statuses, trade

DAY_MS = 86_400_000
UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}


def test_a_batch_keeps_every_element_in_its_place(alice: Trader) -> None:
    elements = [
        LIMIT,
        {**LIMIT, "side": "HOLD"},
        {**LIMIT, "price": 50001.5, "quantity": 0.02, "newClientOrderId": "numbers"},
        {**LIMIT, "symbol": "ETHUSDT", "price": "2500", "quantity": "0.1", "reduceOnly": False},
        {**LIMIT, "quantity": "10"},
    ]
    answer = alice.send("POST", BATCH, batchOrders=elements)
    entries = json.loads(answer.body)
    assert statuses(entries) == ["NEW", -1117, "NEW", "NEW", -2019]
    assert entries[2]["price"] == "50001.5"
    assert entries[3]["symbol"] == "ETHUSDT"
    explain = header(answer, "x-explain")
    assert explain is not None
    assert explain.startswith("[1] side must be one of BUY, SELL; [4] margin insufficient")
    assert len(alice.get("/fapi/v1/openOrders")) == 3


def test_a_batch_of_nothing_but_errors_reaches_no_engine(either: Trader) -> None:
    seq = either.venue.state.seq
    entries = either.post(BATCH, batchOrders=[{}, {**LIMIT, "price": "x"}])
    assert [entry["code"] for entry in entries] == [-1102, -1100]
    assert either.venue.state.seq == seq


def test_a_trigger_order_in_a_batch(alice: Trader, modern: Trader) -> None:
    assert statuses(alice.post(BATCH, batchOrders=[LIMIT, STOP])) == ["NEW", "NEW"]
    assert statuses(modern.post(BATCH, batchOrders=[LIMIT, STOP])) == ["NEW", -4120]


@pytest.mark.parametrize(
    ("elements", "code"),
    [("[]", -4082), (json.dumps([LIMIT] * 6), -4082), ("", -1102), ("{}", -1130), ("[1]", -1130)],
)
def test_a_batch_is_refused_as_a_whole(either: Trader, elements: str, code: int) -> None:
    assert either.refused("POST", BATCH, batchOrders=elements).code == code


def test_a_batch_costs_five_weight_and_five_orders(alice: Trader) -> None:
    answer = alice.send("POST", BATCH, batchOrders=[LIMIT, LIMIT])
    assert header(answer, "x-mbx-used-weight-1m") == "5"
    assert header(answer, "x-mbx-order-count-10s") == "5"
    assert header(answer, "x-mbx-order-count-1m") == "1"


def test_a_raw_batch_in_the_body(alice: Trader) -> None:
    text = json.dumps([LIMIT], separators=(",", ":"))
    answer = alice.venue.signed("POST", BATCH, "", f"batchOrders={text}")
    assert statuses(json.loads(answer.body)) == ["NEW"]


def test_cancelling_one_order(either: Trader) -> None:
    first = either.limit()["orderId"]
    either.limit(newClientOrderId="second")
    order = either.delete(ORDER, symbol="BTCUSDT", orderId=first)
    assert (order["orderId"], order["status"], order["cumQty"]) == (
        first,
        "CANCELED",
        order["executedQty"],
    )
    assert "avgPrice" not in order
    order = either.delete(ORDER, symbol="btcusdt", origClientOrderId="second")
    assert (order["clientOrderId"], order["status"]) == ("second", "CANCELED")
    assert either.get("/fapi/v1/openOrders") == []


def test_the_order_id_wins_over_the_client_id(either: Trader) -> None:
    first = either.limit()["orderId"]
    either.limit(newClientOrderId="second")
    order = either.delete(ORDER, symbol="BTCUSDT", orderId=first, origClientOrderId="second")
    assert order["orderId"] == first


def test_what_cannot_be_cancelled(either: Trader) -> None:
    bob = Trader(either.venue, "bob")
    filled, _ = trade(either, bob)
    theirs = bob.limit()["orderId"]
    elsewhere = either.limit(symbol="ETHUSDT", price="2500", quantity="0.1")["orderId"]
    for order_id in (filled, theirs, elsewhere, 999, 2**63 - 1):
        refusal = either.refused("DELETE", ORDER, symbol="BTCUSDT", orderId=order_id)
        assert (refusal.code, refusal.msg) == (-2011, "Unknown order sent.")
    refusal = either.refused("DELETE", ORDER, symbol="BTCUSDT")
    assert refusal.msg == (
        "Param 'orderId' or 'origClientOrderId' must be sent, but both were empty/null!"
    )


def test_a_batch_cancel_tells_of_ended_orders(alice: Trader, bob: Trader) -> None:
    filled, _ = trade(alice, bob)
    live = alice.limit(newClientOrderId="live")["orderId"]
    gone = alice.limit(newClientOrderId="gone")["orderId"]
    alice.delete(ORDER, symbol="BTCUSDT", orderId=gone)
    expired = alice.limit(timeInForce="IOC")["orderId"]
    alice.venue.now_ms += 400 * DAY_MS
    ids = [filled, gone, live, expired, live]
    entries = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=ids)
    assert [entry["orderId"] for entry in entries] == ids
    assert statuses(entries) == ["FILLED", "CANCELED", "CANCELED", "EXPIRED", "CANCELED"]
    assert entries[2] == entries[4]
    names = ["gone", "live", "none", "what ever"]
    entries = alice.delete(BATCH, symbol="BTCUSDT", origClientOrderIdList=names)
    assert statuses(entries) == ["CANCELED", "CANCELED", -2011, -2011]


def test_a_batch_cancel_of_the_other_dialect_does_not(modern: Trader) -> None:
    bob = Trader(modern.venue, "bob")
    filled, _ = trade(modern, bob)
    live = modern.limit()["orderId"]
    algo = modern.post("/fapi/v1/algoOrder", **STOP)["algoId"]
    entries = modern.delete(BATCH, symbol="BTCUSDT", orderIdList=[filled, live, algo])
    assert entries[0] == entries[2] == UNKNOWN
    assert entries[1]["status"] == "CANCELED"
    assert entries[1]["origQty"] == "0.010"


def test_ids_of_nobody(either: Trader) -> None:
    bob = Trader(either.venue, "bob")
    theirs, _ = trade(bob, either)
    live = either.limit()["orderId"]
    elsewhere = either.limit(symbol="ETHUSDT", price="2500", quantity="0.1")["orderId"]
    ids = [theirs, elsewhere, 2**63, str(10**30), "abc", str(live)]
    entries = either.delete(BATCH, symbol="BTCUSDT", orderIdList=ids)
    assert entries[:5] == [UNKNOWN] * 5
    assert entries[5]["status"] == "CANCELED"


def test_a_child_behind_its_parent_is_shown_cancelled(alice: Trader) -> None:
    parent = alice.limit(takeProfitPrice="65000", stopLossPrice="45000")["orderId"]
    rows = alice.get("/fapi/v1/openOrders", symbol="BTCUSDT")
    children = [row["orderId"] for row in rows if row.get("parentOrderId") == parent]
    assert len(children) == 2
    entries = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[parent, children[1]])
    assert statuses(entries) == ["CANCELED", "CANCELED"]
    assert "parentOrderId" not in entries[1]
    assert alice.get("/fapi/v1/openOrders") == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, -1102),
        ({"orderIdList": []}, -1102),
        ({"orderIdList": [], "origClientOrderIdList": []}, -1102),
        ({"orderIdList": [1], "origClientOrderIdList": ["a"]}, -1128),
        ({"orderIdList": list(range(1, 12))}, -4032),
        ({"orderIdList": [1.5]}, -1130),
        ({"orderIdList": "1"}, -1130),
        ({"symbol": "NOSUCH", "orderIdList": [1]}, -1121),
    ],
)
def test_a_batch_cancel_is_refused_as_a_whole(
    either: Trader, fields: dict[str, Any], code: int
) -> None:
    either.limit()
    before = either.venue.view.digest()
    assert either.refused("DELETE", BATCH, **{"symbol": "BTCUSDT", **fields}).code == code
    assert either.venue.view.digest() == before


def test_a_halted_market_cancels_nothing(alice: Trader) -> None:
    order_id = alice.limit()["orderId"]
    alice.venue.operator("POST", "mode", mode="halted")
    entries = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[order_id, 999])
    assert entries[1] == UNKNOWN
    assert entries[0]["code"] == -1122


def test_cancelling_all(alice: Trader, modern: Trader) -> None:
    done = {"code": 200, "msg": "The operation of cancel all open order is done."}
    alice.limit()
    alice.stop()
    alice.limit(symbol="ETHUSDT", price="2500", quantity="0.1")
    assert alice.delete("/fapi/v1/allOpenOrders", symbol="BTCUSDT") == done
    assert [row["symbol"] for row in alice.get("/fapi/v1/openOrders")] == ["ETHUSDT"]
    assert alice.delete("/fapi/v1/allOpenOrders", symbol="BTCUSDT") == done

    modern.limit()
    modern.post("/fapi/v1/algoOrder", **STOP)
    assert modern.delete("/fapi/v1/allOpenOrders", symbol="BTCUSDT") == done
    assert modern.get("/fapi/v1/openOrders") == []
    assert len(modern.get("/fapi/v1/openAlgoOrders")) == 1


@pytest.mark.parametrize("path", [ORDER, f"{ORDER}/test"])
def test_trigger_types_belong_to_the_algo_endpoint(modern: Trader, path: str) -> None:
    refusal = modern.refused("POST", path, **STOP)
    assert refusal.code == -4120
    assert "/fapi/v1/algoOrder" in refusal.explain


def test_trigger_types_can_be_tried_where_they_can_be_placed(alice: Trader) -> None:
    assert alice.post(f"{ORDER}/test", **STOP)["type"] == "STOP_MARKET"


def test_what_cannot_be_cancelled_is_told_why(alice: Trader, modern: Trader) -> None:
    def told(trader: Trader, path: str = ORDER, **fields: Any) -> str:
        if path == ORDER:
            fields["symbol"] = "BTCUSDT"
        refusal = trader.refused("DELETE", path, **fields)
        assert refusal.code == -2011
        return refusal.explain

    gone = alice.limit(newClientOrderId="gone")["orderId"]
    alice.delete(ORDER, symbol="BTCUSDT", orderId=gone)
    assert told(alice, orderId=gone) == f"order {gone} has ended: CANCELED"
    assert told(alice, origClientOrderId="gone") == "order gone has ended: CANCELED"
    assert told(alice, orderId=99) == "no order 99 of this account on BTCUSDT"
    live = alice.limit()["orderId"]
    assert told(alice, ALGO, algoId=live) == f"order {live} is no algo order"
    assert told(alice, ALGO, algoId=99) == "no order 99 of this account"

    waits = modern.post(ALGO, **STOP)["algoId"]
    assert "DELETE /fapi/v1/algoOrder" in told(modern, orderId=waits)
    modern.delete(ALGO, algoId=waits)
    assert told(modern, ALGO, algoId=waits) == f"order {waits} has ended: CANCELED"


@pytest.mark.parametrize("explain", [True, False])
def test_unknown_ids_of_a_batch_are_repeated_as_sent(explain: bool) -> None:
    trader = Trader(OfflineVenue("binance", explain=explain))
    gone = trader.limit()["orderId"]
    trader.delete(ORDER, symbol="BTCUSDT", orderId=gone)
    ids = f'[{gone},99,"o\'1",{2**63},{"7" * 5_000},0]'
    answer = trader.send("DELETE", BATCH, symbol="BTCUSDT", orderIdList=ids)
    assert json.loads(answer.body) == [UNKNOWN] * 6
    expected = (
        f"[0] order {gone} has ended: CANCELED; [1] no order 99 of this account on BTCUSDT;"
        f" [2] \"o'1\" is no order's id; [3] '{2**63}' is no order's id;"
        f" [4] '{'7' * 60}' is no order's id; [5] '0' is no order's id"
    )
    assert header(answer, "x-explain") == (expected if explain else None)
    answer = trader.send("DELETE", BATCH, symbol="BTCUSDT", origClientOrderIdList='["a b","c"]')
    expected = "[0] 'a b' is no order's id; [1] no order c of this account on BTCUSDT"
    assert header(answer, "x-explain") == (expected if explain else None)
