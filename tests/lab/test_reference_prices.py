"""Prices, funding and guards of the slow engine, with numbers that a reader can follow."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.engine.desk import BTC, START_MS

from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineInstrument,
    OpenVenue,
    PlaceOrder,
    Pulse,
    Record,
    Resume,
    SetLeverage,
    SetMarginType,
    SetPrice,
)
from openperp.engine.events import (
    Event,
    FundingPaid,
    FundingSettled,
    FundingSkipped,
    OrderExpired,
    OrderTriggered,
    PositionChanged,
    PremiumChanged,
    PriceChanged,
    TimePassed,
)
from openperp.engine.rejects import Reason
from openperp.engine.terms import Cause, OrderType, Side, WorkingType
from openperp.lab.reference.amounts import from_money
from openperp.lab.reference.apply import Outcome, apply
from openperp.lab.reference.records import ticks_of
from openperp.lab.reference.venue import Refused, Venue

BUY, SELL = Side.BUY, Side.SELL
ALICE, BOB, CAROL = 1, 2, 3
HOUR_MS = 3_600_000
STAMP_MS = START_MS + 8 * HOUR_MS


class Desk:
    """A slow venue with one market, whose funding comes every eight hours; index at 60000."""

    def __init__(self, *, bounds_sweeps: bool = False, **terms: Any) -> None:
        self.venue = Venue()
        self.events: list[Event] = []
        self._seq = 0
        self.now = START_MS
        self.do(OpenVenue("ztdx", bounds_sweeps=bounds_sweeps))
        terms = {"funding_hours": 8, "funding_cap_ppm": 3_750, **terms}
        self.do(DefineInstrument(replace(BTC, **terms), 600_000))
        for name in ("alice", "bob", "carol"):
            self.do(CreateAccount(name, 10**14))

    def do(self, command: Command, time_ms: int = 0) -> Outcome:
        self._seq += 1
        self.now = max(self.now, time_ms)
        (outcome,), self.events = apply(self.venue, Record(self._seq, self.now, command))
        return outcome

    def order(
        self, account: int, side: Side, quantity: float, price: float = 0, **fields: Any
    ) -> Outcome:
        type = fields.pop("type", OrderType.LIMIT if price else OrderType.MARKET)
        lots, ticks = round(quantity * 1_000), round(price * 10)
        return self.do(PlaceOrder(account, "BTCUSDT", side, type, lots, ticks, **fields))

    def price(self, price: float, *, last: bool = False, formula: bool = False) -> None:
        self.do(SetPrice("BTCUSDT", round(price * 10), last, not last, formula))

    @property
    def mark(self) -> float:
        market = self.venue.markets["BTCUSDT"]
        return ticks_of(market, market.mark) / 10

    def told(self, *kinds: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]


def test_mark_follows_the_average_basis() -> None:
    desk = Desk()
    desk.price(60000, formula=True)
    desk.order(ALICE, BUY, 1, 60100)
    desk.order(BOB, SELL, 1, 60300)
    desk.order(CAROL, BUY, 0.1, 60300)
    assert desk.mark == 60000
    desk.do(Pulse(), START_MS + 4_999)
    assert desk.mark == 60000
    # The middle of the book is 200 above the index; last, 60300, is above that.
    desk.do(Pulse(), START_MS + 5_000)
    assert desk.mark == 60200
    assert [type(event) for event in desk.events] == [TimePassed, PremiumChanged, PriceChanged]
    desk.price(60100, formula=True)
    desk.do(Pulse(), START_MS + 10_000)
    # One sample of 200 and one of 100.
    assert desk.mark == 60250


@pytest.mark.parametrize(
    ("hours_left", "last", "mark"),
    [(8, 59000, 60000), (8, 60500, 60006), (4, 60500, 60003), (4, 60002, 60002), (0, 60500, 60000)],
)
def test_mark_has_the_last_rate_for_the_time_to_funding(
    hours_left: int, last: float, mark: float
) -> None:
    """The interest of 0.01 % is paid; without a book the basis is nothing."""
    desk = Desk()
    desk.do(Pulse(), STAMP_MS)
    desk.price(last, last=True)
    desk.do(Pulse(), STAMP_MS + (8 - hours_left) * HOUR_MS - (hours_left == 0))
    desk.price(60000, formula=True)
    assert desk.mark == mark


@pytest.mark.parametrize(
    ("side", "orders", "premium"),
    [
        (BUY, [(1, 60300)], 500_000),
        (SELL, [(1, 59700)], -500_000),
        (BUY, [(1, 59999)], 0),
        (BUY, [(0.1, 60300)], 0),
        # 12,120 at 60600 for 0.2 and 7,880 at 60000 for 0.13133: 20,000 / 0.33133 = 60362.17.
        (BUY, [(0.2, 60600), (1, 60000)], 603_622),
    ],
)
def test_the_premium_is_that_of_an_order_of_20000(
    side: Side, orders: list[tuple[float, float]], premium: int
) -> None:
    desk = Desk()
    for quantity, price in orders:
        desk.order(ALICE, side, quantity, price)
    desk.do(Pulse(), START_MS + 5_000)
    assert [each.premium for each in desk.told(PremiumChanged)] == [premium] * bool(premium)


def test_later_samples_weigh_more() -> None:
    """0.5 % in the last 1,440 of 5,760 samples: 7/16 of the weight, less 0.05 %."""
    desk = Desk()
    desk.do(Pulse(), START_MS + 6 * HOUR_MS)
    desk.order(ALICE, BUY, 1, 60300)
    desk.do(Pulse(), STAMP_MS)
    (settled,) = desk.told(FundingSettled)
    weights = 5_760 * 5_761 // 2, 4_320 * 4_321 // 2
    average = 500_000 * (weights[0] - weights[1]) / weights[0]
    assert settled.rate == round(average) - 50_000


def _hold(desk: Desk, quantity: float) -> None:
    desk.order(BOB, SELL, quantity, 60000)
    desk.order(ALICE, BUY, quantity, 60000)


def test_longs_pay_rounded_up_and_shorts_receive_rounded_down() -> None:
    # 60 x 0.00000038 = 0.0000228, which is whole; of 60.0001 it is not.
    desk = Desk(interest_ppm=1, funding_hours=3)
    _hold(desk, 0.001)
    desk.price(60000.1)
    desk.do(Pulse(), START_MS + 3 * HOUR_MS)
    assert [(each.account, each.amount) for each in desk.told(FundingPaid)] == [
        (ALICE, -2281),
        (BOB, 2280),
    ]
    assert from_money(desk.venue.insurance) == 1


def test_an_isolated_position_pays_from_its_own_margin_as_far_as_that_goes() -> None:
    """6,000 at a rate of 10 %, where 600 were set aside; the rest comes from the wallet."""
    desk = Desk(funding_hours=24, funding_cap_ppm=100_000)
    desk.do(SetLeverage(ALICE, "BTCUSDT", 100))
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    _hold(desk, 1)
    wallet = desk.venue.accounts[ALICE].wallet
    desk.order(CAROL, BUY, 1, 63000)
    desk.do(Pulse(), START_MS + 24 * HOUR_MS)
    paid, position = desk.told(FundingPaid, PositionChanged)[:2]
    assert (paid.account, paid.amount, paid.set_aside) == (ALICE, -6_000 * 10**8, 0)
    assert (position.wallet, position.isolated_wallet) == (from_money(wallet - 6_000), 0)


def test_what_was_missed_is_skipped_and_told_by_its_first_and_last() -> None:
    desk = Desk()
    _hold(desk, 1)
    desk.do(Resume(), START_MS + 50 * HOUR_MS)
    skipped = [each.time_ms - START_MS for each in desk.told(FundingSkipped)]
    assert skipped == [8 * HOUR_MS, 48 * HOUR_MS]
    assert desk.told(FundingPaid) == []
    desk.do(Pulse(), START_MS + 56 * HOUR_MS)
    assert len(desk.told(FundingPaid)) == 2


def test_a_year_is_paid_and_the_rest_skipped() -> None:
    desk = Desk()
    _hold(desk, 1)
    desk.do(Pulse(), START_MS + 400 * 24 * HOUR_MS)
    assert len(desk.told(FundingSettled)) == 366 * 3
    assert len(desk.told(FundingSkipped)) == 2


@pytest.mark.parametrize(
    ("side", "price", "reason"),
    [
        (BUY, 63000, None),
        (BUY, 63000.1, Reason.PRICE_ABOVE_MARK_BOUND),
        (SELL, 57000, None),
        (SELL, 56999.9, Reason.PRICE_BELOW_MARK_BOUND),
        (SELL, 70000, None),
    ],
)
@pytest.mark.parametrize("guards", [True, False])
def test_limits_are_held_to_mark(
    side: Side, price: float, reason: Reason | None, guards: bool
) -> None:
    outcome = Desk(guards_prices=guards).order(ALICE, side, 0.1, price)
    refused = outcome.reasons if isinstance(outcome, Refused) else frozenset()
    assert refused == ({reason} if reason and guards else set())


@pytest.mark.parametrize(("price", "refused"), [(73500, False), (73500.1, True), (60000, False)])
def test_a_stop_limit_is_held_to_its_trigger(price: float, refused: bool) -> None:
    """1.05 x 70000."""
    terms = {"type": OrderType.STOP, "trigger_ticks": 700_000}
    outcome = Desk(guards_prices=True).order(ALICE, BUY, 0.1, price, **terms)
    assert isinstance(outcome, Refused) == refused
    if isinstance(outcome, Refused):
        assert outcome.reasons == {Reason.PRICE_ABOVE_TRIGGER_BOUND}


def test_a_market_order_is_held_to_the_best_price() -> None:
    desk = Desk(guards_prices=True)
    desk.order(ALICE, SELL, 1, 63000.1)
    outcome = desk.order(BOB, BUY, 0.1)
    assert isinstance(outcome, Refused)
    assert outcome.reasons == {Reason.BEST_PRICE_BEYOND_BOUND}
    desk.order(ALICE, SELL, 1, 63000)
    assert not isinstance(desk.order(BOB, BUY, 0.1), Refused)


@pytest.mark.parametrize(("price", "cause"), [(63000, "NO_LIQUIDITY"), (63000.1, "BOUND_REACHED")])
def test_a_market_order_stops_at_its_bound(price: float, cause: str) -> None:
    desk = Desk(guards_prices=True, bounds_sweeps=True)
    for offered in (60000, price):
        desk.order(ALICE, SELL, 1, offered)
    desk.order(BOB, BUY, 3)
    (expired,) = desk.told(OrderExpired)
    filled = 2_000 if cause == "NO_LIQUIDITY" else 1_000
    assert (expired.order.filled_lots, expired.order.cause.name) == (filled, cause)


def test_a_fired_order_without_a_price_inside_its_bound_expires() -> None:
    desk = Desk(guards_prices=True, bounds_sweeps=True)
    desk.order(ALICE, SELL, 1, 64000)
    mark = WorkingType.MARK_PRICE
    stop = OrderType.STOP_MARKET
    desk.order(BOB, BUY, 1, type=stop, trigger_ticks=605_000, working_type=mark)
    desk.price(60500)
    (expired,) = desk.told(OrderExpired)
    assert expired.order.cause is Cause.BEST_PRICE_TOO_FAR


@pytest.mark.parametrize("protects", [True, False])
def test_a_protected_order_does_not_fire_while_mark_and_last_are_apart(protects: bool) -> None:
    desk = Desk(guards_prices=True)
    desk.order(
        ALICE,
        BUY,
        0.1,
        type=OrderType.STOP_MARKET,
        trigger_ticks=630_000,
        working_type=WorkingType.MARK_PRICE,
        price_protect=protects,
    )
    desk.price(63200)
    assert len(desk.told(OrderTriggered)) == 1
    (expired,) = desk.told(OrderExpired)
    assert expired.order.cause is (Cause.PRICES_APART if protects else Cause.NO_LIQUIDITY)
