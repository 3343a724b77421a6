"""Countdowns: when they fire, what they cancel, and in which order."""

import pytest
from tests.engine.desk import NAMES, Desk

from openperp.engine import invariants
from openperp.engine.apply import apply
from openperp.engine.commands import Pulse, Record, Reset, SetCountdown, SetMode
from openperp.engine.due import STALE_LIMIT
from openperp.engine.events import CountdownChanged, CountdownFired, OrderCanceled
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import dump, load
from openperp.engine.terms import Mode, OrderScope


def start(
    desk: Desk,
    name: str,
    duration_ms: int,
    symbol: str = "BTCUSDT",
    scope: OrderScope = OrderScope.ANY,
) -> int:
    """Starts a countdown; when it is due."""
    account = desk.account(name).account_id
    reply = desk.do(SetCountdown(account, symbol, duration_ms, scope))
    assert reply == CountdownChanged(account, symbol, desk.now + duration_ms if duration_ms else 0)
    due: int = reply.due_ms
    return due


def pulse(desk: Desk, time_ms: int) -> None:
    """Lets time pass up to `time_ms`."""
    desk.now = time_ms - 1
    desk.do(Pulse())


def fired(desk: Desk) -> list[tuple[str, str]]:
    """Account and symbol of what the last command fired, in order."""
    return [
        (NAMES[event.account - 1], event.symbol)
        for event in desk.events()
        if isinstance(event, CountdownFired)
    ]


def canceled(desk: Desk) -> list[int]:
    return [event.order.order_id for event in desk.events() if isinstance(event, OrderCanceled)]


def test_nothing_happens_before_its_time() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    due = start(desk, "alice", 1_000)
    pulse(desk, due - 1)
    assert desk.events() == []
    pulse(desk, due)
    assert [type(event) for event in desk.events()] == [CountdownFired, OrderCanceled]
    assert desk.last(order.order_id).updated_ms == due
    assert desk.account("alice").order_margin == 0
    pulse(desk, due + 10_000)
    assert desk.events() == [], "it fires once"


@pytest.mark.parametrize("duration_ms", [0, 60_000])
def test_it_is_called_off_or_starts_anew(duration_ms: int) -> None:
    desk = Desk()
    desk.order("alice", "BUY", "1", "50000")
    due = start(desk, "alice", 1_000)
    again = start(desk, "alice", duration_ms)
    pulse(desk, due + 1)
    assert desk.events() == []
    assert desk.state.due_ms == again


def test_it_is_of_one_account_and_one_symbol() -> None:
    desk = Desk()
    mine = desk.order("alice", "BUY", "1", "50000")
    desk.order("alice", "BUY", "0.1", "2500", symbol="ETHUSDT")
    desk.order("bob", "BUY", "1", "50000")
    pulse(desk, start(desk, "alice", 1_000))
    assert canceled(desk) == [mine.order_id]


def test_it_reaches_triggers_and_children_as_far_as_its_scope() -> None:
    desk = Desk()
    parent = desk.order("alice", "BUY", "0.1", "50000", stop_loss_ticks="45000")
    stop = desk.order("alice", "BUY", "0.1", type="STOP_MARKET", trigger="65000")
    pulse(desk, start(desk, "alice", 1_000, scope=OrderScope.BOOK))
    assert canceled(desk) == [parent.order_id, parent.order_id + 1]
    pulse(desk, start(desk, "alice", 1_000, scope=OrderScope.ANY))
    assert canceled(desk) == [stop.order_id]


def test_all_that_is_due_on_the_way_fires_in_order_and_at_its_time() -> None:
    desk = Desk()
    orders = {name: desk.order(name, "BUY", "0.1", "50000") for name in NAMES}
    last = start(desk, "alice", 3_000)
    first = start(desk, "carol", 1_000)
    middle = start(desk, "bob", 2_000)
    start(desk, "bob", 2_000 - 1, "ETHUSDT")
    pulse(desk, last + 60_000)
    assert fired(desk) == [
        ("carol", "BTCUSDT"),
        ("bob", "BTCUSDT"),
        ("bob", "ETHUSDT"),
        ("alice", "BTCUSDT"),
    ]
    times = [desk.last(orders[name].order_id).updated_ms for name in ("carol", "bob", "alice")]
    assert times == [first, middle, last]
    assert desk.applied[-1].time_ms == last + 60_000


def test_any_record_lets_it_fire_before_it_does_its_own() -> None:
    desk = Desk()
    resting = desk.order("alice", "SELL", "1", "60000")
    desk.now = start(desk, "alice", 1_000)
    taker = desk.order("bob", "BUY", "1", "60000")
    assert taker.filled_lots == 0
    assert canceled(desk) == [resting.order_id]


@pytest.mark.parametrize("mode", [Mode.HALTED, Mode.CANCEL_ONLY])
def test_it_fires_in_a_market_that_accepts_nothing(mode: Mode) -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    due = start(desk, "alice", 1_000)
    desk.do(SetMode(mode))
    pulse(desk, due)
    assert canceled(desk) == [order.order_id]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (SetCountdown(99, "BTCUSDT", 1_000), "ACCOUNT_UNKNOWN"),
        (SetCountdown(1, "NOSUCH", 1_000), "SYMBOL_UNKNOWN"),
    ],
)
def test_refusals(command: SetCountdown, reason: str) -> None:
    desk = Desk()
    reply = desk.do(command)
    assert isinstance(reply, Reject)
    assert reply.reason.name == reason


def test_a_snapshot_keeps_them() -> None:
    desk = Desk()
    desk.order("alice", "BUY", "1", "50000")
    due = start(desk, "alice", 1_000)
    start(desk, "bob", 5_000)
    loaded = load(dump(desk.state))
    assert loaded.due_ms == due
    pulse(desk, due + 10_000)
    record = Record(loaded.seq + 1, due + 10_000, Pulse())
    assert apply(loaded, record).events == tuple(desk.events())
    assert dump(loaded) == dump(desk.state)


def test_a_reset_calls_them_off() -> None:
    desk = Desk()
    due = start(desk, "alice", 1_000)
    desk.do(Reset())
    assert desk.state.due_ms == 0
    pulse(desk, due + 1)
    assert desk.events() == []


def test_starting_anew_for_ever_takes_no_memory() -> None:
    desk = Desk()
    start(desk, "bob", 10**9)
    for _ in range(500):
        start(desk, "alice", 10**12)
    assert len(desk.state.due_heap) <= STALE_LIMIT + 4
    invariants.check(desk.state)
