"""Reduce-only orders close and never open, whatever happens around them."""

import pytest
from tests.engine.desk import Desk, lots


@pytest.fixture
def desk() -> Desk:
    """Alice is long 1, Bob short 1."""
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    return desk


@pytest.mark.parametrize(
    ("name", "side"), [("alice", "BUY"), ("bob", "SELL"), ("carol", "BUY"), ("carol", "SELL")]
)
@pytest.mark.parametrize("price", ["60000", ""])
def test_nothing_to_reduce_is_refused(desk: Desk, name: str, side: str, price: str) -> None:
    assert desk.refused(name, side, "1", price, reduce_only=True) == "REDUCE_ONLY_REJECTED"


def test_it_is_clamped_to_the_position(desk: Desk) -> None:
    order = desk.order("alice", "SELL", "5", "61000", reduce_only=True)
    assert order.lots == lots("1")


def test_it_freezes_nothing_and_needs_no_margin(desk: Desk) -> None:
    desk.order("alice", "SELL", "1", "61000", reduce_only=True)
    assert desk.account("alice").order_margin == 0


def test_several_fill_no_more_than_the_position(desk: Desk) -> None:
    first = desk.order("alice", "SELL", "0.7", "61000", reduce_only=True)
    second = desk.order("alice", "SELL", "0.7", "61000", reduce_only=True)

    taker = desk.order("carol", "BUY", "2", "61000")

    assert desk.position("alice").lots == 0
    assert taker.filled_lots == lots("1")
    assert desk.status(first.order_id) == "FILLED"
    assert desk.last(second.order_id).filled_lots == lots("0.3")
    assert desk.last(second.order_id).cause.name == "POSITION_GONE"


def test_it_expires_when_another_order_closes_the_position(desk: Desk) -> None:
    resting = desk.order("alice", "SELL", "1", "61000", reduce_only=True)
    desk.order("carol", "BUY", "1", "60000")
    desk.order("alice", "SELL", "1", "60000")
    assert desk.last(resting.order_id).cause.name == "POSITION_GONE"


def test_a_market_order_closes_and_does_not_flip(desk: Desk) -> None:
    desk.order("carol", "BUY", "3", "59000")
    order = desk.order("alice", "SELL", "3", reduce_only=True)
    assert (order.status.name, order.filled_lots) == ("FILLED", lots("1"))
    assert desk.position("alice").lots == 0


def test_small_reductions_are_exempt_from_the_minimum_notional(desk: Desk) -> None:
    assert desk.refused("alice", "SELL", "0.001", "4000") == "NOTIONAL_BELOW_MINIMUM"
    desk.order("alice", "SELL", "0.001", "4000", reduce_only=True)
    assert desk.account("alice").order_margin == 0
