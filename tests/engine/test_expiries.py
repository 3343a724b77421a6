"""GTD orders: until when they live, and how they end."""

from typing import Any

import pytest
from tests.engine.desk import START_MS, Desk

from openperp.engine.checks import EXPIRY_DISTANCE_MS, EXPIRY_LIMIT_MS
from openperp.engine.commands import AmendOrder, Pulse, Reset, SetCountdown, SetMode
from openperp.engine.events import OrderCanceled, OrderExpired
from openperp.engine.snapshot import digest, dump, load
from openperp.engine.terms import Cause, Mode, Side, TimeInForce

DATE_MS = START_MS + 3_600_000
GTD: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expires_ms": DATE_MS}


def pulse(desk: Desk, time_ms: int) -> None:
    desk.now = time_ms - 1
    desk.do(Pulse())


def expired(desk: Desk) -> list[tuple[int, int]]:
    """Order and time of what the last command saw expire."""
    return [
        (event.order.order_id, event.order.updated_ms)
        for event in desk.events()
        if isinstance(event, OrderExpired)
    ]


def test_an_order_expires_at_its_date_and_not_before() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000", **GTD)
    assert order.expires_ms == desk.state.due_ms == DATE_MS
    pulse(desk, DATE_MS - 1)
    assert desk.events() == []
    pulse(desk, DATE_MS + 5)
    assert expired(desk) == [(order.order_id, DATE_MS)]
    last = desk.last(order.order_id)
    assert (last.status.name, last.cause) == ("EXPIRED", Cause.DATE_PASSED)
    assert (desk.account("alice").order_margin, desk.state.due_ms) == (0, 0)


def test_it_is_gone_before_the_command_that_finds_it_due() -> None:
    desk = Desk()
    desk.order("alice", "BUY", "0.001", "60000", **GTD)
    desk.now = DATE_MS - 1
    taker = desk.order("bob", "SELL", "0.001", "60000")
    assert taker.status.name == "NEW"


def test_several_end_in_the_order_of_their_dates() -> None:
    desk = Desk()
    dates = [DATE_MS + 2_000, DATE_MS, DATE_MS + 1_000]
    for date in dates:
        desk.order("alice", "BUY", "0.01", "50000", **{**GTD, "expires_ms": date})
    pulse(desk, DATE_MS + 60_000)
    assert expired(desk) == [(2, dates[1]), (3, dates[2]), (1, dates[0])]


def test_only_whole_seconds_of_a_date_count() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000", **{**GTD, "expires_ms": DATE_MS + 999})
    assert order.expires_ms == DATE_MS


@pytest.mark.parametrize(
    ("date", "taken"),
    [
        (0, False),
        (START_MS, False),
        (EXPIRY_LIMIT_MS, False),
        (EXPIRY_LIMIT_MS - 1, True),
    ],
)
def test_the_bounds_of_a_date(date: int, taken: bool) -> None:
    desk = Desk()
    before = digest(desk.state)
    reply = desk.place("alice", "BUY", "1", "50000", **{**GTD, "expires_ms": date})
    assert (type(reply).__name__ == "OrderRecord") == taken
    assert (digest(desk.state) == before) != taken


def test_it_has_to_live_for_more_than_ten_minutes() -> None:
    desk = Desk()
    near = desk.now + 1 + EXPIRY_DISTANCE_MS
    fields = {**GTD, "expires_ms": near}
    reply = desk.place("alice", "BUY", "1", "50000", **fields)
    assert reply.reason.name == "GOOD_TILL_DATE_INVALID"
    assert (reply.detail["earliest"], reply.detail["latest"]) == (
        desk.now + 600_001,
        253_402_300_798_999,
    )
    fields["expires_ms"] = near + 2
    desk.order("alice", "BUY", "1", "50000", **fields)


def test_a_date_counts_for_gtd_alone() -> None:
    desk = Desk()
    assert desk.order("alice", "BUY", "1", "50000", expires_ms=1).expires_ms == 0
    assert desk.state.due_ms == 0


@pytest.mark.parametrize("how", ["cancelled", "filled", "reset"])
def test_what_has_ended_is_not_due_any_more(how: str) -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "0.001", "60000", **GTD)
    if how == "cancelled":
        desk.cancel("alice", order.order_id)
    elif how == "filled":
        desk.order("bob", "SELL", "0.001", "60000")
    else:
        desk.do(Reset())
    assert desk.state.due_ms == 0
    pulse(desk, DATE_MS)
    assert desk.events() == []


def test_a_trigger_order_ends_while_it_waits_and_after_it_fired() -> None:
    desk = Desk()
    stop = {"type": "STOP", "trigger": "60500", "price": "59000"}
    waiting = desk.order("alice", "BUY", "0.01", **{**stop, **GTD, "trigger": "70000"})
    fired = desk.order("alice", "BUY", "0.01", **stop, **GTD)
    desk.price("60600")
    assert desk.last(fired.order_id).type.name == "LIMIT"
    pulse(desk, DATE_MS)
    assert expired(desk) == [(waiting.order_id, DATE_MS), (fired.order_id, DATE_MS)]


@pytest.mark.parametrize("opened", [False, True])
def test_children_stay_for_what_was_opened(opened: bool) -> None:
    desk = Desk()
    bid = desk.order("alice", "BUY", "0.002", "60000", stop_loss_ticks="59000", **GTD)
    if opened:
        desk.order("bob", "SELL", "0.001", "60000")
    pulse(desk, DATE_MS)
    assert desk.status(bid.order_id + 1) == ("NEW" if opened else "CANCELED")


def test_an_amended_order_keeps_its_date() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "0.01", "50000", **GTD)
    desk.do(AmendOrder(order.account, "BTCUSDT", Side.BUY, 20, 510_000, order.order_id))
    pulse(desk, DATE_MS)
    assert expired(desk) == [(order.order_id, DATE_MS)]


def test_it_ends_in_a_market_that_accepts_nothing() -> None:
    desk = Desk()
    desk.order("alice", "BUY", "0.01", "50000", **GTD)
    desk.do(SetMode(Mode.HALTED))
    pulse(desk, DATE_MS)
    assert len(expired(desk)) == 1


def test_a_countdown_of_the_same_moment_comes_first() -> None:
    desk = Desk()
    desk.order("alice", "BUY", "0.01", "50000", **GTD)
    desk.do(SetCountdown(1, "BTCUSDT", DATE_MS - desk.now - 1))
    pulse(desk, DATE_MS)
    assert [type(event) for event in desk.events()][1:] == [OrderCanceled]


def test_a_snapshot_keeps_the_date() -> None:
    desk = Desk()
    desk.order("alice", "BUY", "0.01", "50000", **GTD)
    loaded = load(dump(desk.state))
    assert loaded.due_ms == DATE_MS
    assert digest(loaded) == digest(desk.state)
