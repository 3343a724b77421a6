"""Hedge mode: LONG and SHORT of one market held apart, in words that a trader reads."""

from typing import Any

import pytest
from msgspec import structs
from tests.engine.desk import BTC, Desk, lots, money, ticks

from openperp.engine.commands import (
    CancelAllOrders,
    DefineInstrument,
    Reset,
    SetLeverage,
    SetPositionMode,
)
from openperp.engine.events import OrderFilled, PositionChanged, PositionModeChanged
from openperp.engine.margin import position_margin, unrealized_pnl
from openperp.engine.records import Fill
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import dump, load
from openperp.engine.terms import PositionSide, TimeInForce

LONG, SHORT, BOTH = PositionSide.LONG, PositionSide.SHORT, PositionSide.BOTH
ON_LONG: dict[str, Any] = {"position_side": LONG}
ON_SHORT: dict[str, Any] = {"position_side": SHORT}


@pytest.fixture
def desk() -> Desk:
    """Alice is in hedge mode; Bob and Carol are not, and offer 2 at 60000 either way."""
    desk = Desk(deposit="100000")
    desk.do(SetPositionMode(1, True))
    desk.order("bob", "SELL", "2", "60010")
    desk.order("carol", "BUY", "2", "59990")
    return desk


def held(desk: Desk) -> tuple[int, int]:
    """What Alice holds on either side, in lots."""
    positions = desk.account("alice").positions
    return tuple(  # type: ignore[return-value]
        positions[key].lots if key in positions else 0 for key in ("BTCUSDT:LONG", "BTCUSDT:SHORT")
    )


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        # side, position side, quantity | what is held: LONG, SHORT
        ([("BUY", LONG, "1")], (1000, 0)),
        ([("SELL", SHORT, "1")], (0, -1000)),
        ([("BUY", LONG, "1"), ("SELL", SHORT, "1")], (1000, -1000)),
        ([("BUY", LONG, "1"), ("SELL", LONG, "0.4")], (600, 0)),
        ([("SELL", SHORT, "1"), ("BUY", SHORT, "0.4")], (0, -600)),
        ([("BUY", LONG, "1"), ("SELL", SHORT, "0.5"), ("SELL", LONG, "1")], (0, -500)),
        # More than there is closes all of it and never turns it round.
        ([("BUY", LONG, "0.5"), ("SELL", LONG, "1")], (0, 0)),
        ([("SELL", SHORT, "0.5"), ("BUY", SHORT, "1")], (0, 0)),
    ],
)
def test_what_opens_and_what_closes(
    desk: Desk, orders: list[tuple[str, PositionSide, str]], expected: tuple[int, int]
) -> None:
    for side, position_side, quantity in orders:
        desk.order("alice", side, quantity, position_side=position_side)
    assert held(desk) == expected


@pytest.mark.parametrize(
    ("name", "side", "fields", "reason"),
    [
        ("alice", "BUY", {}, "POSITION_SIDE_MISMATCH"),
        ("alice", "SELL", {"position_side": BOTH}, "POSITION_SIDE_MISMATCH"),
        ("bob", "BUY", ON_LONG, "POSITION_SIDE_MISMATCH"),
        ("bob", "SELL", ON_SHORT, "POSITION_SIDE_MISMATCH"),
        ("alice", "SELL", ON_LONG, "REDUCE_ONLY_REJECTED"),
        ("alice", "BUY", ON_SHORT, "REDUCE_ONLY_REJECTED"),
        ("alice", "BUY", {**ON_LONG, "reduce_only": True}, "REDUCE_ONLY_IN_HEDGE_MODE"),
        ("alice", "SELL", {**ON_LONG, "reduce_only": True}, "REDUCE_ONLY_IN_HEDGE_MODE"),
    ],
)
@pytest.mark.parametrize("price", ["60000", ""])
def test_what_is_refused(
    desk: Desk, name: str, side: str, price: str, fields: dict[str, Any], reason: str
) -> None:
    assert desk.refused(name, side, "1", price, **fields) == reason


@pytest.mark.parametrize(
    ("side", "fields", "reason"),
    [
        ("BUY", ON_LONG, "POSITION_SIDE_MISMATCH"),
        ("SELL", ON_SHORT, "POSITION_SIDE_MISMATCH"),
        ("SELL", {**ON_LONG, "reduce_only": True}, "REDUCE_ONLY_IN_HEDGE_MODE"),
    ],
)
def test_a_whole_position_is_closed_by_what_closes(
    desk: Desk, side: str, fields: dict[str, Any], reason: str
) -> None:
    trigger = {"type": "STOP_MARKET", "trigger": "70000" if side == "BUY" else "50000"}
    assert desk.refused("alice", side, "", close_position=True, **trigger, **fields) == reason


def test_a_whole_side_is_closed_when_the_price_comes(desk: Desk) -> None:
    desk.order("alice", "BUY", "1", **ON_LONG)
    desk.order("alice", "SELL", "1", **ON_SHORT)
    stop = desk.order(
        "alice", "SELL", "", type="STOP_MARKET", trigger="59000", close_position=True, **ON_LONG
    )
    assert (stop.reduce_only, stop.position_side) == (True, LONG)
    desk.price("58000")
    assert held(desk) == (0, -1000)
    assert desk.last(stop.order_id).filled_lots == lots("1")


def test_a_closing_order_says_reduce_only_and_freezes_nothing(desk: Desk) -> None:
    opening = desk.order("alice", "BUY", "1", **ON_LONG)
    free = desk.free("alice")
    closing = desk.order("alice", "SELL", "5", "61000", **ON_LONG)
    assert (opening.reduce_only, closing.reduce_only) == (False, True)
    assert closing.lots == lots("1"), "clamped to the position"
    assert desk.free("alice") == free


def test_each_side_has_its_own_entry_profit_and_margin(desk: Desk) -> None:
    desk.order("alice", "BUY", "1", **ON_LONG)
    desk.order("alice", "SELL", "1", **ON_SHORT)
    desk.price("61000", last=False)
    long, short = desk.position("alice", "BTCUSDT:LONG"), desk.position("alice", "BTCUSDT:SHORT")
    assert (unrealized_pnl(long), unrealized_pnl(short)) == (money("990"), -money("1010"))
    assert position_margin(long) == position_margin(short) == money("3050")
    fees = money("60.00")  # 0.05 % of 60010 and of 59990
    assert desk.free("alice") == money("100000") - fees - money("20") - 2 * money("3050")


@pytest.mark.parametrize("larger", [False, True])
def test_orders_of_both_sides_freeze_both(larger: bool) -> None:
    desk = Desk(larger_side_margin=larger)
    desk.do(SetPositionMode(1, True))
    desk.order("alice", "BUY", "1", "50000", **ON_LONG)
    desk.order("alice", "SELL", "1", "70000", **ON_SHORT)
    assert desk.account("alice").order_margin == money("6000"), "either can fill, neither nets"


def test_a_long_does_not_pay_for_a_short(desk: Desk) -> None:
    """In one-way mode the same SELL would close the long, and so freeze nothing."""
    desk.order("alice", "BUY", "1", **ON_LONG)
    before = desk.free("alice")
    desk.order("alice", "SELL", "1", "62000", **ON_SHORT)
    assert before - desk.free("alice") == money("3100")


def test_events_name_the_side(desk: Desk) -> None:
    desk.order("alice", "SELL", "1", **ON_SHORT)
    desk.order("alice", "BUY", "0.5", **ON_SHORT)
    changed = [event for event in desk.events() if isinstance(event, PositionChanged)]
    fills: list[Fill] = [event.fill for event in desk.events() if isinstance(event, OrderFilled)]
    assert [(event.account, event.position_side, event.lots) for event in changed] == [
        (2, BOTH, -lots("0.5")),
        (1, SHORT, -lots("0.5")),
    ]
    assert [fill.position_side for fill in fills] == [BOTH, SHORT]
    assert changed[1].realized == fills[1].realized == -money("10")


def test_closing_orders_of_a_side_expire_with_it(desk: Desk) -> None:
    desk.order("alice", "BUY", "1", **ON_LONG)
    desk.order("alice", "SELL", "1", **ON_SHORT)
    of_long = desk.order("alice", "SELL", "1", "61000", **ON_LONG)
    of_short = desk.order("alice", "BUY", "1", "59000", **ON_SHORT)
    desk.order("alice", "SELL", "1", **ON_LONG)
    assert desk.last(of_long.order_id).cause.name == "POSITION_GONE"
    assert desk.last(of_short.order_id).status.name == "NEW"


def test_children_are_of_their_parents_side(desk: Desk) -> None:
    desk.order("alice", "SELL", "0.5", **ON_SHORT)
    parent = desk.order(
        "alice", "BUY", "1", take_profit_ticks="61000", stop_loss_ticks="59000", **ON_LONG
    )
    children = desk.state.families[parent.order_id]
    assert [(child.side.name, child.position_side, child.armed_lots) for child in children] == [
        ("SELL", LONG, lots("1")),
        ("SELL", LONG, lots("1")),
    ]
    assert (
        desk.refused(
            "alice", "SELL", "1", type="STOP_MARKET", trigger="59000", parent_id=99, **ON_LONG
        )
        == "PARENT_UNKNOWN"
    )
    desk.order("alice", "BUY", "0.5", **ON_SHORT)
    assert len(desk.state.families[parent.order_id]) == 2, "the short was not theirs to guard"
    desk.order("alice", "SELL", "0.5", **ON_SHORT)
    desk.price("58000")
    assert held(desk) == (0, -500), "the stop loss closed the long alone"
    assert not desk.state.families


def test_a_child_of_the_other_side_is_refused(desk: Desk) -> None:
    parent = desk.order("alice", "BUY", "1", "59000", **ON_LONG)
    stop: dict[str, Any] = {
        "type": "STOP_MARKET",
        "trigger": "58000",
        "parent_id": parent.order_id,
    }
    assert desk.refused("alice", "SELL", "1", **stop, **ON_SHORT) == "POSITION_SIDE_MISMATCH"
    child = desk.order("alice", "SELL", "1", **stop, **ON_LONG)
    assert (child.parent_id, child.armed_lots, child.reduce_only) == (parent.order_id, 0, True)


def test_leverage_is_one_for_both_sides(desk: Desk) -> None:
    desk.order("alice", "BUY", "1", **ON_LONG)
    desk.do(SetLeverage(1, "BTCUSDT", 10))
    desk.order("alice", "SELL", "1", **ON_SHORT)
    positions = desk.account("alice").positions
    assert {key: position.leverage for key, position in positions.items()} == {
        "BTCUSDT:LONG": 10,
        "BTCUSDT:SHORT": 10,
    }


def test_leverage_is_refused_by_either_side(desk: Desk) -> None:
    desk.do(SetLeverage(1, "BTCUSDT", 50))
    for price in ("59990", "59980", "59970"):
        desk.order("carol", "BUY", "2", price)
    desk.order("alice", "SELL", "6", **ON_SHORT)
    reply = desk.do(SetLeverage(1, "BTCUSDT", 100))
    assert isinstance(reply, Reject)
    assert reply.reason.name == "POSITION_LIMIT_EXCEEDED"


def test_each_side_has_the_whole_cap_of_its_leverage(desk: Desk) -> None:
    desk.do(SetLeverage(1, "BTCUSDT", 100))
    desk.order("alice", "BUY", "4.9", "59000", **ON_LONG)
    desk.order("alice", "SELL", "4.9", "61000", **ON_SHORT)
    assert desk.refused("alice", "BUY", "0.3", "59000", **ON_LONG) == "POSITION_LIMIT_EXCEEDED"


def test_the_limit_of_open_orders_counts_both_sides(desk: Desk) -> None:
    desk.do(DefineInstrument(structs.replace(BTC, max_orders=2), 600_000))
    desk.order("alice", "BUY", "0.001", "50000", **ON_LONG)
    desk.order("alice", "SELL", "0.001", "70000", **ON_SHORT)
    for side, fields in (("BUY", ON_LONG), ("SELL", ON_SHORT)):
        price = "50000" if side == "BUY" else "70000"
        assert desk.refused("alice", side, "0.001", price, **fields) == "OPEN_ORDER_LIMIT_REACHED"


def test_cancel_all_reaches_both_sides(desk: Desk) -> None:
    desk.order("alice", "BUY", "0.001", "50000", **ON_LONG)
    desk.order("alice", "SELL", "0.001", "70000", **ON_SHORT)
    assert len(desk.do(CancelAllOrders(1, "BTCUSDT"))) == 2
    assert desk.account("alice").order_margin == 0


def test_one_account_trades_with_itself_from_side_to_side() -> None:
    desk = Desk()
    desk.do(SetPositionMode(1, True))
    desk.order("alice", "SELL", "1", "60000", **ON_SHORT)
    desk.order("alice", "BUY", "1", "60000", **ON_LONG)
    assert held(desk) == (1000, -1000)
    desk.order("alice", "SELL", "1", "60000", **ON_LONG)
    desk.order("alice", "BUY", "1", "60000", **ON_SHORT)
    assert held(desk) == (0, 0)
    # Four fills: two makers at 0.02 % and two takers at 0.05 % of 60000.
    assert desk.wallet("alice") == money("10000") - money("84")


def test_fill_or_kill_follows_the_side_it_takes_from() -> None:
    """A long that closes rests for all of itself, whatever the short of the same account is."""
    desk = Desk(deposit="100000")
    desk.do(SetPositionMode(1, True))
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000", **ON_LONG)
    desk.order("carol", "BUY", "3", "60000")
    desk.order("alice", "SELL", "3", "60000", **ON_SHORT)
    desk.order("alice", "SELL", "1", "60100", **ON_LONG)
    for quantity, fits in (("1.001", False), ("1", True)):
        reply = desk.place("carol", "BUY", quantity, "60100", time_in_force=TimeInForce.FOK)
        assert isinstance(reply, Reject) is not fits


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (("SELL", "1", "70000", ON_SHORT), "OPEN_ORDERS_EXIST"),
        (("BUY", "1", "", ON_LONG), "POSITION_EXISTS"),
        (None, "POSITION_MODE_UNCHANGED"),
    ],
)
def test_the_mode_changes_only_while_nothing_is_open(
    desk: Desk, prepare: tuple[str, str, str, dict[str, Any]] | None, reason: str
) -> None:
    if prepare:
        side, quantity, price, fields = prepare
        desk.order("alice", side, quantity, price, **fields)
    reply = desk.do(SetPositionMode(1, prepare is None))
    assert isinstance(reply, Reject)
    assert reply.reason.name == reason


def test_a_waiting_trigger_order_is_open_too(desk: Desk) -> None:
    desk.order("alice", "BUY", "1", type="STOP_MARKET", trigger="70000", **ON_LONG)
    assert desk.do(SetPositionMode(1, False)).reason.name == "OPEN_ORDERS_EXIST"


def test_leverage_outlives_the_mode(desk: Desk) -> None:
    desk.do(SetLeverage(1, "BTCUSDT", 7))
    reply = desk.do(SetPositionMode(1, False))
    assert reply == PositionModeChanged(1, False)
    assert desk.events() == [reply]
    assert desk.position("alice").leverage == 7
    desk.do(SetPositionMode(1, True))
    assert desk.position("alice", "BTCUSDT:SHORT").leverage == 7


def test_a_reset_returns_to_one_way_mode(desk: Desk) -> None:
    desk.do(Reset())
    assert not desk.account("alice").hedge
    desk.order("alice", "BUY", "1", "50000")


def test_a_snapshot_keeps_both_sides(desk: Desk) -> None:
    desk.order("alice", "BUY", "1", **ON_LONG)
    desk.order("alice", "SELL", "0.5", **ON_SHORT)
    desk.order("alice", "SELL", "1", "61000", **ON_LONG)
    loaded = load(dump(desk.state))
    account = loaded.accounts[1]
    assert account.hedge
    assert [(p.side, p.lots, len(p.reducers)) for p in account.positions.values()] == [
        (LONG, 1000, 1),
        (SHORT, -500, 0),
    ]


def test_trailing_stops_close_their_side(desk: Desk) -> None:
    desk.order("alice", "BUY", "1", **ON_LONG)
    desk.order("alice", "SELL", "1", **ON_SHORT)
    desk.order(
        "alice",
        "SELL",
        "1",
        type="TRAILING_STOP_MARKET",
        callback_ppm=10_000,
        activation_ticks=ticks("61000"),
        **ON_LONG,
    )
    for price in ("62000", "61000"):
        desk.price(price)
    assert held(desk) == (0, -1000)
