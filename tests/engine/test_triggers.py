"""Trigger orders: when they fire, what they become, what stops them."""

import pytest
from tests.engine.desk import Desk, lots, ticks

from openperp.engine.commands import CancelAllOrders, SetMode
from openperp.engine.events import OrderTriggered
from openperp.engine.rejects import Reject
from openperp.engine.terms import Mode, OrderScope, TimeInForce, WorkingType

MARK = WorkingType.MARK_PRICE


@pytest.mark.parametrize(
    ("type", "side", "trigger", "quiet_price", "firing_price"),
    [
        ("STOP_MARKET", "SELL", "59000", "59000.1", "59000"),
        ("STOP_MARKET", "BUY", "61000", "60999.9", "61000"),
        ("TAKE_PROFIT_MARKET", "SELL", "61000", "60999.9", "61000"),
        ("TAKE_PROFIT_MARKET", "BUY", "59000", "59000.1", "59000"),
    ],
)
@pytest.mark.parametrize("working_type", list(WorkingType))
def test_when_it_fires(
    type: str,
    side: str,
    trigger: str,
    quiet_price: str,
    firing_price: str,
    working_type: WorkingType,
) -> None:
    desk = Desk()
    order = desk.order("alice", side, "1", type=type, trigger=trigger, working_type=working_type)
    assert desk.account("alice").order_margin == 0

    desk.price(quiet_price)
    assert desk.status(order.order_id) == "NEW"
    if working_type is MARK:
        desk.price(firing_price, last=False)
    else:
        desk.price(firing_price)

    fired = desk.last(order.order_id)
    assert (fired.type.name, fired.original_type.name) == ("MARKET", type)
    assert (fired.status.name, fired.triggered_ms) == ("EXPIRED", desk.now)


def test_a_trigger_on_last_ignores_mark_and_the_other_way_round() -> None:
    desk = Desk()
    desk.order("carol", "BUY", "0.1", "60000")
    desk.order("bob", "SELL", "0.1", "60000")
    on_last = desk.order("alice", "SELL", "1", type="STOP_MARKET", trigger="59000")
    on_mark = desk.order(
        "alice", "SELL", "1", type="STOP_MARKET", trigger="59000", working_type=MARK
    )
    desk.price("58000", last=False)
    assert desk.status(on_last.order_id) == "NEW"
    assert desk.status(on_mark.order_id) == "EXPIRED"

    desk.order("carol", "BUY", "0.1", "58500")
    desk.order("bob", "SELL", "0.1", "58500")
    assert desk.status(on_last.order_id) == "EXPIRED"


@pytest.mark.parametrize(
    ("type", "side", "trigger"),
    [
        ("STOP", "SELL", "60000"),
        ("STOP", "BUY", "60000"),
        ("STOP_MARKET", "SELL", "60000.1"),
        ("STOP_MARKET", "BUY", "59999.9"),
        ("TAKE_PROFIT", "SELL", "59999.9"),
        ("TAKE_PROFIT_MARKET", "BUY", "60000.1"),
    ],
)
def test_a_price_already_passed_is_refused(type: str, side: str, trigger: str) -> None:
    desk = Desk()
    reason = desk.refused("alice", side, "1", "60000", type=type, trigger=trigger)
    assert reason == "WOULD_TRIGGER_IMMEDIATELY"


def test_a_limit_stop_rests_at_its_price_and_keeps_its_id() -> None:
    desk = Desk()
    order = desk.order("alice", "SELL", "1", "58000", type="STOP", trigger="59000")
    desk.price("59000")

    fired = desk.last(order.order_id)
    assert (fired.type.name, fired.original_type.name) == ("LIMIT", "STOP")
    assert fired.status.name == "NEW"
    assert desk.state.markets["BTCUSDT"].book.asks.depth(1) == [(580_000, 1000)]
    assert desk.account("alice").order_margin > 0
    assert desk.cancel("alice", order.order_id).status.name == "CANCELED"


def test_a_missing_margin_expires_it_when_it_fires() -> None:
    desk = Desk(deposit="3100")
    order = desk.order("alice", "BUY", "1", "62100", type="STOP", trigger="61000")
    desk.price("61000")
    assert desk.last(order.order_id).cause.name == "MARGIN_MISSING"


@pytest.mark.parametrize(
    ("time_in_force", "cause"),
    [("GTX", "WOULD_TAKE"), ("FOK", "NOT_FILLABLE"), ("IOC", "NO_LIQUIDITY")],
)
def test_time_in_force_holds_when_it_fires(time_in_force: str, cause: str) -> None:
    desk = Desk(deposit="100000")
    desk.order("bob", "BUY", "0.5", "58900")
    order = desk.order(
        "alice",
        "SELL",
        "1",
        "58900",
        type="STOP",
        trigger="59000",
        time_in_force=TimeInForce[time_in_force],
    )
    desk.price("59000")
    assert desk.last(order.order_id).cause.name == cause


def test_nearest_trigger_first_then_age() -> None:
    desk = Desk()
    far = desk.order("alice", "SELL", "0.1", type="STOP_MARKET", trigger="58000")
    young = desk.order("bob", "SELL", "0.1", type="STOP_MARKET", trigger="59000")
    younger = desk.order("carol", "SELL", "0.1", type="STOP_MARKET", trigger="59000")
    desk.price("57000")
    fired = [e.order.order_id for e in desk.events() if isinstance(e, OrderTriggered)]
    assert fired == [young.order_id, younger.order_id, far.order_id]


def test_one_trigger_sets_off_the_next_within_the_same_command() -> None:
    desk = Desk()
    desk.order("carol", "BUY", "0.1", "59000")
    desk.order("carol", "BUY", "0.1", "58000")
    first = desk.order("alice", "SELL", "0.1", type="STOP_MARKET", trigger="59500")
    second = desk.order("bob", "SELL", "0.1", type="STOP_MARKET", trigger="59000")
    desk.price("59500")
    assert desk.last(first.order_id).filled_value == 590_000 * 100
    assert desk.last(second.order_id).filled_value == 580_000 * 100


def test_a_sweep_shows_its_first_price_too() -> None:
    desk = Desk()
    desk.price("60500")
    desk.order("bob", "SELL", "0.1", "60000")
    desk.order("bob", "SELL", "0.1", "60900")
    stop = desk.order("carol", "SELL", "0.1", type="STOP_MARKET", trigger="60100")
    desk.order("alice", "BUY", "0.2", "60900")
    assert desk.last(stop.order_id).triggered_ms == desk.now


@pytest.mark.parametrize(
    ("side", "activation", "path", "fires_at"),
    [
        # 1 % callback: the best price since activation, then back by 1 %.
        ("SELL", "61000", ["60900", "60291", "61000", "62000", "61381", "61380"], 5),
        ("BUY", "59000", ["59100", "59691", "59000", "58000", "58579.9", "58580"], 5),
        ("SELL", "", ["60500", "59895.1", "59895"], 2),
        ("SELL", "61000", ["61000", "60390"], 1),
    ],
)
def test_trailing_stop(side: str, activation: str, path: list[str], fires_at: int) -> None:
    desk = Desk()
    order = desk.order(
        "alice",
        side,
        "1",
        type="TRAILING_STOP_MARKET",
        activation_ticks=ticks(activation) if activation else 0,
        callback_ppm=10_000,
    )
    for step, price in enumerate(path):
        desk.price(price)
        assert (desk.status(order.order_id) == "NEW") == (step < fires_at), price
    assert desk.last(order.order_id).type.name == "MARKET"


@pytest.mark.parametrize(("side", "activation"), [("SELL", "60000"), ("BUY", "60000")])
def test_trailing_activation_already_passed_is_refused(side: str, activation: str) -> None:
    reason = Desk().refused(
        "alice",
        side,
        "1",
        type="TRAILING_STOP_MARKET",
        activation_ticks=ticks(activation),
        callback_ppm=10_000,
    )
    assert reason == "WOULD_TRIGGER_IMMEDIATELY"


def test_close_position_closes_what_is_there_when_it_fires() -> None:
    desk = Desk()
    stop = desk.order("alice", "SELL", "", type="STOP_MARKET", trigger="59000", close_position=True)
    desk.order("bob", "SELL", "0.7", "60000")
    desk.order("alice", "BUY", "0.7", "60000")
    desk.order("carol", "BUY", "2", "58900")
    desk.price("59000")
    assert (desk.status(stop.order_id), desk.last(stop.order_id).lots) == ("FILLED", lots("0.7"))
    assert desk.position("alice").lots == 0


def test_close_position_without_a_position_expires_when_it_fires() -> None:
    desk = Desk()
    stop = desk.order("alice", "SELL", "", type="STOP_MARKET", trigger="59000", close_position=True)
    desk.price("59000")
    assert desk.last(stop.order_id).cause.name == "POSITION_GONE"


def test_nothing_fires_while_the_market_is_closed_but_all_of_it_at_reopening() -> None:
    desk = Desk()
    stop = desk.order("alice", "SELL", "0.1", type="STOP_MARKET", trigger="59000")
    desk.do(SetMode(Mode.CANCEL_ONLY, "BTCUSDT"))
    desk.price("58000")
    assert desk.status(stop.order_id) == "NEW"
    desk.do(SetMode(Mode.NORMAL, "BTCUSDT"))
    assert desk.last(stop.order_id).triggered_ms == desk.now


def test_two_hundred_may_wait() -> None:
    desk = Desk()
    for _ in range(200):
        desk.order("alice", "SELL", "0.1", type="STOP_MARKET", trigger="50000")
    refused = desk.refused("alice", "SELL", "0.1", type="STOP_MARKET", trigger="50000")
    assert refused == "TRIGGER_ORDER_LIMIT_REACHED"
    assert len(desk.do(CancelAllOrders(1, "BTCUSDT", OrderScope.BOOK))) == 0
    assert len(desk.do(CancelAllOrders(1, "BTCUSDT", OrderScope.TRIGGER))) == 200
    desk.price("49000")
    assert not any(isinstance(event, OrderTriggered) for event in desk.events())


def test_client_ids_are_one_space_or_two() -> None:
    for separate in (False, True):
        desk = Desk(separate_trigger_ids=separate)
        desk.order("alice", "BUY", "1", "50000", client_id="x")
        reply = desk.place(
            "alice",
            "SELL",
            "1",
            type="STOP_MARKET",
            trigger="50000",
            client_id="x",
            algo=True,
        )
        assert isinstance(reply, Reject) is not separate
