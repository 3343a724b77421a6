"""Algo orders through the API, and where they are order-endpoint orders too."""

from typing import Any

import pytest
from tests.api.caller import Caller
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, Trader

DAY_MS = 86_400_000
STOP: dict[str, Any] = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "STOP_MARKET",
    "triggerPrice": "65000",
    "quantity": "0.01",
}
TRAILING = {
    **STOP,
    "side": "SELL",
    "type": "TRAILING_STOP_MARKET",
    "triggerPrice": None,
    "activatePrice": "61000",
    "callbackRate": "0.3",
}


def test_a_new_algo_order(either: Trader) -> None:
    row = either.post(ALGO, **STOP, clientAlgoId="mine", workingType="MARK_PRICE")
    assert (row["algoId"], row["clientAlgoId"], row["algoStatus"]) == (1, "mine", "NEW")
    assert (row["algoType"], row["orderType"]) == ("CONDITIONAL", "STOP_MARKET")
    assert (row["timeInForce"], row["workingType"]) == ("GTC", "MARK_PRICE")
    assert "actualOrderId" not in row
    assert "callbackRate" not in row


@pytest.mark.parametrize(
    ("kind", "repeated"),
    [
        ("STOP_MARKET", {"stopLossPrice": 65000}),
        ("TAKE_PROFIT_MARKET", {"takeProfitPrice": 55000}),
    ],
)
def test_what_ccxt_pro_repeats_attaches_nothing(
    either: Trader, kind: str, repeated: dict[str, Any]
) -> None:
    """Its `create_order_ws` sends the trigger price under the name of its own parameter too."""
    caller = Caller(either.venue)
    (price,) = repeated.values()
    order = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "clientAlgoId": f"x-cvBPrNm9{kind[:4]}",
        "newOrderRespType": "RESULT",
        "type": kind,
        "quantity": "0.01",
        "triggerPrice": str(price),
        "returnRateLimits": False,
        "algoType": "CONDITIONAL",
        **repeated,
    }
    caller.result("algoOrder.place", **order)
    (waiting,) = either.get("/fapi/v1/openAlgoOrders")
    assert (waiting["orderType"], float(waiting["triggerPrice"])) == (kind, price)


@pytest.mark.parametrize(
    ("price", "repeated", "children"),
    [
        ("65100", {"stopLossPrice": "65000.04"}, 0),
        ("65100", {"stopLossPrice": "64999.96"}, 0),
        ("65100", {"stopLossPrice": "65000", "stopLossClientOrderId": "one"}, 1),
        ("65100", {"stopLossPrice": "64999.9"}, 1),
        ("64900", {"takeProfitPrice": "65000"}, 1),
    ],
)
def test_what_repeats_is_the_own_price_alone(
    either: Trader, price: str, repeated: dict[str, Any], children: int
) -> None:
    """Beside a limit price, the trigger price of a stop is one at which a loss could be stopped."""
    either.post(ALGO, **{**STOP, "type": "STOP", "price": price}, **repeated)
    assert len(either.get("/fapi/v1/openAlgoOrders")) == 1 + children


EXITS = {
    "takeProfitPrice": "70000",
    "takeProfitClientOrderId": "up",
    "stopLossPrice": "64000",
    "stopLossClientOrderId": "down",
    "attachedWorkingType": "CONTRACT_PRICE",
}


def family(trader: Trader) -> list[tuple[Any, ...]]:
    """What waits beside algo order 1, as lists tell it."""
    names = ("clientAlgoId", "orderType", "side", "workingType", "reduceOnly", "parentOrderId")
    rows = trader.get("/fapi/v1/openAlgoOrders", symbol="BTCUSDT")[1:]
    return [
        (*(row[name] for name in names), float(row["triggerPrice"]), float(row["quantity"]))
        for row in rows
    ]


CHILDREN = [
    ("up", "TAKE_PROFIT_MARKET", "SELL", "CONTRACT_PRICE", True, 1, 70_000, 0.01),
    ("down", "STOP_MARKET", "SELL", "CONTRACT_PRICE", True, 1, 64_000, 0.01),
]


def test_an_algo_order_brings_exits_along(either: Trader) -> None:
    either.post(ALGO, **STOP, **EXITS)
    assert family(either) == CHILDREN
    bob = Trader(either.venue, "bob")
    bob.limit(side="SELL", price="65000", quantity="0.01")
    either.venue.price("BTCUSDT", 650_000)
    assert either.get(ALGO, algoId=1)["algoStatus"] == "FINISHED"
    bob.limit(side="BUY", price="63900", quantity="0.01")
    either.venue.price("BTCUSDT", 640_000)
    assert either.get(ALGO, clientAlgoId="down")["algoStatus"] == "FINISHED"
    assert either.get(ALGO, clientAlgoId="up")["algoStatus"] == "CANCELED"


def test_the_order_endpoint_and_the_algo_endpoint_bring_the_same(alice: Trader) -> None:
    order = {**STOP, "algoType": None, "triggerPrice": None, "stopPrice": "65000"}
    assert alice.post(ORDER, **order, **EXITS)["orderId"] == 1
    assert family(alice) == CHILDREN
    alice.delete(ORDER, symbol="BTCUSDT", orderId=1)
    assert alice.get("/fapi/v1/openOrders") == []


def test_the_method_brings_them_too(either: Trader) -> None:
    Caller(either.venue).result("algoOrder.place", **STOP, **EXITS)
    assert family(either) == CHILDREN
    either.delete(ALGO, algoId=1)
    assert either.get("/fapi/v1/openAlgoOrders") == []


@pytest.mark.parametrize(
    ("exits", "code"),
    [
        ({"stopLossPrice": "66000"}, -2021),
        ({"takeProfitPrice": "65000"}, -2021),
        ({"stopLossPrice": ""}, -1102),
        ({"takeProfitPrice": ""}, -1102),
        ({"stopLossPrice": "0"}, -4013),
        ({"stopLossPrice": "-1"}, -4006),
        ({"stopLossPrice": "x"}, -1100),
        ({"stopLossPrice": "64000.001"}, -1111),
        ({"stopLossClientOrderId": "down"}, -1106),
        ({"attachedWorkingType": "x"}, -4031),
        ({"attachedWorkingType": "MARK_PRICE"}, -1106),
        ({"attachedWorkingType": "CONTRACT_PRICE", "parentOrderId": "9"}, -1106),
        ({"attachedWorkingType": "MARK_PRICE", "stopLossPrice": "65000"}, -1106),
        ({**EXITS, "takeProfitClientOrderId": "down"}, -4116),
        ({"stopLossPrice": "64000", "stopLossClientOrderId": "own"}, -4116),
        ({"stopLossPrice": "64000", "parentOrderId": "9"}, -1128),
        ({"stopLossPrice": "64000", "parentClientOrderId": "x"}, -1128),
    ],
)
def test_exits_that_cannot_be(either: Trader, exits: dict[str, Any], code: int) -> None:
    before = either.venue.state.next_order_id
    assert either.refused("POST", ALGO, **STOP, clientAlgoId="own", **exits).code == code
    assert either.venue.state.next_order_id == before
    assert either.get("/fapi/v1/openAlgoOrders") == []


def test_an_algo_order_is_found_waiting_fired_and_ended(either: Trader) -> None:
    bob = Trader(either.venue, "bob")
    algo_id = either.post(ALGO, **STOP, clientAlgoId="mine")["algoId"]
    waiting = either.get(ALGO, algoId=algo_id)
    assert waiting == either.get(ALGO, clientAlgoId="mine")
    (listed,) = either.get("/fapi/v1/openAlgoOrders", symbol="BTCUSDT")
    assert waiting == {name: listed[name] for name in waiting}
    assert {float(listed[name]) for name in listed.keys() - waiting.keys()} == {0}
    assert (waiting["actualOrderId"], waiting["actualType"]) == ("", "")

    bob.limit(side="SELL", price="65000", quantity="0.01")
    either.venue.price("BTCUSDT", 650_000)
    assert either.get("/fapi/v1/openAlgoOrders") == []
    ended = either.get(ALGO, algoId=algo_id)
    assert (ended["algoStatus"], ended["actualOrderId"]) == ("FINISHED", str(algo_id))
    assert (ended["actualType"], float(ended["actualPrice"])) == ("MARKET", 65_000)
    assert ended["triggerTime"] == either.venue.now_ms
    # What fired is an order as well.
    order = either.get(ORDER, symbol="BTCUSDT", orderId=algo_id)
    assert (order["status"], order["type"], order["origType"]) == (
        "FILLED",
        "MARKET",
        "STOP_MARKET",
    )


def test_a_fired_order_rests_in_the_book(either: Trader) -> None:
    limit = {**STOP, "type": "STOP", "price": "64000"}
    algo_id = either.post(ALGO, **limit, clientAlgoId="mine")["algoId"]
    either.venue.price("BTCUSDT", 650_000)
    assert either.get("/fapi/v1/openAlgoOrders") == []
    assert either.get(ALGO, algoId=algo_id)["algoStatus"] == "TRIGGERED"
    assert [row["orderId"] for row in either.get("/fapi/v1/openOrders")] == [algo_id]
    (entry,) = either.delete(BATCH, symbol="BTCUSDT", orderIdList=[algo_id])
    assert entry["status"] == "CANCELED"
    assert either.get(ALGO, clientAlgoId="mine")["algoStatus"] == "FINISHED"


def test_cancelling_an_algo_order(either: Trader) -> None:
    either.post(ALGO, **STOP, clientAlgoId="one")
    either.post(ALGO, **TRAILING, clientAlgoId="two")
    reply = either.delete(ALGO, algoid=1)
    assert reply == {"algoId": 1, "clientAlgoId": "one", "code": "200", "msg": "success"}
    assert either.delete(ALGO, clientAlgoId="two")["algoId"] == 2
    assert either.get(ALGO, algoId=1)["algoStatus"] == "CANCELED"
    either.venue.now_ms += 4 * DAY_MS
    assert either.refused("GET", ALGO, algoId=1).code == -2013


@pytest.mark.parametrize(
    ("method", "fields", "code"),
    [
        ("GET", {}, -1102),
        ("GET", {"algoId": 999}, -2013),
        ("GET", {"clientAlgoId": "none"}, -2013),
        ("DELETE", {}, -1102),
        ("DELETE", {"algoId": 999}, -2011),
        ("DELETE", {"clientAlgoId": "none"}, -2011),
        ("POST", {**STOP, "type": "LIMIT"}, -1116),
        ("POST", {**STOP, "type": "MARKET"}, -1116),
        ("POST", {**STOP, "algoType": "VP"}, -1130),
        ("POST", {**STOP, "triggerPrice": None}, -1102),
        ("POST", {**STOP, "quantity": None}, -1102),
        ("POST", {**STOP, "triggerPrice": "59000"}, -2021),
        ("POST", {**STOP, "clientAlgoId": "a b"}, -4015),
        ("POST", {**STOP, "timeInForce": "GTE_GTC"}, -4509),
        ("POST", {**STOP, "closePosition": "true"}, -4137),
        ("POST", {**TRAILING, "callbackRate": "20.1"}, -1130),
    ],
)
def test_refusals(either: Trader, method: str, fields: dict[str, Any], code: int) -> None:
    assert either.refused(method, ALGO, **fields).code == code


def test_the_missing_trigger_is_named_as_on_this_endpoint(either: Trader) -> None:
    refusal = either.refused("POST", ALGO, **{**STOP, "triggerPrice": None})
    assert "'triggerPrice'" in refusal.msg


def test_how_far_a_trailing_stop_may_trail(alice: Trader, modern: Trader) -> None:
    wide = {**TRAILING, "callbackRate": "20"}
    assert alice.refused("POST", ALGO, **wide).code == -1130
    assert modern.post(ALGO, **wide)["callbackRate"] == "20"
    assert alice.post(ALGO, **{**TRAILING, "callbackRate": "10"})["callbackRate"] == "10"
    assert alice.post(ALGO, **{**TRAILING, "callbackRate": "0.1"})["callbackRate"] == "0.1"


def test_a_limit_order_is_no_algo_order(either: Trader) -> None:
    order_id = either.limit(newClientOrderId="mine")["orderId"]
    assert either.refused("GET", ALGO, algoId=order_id).code == -2013
    assert either.refused("GET", ALGO, clientAlgoId="mine").code == -2013
    assert either.refused("DELETE", ALGO, algoId=order_id).code == -2011
    either.delete(ORDER, symbol="BTCUSDT", orderId=order_id)
    assert either.refused("GET", ALGO, algoId=order_id).code == -2013
    assert either.get("/fapi/v1/openAlgoOrders") == []
    assert either.get("/fapi/v1/allAlgoOrders", symbol="BTCUSDT") == []


def test_orders_of_others_are_unknown(either: Trader) -> None:
    bob = Trader(either.venue, "bob")
    theirs = bob.post(ALGO, **STOP)["algoId"]
    assert either.refused("GET", ALGO, algoId=theirs).code == -2013
    assert either.refused("DELETE", ALGO, algoId=theirs).code == -2011


def test_cancelling_all_algo_orders(either: Trader) -> None:
    either.limit()
    either.post(ALGO, **STOP)
    either.post(ALGO, **TRAILING)
    either.post(ALGO, **{**STOP, "symbol": "ETHUSDT", "triggerPrice": "3500", "quantity": "0.1"})
    reply = either.delete("/fapi/v1/algoOpenOrders", symbol="BTCUSDT")
    assert reply == {"code": 200, "msg": "The operation of cancel all open order is done."}
    assert [row["symbol"] for row in either.get("/fapi/v1/openAlgoOrders")] == ["ETHUSDT"]
    open_orders = either.get("/fapi/v1/openOrders", symbol="BTCUSDT")
    assert [row["type"] for row in open_orders] == ["LIMIT"]


def test_one_id_space(alice: Trader) -> None:
    algo_id = alice.post(ALGO, **STOP, clientAlgoId="waits")["algoId"]
    placed = alice.post(ORDER, **{**STOP, "algoType": None}, newClientOrderId="too")
    assert placed["orderId"] == algo_id + 1
    assert alice.get(ORDER, symbol="BTCUSDT", origClientOrderId="waits")["orderId"] == algo_id
    assert alice.get(ALGO, clientAlgoId="too")["algoId"] == placed["orderId"]
    assert len(alice.get("/fapi/v1/openAlgoOrders")) == 2
    assert alice.refused("POST", ALGO, **STOP, clientAlgoId="too").code == -4116
    ids = [algo_id, placed["orderId"]]
    entries = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=ids)
    assert [entry["status"] for entry in entries] == ["CANCELED", "CANCELED"]
    assert [alice.get(ALGO, algoId=i)["algoStatus"] for i in ids] == ["CANCELED", "CANCELED"]


def test_open_algo_orders_by_id(either: Trader) -> None:
    either.post(ALGO, **STOP)
    second = either.post(ALGO, **STOP)["algoId"]
    rows = either.get("/fapi/v1/openAlgoOrders", algoId=second, algoType="CONDITIONAL")
    assert [row["algoId"] for row in rows] == [second]
    assert len(either.get("/fapi/v1/openAlgoOrders", symbol="BTCUSDT")) == 2
    assert either.refused("GET", "/fapi/v1/openAlgoOrders", symbol="NOSUCH").code == -1121


def test_two_id_spaces(modern: Trader) -> None:
    algo_id = modern.post(ALGO, **STOP, clientAlgoId="same")["algoId"]
    order_id = modern.limit(newClientOrderId="same")["orderId"]
    assert modern.get(ALGO, clientAlgoId="same")["algoId"] == algo_id
    assert modern.get(ORDER, symbol="BTCUSDT", origClientOrderId="same")["orderId"] == order_id
    modern.delete(ALGO, clientAlgoId="same")
    modern.delete(ORDER, symbol="BTCUSDT", origClientOrderId="same")
    assert modern.get(ALGO, clientAlgoId="same")["algoId"] == algo_id
    assert modern.get(ORDER, symbol="BTCUSDT", origClientOrderId="same")["orderId"] == order_id


def test_attached_orders(either: Trader) -> None:
    parent = either.limit(takeProfitPrice="65000", takeProfitClientOrderId="up")["orderId"]
    (child,) = either.get("/fapi/v1/openAlgoOrders")
    assert (child["parentOrderId"], child["clientAlgoId"]) == (parent, "up")
    assert (child["orderType"], child["reduceOnly"]) == ("TAKE_PROFIT_MARKET", True)
    afterwards = {**STOP, "side": "SELL", "triggerPrice": "45000", "quantity": None}
    second = either.post(ALGO, **afterwards, parentOrderId=parent)
    assert second["parentOrderId"] == parent
    assert float(second["quantity"]) == float(LIMIT["quantity"])
    either.delete(ORDER, symbol="BTCUSDT", orderId=parent)
    assert either.get("/fapi/v1/openAlgoOrders") == []
    assert either.get(ALGO, algoId=second["algoId"])["algoStatus"] == "CANCELED"


def test_all_algo_orders(either: Trader) -> None:
    either.limit()
    ids = [either.post(ALGO, **STOP)["algoId"] for _ in range(2)]
    either.delete(ALGO, algoId=ids[0])
    either.venue.now_ms += DAY_MS
    ids.append(either.post(ALGO, **TRAILING)["algoId"])

    def listed(**fields: Any) -> list[int]:
        rows = either.get("/fapi/v1/allAlgoOrders", symbol="BTCUSDT", **fields)
        return [row["algoId"] for row in rows]

    assert listed() == ids
    assert listed(limit=1) == ids[2:]
    assert listed(algoId=ids[1]) == ids[1:]
    assert listed(startTime=either.venue.now_ms) == ids[2:]
    refusal = either.refused(
        "GET", "/fapi/v1/allAlgoOrders", symbol="BTCUSDT", algoId=1, startTime=1
    )
    assert refusal.code == -1128
    either.venue.now_ms += 3 * DAY_MS
    assert listed() == ids[1:]


def test_a_parent_is_named_by_its_client_id_in_either_space(modern: Trader) -> None:
    """Where both spaces have the name, it is the order of the book."""
    stop = {**STOP, "type": "STOP", "price": "65100"}
    waiting = modern.post(ALGO, **stop, clientAlgoId="parent")["algoId"]
    child = {**STOP, "side": "SELL", "triggerPrice": "55000", "parentClientOrderId": "parent"}
    assert modern.post(ALGO, **child)["parentOrderId"] == waiting
    resting = modern.limit(newClientOrderId="parent")["orderId"]
    assert modern.post(ALGO, **{**child, "triggerPrice": "45000"})["parentOrderId"] == resting
    assert modern.refused("POST", ALGO, **{**child, "parentClientOrderId": "x"}).code == -2013
