"""Self-trade prevention: who ends when a taker meets an order of its own account."""

from typing import Any

import pytest
from tests.engine.desk import Desk, money

from openperp.engine.commands import AmendOrder, SetPositionMode
from openperp.engine.events import OrderExpired, TradeExecuted
from openperp.engine.records import OrderRecord
from openperp.engine.terms import Cause, PositionSide, Side, StpMode, TimeInForce

MODES = [StpMode.EXPIRE_TAKER, StpMode.EXPIRE_MAKER, StpMode.EXPIRE_BOTH]


def crossed(stp: StpMode, **taker: Any) -> tuple[Desk, OrderRecord, OrderRecord, OrderRecord]:
    """Alice buys 3 of what bob offers 1 of at 100 less, and she herself 1 of at the market."""
    desk = Desk()
    bobs = desk.order("bob", "SELL", "0.001", "59900")
    own = desk.order("alice", "SELL", "0.001", "60000")
    desk.order("carol", "SELL", "0.001", "60100")
    reply = desk.order("alice", "BUY", "0.003", stp=stp, **taker)
    return desk, bobs, own, reply


# Source: the fapi's pages on self-trade prevention and its enum of modes.
OUTCOMES = [
    (StpMode.NONE, "FILLED", "FILLED", 3),
    (StpMode.EXPIRE_TAKER, "EXPIRED_IN_MATCH", "NEW", 1),
    (StpMode.EXPIRE_MAKER, "EXPIRED", "EXPIRED_IN_MATCH", 2),
    (StpMode.EXPIRE_BOTH, "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH", 1),
]


@pytest.mark.parametrize(("stp", "taker", "maker", "filled"), OUTCOMES)
def test_who_expires(stp: StpMode, taker: str, maker: str, filled: int) -> None:
    desk, bobs, own, reply = crossed(stp)
    assert (reply.status.name, reply.filled_lots) == (taker, filled)
    assert desk.status(own.order_id) == maker
    assert desk.status(bobs.order_id) == "FILLED"


@pytest.mark.parametrize("stp", MODES)
@pytest.mark.parametrize("time_in_force", [TimeInForce.GTC, TimeInForce.IOC])
def test_limit_orders_are_prevented_too(stp: StpMode, time_in_force: TimeInForce) -> None:
    desk, _, own, reply = crossed(stp, price="60000", time_in_force=time_in_force)
    assert reply.filled_lots == 1
    if stp is StpMode.EXPIRE_MAKER:
        rests = time_in_force is TimeInForce.GTC
        assert reply.status.name == ("PARTIALLY_FILLED" if rests else "EXPIRED")
    else:
        assert reply.status.name == "EXPIRED_IN_MATCH"
        assert desk.last(reply.order_id).cause is Cause.SELF_TRADE
    assert (own.order_id in desk.state.orders) == (stp is StpMode.EXPIRE_TAKER)


@pytest.mark.parametrize("stp", MODES)
def test_it_has_no_effect_on_fill_or_kill(stp: StpMode) -> None:
    desk, _, own, reply = crossed(stp, price="60100", time_in_force=TimeInForce.FOK)
    assert (reply.status.name, desk.status(own.order_id)) == ("FILLED", "FILLED")


def test_the_mode_of_the_maker_does_not_count() -> None:
    desk = Desk()
    own = desk.order("alice", "SELL", "0.001", "60000", stp=StpMode.EXPIRE_BOTH)
    assert desk.order("alice", "BUY", "0.001", "60000").status.name == "FILLED"
    assert desk.status(own.order_id) == "FILLED"


def test_no_trade_happens_and_nothing_stays_frozen() -> None:
    desk = Desk()
    desk.order("alice", "SELL", "0.001", "60000")
    desk.order("alice", "BUY", "0.001", "60000", stp=StpMode.EXPIRE_BOTH)
    assert not [event for event in desk.events() if isinstance(event, TradeExecuted)]
    assert [event.order.order_id for event in desk.events() if isinstance(event, OrderExpired)] == [
        1,
        2,
    ]
    assert (desk.account("alice").order_margin, desk.wallet("alice")) == (0, money("10000"))


def test_an_order_that_could_only_meet_itself_needs_no_margin_to_fill() -> None:
    """A MARKET order is checked at what it would fill, and that is nothing."""
    desk = Desk(deposit="3000.1")
    desk.order("alice", "SELL", "0.9", "60000")
    assert desk.refused("alice", "BUY", "1") == "MARGIN_INSUFFICIENT"
    reply = desk.order("alice", "BUY", "1", stp=StpMode.EXPIRE_TAKER)
    assert (reply.status.name, reply.filled_lots) == ("EXPIRED_IN_MATCH", 0)


@pytest.mark.parametrize(
    ("price", "own_price", "reason"),
    [
        # 1 at 50000 over 20 is 2500; the own bid freezes 3 of the 2600.
        ("", "60000", ""),
        ("50000", "60000", ""),
        ("", "49000", ""),
        # Nobody is in the way: the best bid is another's.
        ("", "", "MARGIN_INSUFFICIENT"),
    ],
)
def test_a_seller_is_checked_at_the_bids_that_he_would_fill(
    price: str, own_price: str, reason: str
) -> None:
    desk = Desk(deposit="2600")
    if own_price:
        desk.order("alice", "BUY", "0.001", own_price)
    else:
        desk.order("carol", "BUY", "0.001", "60000")
    desk.order("bob", "BUY", "1", "50000")
    reply = desk.place("alice", "SELL", "1", price, stp=StpMode.EXPIRE_MAKER)
    if reason:
        assert reply.reason.name == reason
    else:
        assert (reply.status.name, reply.filled_value) == ("FILLED", 500_000 * 1_000)


def test_both_sides_of_a_hedged_account_are_the_same_account() -> None:
    desk = Desk()
    desk.do(SetPositionMode(desk.account("alice").account_id, True))
    own = desk.order("alice", "SELL", "0.001", "60000", position_side=PositionSide.SHORT)
    reply = desk.order(
        "alice", "BUY", "0.001", position_side=PositionSide.LONG, stp=StpMode.EXPIRE_MAKER
    )
    assert (reply.status.name, reply.filled_lots) == ("EXPIRED", 0)
    assert desk.status(own.order_id) == "EXPIRED_IN_MATCH"


def test_amending_keeps_the_mode() -> None:
    desk = Desk()
    ask = desk.order("alice", "SELL", "0.001", "60000")
    bid = desk.order("alice", "BUY", "0.001", "59000", stp=StpMode.EXPIRE_TAKER)
    desk.do(AmendOrder(bid.account, "BTCUSDT", Side.BUY, 1, 600_000, bid.order_id))
    assert desk.status(bid.order_id) == "EXPIRED_IN_MATCH"
    assert desk.status(ask.order_id) == "NEW"


def test_a_fired_order_keeps_its_mode() -> None:
    desk = Desk()
    ask = desk.order("alice", "SELL", "0.001", "61000")
    stop = desk.order(
        "alice",
        "BUY",
        "0.001",
        type="STOP_MARKET",
        trigger="60500",
        stp=StpMode.EXPIRE_MAKER,
    )
    desk.price("60600")
    assert desk.status(stop.order_id) == "EXPIRED"
    assert desk.status(ask.order_id) == "EXPIRED_IN_MATCH"


@pytest.mark.parametrize("opened", [False, True])
def test_children_follow_a_parent_that_expires_in_the_match(opened: bool) -> None:
    """They guard what it has opened, and go when that is nothing."""
    desk = Desk()
    bid = desk.order("alice", "BUY", "0.002", "60000", stop_loss_ticks="59000")
    if opened:
        desk.order("bob", "SELL", "0.001", "60000")
    desk.order("alice", "SELL", "0.002", "60000", stp=StpMode.EXPIRE_MAKER)
    assert desk.status(bid.order_id) == "EXPIRED_IN_MATCH"
    assert desk.status(bid.order_id + 1) == ("NEW" if opened else "CANCELED")
