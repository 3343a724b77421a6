"""Reduce-only orders that compete for one position: who keeps his place in the book.

Source: -2022 as "conflicts with position or open orders", and `er` 4 of the user data
stream, where an order of higher priority knocks others out or they would open the other side.
"""

import pytest
from tests.engine.desk import Desk, lots, money, ticks

from openperp.engine import snapshot
from openperp.engine.commands import AmendOrder, SetPositionMode
from openperp.engine.events import OrderExpired
from openperp.engine.terms import PositionSide, Side, StpMode, TimeInForce


@pytest.fixture
def desk() -> Desk:
    """Alice is long 1, Bob short 1."""
    desk = Desk(displaces_reducers=True)
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    return desk


def reduce(desk: Desk, quantity: str, price: str = "", **fields: object) -> int:
    """Alice's reduce-only order; its id."""
    order = desk.order("alice", "SELL", quantity, price, reduce_only=True, **fields)
    return order.order_id


def left(desk: Desk, name: str = "alice") -> list[tuple[str, int]]:
    """What rests of an account's reduce-only orders: price and lots, by arrival."""
    orders = desk.position(name).reducers.values()
    return [(str(order.ticks / 10), order.remaining_lots) for order in orders]


def displaced(desk: Desk) -> list[int]:
    """Whom the last command displaced."""
    return [
        event.order.order_id
        for event in desk.events()
        if isinstance(event, OrderExpired) and event.order.cause.name == "DISPLACED"
    ]


NEWCOMERS = [
    # resting reduce-only SELL orders: quantity at price; the new one; what it becomes, or
    # None where it is refused; which of the resting ones (by number) it displaces
    ([("0.4", "61000")], ("0.6", "62000"), "0.6", []),
    ([("0.4", "61000")], ("1", "62000"), "0.6", []),
    ([("0.4", "61000")], ("1", "61000"), "0.6", []),  # first come, first served
    ([("0.4", "61000")], ("1", "60900"), "1", [1]),
    ([("0.4", "61000")], ("0.6", "60900"), "0.6", []),
    ([("0.4", "61000")], ("0.7", "60900"), "0.7", [1]),
    ([("1", "61000")], ("0.1", "61000"), None, []),
    ([("1", "61000")], ("0.1", "62000"), None, []),
    ([("1", "61000")], ("0.1", "60900"), "0.1", [1]),
    ([("0.3", "61000"), ("0.3", "62000"), ("0.3", "63000")], ("0.1", "60900"), "0.1", []),
    ([("0.3", "61000"), ("0.3", "62000"), ("0.3", "63000")], ("0.2", "60900"), "0.2", [3]),
    ([("0.3", "63000"), ("0.3", "62000"), ("0.3", "61000")], ("0.5", "61500"), "0.5", [1, 2]),
    ([("0.3", "61000"), ("0.3", "61000"), ("0.3", "61000")], ("0.2", "60900"), "0.2", [3]),
    ([("0.3", "61000"), ("0.3", "61000"), ("0.3", "61000")], ("1", "61000"), "0.1", []),
]


@pytest.mark.parametrize(("resting", "new", "becomes", "loses"), NEWCOMERS)
def test_a_newcomer_takes_the_room_of_those_that_trade_after_it(
    desk: Desk,
    resting: list[tuple[str, str]],
    new: tuple[str, str],
    becomes: str | None,
    loses: list[int],
) -> None:
    ids = [reduce(desk, quantity, price) for quantity, price in resting]
    if becomes is None:
        assert desk.refused("alice", "SELL", *new, reduce_only=True) == "REDUCE_ONLY_REJECTED"
    else:
        order = desk.order("alice", "SELL", *new, reduce_only=True)
        assert order.lots == lots(becomes)
        assert sorted(displaced(desk)) == [ids[number - 1] for number in loses]
    live = [order_id for order_id in ids if order_id in desk.state.orders]
    assert live == [ids[at] for at in range(len(ids)) if at + 1 not in loses]


def test_the_last_to_trade_goes_first(desk: Desk) -> None:
    worst = reduce(desk, "0.3", "63000")
    older = reduce(desk, "0.3", "62000")
    younger = reduce(desk, "0.3", "62000")
    reduce(desk, "0.9", "61000")
    assert displaced(desk) == [worst, younger, older]


def test_a_market_order_displaces_as_it_closes(desk: Desk) -> None:
    desk.order("carol", "BUY", "0.4", "60000")
    near, far = reduce(desk, "0.5", "61000"), reduce(desk, "0.5", "62000")
    reduce(desk, "0.4")
    assert displaced(desk) == [far]
    assert near in desk.state.orders
    assert left(desk) == [("61000.0", lots("0.5"))]


def test_a_market_order_that_finds_nobody_displaces_nobody(desk: Desk) -> None:
    resting = reduce(desk, "1", "61000")
    order = desk.order("alice", "SELL", "1", reduce_only=True)
    assert order.status.name == "EXPIRED"
    assert resting in desk.state.orders


def test_any_other_close_displaces_what_would_open(desk: Desk) -> None:
    resting = reduce(desk, "1", "61000")
    desk.order("carol", "BUY", "0.1", "60000")
    desk.order("alice", "SELL", "0.1", "60000")
    assert displaced(desk) == [resting]
    assert desk.position("alice").lots == lots("0.9")


def test_fills_of_their_own_displace_nobody(desk: Desk) -> None:
    near, far = reduce(desk, "0.5", "61000"), reduce(desk, "0.5", "62000")
    desk.order("carol", "BUY", "0.2", "61000")
    assert displaced(desk) == []
    desk.order("carol", "BUY", "0.8", "62000")
    assert (desk.status(near), desk.status(far)) == ("FILLED", "FILLED")
    assert desk.position("alice").lots == 0


def test_an_amended_order_gives_way_like_a_new_one(desk: Desk) -> None:
    near, far = reduce(desk, "0.6", "61000"), reduce(desk, "0.4", "62000")

    def amend(order_id: int, quantity: str, price: str) -> None:
        desk.do(AmendOrder(1, "BTCUSDT", Side.SELL, lots(quantity), ticks(price), order_id))

    amend(far, "1", "62500")
    assert desk.last(far).lots == lots("0.4")
    amend(far, "0.8", "60500")
    assert displaced(desk) == [near]
    assert left(desk) == [("60500.0", lots("0.8"))]


def test_an_amended_order_keeps_at_least_what_it_had(desk: Desk) -> None:
    near, far = reduce(desk, "0.9", "61000"), reduce(desk, "0.1", "62000")
    desk.do(AmendOrder(1, "BTCUSDT", Side.SELL, lots("1"), ticks("62000"), near))
    assert desk.last(near).lots == lots("0.9")
    assert left(desk) == [("62000.0", lots("0.1")), ("62000.0", lots("0.9"))]
    assert far in desk.state.orders


def test_what_fires_is_cut_to_its_room_or_refused(desk: Desk) -> None:
    reduce(desk, "0.7", "61000")
    stop = reduce(
        desk, "1", "62000", type="TAKE_PROFIT", trigger="60500", time_in_force=TimeInForce.GTC
    )
    desk.price("60500")
    assert desk.last(stop).lots == lots("0.3")
    late = reduce(desk, "1", "63000", type="TAKE_PROFIT", trigger="60600")
    desk.price("60600")
    ended = desk.last(late)
    assert (ended.status.name, ended.cause.name) == ("EXPIRED", "DISPLACED")


def test_a_fired_stop_takes_the_place_of_a_resting_profit(desk: Desk) -> None:
    profit = reduce(desk, "1", "61000")
    stop = reduce(desk, "0.5", type="STOP_MARKET", trigger="59000")
    assert displaced(desk) == []  # An order that waits takes no room.
    desk.order("carol", "BUY", "1", "58900")
    desk.price("59000")
    assert desk.status(stop) == "FILLED"
    assert desk.last(profit).cause.name == "DISPLACED"


def test_hedged_sides_have_room_of_their_own(desk: Desk) -> None:
    desk.order("bob", "BUY", "1", "60000")
    desk.order("alice", "SELL", "1", "60000")
    desk.do(SetPositionMode(1, True))
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000", position_side=PositionSide.LONG)
    first = desk.order("alice", "SELL", "1", "61000", position_side=PositionSide.LONG)
    reason = desk.refused("alice", "SELL", "1", "61000", position_side=PositionSide.LONG)
    assert reason == "REDUCE_ONLY_REJECTED"
    desk.order("alice", "SELL", "0.1", "62000", position_side=PositionSide.SHORT)
    assert first.order_id in desk.state.orders


def test_a_sweep_foresees_who_is_displaced(desk: Desk) -> None:
    """Bob is short 1: his plain bid and his reduce-only one cannot both be filled."""
    desk.order("bob", "BUY", "0.4", "60000")
    desk.order("bob", "BUY", "1", "59900", reduce_only=True)
    terms = {"time_in_force": TimeInForce.FOK}
    assert desk.refused("carol", "SELL", "0.5", "59000", **terms) == "NOT_FILLABLE"
    order = desk.order("carol", "SELL", "0.4", "59000", **terms)
    assert order.status.name == "FILLED"
    assert displaced(desk)


def test_a_sweep_through_ones_own_orders_foresees_it_too(desk: Desk) -> None:
    """Bob sells to himself: his bid closes first, which displaces, and his sale opens again."""
    desk.order("bob", "BUY", "0.4", "60000", stp=StpMode.NONE)
    desk.order("bob", "BUY", "1", "59900", reduce_only=True)
    terms = {"time_in_force": TimeInForce.FOK}
    assert desk.refused("bob", "SELL", "0.5", "59000", **terms) == "NOT_FILLABLE"


def test_a_snapshot_keeps_the_rule_and_the_room(desk: Desk) -> None:
    reduce(desk, "0.4", "61000")
    loaded = snapshot.load(snapshot.dump(desk.state))
    assert loaded.displaces_reducers
    assert loaded.accounts[1].positions["BTCUSDT"].reducing_lots == lots("0.4")
    assert snapshot.digest(loaded) == snapshot.digest(desk.state)


def test_earlier_venues_let_them_rest() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    reduce(desk, "1", "61000")
    reduce(desk, "1", "62000")
    assert len(left(desk)) == 2
    assert desk.account("alice").order_margin == money("0")
