"""Orders that are held to the mark price: the filter, the bound of takers, price protection."""

from typing import Any

import pytest
from msgspec import structs
from tests.engine.desk import BTC, Desk, lots, money

from openperp.engine.commands import AmendOrder, DefineInstrument, FundInsurance, Withdraw
from openperp.engine.margin import withdrawable
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest, dump, load
from openperp.engine.terms import FOK, GTC, IOC, Cause, Side, StpMode, TimeInForce, WorkingType


def guarded(*, rules: dict[str, Any] | None = None, **terms: Any) -> Desk:
    """Mark and last stand at 60000."""
    desk = Desk(deposit="1000000", **(rules or {}))
    desk.do(DefineInstrument(structs.replace(BTC, guards_prices=True, **terms), 600_000))
    return desk


# Source: the fapi's filter PERCENT_PRICE with multipliers of 1.05 and 0.95.
LIMITS = [
    ("BUY", "63000", ""),
    ("BUY", "63000.1", "PRICE_ABOVE_MARK_BOUND"),
    ("BUY", "100", ""),
    ("SELL", "57000", ""),
    ("SELL", "56999.9", "PRICE_BELOW_MARK_BOUND"),
    ("SELL", "900000", ""),
]


@pytest.mark.parametrize(("side", "price", "reason"), LIMITS)
@pytest.mark.parametrize("on", [True, False])
def test_limit_prices(side: str, price: str, reason: str, on: bool) -> None:
    desk = guarded() if on else Desk(deposit="1000000")
    before = digest(desk.state)
    reply = desk.place("alice", side, "0.1", price)
    assert isinstance(reply, Reject) == bool(reason and on)
    if isinstance(reply, Reject):
        assert reply.reason.name == reason
        assert digest(desk.state) == before


@pytest.mark.parametrize(("side", "price", "reason"), LIMITS)
def test_amended_prices(side: str, price: str, reason: str) -> None:
    desk = guarded()
    order = desk.order("alice", side, "0.1", "60000")
    changed = desk.order("alice", side, "0.1", "60000.1")
    amend = AmendOrder(order.account, "BTCUSDT", Side[side], 100, int(float(price) * 10))
    reply = desk.do(structs.replace(amend, order_id=changed.order_id))
    assert isinstance(reply, Reject) == bool(reason)
    if isinstance(reply, Reject):
        assert reply.reason.name == reason


@pytest.mark.parametrize(
    ("side", "best", "refused"),
    [
        ("BUY", "63000", False),
        ("BUY", "63000.1", True),
        ("BUY", "59000", False),
        ("SELL", "57000", False),
        ("SELL", "56999.9", True),
    ],
)
def test_market_orders_and_the_best_price(side: str, best: str, refused: bool) -> None:
    desk = guarded()
    desk.order("bob", "SELL" if side == "BUY" else "BUY", "0.1", best)
    reply = desk.place("alice", side, "0.1")
    assert isinstance(reply, Reject) == refused
    if isinstance(reply, Reject):
        assert reply.reason.name == "BEST_PRICE_BEYOND_BOUND"


@pytest.mark.parametrize("bounds", [True, False])
def test_a_market_order_in_an_empty_book_expires_as_ever(bounds: bool) -> None:
    desk = guarded(rules={"bounds_sweeps": bounds})
    order = desk.last(desk.order("alice", "BUY", "0.1").order_id)
    assert (order.status.name, order.cause) == ("EXPIRED", Cause.NO_LIQUIDITY)


BOUNDED = {"bounds_sweeps": True}

# What becomes of a MARKET order for 0.3 where 0.1 is offered at each price. 63000 and 57000 are
# 5 % from 60000; those of 60000.3 are 63000.315 and 57000.285.
SWEEPS = [
    ("BUY", "60000", ("60000", "63000", "63000.1"), "0.2", "BOUND_REACHED"),
    ("SELL", "60000", ("60000", "57000", "56999.9"), "0.2", "BOUND_REACHED"),
    ("BUY", "60000.3", ("63000.3", "63000.4"), "0.1", "BOUND_REACHED"),
    ("SELL", "60000.3", ("57000.3", "57000.2"), "0.1", "BOUND_REACHED"),
    ("BUY", "60000", ("60000", "63000"), "0.2", "NO_LIQUIDITY"),
    ("SELL", "60000", ("60000", "57000"), "0.2", "NO_LIQUIDITY"),
    ("BUY", "60000", ("57000", "60000", "63000"), "0.3", "NONE"),
    ("BUY", "60000", ("63000.1",), "0", "BEST_PRICE_TOO_FAR"),
    ("SELL", "60000", ("56999.9",), "0", "BEST_PRICE_TOO_FAR"),
]


def offer(desk: Desk, side: str, prices: tuple[str, ...]) -> None:
    """Bob offers 0.1 at each price to a taker of `side`, while mark is 1000 behind 60000."""
    desk.price("59000" if side == "BUY" else "61000")
    for price in prices:
        desk.order("bob", "SELL" if side == "BUY" else "BUY", "0.1", price)


@pytest.mark.parametrize(("side", "mark", "prices", "filled", "cause"), SWEEPS)
def test_how_far_a_market_order_sweeps(
    side: str, mark: str, prices: tuple[str, ...], filled: str, cause: str
) -> None:
    desk = guarded(rules=BOUNDED)
    offer(desk, side, prices)
    desk.price(mark)
    before = digest(desk.state)
    if cause == "BEST_PRICE_TOO_FAR":
        assert desk.refused("alice", side, "0.3") == "BEST_PRICE_BEYOND_BOUND"
        assert digest(desk.state) == before
        return
    order = desk.last(desk.order("alice", side, "0.3").order_id)
    assert (order.filled_lots, order.cause.name) == (lots(filled), cause)
    assert order.status.name == ("FILLED" if cause == "NONE" else "EXPIRED")
    assert desk.account("alice").order_margin == 0


@pytest.mark.parametrize("type", ["STOP_MARKET", "TRAILING_STOP_MARKET"])
@pytest.mark.parametrize(("side", "mark", "prices", "filled", "cause"), SWEEPS)
def test_how_far_a_fired_order_sweeps(
    type: str, side: str, mark: str, prices: tuple[str, ...], filled: str, cause: str
) -> None:
    desk = guarded(rules=BOUNDED)
    offer(desk, side, prices)
    fields: dict[str, Any] = {"working_type": WorkingType.MARK_PRICE}
    if type == "STOP_MARKET":
        fields["trigger"] = "59500" if side == "BUY" else "60500"
    else:
        fields["callback_ppm"] = 1_000
    stop = desk.order("alice", side, "0.3", type=type, **fields)
    desk.price(mark)
    last = desk.last(stop.order_id)
    assert last.triggered_ms == desk.now
    assert (last.filled_lots, last.cause.name) == (lots(filled), cause)
    assert desk.account("alice").order_margin == 0


@pytest.mark.parametrize(
    ("best", "left", "cause"),
    [("57475", 0, "NONE"), ("57474.9", 100, "BEST_PRICE_TOO_FAR")],
)
def test_a_position_is_closed_within_the_bound_or_stays(best: str, left: int, cause: str) -> None:
    desk = guarded(rules=BOUNDED)
    desk.order("bob", "SELL", "0.1", "60000")
    desk.order("alice", "BUY", "0.1")
    stop = desk.order(
        "alice",
        "SELL",
        "",
        type="TAKE_PROFIT_MARKET",
        trigger="60500",
        close_position=True,
        working_type=WorkingType.MARK_PRICE,
    )
    desk.order("bob", "BUY", "0.1", best)
    desk.price("60500")
    assert desk.last(stop.order_id).cause.name == cause
    assert desk.position("alice").lots == left


def test_venues_from_before_sweep_on() -> None:
    desk = guarded()
    offer(desk, "BUY", ("60000", "63000", "99000"))
    desk.price("60000")
    assert desk.order("alice", "BUY", "0.3").status.name == "FILLED"
    terms = {"type": "STOP_MARKET", "working_type": WorkingType.MARK_PRICE}
    stop = desk.order("alice", "BUY", "0.1", trigger="60500", **terms)
    desk.order("bob", "SELL", "0.1", "99000")
    desk.price("60500")
    assert desk.status(stop.order_id) == "FILLED"


def test_the_margin_is_that_of_what_is_inside() -> None:
    """0.2 may be bought, at 63000 at the dearest and for a twentieth; what is beyond costs nothing.

    With 630 that is enough, and with any less it is not.
    """
    needed = 2 * 6_300 * MONEY_ONE // 20
    for spare, reason in ((0, ""), (-1, "MARGIN_INSUFFICIENT")):
        desk = guarded(rules=BOUNDED)
        offer(desk, "BUY", ("60000", "63000", "90000"))
        desk.price("60000")
        desk.do(Withdraw("alice", "USDT", desk.wallet("alice") - needed - spare))
        reply = desk.place("alice", "BUY", "0.3")
        assert isinstance(reply, Reject) == bool(reason)
        if isinstance(reply, Reject):
            assert reply.reason.name == reason


@pytest.mark.parametrize("time_in_force", [FOK, IOC])
def test_orders_with_a_price_go_as_far_as_that(time_in_force: TimeInForce) -> None:
    desk = guarded(rules=BOUNDED, market_take_bound_ppm=1_000)
    offer(desk, "BUY", ("60000", "61000", "62000"))
    desk.price("60000")
    assert desk.order("alice", "BUY", "0.2", time_in_force=GTC).filled_lots == 100
    order = desk.order("alice", "BUY", "0.2", "62000", time_in_force=time_in_force)
    assert order.status.name == "FILLED"


def test_a_liquidation_is_not_held_by_the_bound() -> None:
    """Carol has set a bid aside for alice, 8 % from mark, which her liquidation takes."""
    desk = guarded(rules={**BOUNDED, "liquidates": True})
    desk.do(FundInsurance(money("100000")))
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1")
    desk.do(Withdraw("alice", "USDT", withdrawable(desk.account("alice"))))
    desk.order("carol", "BUY", "1", "52000")
    desk.price("57000")
    assert desk.position("alice").lots == 0
    assert desk.position("carol").lots == 1_000


def test_a_seller_has_no_bound_below_zero() -> None:
    desk = guarded(rules=BOUNDED, market_take_bound_ppm=1_500_000)
    offer(desk, "SELL", ("60000", "100", "60"))
    assert desk.order("alice", "SELL", "0.3").status.name == "FILLED"


def test_its_own_orders_inside_the_bound_do_not_count() -> None:
    desk = guarded(rules=BOUNDED)
    own = desk.order("alice", "SELL", "0.1", "60000")
    desk.order("bob", "SELL", "0.1", "64000")
    order = desk.last(desk.order("alice", "BUY", "0.1", stp=StpMode.EXPIRE_MAKER).order_id)
    assert (order.status.name, order.cause) == ("EXPIRED", Cause.BOUND_REACHED)
    assert desk.status(own.order_id) == "EXPIRED_IN_MATCH"


@pytest.mark.parametrize("bounds", [False, True])
def test_snapshots_know_whether_sweeps_are_bounded(bounds: bool) -> None:
    desk = guarded(rules={"bounds_sweeps": bounds})
    loaded = load(dump(desk.state))
    assert loaded.bounds_sweeps is bounds
    assert loaded.markets["BTCUSDT"].guarded


@pytest.mark.parametrize(
    ("protect", "mark", "ended"),
    [
        (True, "60000", False),
        (True, "57143.8", True),
        (True, "57143.9", False),
        (True, "63158", False),
        (True, "56999", True),
        (False, "56999", False),
    ],
)
@pytest.mark.parametrize("on", [True, False])
def test_price_protection(protect: bool, mark: str, ended: bool, on: bool) -> None:
    """A stop on the last price fires at 60001 while mark is elsewhere; 5 % of mark may lie
    between: 57143.8 x 1.05 = 60000.99, and 63158 x 0.95 = 60000.1.
    """
    desk = guarded(multiplier_up_ppm=1_500_000) if on else Desk(deposit="1000000")
    desk.price(mark, last=False)
    stop = desk.order(
        "alice", "BUY", "0.1", "60000", type="STOP", trigger="60001", price_protect=protect
    )
    desk.order("bob", "SELL", "0.001", "60001")
    desk.order("carol", "BUY", "0.001", "60001")
    last = desk.last(stop.order_id)
    assert last.triggered_ms == desk.now
    assert (last.cause is Cause.PRICES_APART) == (ended and on)
    assert last.status.name == ("EXPIRED" if ended and on else "NEW")


# Source: the fapi's refusals by multipliers of the stop price, -4183 and -4184.
BANDS = [
    ("BUY", "STOP", "61000", "64050", ""),
    ("BUY", "STOP", "61000", "64050.1", "PRICE_ABOVE_TRIGGER_BOUND"),
    ("BUY", "TAKE_PROFIT", "59000.1", "61950.1", ""),
    ("BUY", "TAKE_PROFIT", "59000.1", "61950.2", "PRICE_ABOVE_TRIGGER_BOUND"),
    ("SELL", "STOP", "59000", "56050", ""),
    ("SELL", "STOP", "59000", "56049.9", "PRICE_BELOW_TRIGGER_BOUND"),
    ("SELL", "STOP", "59000.1", "56050.1", ""),
    ("SELL", "STOP", "59000.1", "56050", "PRICE_BELOW_TRIGGER_BOUND"),
    ("SELL", "TAKE_PROFIT", "90000", "99999", ""),
    ("BUY", "TAKE_PROFIT", "30000", "10000", ""),
]


@pytest.mark.parametrize(("side", "type", "trigger", "price", "reason"), BANDS)
@pytest.mark.parametrize("on", [True, False])
def test_limit_prices_of_trigger_orders(
    side: str, type: str, trigger: str, price: str, reason: str, on: bool
) -> None:
    desk = guarded() if on else Desk(deposit="1000000")
    reply = desk.place("alice", side, "0.1", price, type=type, trigger=trigger)
    assert isinstance(reply, Reject) == bool(reason and on)
    if isinstance(reply, Reject):
        assert reply.reason.name == reason
