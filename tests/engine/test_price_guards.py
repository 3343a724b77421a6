"""Orders that are held to the mark price: the filter, the bound of takers, price protection."""

from typing import Any

import pytest
from msgspec import structs
from tests.engine.desk import BTC, Desk

from openperp.engine.commands import AmendOrder, DefineInstrument
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest
from openperp.engine.terms import Cause, Side


def guarded(**terms: Any) -> Desk:
    """Mark and last stand at 60000."""
    desk = Desk(deposit="1000000")
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


def test_a_market_order_in_an_empty_book_expires_as_ever() -> None:
    assert guarded().order("alice", "BUY", "0.1").status.name == "EXPIRED"


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
