"""Calls by client id for an algo order that has fired and rests in the book."""

from typing import Any

import pytest
from tests.api.caller import Caller
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, Trader

STOP: dict[str, Any] = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "STOP",
    "triggerPrice": "65000",
    "price": "64000",
    "quantity": "0.01",
    "clientAlgoId": "mine",
}
NAMED = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
OPEN = "/fapi/v1/openOrder"


def fire(trader: Trader, **changes: Any) -> int:
    algo_id: int = trader.post(ALGO, **{**STOP, **changes})["algoId"]
    trader.venue.price("BTCUSDT", 650_000)
    return algo_id


def test_queries_and_cancels_find_it(either: Trader) -> None:
    order_id = fire(either)
    assert either.get(ORDER, **NAMED)["orderId"] == order_id
    assert either.get(OPEN, **NAMED)["orderId"] == order_id
    assert either.get(ALGO, clientAlgoId="mine")["algoId"] == order_id
    assert either.delete(ORDER, **NAMED)["status"] == "CANCELED"
    assert either.get(ORDER, **NAMED)["status"] == "CANCELED"
    assert either.get("/fapi/v1/openOrders") == []


def test_it_is_amended_and_then_cancelled_in_a_batch(either: Trader) -> None:
    order_id = fire(either)
    new = {"side": "BUY", "quantity": "0.02", "price": "63000"}
    assert either.ask("PUT", ORDER, **NAMED, **new)["orderId"] == order_id
    (row,) = either.get("/fapi/v1/orderAmendment", **NAMED)
    assert row["clientOrderId"] == "mine"
    (entry,) = either.delete(BATCH, symbol="BTCUSDT", origClientOrderIdList=["mine"])
    assert (entry["orderId"], entry["status"]) == (order_id, "CANCELED")


def test_methods_find_it(either: Trader) -> None:
    order_id = fire(either)
    caller = Caller(either.venue)
    assert caller.result("order.status", **NAMED)["orderId"] == order_id
    assert caller.result("order.cancel", **NAMED)["orderId"] == order_id


def test_it_is_cancelled_by_its_algo_name_as_before(either: Trader) -> None:
    fire(either)
    either.delete(ALGO, clientAlgoId="mine")
    assert either.get("/fapi/v1/openOrders") == []


def test_its_name_is_taken(either: Trader) -> None:
    fire(either)
    assert either.refused("POST", ORDER, **LIMIT, newClientOrderId="mine").code == -4116
    assert either.refused("POST", ALGO, **{**STOP, "triggerPrice": "66000"}).code == -4116


def test_of_two_in_the_book_the_placed_one_is_meant_first(modern: Trader) -> None:
    placed = modern.limit(newClientOrderId="mine")["orderId"]
    fired = fire(modern)
    rows = modern.get("/fapi/v1/openOrders")
    assert [(row["orderId"], row["clientOrderId"]) for row in rows] == [
        (placed, "mine"),
        (fired, "mine"),
    ]
    assert modern.get(ORDER, **NAMED)["orderId"] == placed
    assert modern.get(ALGO, clientAlgoId="mine")["algoId"] == fired
    names = ["mine", "mine", "mine"]
    first, second, third = modern.delete(BATCH, symbol="BTCUSDT", origClientOrderIdList=names)
    assert (first["orderId"], second["orderId"], third["code"]) == (placed, fired, -2011)
    # Of ended ones it is the latest.
    assert modern.get(ORDER, **NAMED)["orderId"] == fired


def test_what_never_fired_is_no_order_of_the_book(modern: Trader) -> None:
    fired = fire(modern)
    modern.delete(ORDER, **NAMED)
    modern.venue.price("BTCUSDT", 600_000)
    modern.post(ALGO, **STOP)
    refused = modern.refused("DELETE", ORDER, **NAMED)
    assert refused.code == -2011
    modern.delete(ALGO, clientAlgoId="mine")
    assert modern.get(ORDER, **NAMED)["orderId"] == fired
    assert modern.get(ALGO, clientAlgoId="mine")["algoId"] > fired


@pytest.mark.parametrize("fires", [False, True])
def test_words_say_whether_it_waits(modern: Trader, fires: bool) -> None:
    """In a venue from before such names."""
    modern.venue.view.state.names_fired_orders = False
    order_id = modern.post(ALGO, **STOP)["algoId"]
    if fires:
        modern.venue.price("BTCUSDT", 650_000)
    refused = modern.refused("DELETE", ORDER, **NAMED)
    assert refused.code == -2011
    assert refused.explain == (
        f"order mine has fired: orderId {order_id} reaches it"
        if fires
        else "order mine waits for its trigger: DELETE /fapi/v1/algoOrder cancels it"
    )
