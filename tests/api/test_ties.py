"""Orders tied to a position, and how many may close the whole of it."""

from typing import Any

import pytest
from tests.api.caller import Caller
from tests.api.streams.listener import HeardVenue, Listener
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, Trader, trade

from openperp.api.dialect import DIALECTS

OPEN_ALGO = "/fapi/v1/openAlgoOrders"
WHOLE: dict[str, Any] = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_MARKET",
    "triggerPrice": "55000",
    "closePosition": "true",
}
GAIN: dict[str, Any] = {**WHOLE, "type": "TAKE_PROFIT_MARKET", "triggerPrice": "65000"}
TIED: dict[str, Any] = {
    **WHOLE,
    "closePosition": None,
    "quantity": "0.01",
    "timeInForce": "GTE_GTC",
}


@pytest.fixture
def long(either: Trader) -> Trader:
    """Alice has bought 0.01 from bob."""
    trade(either, Trader(either.venue, "bob"))
    return either


def end_position(trader: Trader) -> None:
    trade(Trader(trader.venue, "bob"), trader)


def test_it_expires_with_its_position(long: Trader) -> None:
    order = long.post(ALGO, **TIED)
    assert (order["timeInForce"], order["reduceOnly"], order["algoStatus"]) == (
        "GTE_GTC",
        True,
        "NEW",
    )
    end_position(long)
    assert long.get(OPEN_ALGO) == []
    ended = long.get(ALGO, algoId=order["algoId"])
    assert (ended["algoStatus"], ended["updateTime"]) == ("EXPIRED", long.venue.now_ms)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "STOP", "price": "54000"},
        {"type": "TAKE_PROFIT", "triggerPrice": "65000", "price": "64000"},
        {"type": "TAKE_PROFIT_MARKET", "triggerPrice": "65000"},
        {"quantity": None, "closePosition": "true"},
    ],
    ids=str,
)
def test_which_orders_can_be_tied(long: Trader, changes: dict[str, Any]) -> None:
    order = long.post(ALGO, **{**TIED, **changes})
    end_position(long)
    assert long.get(ALGO, algoId=order["algoId"])["algoStatus"] == "EXPIRED"


def test_orders_of_the_book_are_not_tied(long: Trader) -> None:
    refusal = long.refused("POST", ORDER, **{**LIMIT, "timeInForce": "GTE_GTC"})
    assert (refusal.code, refusal.msg) == (-1115, "Invalid timeInForce.")
    assert "GTE_GTC" in refusal.explain
    market = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.01"}
    assert long.refused("POST", ORDER, **market, timeInForce="GTE_GTC").code == -1114


def test_without_a_position_it_is_refused(either: Trader) -> None:
    refusal = either.refused("POST", ALGO, **TIED)
    assert (refusal.code, refusal.status) == (-4509, 400)
    assert refusal.msg == (
        "Time in Force (TIF) GTE can only be used with open positions."
        " Please ensure that positions are available."
    )
    assert refusal.explain == "tied without position: position quantity 0"
    trade(either, Trader(either.venue, "bob"))
    buys = {**TIED, "side": "BUY", "triggerPrice": "65000"}
    refusal = either.refused("POST", ALGO, **buys)
    assert (refusal.code, refusal.explain) == (
        -4509,
        "tied without position: position quantity 0.01",
    )


def test_only_one_of_a_type_closes_all(long: Trader) -> None:
    first = long.post(ALGO, **WHOLE)["algoId"]
    gain = long.post(ALGO, **GAIN)["algoId"]
    refusal = long.refused("POST", ALGO, **{**WHOLE, "triggerPrice": "54000"})
    assert (refusal.code, refusal.status) == (-4130, 400)
    assert refusal.msg == (
        "An open stop or take profit order with GTE and closePosition in the direction is existing."
    )
    assert refusal.explain == (f"closing order exists: order {first}, type STOP_MARKET, side SELL")
    long.delete(ALGO, algoId=first)
    again = long.post(ALGO, **{**WHOLE, "triggerPrice": "54000"})["algoId"]
    assert {row["algoId"] for row in long.get(OPEN_ALGO)} == {gain, again}


def test_after_one_has_fired_there_is_room_for_another(long: Trader) -> None:
    bob = Trader(long.venue, "bob")
    bob.limit(price="55000")
    fired = long.post(ALGO, **WHOLE)["algoId"]
    long.venue.price("BTCUSDT", 550_000)
    assert long.get(ALGO, algoId=fired)["algoStatus"] == "FINISHED"
    trade(long, bob, price="55000")
    long.post(ALGO, **{**WHOLE, "triggerPrice": "50000"})


def test_what_closing_orders_are_tied_to_by_themselves(alice: Trader, modern: Trader) -> None:
    """In the binance dialect they are GTE_GTC unless they say otherwise."""
    for trader in (alice, modern):
        trade(trader, Trader(trader.venue, "bob"))
    assert alice.post(ALGO, **WHOLE)["timeInForce"] == "GTC"
    assert modern.post(ALGO, **WHOLE)["timeInForce"] == "GTE_GTC"
    assert modern.post(ALGO, **GAIN, timeInForce="GTC")["timeInForce"] == "GTC"
    end_position(alice)
    end_position(modern)
    assert [row["orderType"] for row in alice.get(OPEN_ALGO)] == ["STOP_MARKET"]
    assert [row["orderType"] for row in modern.get(OPEN_ALGO)] == ["TAKE_PROFIT_MARKET"]
    assert modern.refused("POST", ALGO, **WHOLE).code == -4509
    assert alice.refused("POST", ALGO, **WHOLE).code == -4130


def test_on_the_order_endpoints_of_the_older_form(alice: Trader, bob: Trader) -> None:
    stop = {**TIED, "algoType": None, "triggerPrice": None, "stopPrice": "55000"}
    assert alice.refused("POST", ORDER, **stop).code == -4509
    assert alice.refused("POST", f"{ORDER}/test", **stop).code == -4509
    trade(alice, bob)
    assert alice.post(f"{ORDER}/test", **stop) is not None
    order = alice.post(ORDER, **stop)
    assert (order["timeInForce"], order["reduceOnly"]) == ("GTE_GTC", True)
    whole = {k: v for k, v in stop.items() if v is not None and k != "quantity"}
    whole["closePosition"] = "true"
    entries = alice.post(BATCH, batchOrders=[whole, {**whole, "stopPrice": "54000"}])
    assert (entries[0]["closePosition"], entries[1]["code"]) == (True, -4130)
    end_position(alice)
    assert alice.get("/fapi/v1/openOrders") == []
    ended = alice.get(ORDER, symbol="BTCUSDT", orderId=order["orderId"])
    assert (ended["status"], ended["timeInForce"]) == ("EXPIRED", "GTE_GTC")


def test_by_method(long: Trader) -> None:
    caller = Caller(long.venue)
    form = {name: value for name, value in TIED.items() if value is not None}
    placed = caller.result("algoOrder.place", **form)
    assert placed["timeInForce"] == "GTE_GTC"
    buys = {**form, "side": "BUY", "triggerPrice": "65000"}
    assert caller.call("algoOrder.place", **buys)["error"]["code"] == -4509


def test_each_side_of_a_hedge_has_its_own(either: Trader) -> None:
    bob = Trader(either.venue, "bob")
    either.post("/fapi/v1/positionSide/dual", dualSidePosition="true")
    bob.limit(side="SELL", price="60000")
    either.limit(price="60000", positionSide="LONG")
    whole = {**WHOLE, "timeInForce": "GTE_GTC"}
    either.post(ALGO, **whole, positionSide="LONG")
    shorts = {**whole, "side": "BUY", "triggerPrice": "65000", "positionSide": "SHORT"}
    assert either.refused("POST", ALGO, **shorts).code == -4509
    bob.limit(price="60000")
    either.limit(side="SELL", price="60000", positionSide="LONG")
    assert either.get(OPEN_ALGO) == []


def test_the_word_is_not_listed_for_instruments(either: Trader) -> None:
    (row, *_) = either.get("/fapi/v1/exchangeInfo")["symbols"]
    assert row["timeInForce"] == ["GTC", "IOC", "FOK", "GTX", "GTD"]


def test_nobody_trades_with_retail_orders(either: Trader) -> None:
    refusal = either.refused("POST", ORDER, **{**LIMIT, "timeInForce": "RPI"})
    assert refusal.code == -4084
    assert refusal.explain == "RPI orders trade with no client of the API: use GTX"


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_its_owner_is_told_why_it_ends(dialect: str) -> None:
    alice = Listener(HeardVenue(dialect))
    bob = Listener(alice.ears, "bob")
    trade(alice, bob)
    order_id = alice.post(ALGO, **TIED)["algoId"]
    alice.hear()
    trade(bob, alice)
    told = [event for event in alice.hear() if "o" in event]
    (update,) = [
        event["o"]
        for event in told
        if event["e"] == "ALGO_UPDATE" and event["o"]["aid"] == order_id
    ]
    assert (update["X"], update["f"], update["R"]) == ("EXPIRED", "GTE_GTC", True)
    updates = [
        (event["o"]["x"], event["o"]["X"], event["o"]["er"])
        for event in told
        if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["i"] == order_id
    ]
    tells = DIALECTS[dialect].triggers_in_order_updates
    assert updates == ([("EXPIRED", "EXPIRED", "6")] if tells else [])


def test_what_rests_after_it_fired_ends_for_the_same_reason() -> None:
    alice = Listener(HeardVenue("binance"))
    bob = Listener(alice.ears, "bob")
    trade(alice, bob)
    stop = {**TIED, "type": "STOP", "price": "56000"}
    order_id = alice.post(ALGO, **stop)["algoId"]
    alice.venue.price("BTCUSDT", 550_000)
    alice.hear()
    bob.limit(price="55000")
    alice.limit(side="SELL", price="55000")
    updates = [event["o"] for event in alice.hear() if event["e"] == "ORDER_TRADE_UPDATE"]
    (end,) = [order for order in updates if order["i"] == order_id]
    assert (end["X"], end["er"], end["ot"]) == ("EXPIRED", "6", "STOP")
