"""The mark price of a market that follows the formula, and its premium index, as tables."""

import pytest
from msgspec.structs import replace
from tests.engine.desk import BTC, ETH, START_MS, Desk, ticks

from openperp.engine.apply import apply
from openperp.engine.commands import DefineInstrument, Pulse, Record, Reset, SetCountdown, SetPrice
from openperp.engine.events import PremiumChanged, PriceChanged, TimePassed
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.pricing import RATE_ONE, estimate_rate, mark_at, premium_now, rate_of
from openperp.engine.snapshot import digest, dump, load
from openperp.engine.state import Market
from openperp.engine.terms import MARK_PRICE, TimeInForce

FUNDED = replace(BTC, funding_hours=8, funding_cap_ppm=3_750)
"""Rates of at most 0.375 %; impact orders of 20,000 USDT (200 at a leverage of 100)."""


def follow(desk: Desk, price: str = "60000", *, last: bool | None = None) -> None:
    desk.do(SetPrice("BTCUSDT", ticks(price), last is True, last is False, formula=True))


def wait(desk: Desk, until_ms: int) -> None:
    """Lets time pass up to `until_ms`."""
    desk.now = until_ms - 1
    desk.do(Pulse())


def market_of(desk: Desk) -> Market:
    return desk.state.markets["BTCUSDT"]


@pytest.mark.parametrize(
    ("index", "rate", "hours_left", "basis", "last", "mark"),
    [
        # 60000 x (1 + 0.01 % x 4 / 8) = 60003; 60000 + 10; the middle of 60003, 60010, 60007.
        ("60000", 10_000, 4, 10, "60007", "60007"),
        ("60000", 10_000, 4, 10, "60500", "60010"),
        ("60000", 10_000, 4, 10, "59000", "60003"),
        ("60000", 10_000, 8, 10, "59000", "60006"),
        ("60000", -10_000, 4, -10, "60500", "59997"),
        ("60000", 10_000, 0, -10, "60500", "60000"),
    ],
)
def test_mark_is_the_median_of_three(
    index: str, rate: int, hours_left: int, basis: int, last: str, mark: str
) -> None:
    """Source: P1 = index x (1 + last rate x time to funding / interval); P2 = index + basis."""
    market = Market(FUNDED, 1, ticks(index))
    market.funding_ms = 8 * 3_600_000
    market.funding_rate = rate
    market.basis = [2 * basis * 10] * 30
    market.last_ticks = ticks(last)
    assert mark_at(market, (8 - hours_left) * 3_600_000) == ticks(mark)


@pytest.mark.parametrize(
    ("bids", "asks", "premium"),
    [
        # An order of 20,000 USDT fills at these averages on either side of the index, 60000.
        ([("60300", "1")], [("60600", "1")], 500_000),
        ([("59000", "1")], [("59700", "1")], -500_000),
        ([("59999", "1")], [("60001", "1")], 0),
        ([("60300", "0.1")], [], 0),
        ([], [("59700", "1")], -500_000),
        # 12,120 at 60600 for 0.2 and 7,880 at 60000 for 0.13133: 20,000 / 0.33133 = 60362.17.
        ([("60600", "0.2"), ("60000", "1")], [], 603_622),
    ],
)
def test_the_premium_is_that_of_impact_prices(
    bids: list[tuple[str, str]], asks: list[tuple[str, str]], premium: int
) -> None:
    """Source: (max(0, impact bid - index) - max(0, index - impact ask)) / index."""
    desk = Desk(deposit="1000000")
    for price, quantity in bids:
        desk.order("alice", "BUY", quantity, price)
    for price, quantity in asks:
        desk.order("bob", "SELL", quantity, price)
    assert premium_now(market_of(desk)) == premium


@pytest.mark.parametrize(
    ("premium", "hours", "rate"),
    [
        (0, 8, 10_000),
        (40_000, 8, 10_000),
        (60_001, 8, 10_001),
        (100_000, 8, 50_000),
        (-39_999, 8, 10_000),
        (-100_000, 8, -50_000),
        (100_000, 4, 25_000),
        (0, 1, 1_250),
        (10_000_000, 8, 375_000),
        (-10_000_000, 8, -375_000),
    ],
)
def test_the_rate_is_damped_scaled_and_capped(premium: int, hours: int, rate: int) -> None:
    """Source: (P + clamp(0.01 % - P, -0.05 %, 0.05 %)) / (8 / hours), within the cap."""
    assert rate_of(replace(FUNDED, funding_hours=hours), premium) == rate


def test_mark_moves_with_the_average_of_the_basis() -> None:
    desk = Desk(deposit="1000000")
    follow(desk, "60000", last=False)
    desk.order("alice", "BUY", "1", "60100")
    desk.order("bob", "SELL", "1", "60200")
    desk.order("carol", "BUY", "0.1", "60200")
    assert market_of(desk).mark_ticks == ticks("60000")
    wait(desk, START_MS + 5_000)
    assert market_of(desk).mark_ticks == ticks("60150")
    assert [type(event) for event in desk.events()] == [TimePassed, PriceChanged]
    follow(desk, "60120")
    # The average basis is still 150 while the middle of the book is only 30 above the index.
    assert market_of(desk).mark_ticks == ticks("60200")
    wait(desk, START_MS + 10_000)
    assert market_of(desk).mark_ticks == ticks("60200")
    wait(desk, START_MS + 15_000)
    assert market_of(desk).mark_ticks == ticks("60190")


def test_a_mark_that_moves_on_its_own_fires_what_watches_it() -> None:
    desk = Desk(deposit="1000000")
    follow(desk, "60000", last=False)
    desk.order("alice", "BUY", "1", "60100")
    desk.order("bob", "SELL", "1", "60200")
    desk.order("bob", "BUY", "0.1", "60200", client_id="last")
    stop = desk.order(
        "carol",
        "BUY",
        "0.1",
        type="STOP_MARKET",
        trigger="60140",
        working_type=MARK_PRICE,
        algo=True,
    )
    wait(desk, START_MS + 8_000)
    assert desk.status(stop.order_id) == "FILLED"
    assert desk.last(stop.order_id).triggered_ms == START_MS + 5_000
    times = [event.time_ms for event in desk.events() if isinstance(event, TimePassed)]
    assert times == [START_MS + 5_000, START_MS + 8_000]


@pytest.mark.parametrize("waits", [False, True])
def test_a_sample_may_fill_an_order_whose_date_comes_next(waits: bool) -> None:
    """What is due after that date, if anything, keeps its own time."""
    desk = Desk(deposit="1000000")
    follow(desk, "60000", last=False)
    date = START_MS + 700_000
    bid = desk.order("alice", "BUY", "1", "60100", time_in_force=TimeInForce.GTD, expires_ms=date)
    desk.order("bob", "SELL", "1", "60200")
    desk.order("bob", "BUY", "0.1", "60200", client_id="last")
    terms = {"type": "TAKE_PROFIT_MARKET", "working_type": MARK_PRICE, "algo": True}
    desk.order("carol", "SELL", "1", trigger="60140", **terms)
    if waits:
        desk.do(SetCountdown(2, "BTCUSDT", 800_000))
    wait(desk, START_MS + 750_000)
    assert desk.last(bid.order_id).status.name == "FILLED"
    assert len(desk.state.countdowns) == waits


def test_a_mark_that_rises_at_a_funding_comes_back_before_the_next() -> None:
    """600 x (1 + 0.01 %) is nearest to 600.1 until 5/6 of the eight hours are left."""
    desk = Desk(deposit="1000000")
    desk.do(DefineInstrument(FUNDED, 600_000))
    follow(desk, "605", last=True)
    follow(desk, "600", last=False)
    stamp = START_MS + 8 * 3_600_000
    wait(desk, stamp)
    assert market_of(desk).mark_ticks == ticks("600")
    wait(desk, stamp + 7 * 3_600_000)
    told = [event for event in desk.events() if isinstance(event, TimePassed | PriceChanged)]
    assert [each.time_ms if isinstance(each, TimePassed) else each.mark_ticks for each in told] == [
        stamp + 5_000,
        ticks("600.1"),
        stamp + 4_805_000,
        ticks("600"),
        stamp + 7 * 3_600_000,
    ]


def test_markets_tell_what_they_do_in_the_order_of_time() -> None:
    """BTCUSDT's mark falls as its funding comes near; ETHUSDT's premium comes before that."""
    desk = Desk(deposit="1000000")
    desk.do(DefineInstrument(FUNDED, 600_000))
    desk.do(DefineInstrument(replace(ETH, funding_hours=8, funding_cap_ppm=3_750), 300_000))
    wait(desk, START_MS + 8 * 3_600_000)
    follow(desk, "61000", last=True)
    follow(desk, "60000", last=False)
    wait(desk, START_MS + 8 * 3_600_000 + 200_000)
    desk.order("alice", "SELL", "10", "2900", symbol="ETHUSDT")
    wait(desk, START_MS + 8 * 3_600_000 + 900_000)
    times = [event.time_ms for event in desk.events() if isinstance(event, TimePassed)]
    assert times == sorted(times)
    told = [type(event) for event in desk.events() if not isinstance(event, TimePassed)]
    assert told == [PremiumChanged, PriceChanged, PriceChanged]


def test_without_the_formula_mark_is_the_index_again() -> None:
    desk = Desk(deposit="1000000")
    follow(desk)
    desk.order("alice", "BUY", "1", "60100")
    desk.order("bob", "SELL", "1", "60200")
    wait(desk, START_MS + 60_000)
    desk.price("60050", last=False)
    assert market_of(desk).mark_ticks == ticks("60050")
    assert market_of(desk).basis == []
    wait(desk, START_MS + 120_000)
    assert market_of(desk).mark_ticks == ticks("60050")


def prepare() -> Desk:
    """A funded market on the formula whose book stands away from the index."""
    desk = Desk(deposit="1000000")
    desk.do(DefineInstrument(FUNDED, 600_000))
    follow(desk, last=False)
    desk.order("alice", "BUY", "1", "60300")
    desk.order("bob", "SELL", "1", "60400")
    desk.order("carol", "BUY", "0.1", "60400")
    return desk


def test_any_number_of_samples_at_once_is_as_many_one_by_one() -> None:
    """A day, with three fundings and a mark that moves between them."""
    one, many = prepare(), prepare()
    for desk in (one, many):
        follow(desk, last=True)
    day_ms = 24 * 3_600_000
    moves = []
    for at in range(5_000, day_ms + 1, 5_000):
        record = Record(one.state.seq + 1, START_MS + at, Pulse())
        moves += [e for e in apply(one.state, record).events if isinstance(e, PriceChanged)]
    wait(many, START_MS + day_ms)
    one.state.seq = many.state.seq
    assert dump(one.state) == dump(many.state)
    assert [e for e in many.events() if isinstance(e, PriceChanged)] == moves
    assert len(moves) > 500


def test_premium_is_told_when_it_changes_and_weighs_in_the_rate() -> None:
    desk = prepare()
    wait(desk, START_MS + 10_000)
    told = [event.premium for event in desk.events() if isinstance(event, PremiumChanged)]
    assert told == [500_000]
    market = market_of(desk)
    assert market.premium_sum == 500_000 * (1 + 2)
    # 0.5 % less the most that interest may pull is above the cap.
    assert estimate_rate(market, desk.state.time_ms) == 375_000
    desk.cancel("alice", 1)
    wait(desk, START_MS + 15_000)
    assert market.premium == 0
    # (1 + 2) / (1 + 2 + 3) of 0.5 %, less 0.05 %.
    assert estimate_rate(market, desk.state.time_ms) == 200_000
    assert market.premium_sum < RATE_ONE


def test_a_snapshot_keeps_the_prices() -> None:
    desk = prepare()
    wait(desk, START_MS + 77_000)
    loaded = load(dump(desk.state))
    wait(desk, START_MS + 30 * 3_600_000)
    apply(loaded, desk.records[-1])
    assert dump(loaded) == dump(desk.state)


def test_a_reset_begins_a_period_without_the_formula() -> None:
    desk = prepare()
    wait(desk, START_MS + 77_000)
    desk.do(Reset())
    market = market_of(desk)
    assert (market.formula, market.basis, market.premium, market.premium_sum) == (False, [], 0, 0)
    assert market.mark_ticks == ticks("60000")
    assert market.period_ms == desk.now


def test_the_basis_is_averaged_over_thirty_samples() -> None:
    """The first of the book as it was before is forgotten with the thirtieth after it."""
    desk = Desk(deposit="1000000")
    follow(desk, "60000", last=False)
    high = desk.order("alice", "BUY", "1", "60600")
    desk.order("bob", "SELL", "1", "60600.2")
    follow(desk, "60000", last=False)
    wait(desk, START_MS + 30 * 5_000)
    market = market_of(desk)
    assert market.basis == [12_002] * 30  # twice 600.1, in ticks
    desk.cancel("alice", high.order_id)
    desk.order("alice", "BUY", "1", "59399.8")
    desk.order("carol", "BUY", "0.1", "60600.2")
    wait(desk, START_MS + 59 * 5_000)
    assert market.basis == [12_002, *[0] * 29]
    # 60000 + 600.1 / 30
    assert market.mark_ticks == ticks("60020")
    wait(desk, START_MS + 60 * 5_000)
    assert market.basis == [0] * 30
    assert market.mark_ticks == ticks("60000")


def test_a_premium_beyond_all_bounds_counts_as_the_largest_there_is() -> None:
    """A crash under a bid that stays: the samples of a day still add up to what can be stored."""
    desk = Desk(deposit="1000000")
    desk.do(DefineInstrument(replace(FUNDED, funding_hours=24), 600_000))
    desk.order("alice", "BUY", "1", "60000")
    desk.do(SetPrice("BTCUSDT", 1))
    wait(desk, START_MS + 24 * 3_600_000 - 1)
    assert market_of(desk).premium == 100 * RATE_ONE
    assert 0 < market_of(desk).premium_sum < NOTIONAL_LIMIT
    assert digest(load(dump(desk.state))) == digest(desk.state)


def test_mark_stays_within_the_prices_of_the_instrument() -> None:
    """An index at the highest price, with a premium on it in both formulas."""
    market = Market(replace(FUNDED, max_ticks=600_000, min_ticks=1), 1, 600_000)
    market.funding_ms, market.funding_rate = 8 * 3_600_000, 375_000
    market.basis = [2_000] * 30
    market.last_ticks = 600_000
    assert mark_at(market, 0) == 600_000
    low = Market(replace(FUNDED, min_ticks=600_000), 1, 600_000)
    low.funding_ms, low.funding_rate = 8 * 3_600_000, -375_000
    low.basis = [-2_000] * 30
    assert mark_at(low, 0) == 600_000
