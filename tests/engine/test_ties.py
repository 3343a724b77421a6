"""Orders that are tied to a position, and those that close the whole of it."""

from typing import Any

import pytest
from tests.engine import ruin
from tests.engine.desk import Desk, lots

from openperp.engine.ageing import KEY
from openperp.engine.commands import CancelAllOrders, PlaceOrder, Reset, SetPositionMode
from openperp.engine.events import OrderExpired
from openperp.engine.placing import check_order
from openperp.engine.records import OrderRecord
from openperp.engine.snapshot import digest, dump, load
from openperp.engine.terms import OrderType, PositionSide, Side, TimeInForce

GTE = TimeInForce.GTE_GTC
ON_LONG: dict[str, Any] = {"position_side": PositionSide.LONG}
ON_SHORT: dict[str, Any] = {"position_side": PositionSide.SHORT}


def trade(desk: Desk, buyer: str, seller: str, quantity: str, price: str = "60000") -> None:
    desk.order(buyer, "BUY", quantity, price)
    desk.order(seller, "SELL", quantity, price)


def tied(desk: Desk, name: str = "alice", side: str = "SELL", **fields: Any) -> OrderRecord:
    """A stop far away, tied to the position of `name`."""
    trigger = {"SELL": "50000", "BUY": "70000"}[side]
    terms = {"type": "STOP_MARKET", "trigger": trigger, "time_in_force": GTE, **fields}
    return desk.order(name, side, "" if fields.get("close_position") else "0.1", **terms)


def expired(desk: Desk) -> list[tuple[int, str]]:
    """What the last command expired, with its cause."""
    events = [event for event in desk.events() if isinstance(event, OrderExpired)]
    return [(event.order.order_id, event.order.cause.name) for event in events]


def long_desk(**rules: Any) -> Desk:
    """Alice has bought 1 from bob."""
    desk = Desk(deposit="100000", **rules)
    trade(desk, "alice", "bob", "1")
    return desk


@pytest.mark.parametrize(
    ("type", "trigger", "price"),
    [
        ("STOP_MARKET", "50000", ""),
        ("STOP", "50000", "49000"),
        ("TAKE_PROFIT_MARKET", "70000", ""),
        ("TAKE_PROFIT", "70000", "69000"),
    ],
)
def test_it_expires_in_the_command_that_ends_its_position(
    type: str, trigger: str, price: str
) -> None:
    desk = long_desk()
    order = desk.order("alice", "SELL", "1", price, type=type, trigger=trigger, time_in_force=GTE)
    assert order.reduce_only
    stays = desk.order("alice", "SELL", "1", price, type=type, trigger=trigger)
    trade(desk, "bob", "alice", "0.6")
    assert desk.status(order.order_id) == "NEW"
    trade(desk, "bob", "alice", "0.4")
    assert expired(desk) == [(order.order_id, "POSITION_GONE")]
    assert desk.last(order.order_id).updated_ms == desk.now
    assert desk.status(stays.order_id) == "NEW"


def test_it_needs_a_position_that_it_would_close() -> None:
    desk = Desk()
    terms: dict[str, Any] = {"type": "STOP_MARKET", "time_in_force": GTE}
    refusal = "TIED_WITHOUT_POSITION"
    assert desk.refused("alice", "SELL", "1", trigger="50000", **terms) == refusal
    assert (
        desk.refused("alice", "SELL", "", trigger="50000", close_position=True, **terms) == refusal
    )
    trade(desk, "alice", "bob", "0.1")
    assert desk.refused("alice", "BUY", "1", trigger="70000", **terms) == refusal
    assert desk.refused("bob", "SELL", "1", trigger="50000", **terms) == refusal
    desk.order("bob", "BUY", "1", trigger="70000", **terms)
    asked = PlaceOrder(
        desk.account("carol").account_id,
        "BTCUSDT",
        Side.SELL,
        OrderType.STOP_MARKET,
        lots("1"),
        trigger_ticks=500_000,
        time_in_force=GTE,
    )
    reject = check_order(desk.state, asked, desk.now)
    assert reject is not None
    assert reject.reason.name == refusal


def test_a_position_that_turns_round_in_one_fill_is_gone() -> None:
    desk = long_desk()
    order = tied(desk)
    trade(desk, "bob", "alice", "3")
    assert desk.position("alice").lots == -lots("2")
    assert expired(desk) == [(order.order_id, "POSITION_GONE")]
    other = tied(desk, side="BUY")
    trade(desk, "alice", "bob", "1")
    assert desk.status(other.order_id) == "NEW"


def test_it_closes_and_never_opens() -> None:
    """It fires for more than is left, and the position ends with it."""
    desk = long_desk()
    order = tied(desk)
    trade(desk, "bob", "alice", "0.95")
    desk.order("carol", "BUY", "1", "50000")
    desk.price("50000")
    fired = desk.last(order.order_id)
    assert (fired.status.name, fired.filled_lots) == ("FILLED", lots("0.05"))
    assert desk.position("alice").lots == 0


def test_one_that_has_fired_as_a_limit_order_ends_with_the_position_too() -> None:
    desk = long_desk()
    order = tied(desk, type="STOP", price="59000", trigger="50000")
    desk.price("50000")
    assert desk.state.orders[order.order_id].resting
    trade(desk, "bob", "alice", "1", "51000")
    assert expired(desk) == [(order.order_id, "POSITION_GONE")]


def test_the_first_of_two_to_fire_ends_the_other() -> None:
    desk = long_desk()
    whole: dict[str, Any] = {"close_position": True, "time_in_force": GTE}
    stop = desk.order("alice", "SELL", "", type="STOP_MARKET", trigger="50000", **whole)
    gain = desk.order("alice", "SELL", "", type="TAKE_PROFIT_MARKET", trigger="70000", **whole)
    desk.order("carol", "BUY", "1", "50000")
    desk.price("50000")
    assert desk.status(stop.order_id) == "FILLED"
    assert expired(desk) == [(gain.order_id, "POSITION_GONE")]
    assert not desk.account("alice").waiting


def test_two_that_fire_at_one_price() -> None:
    """The first takes the position away, and the second is not there any more."""
    desk = long_desk()
    first, second = tied(desk, close_position=True), tied(desk)
    desk.order("carol", "BUY", "2", "50000")
    desk.price("50000")
    assert desk.status(first.order_id) == "FILLED"
    assert expired(desk) == [(second.order_id, "POSITION_GONE")]
    assert desk.position("alice").lots == 0


def test_the_sides_of_a_hedge_go_each_for_itself() -> None:
    desk = Desk(deposit="100000")
    desk.do(SetPositionMode(desk.account("alice").account_id, True))
    for side, way in (("BUY", ON_LONG), ("SELL", ON_SHORT)):
        desk.order("bob", "SELL" if side == "BUY" else "BUY", "1", "60000")
        desk.order("alice", side, "1", "60000", **way)
    long_stop, short_stop = tied(desk, **ON_LONG), tied(desk, side="BUY", **ON_SHORT)
    terms: dict[str, Any] = {"type": "STOP_MARKET", "time_in_force": GTE}
    assert (
        desk.refused("alice", "BUY", "1", trigger="70000", **terms, **ON_LONG)
        == "TIED_WITHOUT_POSITION"
    )
    desk.order("bob", "BUY", "1", "60000")
    desk.order("alice", "SELL", "1", "60000", **ON_LONG)
    assert expired(desk) == [(long_stop.order_id, "POSITION_GONE")]
    assert desk.status(short_stop.order_id) == "NEW"


def test_an_attached_one_waits_for_what_its_parent_opens() -> None:
    """It needs no position yet, and that of another order is not its own."""
    desk = Desk(deposit="100000")
    parent = desk.order("alice", "BUY", "1", "55000")
    child = tied(desk, parent_id=parent.order_id, trigger="54000")
    trade(desk, "alice", "bob", "0.1")
    trade(desk, "bob", "alice", "0.1")
    assert desk.status(child.order_id) == "NEW"
    desk.order("bob", "SELL", "1", "55000")
    assert desk.last(child.order_id).armed_lots == lots("0.1")
    trade(desk, "carol", "alice", "1", "55000")
    assert (child.order_id, "POSITION_GONE") in expired(desk)


def test_it_ages_like_any_that_is_good_till_cancelled() -> None:
    desk = long_desk(order_life_ms=1_000)
    desk.do(CancelAllOrders(1, "BTCUSDT"))
    order = tied(desk)
    assert KEY in desk.state.due_times
    desk.now += 1_000
    desk.price("60000")
    assert (desk.last(order.order_id).cause.name, desk.status(order.order_id)) == (
        "AGED",
        "CANCELED",
    )


def test_liquidation_and_deleveraging_end_it_with_causes_of_their_own() -> None:
    """Alice is ruined below 50012 with nobody in the book; bob and carol hold the other side."""
    desk = ruin.open_desk("3000")
    ruin.trade(desk, "BUY", "0.2", other="bob")
    ruin.trade(desk, "BUY", "0.1", other="carol")
    stops = [tied(desk, trigger="40000"), tied(desk, "bob", "BUY"), tied(desk, "carol", "BUY")]
    desk.price("50000")
    assert [desk.last(stop.order_id).cause.name for stop in stops] == [
        "LIQUIDATED",
        "DELEVERAGED",
        "DELEVERAGED",
    ]
    assert not any(account.waiting for account in desk.state.accounts.values())


def test_a_reset_leaves_nothing_of_it() -> None:
    desk = long_desk()
    tied(desk)
    desk.do(Reset())
    assert not desk.state.orders
    assert not desk.account("alice").waiting


def closer(desk: Desk, name: str = "alice", **fields: Any) -> OrderRecord:
    side = fields.pop("side", "SELL")
    trigger = {"SELL": "50000", "BUY": "70000"}[side]
    terms = {"type": "STOP_MARKET", "trigger": trigger, "close_position": True, **fields}
    return desk.order(name, side, "", **terms)


def test_one_stop_and_one_take_profit_wait_to_close_all() -> None:
    desk = long_desk(single_closers=True)
    second: dict[str, Any] = {"close_position": True, "type": "STOP_MARKET"}
    first = closer(desk)
    closer(desk, type="TAKE_PROFIT_MARKET", trigger="70000")
    for times in (TimeInForce.GTC, GTE):
        refused = desk.refused("alice", "SELL", "", trigger="51000", time_in_force=times, **second)
        assert refused == "CLOSING_ORDER_EXISTS"
    # Of another side, symbol or account, or for a quantity, it is another matter.
    closer(desk, side="BUY")
    closer(desk, symbol="ETHUSDT", trigger="2000")
    closer(desk, "bob")
    tied(desk)
    desk.cancel("alice", first.order_id)
    again = closer(desk)
    desk.order("carol", "BUY", "1", "50000")
    desk.price("50000")
    assert desk.status(again.order_id) == "FILLED"
    closer(desk, trigger="49000")


def test_one_for_each_side_of_a_hedge() -> None:
    desk = Desk(single_closers=True)
    desk.do(SetPositionMode(desk.account("alice").account_id, True))
    closer(desk, **ON_LONG)
    closer(desk, side="BUY", **ON_SHORT)
    refused = desk.refused(
        "alice", "SELL", "", type="STOP_MARKET", trigger="51000", close_position=True, **ON_LONG
    )
    assert refused == "CLOSING_ORDER_EXISTS"


def test_what_is_not_tied_outlives_the_position() -> None:
    desk = long_desk(single_closers=True)
    stop = closer(desk)
    trade(desk, "bob", "alice", "1")
    assert desk.status(stop.order_id) == "NEW"


def test_older_venues_let_any_number_wait() -> None:
    desk = long_desk()
    closer(desk)
    closer(desk)


def test_a_snapshot_keeps_both_rules() -> None:
    desk = long_desk(single_closers=True)
    order = closer(desk, time_in_force=GTE)
    loaded = load(dump(desk.state))
    assert digest(loaded) == digest(desk.state)
    assert loaded.single_closers
    desk.state = loaded
    assert (
        desk.refused("alice", "SELL", "", type="STOP_MARKET", trigger="51000", close_position=True)
        == "CLOSING_ORDER_EXISTS"
    )
    trade(desk, "bob", "alice", "1")
    assert expired(desk) == [(order.order_id, "POSITION_GONE")]
