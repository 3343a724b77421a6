"""Take profit and stop loss attached to an order, through a real socket."""

from collections.abc import Callable
from typing import Any

import pytest

from openperp.testing import Account, Venue, VenueError

ORDER = "/fapi/v1/order"
BATCH = "/fapi/v1/batchOrders"

Place = Callable[..., dict[str, Any]]


def open_orders(account: Account) -> dict[str, dict[str, Any]]:
    """Open orders of BTCUSDT, by type."""
    rows = account.get("/fapi/v1/openOrders", symbol="BTCUSDT")
    return {row["type"]: row for row in rows}


def status(account: Account, order_id: int) -> str:
    found: str = account.get(ORDER, symbol="BTCUSDT", orderId=order_id)["status"]
    return found


def position(account: Account) -> str:
    rows = account.get("/fapi/v2/positionRisk", symbol="BTCUSDT")
    return next(str(row["positionAmt"]) for row in rows if row["symbol"] == "BTCUSDT")


BOTH = {"takeProfitPrice": "65000", "stopLossPrice": "45000"}


def test_children_are_orders_of_their_own(alice: Account, place: Place) -> None:
    ids = {"takeProfitClientOrderId": "up", "stopLossClientOrderId": "down"}
    parent = place(alice, quantity="0.02", **BOTH, **ids)
    rows = open_orders(alice)
    assert rows.keys() == {"LIMIT", "TAKE_PROFIT_MARKET", "STOP_MARKET"}
    up, down = rows["TAKE_PROFIT_MARKET"], rows["STOP_MARKET"]
    for child, price, client_id in ((up, "65000", "up"), (down, "45000", "down")):
        assert child["stopPrice"] == price
        assert child["clientOrderId"] == client_id
        assert child["side"] == "SELL"
        assert child["reduceOnly"] is True
        assert child["status"] == "NEW"
        assert child["parentOrderId"] == parent["orderId"]
        assert child["origQty"] == "0.02"
        assert child["workingType"] == "MARK_PRICE"


def test_children_watch_the_price_they_are_told(alice: Account, place: Place) -> None:
    place(alice, stopLossPrice="45000", attachedWorkingType="CONTRACT_PRICE")
    assert open_orders(alice)["STOP_MARKET"]["workingType"] == "CONTRACT_PRICE"


def test_a_child_may_be_attached_afterwards(alice: Account, place: Place) -> None:
    parent = place(alice, newClientOrderId="parent")["orderId"]
    stop = {"side": "SELL", "stopPrice": "45000"}
    first = place(alice, "stop market", **stop, parentOrderId=parent)
    take = {"side": "SELL", "stopPrice": "65000"}
    second = place(alice, "take profit market", **take, parentClientOrderId="parent")
    alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[parent])
    assert [status(alice, order["orderId"]) for order in (first, second)] == ["CANCELED"] * 2


@pytest.mark.parametrize("changes", [{"takeProfitPrice": "49000"}, {"stopLossPrice": "51000"}])
def test_a_child_on_the_wrong_side_refuses_the_whole_order(
    venue: Venue, alice: Account, place: Place, changes: dict[str, str]
) -> None:
    with pytest.raises(VenueError, match="code -2021"):
        place(alice, **changes)
    assert open_orders(alice) == {}
    assert venue.status()["invariants"] == "ok"


@pytest.mark.parametrize("way", ["single", "batch", "all"])
def test_cancelling_the_parent_in_any_way_cancels_the_children(
    alice: Account, place: Place, way: str
) -> None:
    parent = place(alice, **BOTH)["orderId"]
    if way == "single":
        alice.delete(ORDER, symbol="BTCUSDT", orderId=parent)
    elif way == "batch":
        alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[parent])
    else:
        alice.delete("/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    assert open_orders(alice) == {}


def test_dormant_children_do_not_fire(venue: Venue, alice: Account, place: Place) -> None:
    place(alice, **BOTH)
    venue.price("BTCUSDT", "66000")
    assert open_orders(alice).keys() == {"LIMIT", "TAKE_PROFIT_MARKET", "STOP_MARKET"}
    assert position(alice) in {"0", "0.000"}


def test_a_filled_parent_leaves_its_children_armed_and_one_fires(
    venue: Venue, alice: Account, bob: Account, place: Place
) -> None:
    place(bob, side="SELL", price="60000", quantity="0.01")
    place(alice, price="60000", takeProfitPrice="65000", stopLossPrice="55000")
    rows = open_orders(alice)
    assert rows.keys() == {"TAKE_PROFIT_MARKET", "STOP_MARKET"}
    place(bob, price="54900", quantity="0.01")
    venue.price("BTCUSDT", "55000")
    assert open_orders(alice) == {}
    assert status(alice, rows["STOP_MARKET"]["orderId"]) == "FILLED"
    assert status(alice, rows["TAKE_PROFIT_MARKET"]["orderId"]) == "CANCELED"
    assert position(alice) == "0"


def test_a_child_closes_what_the_parent_opened_and_takes_the_rest_along(
    venue: Venue, alice: Account, bob: Account, place: Place
) -> None:
    parent = place(alice, price="60000", quantity="0.03", stopLossPrice="55000")["orderId"]
    place(bob, side="SELL", price="60000", quantity="0.01")
    child = open_orders(alice)["STOP_MARKET"]["orderId"]
    place(bob, price="54900", quantity="0.03")
    venue.price("BTCUSDT", "55000")
    closed = alice.get(ORDER, symbol="BTCUSDT", orderId=child)
    assert (closed["status"], closed["executedQty"]) == ("FILLED", "0.01")
    assert status(alice, parent) == "CANCELED"
    assert position(alice) == "0"


def test_cancelling_a_partly_filled_parent_cancels_armed_children(
    alice: Account, bob: Account, place: Place
) -> None:
    parent = place(alice, price="60000", quantity="0.02", stopLossPrice="55000")["orderId"]
    place(bob, side="SELL", price="60000", quantity="0.01")
    alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[parent])
    assert open_orders(alice) == {}
    assert position(alice) == "0.01"


def test_armed_children_expire_when_the_position_is_gone(
    alice: Account, bob: Account, place: Place
) -> None:
    place(bob, side="SELL", price="60000")
    place(alice, price="60000", **BOTH | {"stopLossPrice": "55000"})
    rows = open_orders(alice)
    place(bob, price="59900")
    place(alice, side="SELL", price="59900", timeInForce="IOC")
    assert position(alice) == "0"
    assert open_orders(alice) == {}
    assert {status(alice, row["orderId"]) for row in rows.values()} == {"EXPIRED"}


def test_a_parent_that_expires_unfilled_cancels_its_children(alice: Account, place: Place) -> None:
    parent = place(alice, timeInForce="IOC", **BOTH)
    assert parent["status"] == "EXPIRED"
    assert open_orders(alice) == {}
    rows = alice.get("/fapi/v1/allOrders", symbol="BTCUSDT")
    children = [row for row in rows if row["orderId"] != parent["orderId"]]
    assert [row["status"] for row in children] == ["CANCELED", "CANCELED"]


def test_batch_elements_take_children_too(alice: Account) -> None:
    element = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": "50000",
        "quantity": "0.01",
        **BOTH,
    }
    (reply,) = alice.post(BATCH, batchOrders=[element])
    assert reply["status"] == "NEW"
    assert open_orders(alice).keys() == {"LIMIT", "TAKE_PROFIT_MARKET", "STOP_MARKET"}


@pytest.mark.venue(dialect="binance")
def test_children_are_algo_orders_in_the_binance_dialect(alice: Account, place: Place) -> None:
    parent = place(alice, **BOTH)["orderId"]
    assert open_orders(alice).keys() == {"LIMIT"}
    rows = alice.get("/fapi/v1/openAlgoOrders", symbol="BTCUSDT")
    assert {row["orderType"] for row in rows} == {"TAKE_PROFIT_MARKET", "STOP_MARKET"}
    alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[parent])
    assert alice.get("/fapi/v1/openAlgoOrders", symbol="BTCUSDT") == []
