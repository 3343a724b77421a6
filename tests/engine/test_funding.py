"""Funding: who pays whom how much at a stamp, and what happens to stamps that were missed."""

import pytest
from msgspec.structs import replace
from tests.engine.desk import BTC, ETH, START_MS, Desk, money

from openperp.engine import invariants
from openperp.engine.apply import apply
from openperp.engine.commands import (
    DefineInstrument,
    PlaceOrder,
    Pulse,
    Record,
    Reset,
    Resume,
    SetCountdown,
    SetPositionMode,
)
from openperp.engine.events import CountdownFired, FundingPaid, FundingSettled, FundingSkipped
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import dump, load
from openperp.engine.terms import LONG, SHORT, OrderType, PositionSide, Side

HOUR_MS = 3_600_000
STAMP_MS = START_MS + 8 * HOUR_MS
"""The test venue starts at midnight."""


def funded(spec: InstrumentSpec = BTC, /, **terms: int) -> InstrumentSpec:
    return replace(spec, **{"funding_hours": 8, "funding_cap_ppm": 3_750, **terms})


def open_desk(**terms: int) -> Desk:
    desk = Desk(deposit="1000000")
    desk.do(DefineInstrument(funded(**terms), 600_000))
    return desk


def trade(desk: Desk, buyer: str, seller: str, quantity: str, **fields: object) -> None:
    """A trade at 60000 that leaves nothing in the book."""
    desk.order(seller, "SELL", quantity, "60000", **fields)
    desk.order(buyer, "BUY", quantity, "60000", **fields)


def wait(desk: Desk, until_ms: int) -> None:
    desk.now = until_ms - 1
    desk.do(Pulse())


def paid(desk: Desk) -> list[tuple[int, int, int]]:
    """Account, side and amount of what the last record paid."""
    return [
        (event.account, event.position_side, event.amount)
        for event in desk.events()
        if isinstance(event, FundingPaid)
    ]


@pytest.mark.parametrize(
    ("quantity", "price", "rate_ppm", "pays", "receives"),
    [
        # 1 x 60000 x 0.01 % = 6; 0.5 x 61000 x 0.02 % = 6.1.
        ("1", "60000", 100, "6", "6"),
        ("0.5", "61000", 200, "6.1", "6.1"),
        ("1", "60000", 0, "0", "0"),
    ],
)
def test_longs_pay_shorts(
    quantity: str, price: str, rate_ppm: int, pays: str, receives: str
) -> None:
    """Source: notional at mark price x rate; without a premium the rate is the interest."""
    desk = open_desk(interest_ppm=rate_ppm)
    trade(desk, "alice", "bob", quantity)
    desk.price(price)
    before = {name: desk.wallet(name) for name in ("alice", "bob", "carol")}
    wait(desk, STAMP_MS - 1)
    assert paid(desk) == []
    wait(desk, STAMP_MS)
    assert before["alice"] - desk.wallet("alice") == money(pays)
    assert desk.wallet("bob") - before["bob"] == money(receives)
    assert desk.wallet("carol") == before["carol"]
    settled = next(event for event in desk.events() if isinstance(event, FundingSettled))
    assert (settled.rate, settled.time_ms) == (rate_ppm * 100, STAMP_MS)


def test_a_negative_rate_turns_it_round() -> None:
    desk = open_desk()
    trade(desk, "alice", "bob", "1")
    desk.order("carol", "SELL", "1", "59000")
    before = desk.wallet("alice")
    wait(desk, STAMP_MS)
    # A discount of 1.667 % is damped by 0.05 % and capped at 0.375 %.
    assert desk.wallet("alice") - before == money("225")
    assert desk.state.markets["BTCUSDT"].funding_rate == -375_000


def test_payers_round_up_receivers_down_and_the_fund_takes_the_rest() -> None:
    # 0.03 x 60000.1 x 0.0001 % at 1 lot of 0.001: thirds of the smallest unit.
    desk = open_desk(interest_ppm=1, funding_hours=3)
    desk.order("bob", "SELL", "0.003", "60000")
    for name in ("alice", "carol"):
        desk.order(name, "BUY", "0.001" if name == "alice" else "0.002", "60000")
    desk.price("60000.1")
    wait(desk, START_MS + 3 * HOUR_MS)
    rate = 38  # 100 x 3 / 8, to the nearest 10^-8
    exact = [600_001 * 10_000 * lots * rate for lots in (1, 2, 3)]
    expected = [-(-exact[0] // 10**8), -(-exact[1] // 10**8), exact[2] // 10**8]
    assert paid(desk) == [(1, 0, -expected[0]), (2, 0, expected[2]), (3, 0, -expected[1])]
    assert desk.state.insurance == expected[0] + expected[1] - expected[2] > 0


@pytest.mark.parametrize("first", [LONG, SHORT])
def test_both_sides_of_a_hedge_are_paid_apart(first: PositionSide) -> None:
    """LONG before SHORT, whichever was opened first."""
    desk = open_desk()
    alice = desk.account("alice").account_id
    desk.do(SetPositionMode(alice, True))
    for side in (first, PositionSide(-first)):
        quantity, opens, meets = ("1", "BUY", "SELL") if side is LONG else ("0.4", "SELL", "BUY")
        desk.order("bob", meets, quantity, "60000")
        desk.order("alice", opens, quantity, "60000", position_side=side)
    wait(desk, STAMP_MS)
    assert paid(desk) == [
        (alice, LONG, -money("6")),
        (alice, SHORT, money("2.4")),
        (desk.account("bob").account_id, 0, money("3.6")),
    ]


def test_only_what_is_open_at_the_stamp_counts() -> None:
    desk = open_desk()
    trade(desk, "alice", "bob", "1")
    trade(desk, "bob", "alice", "1")
    desk.now = STAMP_MS
    trade(desk, "alice", "bob", "1")
    assert [event for applied in desk.applied for event in applied.events
            if isinstance(event, FundingPaid)] == []  # fmt: skip


def test_a_position_opened_by_the_record_that_finds_it_due_comes_too_late() -> None:
    desk = open_desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.now = STAMP_MS - 1
    desk.order("alice", "BUY", "1", "60000")
    kinds = [type(event).__name__ for event in desk.events()]
    assert kinds.index("FundingSettled") < kinds.index("OrderFilled")
    assert paid(desk) == []


def test_each_market_has_its_own_interval() -> None:
    desk = open_desk()
    desk.do(DefineInstrument(funded(ETH, funding_hours=4), 300_000))
    wait(desk, START_MS + 16 * HOUR_MS)
    stamps = [
        (event.symbol, (event.time_ms - START_MS) // HOUR_MS)
        for event in desk.events()
        if isinstance(event, FundingSettled)
    ]
    assert stamps == [
        ("ETHUSDT", 4),
        ("BTCUSDT", 8),
        ("ETHUSDT", 8),
        ("ETHUSDT", 12),
        ("BTCUSDT", 16),
        ("ETHUSDT", 16),
    ]


def test_an_instrument_may_change_its_interval_or_end_it() -> None:
    desk = open_desk()
    desk.do(DefineInstrument(funded(funding_hours=1), 600_000))
    assert desk.state.due_ms == START_MS + HOUR_MS
    desk.do(DefineInstrument(BTC, 600_000))
    assert desk.state.due_ms == 0


def test_funding_comes_before_what_else_is_due_then() -> None:
    desk = open_desk()
    trade(desk, "alice", "bob", "1")
    desk.do(SetCountdown(1, "BTCUSDT", STAMP_MS - desk.now - 1))
    wait(desk, STAMP_MS + 5)
    told = [e for e in desk.events() if isinstance(e, FundingSettled | CountdownFired)]
    assert [type(event) for event in told] == [FundingSettled, CountdownFired]


def test_what_was_missed_while_the_venue_was_away_is_skipped() -> None:
    desk = open_desk()
    trade(desk, "alice", "bob", "1")
    desk.now = START_MS + 50 * HOUR_MS
    desk.do(Resume())
    assert paid(desk) == []
    skipped = [e.time_ms for e in desk.events() if isinstance(e, FundingSkipped)]
    assert skipped == [STAMP_MS, START_MS + 48 * HOUR_MS]
    assert desk.state.due_ms == START_MS + 56 * HOUR_MS
    wait(desk, START_MS + 56 * HOUR_MS)
    assert len(paid(desk)) == 2


def test_a_jump_of_thousands_of_years_pays_for_one_and_skips_the_rest() -> None:
    desk = open_desk()
    trade(desk, "alice", "bob", "1")
    wait(desk, 250_000_000_000_000)
    settled = [event for event in desk.events() if isinstance(event, FundingSettled)]
    assert len(settled) == 366 * 3
    assert len([event for event in desk.events() if isinstance(event, FundingSkipped)]) == 2
    assert 0 < desk.state.due_ms - desk.now <= 8 * HOUR_MS


def test_thirty_days_of_ten_symbols_are_nothing() -> None:
    desk = Desk(deposit="10000000")
    for number in range(10):
        spec = replace(funded(), symbol=f"C{number}USDT")
        desk.do(DefineInstrument(spec, 600_000))
        for account, side in ((1, Side.BUY), (2, Side.SELL)):
            desk.do(PlaceOrder(account, spec.symbol, side, OrderType.LIMIT, 1_000, 600_000))
    before = desk.wallet("bob")
    wait(desk, START_MS + 30 * 24 * HOUR_MS)
    assert desk.wallet("bob") - before == money("5400")  # 6 x 90 x 10
    assert len([e for e in desk.events() if isinstance(e, FundingSettled)]) == 900


def test_a_snapshot_keeps_the_period() -> None:
    desk = open_desk()
    trade(desk, "alice", "bob", "1")
    wait(desk, START_MS + HOUR_MS)
    loaded = load(dump(desk.state))
    wait(desk, STAMP_MS)
    applied = apply(loaded, Record(loaded.seq + 1, STAMP_MS, Pulse()))
    assert applied.events == desk.applied[-1].events
    assert dump(loaded) == dump(desk.state)
    invariants.check(loaded)


def test_a_reset_begins_anew() -> None:
    desk = open_desk()
    trade(desk, "alice", "bob", "1")
    wait(desk, STAMP_MS)
    desk.do(Reset())
    market = desk.state.markets["BTCUSDT"]
    assert (market.funding_rate, desk.state.insurance) == (0, 0)
    assert desk.state.due_ms == START_MS + 16 * HOUR_MS


@pytest.mark.parametrize(
    "terms",
    [{"funding_hours": 5}, {"funding_hours": -8}, {"funding_hours": 48}, {"funding_cap_ppm": -1},
     {"funding_cap_ppm": 10**6}, {"interest_ppm": -1}],
)  # fmt: skip
def test_impossible_terms_are_refused(terms: dict[str, int]) -> None:
    desk = Desk()
    reply = desk.do(DefineInstrument(funded(**terms), 600_000))
    assert isinstance(reply, Reject)
