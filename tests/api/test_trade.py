"""Orders through the API: what is taken, what is refused, and what is told of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.api.offline import OfflineVenue, header
from tests.api.trader import BATCH, LIMIT, ORDER, STOP, Trader

DAY_MS = 86_400_000
UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}
MARKET: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "MARKET",
    "quantity": "0.01",
}
TRAILING: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "TRAILING_STOP_MARKET",
    "activationPrice": "61000",
    "callbackRate": "0.3",
    "quantity": "0.01",
}
STOP_LIMIT = {**STOP, "type": "STOP", "price": "65100"}

Make = Callable[..., Trader]


@pytest.fixture(params=["ztdx", "binance"])
def either(request: pytest.FixtureRequest) -> Trader:
    """Alice, in each dialect."""
    return Trader(OfflineVenue(request.param))


@pytest.fixture
def alice() -> Trader:
    return Trader(OfflineVenue())


@pytest.fixture
def bob(alice: Trader) -> Trader:
    return Trader(alice.venue, "bob")


@pytest.fixture
def modern() -> Trader:
    """Alice, in the binance dialect."""
    return Trader(OfflineVenue("binance"))


def trade(buyer: Trader, seller: Trader, **changes: Any) -> tuple[int, int]:
    ask = seller.limit(side="SELL", price="60000", **changes)
    bid = buyer.limit(price="60000", **changes)
    assert bid["status"] == "FILLED"
    return bid["orderId"], ask["orderId"]


def statuses(entries: list[dict[str, Any]]) -> list[Any]:
    return [entry.get("status", entry.get("code")) for entry in entries]


# Placing.


def test_a_placed_order_is_told_whole(alice: Trader) -> None:
    order = alice.limit(newClientOrderId="mine", quantity="0.0129", reduceOnly="false")
    assert order == {
        "clientOrderId": "mine",
        "cumQty": "0",
        "cumQuote": "0",
        "executedQty": "0",
        "avgPrice": "0",
        "orderId": 1,
        "origQty": "0.012",
        "origType": "LIMIT",
        "price": "50000",
        "reduceOnly": False,
        "side": "BUY",
        "positionSide": "BOTH",
        "status": "NEW",
        "stopPrice": "0",
        "closePosition": False,
        "symbol": "BTCUSDT",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "updateTime": alice.venue.now_ms,
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
    }


def test_a_client_id_is_made_where_none_is_given(either: Trader) -> None:
    assert either.limit()["clientOrderId"] == "auto_1"


def test_a_market_order_tells_its_average_price(alice: Trader, bob: Trader) -> None:
    bob.limit(side="SELL", price="60000", quantity="0.01")
    bob.limit(side="SELL", price="60000.3", quantity="0.02")
    order = alice.post(ORDER, **{**MARKET, "quantity": "0.03"}, newOrderRespType="RESULT")
    assert (order["status"], order["executedQty"]) == ("FILLED", "0.03")
    assert (order["avgPrice"], order["cumQuote"], order["price"]) == ("60000.2", "1800.006", "0")


REFUSED = [
    # Mandatory fields.
    ("no symbol", LIMIT, {"symbol": None}, -1102),
    ("no side", LIMIT, {"side": None}, -1102),
    ("no type", LIMIT, {"type": None}, -1102),
    ("no quantity", LIMIT, {"quantity": None}, -1102),
    ("no price", LIMIT, {"price": None}, -1102),
    ("an empty price", LIMIT, {"price": ""}, -1102),
    ("market without quantity", MARKET, {"quantity": None}, -1102),
    # Words.
    ("another symbol", LIMIT, {"symbol": "NOSUCH"}, -1121),
    ("another side", LIMIT, {"side": "HOLD"}, -1117),
    ("another type", LIMIT, {"type": "ICEBERG"}, -1116),
    ("another time in force", LIMIT, {"timeInForce": "DAY"}, -1115),
    ("another position side", LIMIT, {"positionSide": "UP"}, -4060),
    ("another working type", LIMIT, {"workingType": "LAST"}, -4031),
    ("another reply", LIMIT, {"newOrderRespType": "FULL"}, -1136),
    ("another price match", LIMIT, {"priceMatch": "BEST"}, -5037),
    ("another self-trade prevention", LIMIT, {"selfTradePreventionMode": "X"}, -5039),
    ("not a boolean", LIMIT, {"reduceOnly": "maybe"}, -1130),
    ("not a number", LIMIT, {"price": "6e4"}, -1100),
    ("a bad client id", LIMIT, {"newClientOrderId": "a b"}, -4015),
    ("a long client id", LIMIT, {"newClientOrderId": "a" * 37}, -4015),
    # What this venue does not follow.
    ("hedge side", LIMIT, {"positionSide": "LONG"}, -4061),
    ("price match", LIMIT, {"priceMatch": "QUEUE", "price": None}, -4084),
    ("self-trade prevention", LIMIT, {"selfTradePreventionMode": "EXPIRE_TAKER"}, -4084),
    ("good till date", LIMIT, {"timeInForce": "GTD", "goodTillDate": 1_800_000_000_000}, -4084),
    ("a date without GTD", LIMIT, {"goodTillDate": 1_800_000_000_000}, -1106),
    ("retail price improvement", LIMIT, {"timeInForce": "RPI"}, -4084),
    # Fields that do not go together.
    ("market with price", MARKET, {"price": "60000"}, -1106),
    ("market with time in force", MARKET, {"timeInForce": "GTC"}, -1114),
    ("limit with stop price", LIMIT, {"stopPrice": "65000"}, -1106),
    ("limit with callback rate", LIMIT, {"callbackRate": "1"}, -1106),
    ("limit with activation price", LIMIT, {"activationPrice": "1"}, -1106),
    ("limit that closes the position", LIMIT, {"closePosition": "true"}, -1128),
    ("a child id without price", LIMIT, {"stopLossClientOrderId": "x"}, -1106),
    # The grid and the range.
    ("too many decimals", LIMIT, {"price": "50000.001"}, -1111),
    ("a negative price", LIMIT, {"price": "-1"}, -4001),
    ("a price of zero", LIMIT, {"price": "0"}, -4013),
    ("a vast price", LIMIT, {"price": "99999999999"}, -4002),
    ("a quantity of zero", LIMIT, {"quantity": "0"}, -4003),
    ("a negative quantity", LIMIT, {"quantity": "-1"}, -4003),
    ("a vast quantity", LIMIT, {"quantity": "99999999999"}, -4005),
    ("a child price of zero", LIMIT, {"takeProfitPrice": "0"}, -4013),
    ("a child price off the grid", LIMIT, {"stopLossPrice": "49000.001"}, -1111),
    ("a child on the wrong side", LIMIT, {"takeProfitPrice": "49000"}, -2021),
    # The account.
    ("nothing to reduce", LIMIT, {"reduceOnly": "true"}, -2022),
    ("too little margin", LIMIT, {"quantity": "10"}, -2019),
]


@pytest.mark.parametrize(
    ("form", "changes", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_an_order_is_refused(
    either: Trader, form: dict[str, Any], changes: dict[str, Any], code: int
) -> None:
    refusal = either.refused("POST", ORDER, **{**form, **changes})
    assert (refusal.code, refusal.status) == (code, 400), refusal
    assert either.get("/fapi/v1/openOrders") == []


TRIGGERS_REFUSED = [
    ("no trigger", STOP, {"stopPrice": None}, -1102),
    ("two triggers", STOP, {"triggerPrice": "65001"}, -1128),
    ("no price", STOP_LIMIT, {"price": None}, -1102),
    ("a price too many", STOP, {"price": "65100"}, -1106),
    ("a trigger of zero", STOP, {"stopPrice": "0"}, -4013),
    ("a negative trigger", STOP, {"stopPrice": "-1"}, -4006),
    ("a trigger off the grid", STOP, {"stopPrice": "65000.001"}, -1111),
    ("already reached", STOP, {"stopPrice": "59000"}, -2021),
    ("neither quantity nor closing", STOP, {"quantity": None}, -1102),
    ("quantity and closing", STOP, {"closePosition": "true"}, -4137),
    (
        "reducing and closing",
        STOP,
        {"closePosition": "true", "quantity": None, "reduceOnly": "true"},
        -4138,
    ),
    ("closing with a limit", STOP_LIMIT, {"closePosition": "true", "quantity": None}, -1128),
    ("trailing without rate", TRAILING, {"callbackRate": None}, -1102),
    ("trailing too near", TRAILING, {"callbackRate": "0.09"}, -1130),
    ("trailing too far", TRAILING, {"callbackRate": "10.1"}, -1130),
    ("trailing with two activations", TRAILING, {"activatePrice": "62000"}, -1128),
    ("trailing with a stop price", TRAILING, {"stopPrice": "62000"}, -1106),
    ("trailing active at once", TRAILING, {"activationPrice": "59000"}, -2021),
    ("trailing from zero", TRAILING, {"activationPrice": "0"}, -4135),
    ("an unknown parent", STOP, {"parentOrderId": "99"}, -2013),
    ("a child with children", STOP, {"parentOrderId": "99", "stopLossPrice": "1"}, -1128),
]


@pytest.mark.parametrize(
    ("form", "changes", "code"),
    [row[1:] for row in TRIGGERS_REFUSED],
    ids=[row[0] for row in TRIGGERS_REFUSED],
)
def test_a_trigger_order_is_refused(
    alice: Trader, form: dict[str, Any], changes: dict[str, Any], code: int
) -> None:
    refusal = alice.refused("POST", ORDER, **{**form, **changes})
    assert refusal.code == code, refusal


@pytest.mark.parametrize("form", [STOP, STOP_LIMIT, TRAILING], ids=lambda form: form["type"])
def test_trigger_orders_on_the_order_endpoint(
    alice: Trader, modern: Trader, form: dict[str, Any]
) -> None:
    order = alice.post(ORDER, **form)
    assert (order["status"], order["type"], order["origType"]) == (
        "NEW",
        form["type"],
        form["type"],
    )
    refusal = modern.refused("POST", ORDER, **form)
    assert refusal.code == -4120
    assert refusal.msg == (
        "Order type not supported for this endpoint."
        " Please use the Algo Order API endpoints instead."
    )


def test_either_spelling_of_a_trigger(alice: Trader) -> None:
    fields = {**STOP, "stopPrice": None, "triggerPrice": "65000"}
    assert alice.post(ORDER, **fields)["stopPrice"] == "65000"
    fields = {**TRAILING, "activationPrice": None, "activatePrice": "61000"}
    trailing = alice.post(ORDER, **fields)
    assert (trailing["activatePrice"], trailing["priceRate"]) == ("61000", "0.3")


def test_a_stop_may_close_the_position(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    fields = {**STOP, "side": "SELL", "stopPrice": "55000", "quantity": None}
    order = alice.post(ORDER, **fields, closePosition="true", priceProtect="TRUE")
    assert (order["closePosition"], order["priceProtect"], order["origQty"]) == (True, True, "0")


def test_attached_orders(alice: Trader) -> None:
    parent = alice.limit(
        newClientOrderId="parent",
        takeProfitPrice="65000",
        takeProfitClientOrderId="up",
        stopLossPrice="45000",
        stopLossClientOrderId="down",
        attachedWorkingType="CONTRACT_PRICE",
    )["orderId"]
    fields = {**STOP, "side": "SELL", "stopPrice": "44000", "quantity": None}
    later = alice.post(ORDER, **fields, parentClientOrderId="parent")
    assert (later["parentOrderId"], later["origQty"], later["reduceOnly"]) == (parent, "0.01", True)
    children = alice.get("/fapi/v1/openOrders")[1:]
    told = [(row["clientOrderId"], row["stopPrice"], row["workingType"]) for row in children]
    assert told == [
        ("up", "65000", "CONTRACT_PRICE"),
        ("down", "45000", "CONTRACT_PRICE"),
        (later["clientOrderId"], "44000", "CONTRACT_PRICE"),
    ]
    assert {row["parentOrderId"] for row in children} == {parent}
    canceled = alice.delete(ORDER, symbol="BTCUSDT", origClientOrderId="up")
    assert canceled["parentOrderId"] == parent


def test_attached_orders_watch_the_mark_price_unless_told(alice: Trader) -> None:
    alice.limit(takeProfitPrice="65000")
    assert alice.get("/fapi/v1/openOrders")[1]["workingType"] == "MARK_PRICE"


def test_limit_orders_say_how_long_they_live(alice: Trader, modern: Trader) -> None:
    fields = {**LIMIT, "timeInForce": None}
    assert alice.post(ORDER, **fields)["timeInForce"] == "GTC"
    refusal = modern.refused("POST", ORDER, **fields)
    assert refusal.code == -1102
    assert "'timeInForce'" in refusal.msg


def test_a_quantity_off_the_lot(alice: Trader, modern: Trader) -> None:
    assert alice.limit(quantity="0.0109")["origQty"] == "0.01"
    refusal = alice.refused("POST", ORDER, **{**LIMIT, "quantity": "0.0009"})
    assert (refusal.code, refusal.msg) == (-1013, "Filter failure: LOT_SIZE")
    assert modern.refused("POST", ORDER, **{**LIMIT, "quantity": "0.0109"}).code == -1111


def test_an_order_that_must_not_take_or_rest(either: Trader) -> None:
    bob = Trader(either.venue, "bob")
    bob.limit(side="SELL", price="60000")
    post_only = either.refused("POST", ORDER, **{**LIMIT, "price": "60000", "timeInForce": "GTX"})
    assert post_only.code == -5022
    fill_or_kill = {**LIMIT, "price": "60000", "quantity": "0.02", "timeInForce": "FOK"}
    assert either.refused("POST", ORDER, **fill_or_kill).code == -5021


def test_a_client_id_is_unique_among_open_orders(either: Trader) -> None:
    either.limit(newClientOrderId="one")
    assert either.refused("POST", ORDER, **LIMIT, newClientOrderId="one").code == -4116
    either.delete(ORDER, symbol="BTCUSDT", origClientOrderId="one")
    assert either.limit(newClientOrderId="one")["orderId"] == 2


def test_parameters_of_a_json_body(alice: Trader) -> None:
    body = json.dumps({**LIMIT, "price": 50000.5, "quantity": 0.01, "reduceOnly": False})
    order = json.loads(alice.venue.signed("POST", ORDER, "", body).body)
    assert (order["price"], order["origQty"]) == ("50000.5", "0.01")


# Trying.


def test_a_tried_order_changes_nothing(either: Trader) -> None:
    seq = either.venue.state.seq
    order = either.post(f"{ORDER}/test", **LIMIT, newClientOrderId="try")
    assert (order["orderId"], order["clientOrderId"], order["status"]) == (0, "try", "NEW")
    assert {"avgPrice", "cumQuote"} <= order.keys()
    assert either.post(f"{ORDER}/test", **TRAILING)["priceRate"] == "0.3"
    refusal = either.refused("POST", f"{ORDER}/test", **{**LIMIT, "quantity": "10"})
    assert refusal.code == -2019
    assert either.venue.state.seq == seq


# Several at once.


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


# Cancelling.


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


# Reading.


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
