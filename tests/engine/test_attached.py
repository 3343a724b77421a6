"""Attached take-profit and stop-loss orders, from birth to the end of the family."""

import pytest
from tests.engine.desk import Desk, lots

from openperp.engine.commands import CancelAllOrders
from openperp.engine.events import OrderAccepted
from openperp.engine.records import OrderRecord
from openperp.engine.terms import OrderType, TimeInForce, WorkingType


def bracket(desk: Desk, side: str = "BUY", quantity: str = "1", price: str = "60000") -> list[int]:
    """An order with both children; ids of parent, take-profit and stop-loss."""
    gain, loss = ("61000", "59000") if side == "BUY" else ("59000", "61000")
    desk.order("alice", side, quantity, price, take_profit_ticks=gain, stop_loss_ticks=loss)
    return [e.order.order_id for e in desk.events() if isinstance(e, OrderAccepted)]


def test_children_are_born_with_their_parent() -> None:
    desk = Desk()
    parent, gain, loss = bracket(desk)
    take_profit, stop_loss = desk.last(gain), desk.last(loss)
    assert take_profit.type is OrderType.TAKE_PROFIT_MARKET
    assert stop_loss.type is OrderType.STOP_MARKET
    for child in (take_profit, stop_loss):
        assert (child.parent_id, child.side.name, child.reduce_only) == (parent, "SELL", True)
        assert (child.lots, child.armed_lots, child.status.name) == (lots("1"), 0, "NEW")


def test_dormant_children_let_the_price_pass() -> None:
    desk = Desk()
    _, gain, loss = bracket(desk)
    desk.price("62000")
    desk.price("58000")
    assert (desk.status(gain), desk.status(loss)) == ("NEW", "NEW")


def test_they_are_armed_for_what_the_parent_has_opened() -> None:
    desk = Desk()
    parent, gain, loss = bracket(desk)
    desk.order("bob", "SELL", "0.4", "60000")
    assert desk.last(gain).armed_lots == lots("0.4")
    desk.order("bob", "SELL", "0.3", "60000")
    assert desk.last(loss).armed_lots == lots("0.7")

    desk.order("carol", "BUY", "2", "58000")
    desk.price("59000")
    fired = desk.last(loss)
    assert (fired.status.name, fired.filled_lots) == ("FILLED", lots("0.7"))
    assert desk.last(gain).cause.name == "SIBLING_FIRED"
    assert (desk.status(parent), desk.last(parent).cause.name) == ("CANCELED", "SIBLING_FIRED")
    assert desk.position("alice").lots == 0


def test_a_fill_that_only_closes_arms_nothing() -> None:
    desk = Desk()
    desk.order("bob", "BUY", "0.5", "60000")
    desk.order("alice", "SELL", "0.5", "60000")
    _, gain, loss = bracket(desk)
    desk.order("bob", "SELL", "0.5", "60000")
    assert desk.last(gain).armed_lots == 0
    desk.order("bob", "SELL", "0.2", "60000")
    assert desk.last(loss).armed_lots == lots("0.2")


def test_a_parent_that_ends_filled_leaves_them_armed() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    parent, gain, loss = bracket(desk)
    assert desk.status(parent) == "FILLED"
    assert desk.last(gain).armed_lots == desk.last(loss).armed_lots == lots("1")


def test_a_filled_parent_that_opened_nothing_takes_them_along() -> None:
    desk = Desk()
    desk.order("bob", "BUY", "1", "60000")
    desk.order("alice", "SELL", "1", "60000")
    desk.order("bob", "SELL", "1", "60000")
    _, gain, loss = bracket(desk)
    assert desk.last(gain).cause.name == desk.last(loss).cause.name == "NOTHING_OPENED"


@pytest.mark.parametrize(("filled", "status"), [("", "CANCELED"), ("0.4", "NEW")])
def test_a_parent_that_expires_keeps_them_only_if_it_opened(filled: str, status: str) -> None:
    desk = Desk()
    if filled:
        desk.order("bob", "SELL", filled, "60000")
    desk.order(
        "alice",
        "BUY",
        "1",
        "60000",
        time_in_force=TimeInForce.IOC,
        take_profit_ticks="61000",
    )
    child = next(
        e.order.order_id
        for e in desk.events()
        if isinstance(e, OrderAccepted) and e.order.parent_id
    )
    assert desk.status(child) == status


@pytest.mark.parametrize("filled", ["", "0.4"])
@pytest.mark.parametrize("how", ["one", "all"])
def test_cancelling_the_parent_takes_them_along_whatever_was_filled(filled: str, how: str) -> None:
    desk = Desk()
    parent, gain, loss = bracket(desk)
    if filled:
        desk.order("bob", "SELL", filled, "60000")
    if how == "one":
        desk.cancel("alice", parent)
    else:
        desk.do(CancelAllOrders(1, "BTCUSDT"))
    for order_id in (parent, gain, loss):
        assert desk.status(order_id) == "CANCELED"
    assert not desk.state.families
    assert desk.account("alice").order_margin == 0


def test_cancelling_one_child_leaves_the_rest() -> None:
    desk = Desk()
    parent, gain, loss = bracket(desk)
    desk.cancel("alice", gain)
    assert (desk.status(parent), desk.status(loss)) == ("NEW", "NEW")


def test_armed_children_expire_with_the_position() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    _, gain, loss = bracket(desk)
    desk.order("carol", "BUY", "1", "60000")
    desk.order("alice", "SELL", "1", "60000")
    assert desk.last(gain).cause.name == desk.last(loss).cause.name == "POSITION_GONE"


@pytest.mark.parametrize(
    ("side", "price", "gain", "loss"),
    [
        ("BUY", "60000", "60000", ""),
        ("BUY", "60000", "", "60000"),
        ("BUY", "50000", "49999.9", ""),
        ("SELL", "60000", "60000.1", ""),
        ("SELL", "70000", "", "69999.9"),
        ("BUY", "", "59999.9", ""),
        ("SELL", "", "", "59999.9"),
    ],
)
def test_a_child_price_on_the_wrong_side_refuses_the_whole_order(
    side: str, price: str, gain: str, loss: str
) -> None:
    desk = Desk()
    before = len(desk.state.orders)
    refused = desk.refused(
        "alice", side, "1", price, take_profit_ticks=gain or 0, stop_loss_ticks=loss or 0
    )
    assert refused == "ATTACHED_PRICE_WRONG_SIDE"
    assert len(desk.state.orders) == before


def test_a_trigger_order_can_be_attached_afterwards() -> None:
    desk = Desk()
    parent = desk.order("alice", "BUY", "1", "60000", client_id="entry")
    desk.order("bob", "SELL", "0.4", "60000")
    stop = desk.order(
        "alice", "SELL", "", type="STOP_MARKET", trigger="59000", parent_client_id="entry"
    )
    child = desk.last(stop.order_id)
    assert (child.parent_id, child.lots, child.armed_lots) == (
        parent.order_id,
        lots("1"),
        lots("0.4"),
    )


@pytest.mark.parametrize(
    ("side", "type", "trigger", "reason"),
    [
        ("BUY", "STOP_MARKET", "61000", "PARENT_SIDE_INVALID"),
        ("SELL", "STOP_MARKET", "60000", "ATTACHED_PRICE_WRONG_SIDE"),
        ("SELL", "TAKE_PROFIT_MARKET", "59000", "ATTACHED_PRICE_WRONG_SIDE"),
    ],
)
def test_attaching_afterwards_is_checked(side: str, type: str, trigger: str, reason: str) -> None:
    desk = Desk()
    parent = desk.order("alice", "BUY", "1", "60000")
    refused = desk.refused(
        "alice", side, "1", type=type, trigger=trigger, parent_id=parent.order_id
    )
    assert refused == reason


@pytest.mark.parametrize("end", ["cancel", "other account", "child"])
def test_a_parent_must_be_live_own_and_no_child(end: str) -> None:
    desk = Desk()
    parent, gain, _ = bracket(desk)
    if end == "cancel":
        desk.cancel("alice", parent)
    name = "bob" if end == "other account" else "alice"
    refused = desk.refused(
        name,
        "SELL",
        "1",
        type="STOP_MARKET",
        trigger="59000",
        parent_id=gain if end == "child" else parent,
    )
    assert refused == "PARENT_UNKNOWN"


def test_a_child_has_no_children_of_its_own() -> None:
    desk = Desk()
    parent = desk.order("alice", "BUY", "1", "60000")
    refused = desk.refused(
        "alice",
        "SELL",
        "1",
        type="STOP_MARKET",
        trigger="59000",
        parent_id=parent.order_id,
        stop_loss_ticks="60500",
    )
    assert refused == "PARENT_UNKNOWN"


def test_child_client_ids_are_given_or_made() -> None:
    desk = Desk()
    desk.order(
        "alice",
        "BUY",
        "1",
        "60000",
        client_id="p",
        take_profit_ticks="61000",
        take_profit_client_id="tp",
        stop_loss_ticks="59000",
    )
    ids = [e.order.client_id for e in desk.events() if isinstance(e, OrderAccepted)]
    assert ids == ["p", "tp", "auto_3"]
    assert (
        desk.refused(
            "alice",
            "BUY",
            "1",
            "60000",
            client_id="new",
            take_profit_ticks="61000",
            take_profit_client_id="new",
        )
        == "CLIENT_ID_DUPLICATE"
    )


def test_a_child_armed_behind_its_trigger_fires_at_once() -> None:
    desk = Desk()
    desk.order("carol", "BUY", "3", "55000")
    _, gain, loss = bracket(desk)
    desk.price("58000")
    desk.order("bob", "SELL", "1", "60000")
    assert (desk.status(loss), desk.status(gain)) == ("FILLED", "CANCELED")


def test_a_waiting_stop_can_be_a_parent() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "61000")
    parent = desk.order(
        "alice",
        "BUY",
        "1",
        type="STOP_MARKET",
        trigger="60500",
        take_profit_ticks="62000",
        stop_loss_ticks="60000",
    )
    desk.price("60500")
    assert desk.status(parent.order_id) == "FILLED"
    armed: list[OrderRecord] = [
        desk.last(order.order_id) for order in desk.account("alice").waiting.values()
    ]
    assert [child.armed_lots for child in armed] == [lots("1"), lots("1")]


def test_a_trailing_sibling_goes_when_another_child_fires_on_the_same_price() -> None:
    desk = Desk()
    desk.order("carol", "BUY", "1", "50000")
    parent = desk.order("alice", "BUY", "0.1", "59990", stop_loss_ticks="59400")
    trailing = desk.order(
        "alice",
        "SELL",
        "",
        type="TRAILING_STOP_MARKET",
        callback_ppm=10_000,
        parent_id=parent.order_id,
        working_type=WorkingType.MARK_PRICE,
    )
    desk.order("bob", "SELL", "0.1", "59990")
    for price in ("60000", "60100", "59000"):
        desk.price(price)
    assert desk.last(trailing.order_id).cause.name == "SIBLING_FIRED"
    assert desk.position("alice").lots == 0


def test_two_trailing_siblings_on_the_same_price() -> None:
    desk = Desk()
    desk.order("carol", "BUY", "1", "50000")
    parent = desk.order("alice", "BUY", "0.1", "59990")
    first, second = (
        desk.order(
            "alice",
            "SELL",
            "",
            type="TRAILING_STOP_MARKET",
            callback_ppm=10_000,
            parent_id=parent.order_id,
        )
        for _ in range(2)
    )
    desk.order("bob", "SELL", "0.1", "59990")
    desk.price("59000")
    assert desk.status(first.order_id) == "FILLED"
    assert desk.last(second.order_id).cause.name == "SIBLING_FIRED"


def test_a_child_does_not_see_prices_from_before_it_was_armed() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "0.1", "60000")
    desk.order(
        "alice",
        "SELL",
        "0.1",
        "60500",
        take_profit_ticks="60200",
        attached_working_type=WorkingType.CONTRACT_PRICE,
    )
    child = desk.state.next_order_id - 1
    desk.order("carol", "BUY", "0.2", "60500")
    assert (desk.status(child), desk.last(child).armed_lots) == ("NEW", lots("0.1"))


def test_what_was_opened_in_a_position_that_is_gone_counts_no_more() -> None:
    desk = Desk()
    parent = desk.order("alice", "BUY", "0.3", "60000")
    desk.order("bob", "SELL", "0.1", "60000")
    desk.order("carol", "BUY", "0.1", "60010")
    desk.order("alice", "SELL", "0.1", "60010")
    stop = desk.order(
        "alice", "SELL", "", type="STOP_MARKET", trigger="55000", parent_id=parent.order_id
    )
    assert desk.last(stop.order_id).armed_lots == 0
    desk.order("bob", "SELL", "0.1", "60000")
    assert desk.last(stop.order_id).armed_lots == lots("0.1")


@pytest.mark.parametrize("given", ["auto_1", "auto_2", "auto_3"])
def test_made_up_client_ids_avoid_those_that_the_order_gives(given: str) -> None:
    desk = Desk()
    desk.order(
        "alice",
        "BUY",
        "1",
        "60000",
        take_profit_ticks="61000",
        stop_loss_ticks="59000",
        stop_loss_client_id=given,
    )
    for order_id in list(desk.state.orders):
        if order_id in desk.state.orders:
            desk.cancel("alice", order_id)
    assert not desk.account("alice").client_ids


def test_a_parent_is_found_by_its_client_id_in_either_space() -> None:
    desk = Desk(separate_trigger_ids=True)
    desk.order("alice", "BUY", "1", type="STOP_MARKET", trigger="61000", client_id="p", algo=True)
    child = desk.order(
        "alice", "SELL", "", type="STOP_MARKET", trigger="60500", parent_client_id="p", algo=True
    )
    assert child.parent_id == 1
