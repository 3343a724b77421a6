"""New orders: what is taken, what is refused, and what is told of them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.api.caller import Caller
from tests.api.offline import START_MS, OfflineVenue
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, STOP, Trader, trade

from openperp.engine.commands import SetOrderLimits

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


IOC = {**LIMIT, "price": "60000", "timeInForce": "IOC"}
CROSSING = {**LIMIT, "price": "60000"}
REPLIES = [
    # dialect, order, newOrderRespType, status that is told
    ("binance", MARKET, None, "NEW"),
    ("binance", MARKET, "ACK", "NEW"),
    ("binance", MARKET, "RESULT", "FILLED"),
    ("binance", IOC, None, "NEW"),
    ("binance", IOC, "RESULT", "FILLED"),
    ("binance", {**IOC, "timeInForce": "FOK"}, "RESULT", "FILLED"),
    ("binance", {**IOC, "quantity": "0.03"}, "ACK", "NEW"),
    ("binance", {**IOC, "quantity": "0.03"}, "RESULT", "EXPIRED"),
    ("binance", CROSSING, None, "NEW"),
    ("binance", CROSSING, "RESULT", "NEW"),
    ("ztdx", MARKET, None, "FILLED"),
    ("ztdx", MARKET, "RESULT", "FILLED"),
    ("ztdx", MARKET, "ACK", "NEW"),
    ("ztdx", CROSSING, None, "FILLED"),
    ("ztdx", {**CROSSING, "quantity": "0.03"}, "RESULT", "PARTIALLY_FILLED"),
    ("ztdx", CROSSING, "ACK", "NEW"),
]
"""Orders against 0.02 at 60000."""


@pytest.mark.parametrize(("dialect", "order", "word", "status"), REPLIES)
def test_what_a_reply_tells_of_an_order_that_trades(
    dialect: str, order: dict[str, Any], word: str | None, status: str
) -> None:
    fields = {**order, "newOrderRespType": word} if word else order
    for ask in (ask_alone, ask_in_a_batch, ask_by_socket):
        venue = OfflineVenue(dialect)
        Trader(venue, "bob").limit(side="SELL", price="60000", quantity="0.02")
        reply = ask(venue, fields)
        assert reply["status"] == status
        assert (Decimal(reply["executedQty"]) == 0) is (status == "NEW")
        assert Decimal(reply["origQty"]) == Decimal(order["quantity"])
        assert ("avgPrice" in reply) is (dialect == "ztdx")
        assert Trader(venue).get("/fapi/v1/userTrades", symbol="BTCUSDT")


def ask_alone(venue: OfflineVenue, fields: dict[str, Any]) -> Any:
    return Trader(venue).post(ORDER, **fields)


def ask_in_a_batch(venue: OfflineVenue, fields: dict[str, Any]) -> Any:
    return Trader(venue).post(BATCH, batchOrders=[fields])[0]


def ask_by_socket(venue: OfflineVenue, fields: dict[str, Any]) -> Any:
    return Caller(venue).result("order.place", **fields)


def test_an_acknowledged_order_is_told_whole_by_queries(modern: Trader) -> None:
    Trader(modern.venue, "bob").limit(side="SELL", price="60000")
    reply = modern.post(ORDER, **MARKET)
    assert (reply["status"], reply["executedQty"]) == ("NEW", "0.000")
    order = modern.get(ORDER, symbol="BTCUSDT", orderId=reply["orderId"])
    assert (order["status"], order["executedQty"]) == ("FILLED", "0.010")


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
    ("price and price match", LIMIT, {"priceMatch": "QUEUE"}, -1106),
    ("an empty book", LIMIT, {"priceMatch": "QUEUE", "price": None}, -5041),
    ("price match at market", MARKET, {"priceMatch": "QUEUE"}, -5038),
    ("GTD without a date", LIMIT, {"timeInForce": "GTD"}, -1102),
    ("a date too near", LIMIT, {"timeInForce": "GTD", "goodTillDate": START_MS + 600_000}, -5040),
    ("a date long ago", LIMIT, {"timeInForce": "GTD", "goodTillDate": 1}, -5040),
    ("a date too far", LIMIT, {"timeInForce": "GTD", "goodTillDate": 253_402_300_799_000}, -5040),
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
    ("an empty child price", LIMIT, {"takeProfitPrice": ""}, -1102),
    ("another empty child price", LIMIT, {"stopLossPrice": ""}, -1102),
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
    ("a working type of no exit", STOP, {"attachedWorkingType": "MARK_PRICE"}, -1106),
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
    assert order["reduceOnly"] is True


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


def test_a_tried_order_changes_nothing(either: Trader) -> None:
    seq = either.venue.state.seq
    order = either.post(f"{ORDER}/test", **LIMIT, newClientOrderId="try")
    assert (order["orderId"], order["clientOrderId"], order["status"]) == (0, "try", "NEW")
    assert {"avgPrice", "cumQuote"} <= order.keys()
    refusal = either.refused("POST", f"{ORDER}/test", **{**LIMIT, "quantity": "10"})
    assert refusal.code == -2019
    assert either.venue.state.seq == seq


def test_a_tried_trigger_order_shows_its_numbers(alice: Trader) -> None:
    assert alice.post(f"{ORDER}/test", **TRAILING)["priceRate"] == "0.3"


# How many may be open, whichever way they come


@pytest.mark.parametrize(
    ("limits", "most"),
    [(True, 200), (False, 201)],
    ids=["with limits", "without"],
)
def test_two_hundred_orders_of_each_kind_may_be_open(
    either: Trader, limits: bool, most: int
) -> None:
    """MAX_NUM_ORDERS counts per symbol, conditional orders per account over all symbols."""
    either.venue.apply(SetOrderLimits(limits))
    stop = {**STOP, "triggerPrice": STOP["stopPrice"], "algoType": "CONDITIONAL"}
    del stop["stopPrice"]
    codes = []
    for _ in range(201):
        either.venue.now_ms += 1_000
        for path, order in ((ORDER, {**LIMIT, "quantity": "0.001"}), (ALGO, stop)):
            answer = either.send("POST", path, **order)
            codes += [] if answer.status == 200 else [json.loads(answer.body)["code"]]
        stop["symbol"] = "ETHUSDT" if stop["symbol"] == "BTCUSDT" else "BTCUSDT"
    assert codes == ([] if most == 201 else [-2025, -4045])
    assert len(either.get("/fapi/v1/openAlgoOrders")) == most
    waiting = {order.order_id for order in either.venue.state.accounts[1].waiting.values()}
    assert len(either.venue.state.orders) - len(waiting) == most
