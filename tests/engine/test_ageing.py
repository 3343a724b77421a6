"""GTC orders that have been open for a year, here for a minute."""

import pytest
from tests.engine.desk import Desk, lots

from openperp.engine import invariants, snapshot
from openperp.engine.apply import apply
from openperp.engine.commands import Pulse, Record, Reset, SetMode
from openperp.engine.terms import Mode, StpMode, TimeInForce

LIFE_MS = 60_000


@pytest.fixture
def desk() -> Desk:
    return Desk(order_life_ms=LIFE_MS)


def wait(desk: Desk, milliseconds: int) -> None:
    """Lets time pass; the record comes one millisecond after that."""
    desk.now += milliseconds - 1
    desk.do(Pulse())


def test_an_order_is_cancelled_at_its_age_and_not_before(desk: Desk) -> None:
    order = desk.order("alice", "BUY", "0.1", "50000")
    wait(desk, LIFE_MS - 1)
    assert order.order_id in desk.state.orders
    wait(desk, 1)
    ended = desk.last(order.order_id)
    assert (ended.status.name, ended.cause.name) == ("CANCELED", "AGED")
    assert ended.updated_ms == order.created_ms + LIFE_MS
    assert desk.account("alice").order_margin == 0
    assert not desk.state.due_times


def test_each_ends_at_its_own_time_however_late_that_is_found(desk: Desk) -> None:
    first = desk.order("alice", "BUY", "0.1", "50000")
    wait(desk, 10_000)
    second = desk.order("alice", "BUY", "0.1", "50001")
    wait(desk, 10 * LIFE_MS)
    for order in (first, second):
        assert desk.last(order.order_id).updated_ms == order.created_ms + LIFE_MS


@pytest.mark.parametrize("closes", [False, True])
def test_a_partly_filled_order_is_spared(desk: Desk, closes: bool) -> None:
    order = desk.order("alice", "BUY", "0.2", "50000")
    younger = desk.order("alice", "BUY", "0.1", "49000")
    desk.order("bob", "SELL", "0.1", "50000")
    if closes:
        desk.cancel("alice", order.order_id)
    wait(desk, 3 * LIFE_MS)
    assert (order.order_id in desk.state.orders) is not closes
    assert desk.last(younger.order_id).cause.name == "AGED"


def test_others_do_not_age(desk: Desk) -> None:
    dated = desk.order(
        "alice",
        "BUY",
        "0.1",
        "50000",
        time_in_force=TimeInForce.GTD,
        expires_ms=desk.now + 10**7,
    )
    post_only = desk.order("alice", "BUY", "0.1", "50000", time_in_force=TimeInForce.GTX)
    aged = desk.order("alice", "BUY", "0.1", "50000")
    wait(desk, 2 * LIFE_MS)
    assert {dated.order_id, post_only.order_id} == set(desk.state.orders)
    assert desk.last(aged.order_id).cause.name == "AGED"


def test_an_order_that_waits_for_its_trigger_ages_too(desk: Desk) -> None:
    stop = desk.order("alice", "BUY", "0.1", type="STOP_MARKET", trigger="70000")
    wait(desk, LIFE_MS)
    assert desk.last(stop.order_id).cause.name == "AGED"
    assert not desk.account("alice").waiting


def test_children_live_as_long_as_what_they_guard(desk: Desk) -> None:
    desk.order("bob", "SELL", "0.1", "60000")
    parent = desk.order("alice", "BUY", "0.2", "60000", stop_loss_ticks="50000")
    lonely = desk.order("alice", "BUY", "0.2", "59000", stop_loss_ticks="50000")
    guard, sleeper = parent.order_id + 1, lonely.order_id + 1
    wait(desk, 2 * LIFE_MS)
    assert {parent.order_id, guard} <= set(desk.state.orders)
    assert desk.last(lonely.order_id).cause.name == "AGED"
    assert desk.last(sleeper).cause.name == "CASCADE"


def test_an_amended_order_keeps_its_age(desk: Desk) -> None:
    order = desk.order("alice", "BUY", "0.1", "50000")
    wait(desk, LIFE_MS // 2)
    desk.order("alice", "BUY", "0.1", "50000", stp=StpMode.NONE)
    wait(desk, LIFE_MS // 2)
    assert order.order_id not in desk.state.orders
    assert len(desk.state.orders) == 1


def test_the_end_of_one_that_is_gone_is_passed_over_in_silence(desk: Desk) -> None:
    gone = desk.order("alice", "BUY", "0.1", "50000")
    wait(desk, 20_000)
    order = desk.order("alice", "BUY", "0.1", "50000")
    desk.cancel("alice", gone.order_id)
    wait(desk, LIFE_MS - 10_000)
    assert desk.events() == []
    wait(desk, LIFE_MS)
    assert desk.last(order.order_id).updated_ms == order.created_ms + LIFE_MS


def test_it_ends_in_a_market_that_accepts_nothing(desk: Desk) -> None:
    order = desk.order("alice", "BUY", "0.1", "50000")
    desk.do(SetMode(Mode.HALTED))
    wait(desk, LIFE_MS)
    assert desk.last(order.order_id).cause.name == "AGED"


def test_a_snapshot_knows_how_old_orders_are(desk: Desk) -> None:
    order = desk.order("alice", "BUY", "0.1", "50000")
    loaded = snapshot.load(snapshot.dump(desk.state))
    invariants.check(loaded)
    wait(desk, LIFE_MS)
    apply(loaded, Record(desk.state.seq, desk.now, Pulse()))
    assert not loaded.orders
    assert snapshot.digest(loaded) == snapshot.digest(desk.state)
    assert desk.last(order.order_id).cause.name == "AGED"


def test_after_a_reset_age_counts_anew(desk: Desk) -> None:
    desk.order("alice", "BUY", "0.1", "50000")
    desk.do(Reset())
    order = desk.order("alice", "BUY", "0.1", "50000")
    wait(desk, LIFE_MS - 1)
    assert order.order_id in desk.state.orders
    wait(desk, 1)
    assert not desk.state.orders


def test_earlier_venues_let_them_stay() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "0.1", "50000")
    wait(desk, 10**12)
    assert desk.state.orders[order.order_id].remaining_lots == lots("0.1")
