"""Margin and funding worked out by hand from the public formulas, as tables.

Sources: Binance's pages on leverage and margin (maintenance margin = notional x rate - cum,
cum_n = floor_n x (rate_n - rate_(n-1)) + cum_(n-1); initial margin = notional / leverage), on
mark price (the median of P1, P2 and the last price) and on funding (the weighted average of
the premium index, the clamp, the cap; fee = notional at mark price x rate).
"""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.engine.desk import BTC, START_MS, Desk, money, ticks

from openperp.engine.commands import (
    ChangeMargin,
    DefineInstrument,
    Deposit,
    Pulse,
    SetMarginType,
)
from openperp.engine.events import FundingPaid
from openperp.engine.instruments import Bracket, InstrumentSpec
from openperp.engine.liquidation import stage_lots
from openperp.engine.margin import maintenance_margin, position_margin, unrealized_pnl
from openperp.engine.numbers import MONEY_ONE, PPM
from openperp.engine.pricing import (
    BASIS_SAMPLES,
    SAMPLE_MS,
    estimate_rate,
    mark_at,
    premium_now,
    rate_of,
)
from openperp.engine.state import Market, Position
from openperp.node.instruments import BUILT_IN, specify

HOUR_MS = 3_600_000


def hold(quantity: str, mark: str, spec: InstrumentSpec = BTC, leverage: int = 20) -> Position:
    """A position from 60000 with the mark price elsewhere."""
    market = Market(spec, 1, ticks(mark))
    position = Position(market)
    position.set_leverage(leverage)
    position.lots = int(Fraction(quantity) * 1000)
    position.entry_cost = position.lots * 600_000 * market.unit
    return position


def by_slices(notional: Fraction, brackets: tuple[Bracket, ...]) -> Fraction:
    """Maintenance as income tax is counted: each bracket's rate on what lies within it."""
    total = Fraction(0)
    for number, bracket in enumerate(brackets):
        floor, cap = Fraction(bracket.notional_floor), Fraction(bracket.notional_cap)
        within = notional - floor if number == len(brackets) - 1 else min(notional, cap) - floor
        total += max(Fraction(0), within) * Fraction(bracket.maintenance_ppm, PPM)
    return total


@pytest.mark.parametrize(
    ("says", "quantity", "mark", "maintenance"),
    [
        ("nothing held, nothing needed", "0", "60000", "0"),
        ("the first bracket: 60000 x 0.5 %", "1", "60000", "300"),
        ("a short needs as much", "-1", "60000", "300"),
        ("at mark price, not at entry: 66000 x 0.5 %", "1", "66000", "330"),
        ("one tick below the first edge: 299999.9 x 0.5 %", "1", "299999.9", "1499.9995"),
        ("the first edge: 300000 x 1 % - 1500", "1", "300000", "1500"),
        ("one tick above it: 300000.1 x 1 % - 1500", "1", "300000.1", "1500.001"),
        ("the second bracket: 600000 x 1 % - 1500", "10", "60000", "4500"),
        ("just below the second edge: 2999999 x 1 % - 1500", "10", "299999.9", "28499.99"),
        ("the second edge: 3000000 x 2.5 % - 46500", "10", "300000", "28500"),
        ("just above it: 3000001 x 2.5 % - 46500", "10", "300000.1", "28500.025"),
        ("a short in the third: 6000000 x 2.5 % - 46500", "-100", "60000", "103500"),
        ("at the last cap: 90000000 x 2.5 % - 46500", "300", "300000", "2203500"),
        ("beyond the table the last bracket goes on", "400", "300000", "2953500"),
    ],
)
def test_maintenance_margin_on_both_sides_of_every_edge(
    says: str, quantity: str, mark: str, maintenance: str
) -> None:
    position = hold(quantity, mark)
    notional = abs(Fraction(quantity)) * Fraction(mark) * MONEY_ONE
    assert by_slices(notional, BTC.brackets) == money(maintenance), says
    assert maintenance_margin(position) == money(maintenance), says


def test_maintenance_margin_rounds_up() -> None:
    """A tick of 0.00001 and a lot of 0.001 make 10^-8: 333 x 0.5 % = 1.665 of them."""
    market = Market(replace(BTC, price_precision=5), 1, 333)
    position = Position(market)
    for lots in (1, -1):
        position.lots = lots
        assert maintenance_margin(position) == 2


@pytest.mark.parametrize("symbol", BUILT_IN)
def test_the_amounts_of_built_in_brackets_are_those_of_the_formula(symbol: str) -> None:
    """cum_n = floor_n x (rate_n - rate_(n-1)) + cum_(n-1), so that no edge is a step."""
    brackets = specify(symbol, BUILT_IN[symbol]).spec.brackets
    assert brackets[0].cum == 0
    for lower, upper in pairwise(brackets):
        rise = Fraction(upper.maintenance_ppm - lower.maintenance_ppm, PPM)
        assert upper.cum == upper.notional_floor * rise + lower.cum
        at = Fraction(upper.notional_floor)
        assert by_slices(at, brackets) == at * Fraction(upper.maintenance_ppm, PPM) - upper.cum


@given(st.integers(1, 1_000_000), st.integers(1, 10_000_000), st.sampled_from(list(BUILT_IN)))
def test_maintenance_margin_is_the_sum_over_brackets_rounded_up(
    lots: int, mark: int, symbol: str
) -> None:
    spec = specify(symbol, BUILT_IN[symbol]).spec
    position = Position(Market(spec, 1, mark))
    position.lots = lots
    exact = by_slices(Fraction(lots * mark * spec.unit), spec.brackets)
    assert 0 <= maintenance_margin(position) - exact < 1


@pytest.mark.parametrize(
    ("says", "quantity", "mark", "leverage", "margin"),
    [
        ("notional / leverage", "1", "60000", 20, "3000"),
        ("of a short as well", "-1", "60000", 20, "3000"),
        ("at mark price, not at entry", "1", "66000", 20, "3300"),
        ("without leverage all of it", "0.5", "60000", 1, "30000"),
        ("at the highest leverage", "0.5", "60000", 100, "300"),
        ("179.9997 / 7 = 25.714242857..., rounded up", "0.003", "59999.9", 7, "25.71424286"),
        ("nothing held", "0", "60000", 20, "0"),
    ],
)
def test_initial_margin(says: str, quantity: str, mark: str, leverage: int, margin: str) -> None:
    assert position_margin(hold(quantity, mark, leverage=leverage)) == money(margin), says


@pytest.mark.parametrize(
    ("says", "quantity", "mark", "profit"),
    [
        ("a long wins as the price rises: 2 x 1000", "2", "61000", "2000"),
        ("and loses as it falls", "2", "59000", "-2000"),
        ("a short loses as it rises", "-2", "61000", "-2000"),
        ("and wins as it falls: 0.003 x 0.1", "-0.003", "59999.9", "0.0003"),
    ],
)
def test_unrealized_profit(says: str, quantity: str, mark: str, profit: str) -> None:
    exact = int(Fraction(profit) * MONEY_ONE)
    assert unrealized_pnl(hold(quantity, mark)) == exact, says


FUNDED = replace(BTC, funding_hours=8, funding_cap_ppm=3_750)


def nearest(value: Fraction) -> int:
    """To the nearest integer, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


PRICES = st.integers(550_000, 650_000)


@given(
    index=PRICES,
    last=PRICES,
    rate=st.integers(-375_000, 375_000),
    left_ms=st.integers(0, 8 * HOUR_MS),
    basis=st.lists(st.integers(-9_000, 9_000), max_size=BASIS_SAMPLES),
)
def test_mark_is_the_median_of_the_published_prices(
    index: int, last: int, rate: int, left_ms: int, basis: list[int]
) -> None:
    """P1 = index x (1 + rate x time left / interval), P2 = index + average of the basis."""
    market = Market(FUNDED, 1, index)
    market.last_ticks = last
    market.funding_rate = rate
    market.funding_ms = START_MS
    market.basis = basis
    accrued = index * (1 + Fraction(rate, 10**8) * Fraction(left_ms, 8 * HOUR_MS))
    averaged = index + (Fraction(sum(basis), 2 * len(basis)) if basis else 0)
    expected = sorted((nearest(accrued), nearest(Fraction(averaged)), last))[1]
    assert mark_at(market, START_MS - left_ms) == expected


LEVELS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 300)), max_size=6, unique_by=lambda
                  level: level[0])  # fmt: skip


@given(bids=LEVELS, asks=LEVELS, middle=st.integers(599_000, 601_000))
def test_the_premium_is_that_of_the_average_price_of_an_impact_order(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], middle: int
) -> None:
    """Impact notional = 200 USDT x leverage; (max(0, bid - index) - max(0, index - ask)) / index."""
    desk = Desk(deposit="100000000")
    index = 600_000
    for distance, lots in bids:
        desk.order("alice", "BUY", _text(lots, 1000), _text(middle - distance * 50, 10))
    for distance, lots in asks:
        desk.order("bob", "SELL", _text(lots, 1000), _text(middle + distance * 50, 10))
    gains = []
    for levels, sign in ((bids, 1), (asks, -1)):
        price = _impact_price([(middle - sign * d * 50, lots) for d, lots in sorted(levels)])
        gain = max(Fraction(0), (price - index) * sign) / index if price else Fraction(0)
        gains.append(gain)
    premium = nearest(gains[0] * 10**8) - nearest(gains[1] * 10**8)
    assert premium_now(desk.state.markets["BTCUSDT"]) == premium


def _text(units: int, scale: int) -> str:
    whole, rest = divmod(units, scale)
    return f"{whole}.{rest:0{len(str(scale)) - 1}}"


def _impact_price(levels: list[tuple[int, int]]) -> Fraction | None:
    """Average price, in ticks, of 20,000 USDT; None where the levels do not hold as much."""
    left = Fraction(20_000 * MONEY_ONE)
    lots = Fraction(0)
    for price, size in levels:
        value = min(left, Fraction(price * size * BTC.unit))
        lots += value / (price * BTC.unit)
        left -= value
    if left or not lots:
        return None
    return Fraction(20_000 * MONEY_ONE) / (lots * BTC.unit)


@pytest.mark.parametrize(
    ("says", "halves", "rate"),
    [
        # 5760 samples in 8 h; the i-th weighs i, so the second half weighs 0.749957
        ("no premium: the interest alone", (0, 0), 10_000),
        ("0.2 % throughout, less the most that interest pulls", (200_000, 200_000), 150_000),
        ("0.2 % in the first half: x 0.250043, less 0.040009 %", (200_000, 0), 10_000),
        ("0.2 % in the second half: x 0.749957, less 0.05 %", (0, 200_000), 99_991),
        ("a discount of 0.2 % throughout", (-200_000, -200_000), -150_000),
        ("more than the cap of 0.375 %", (1_000_000, 1_000_000), 375_000),
        ("less than its floor", (-1_000_000, -1_000_000), -375_000),
    ],
)
def test_the_rate_of_a_period_weighs_later_samples_more(
    says: str, halves: tuple[int, int], rate: int
) -> None:
    count = 8 * HOUR_MS // SAMPLE_MS
    assert count == 5_760
    market = Market(FUNDED, 1, 600_000)
    market.period_ms, market.funding_ms = START_MS, START_MS + 8 * HOUR_MS
    samples = [halves[0]] * (count // 2) + [halves[1]] * (count // 2)
    market.premium_sum = sum(i * premium for i, premium in enumerate(samples, start=1))
    average = Fraction(market.premium_sum, count * (count + 1) // 2)
    pull = max(Fraction(-50_000), min(Fraction(50_000), 10_000 - average))
    assert nearest(max(Fraction(-375_000), min(Fraction(375_000), average + pull))) == rate, says
    assert estimate_rate(market, market.funding_ms) == rate, says


@given(premium=st.integers(-(10**6), 10**6), hours=st.sampled_from([1, 2, 4, 8, 12, 24]))
def test_the_rate_of_any_interval(premium: int, hours: int) -> None:
    """(P + clamp(I - P, -0.05 %, 0.05 %)) / (8 / N), within the cap."""
    pull = max(-50_000, min(50_000, 10_000 - premium))
    exact = Fraction(premium + pull) / (Fraction(8) / hours)
    bounded = max(Fraction(-375_000), min(Fraction(375_000), exact))
    assert rate_of(replace(FUNDED, funding_hours=hours), premium) == nearest(bounded)


@pytest.mark.parametrize(
    ("says", "side", "quantity", "mark", "rate_ppm", "amount", "own", "cross"),
    [
        # Alice opens at 60000 with 3000 set aside of 10000, less a maker fee of 12.
        ("a long pays of its own margin: 6", "BUY", "1", "60000", 100, "-6", "2994", "6988"),
        ("a short receives into it: 6", "SELL", "1", "60000", 100, "6", "3006", "6988"),
        ("at mark price: 61000 x 0.01 %", "BUY", "1", "61000", 100, "-6.1", "2993.9", "6988"),
        ("a rate of 5 %: all it has", "BUY", "1", "60000", 50_000, "-3000", "0", "6988"),
        ("of 6 %: 600 more than it has", "BUY", "1", "60000", 60_000, "-3600", "0", "6388"),
    ],
)
def test_funding_of_an_isolated_position(
    says: str,
    side: str,
    quantity: str,
    mark: str,
    rate_ppm: int,
    amount: str,
    own: str,
    cross: str,
) -> None:
    """Its own margin pays, as far as it goes; then the rest of the wallet."""
    desk = Desk()
    alice = desk.account("alice")
    terms = replace(FUNDED, funding_cap_ppm=100_000, interest_ppm=100)
    desk.do(DefineInstrument(terms, 600_000))
    desk.do(SetMarginType(1, "BTCUSDT", True))
    desk.order("alice", side, quantity, "60000")
    desk.order("bob", "SELL" if side == "BUY" else "BUY", quantity, "60000")
    desk.price(mark)
    # The premium of a whole period: what the rate is, and 0.05 % that interest pulls off it.
    market = desk.state.markets["BTCUSDT"]
    weights = 5_760 * 5_761 // 2
    market.premium_sum = ((rate_ppm + 500) * 100 if rate_ppm > 100 else 0) * weights
    desk.now = START_MS + 8 * HOUR_MS - 1
    desk.do(Pulse())
    paid = [e.amount for e in desk.events() if isinstance(e, FundingPaid) and e.account == 1]
    assert paid == [int(Fraction(amount) * MONEY_ONE)], says
    position = desk.position("alice")
    assert (position.isolated_wallet, alice.cross_wallet) == (money(own), money(cross)), says


def test_margin_added_by_hand_pays_funding_too() -> None:
    desk = Desk()
    desk.do(DefineInstrument(FUNDED, 600_000))
    desk.do(SetMarginType(1, "BTCUSDT", True))
    desk.order("alice", "BUY", "1", "60000")
    desk.order("bob", "SELL", "1", "60000")
    desk.do(ChangeMargin(1, "BTCUSDT", money("10.5")))
    for stamp in (1, 2, 3):
        desk.now = START_MS + stamp * 8 * HOUR_MS - 1
        desk.do(Pulse())
    assert desk.position("alice").isolated_wallet == money("3010.5") - 3 * money("6")


@pytest.mark.parametrize(
    ("says", "quantity", "mark", "closed"),
    [
        ("the first bracket: all of it", "5.999", "50000", 5_999),
        ("at the edge of 300000 it is in the second: one lot more", "6", "50000", 1),
        ("below the edge: 5.999 stay", "10", "50000", 4_001),
        ("shorts as well", "-10", "50000", 4_001),
        ("where no lot meets the edge: 4.999 of 299990 stay", "10", "60010", 5_001),
        ("out of the third into the second: 59.999 stay", "70", "50000", 10_001),
    ],
)
def test_a_stage_of_liquidation_leaves_its_bracket(
    says: str, quantity: str, mark: str, closed: int
) -> None:
    """What stays has a notional below the floor of the bracket that it leaves."""
    position = hold(quantity, mark)
    assert stage_lots(position) == closed, says


def test_margin_balance_equal_to_maintenance_margin_is_used_up() -> None:
    """Source: liquidation starts when the balance falls to the maintenance margin.

    6270 and 1 BTC from 60000: at 54000 there are 270 left, which is 54000 x 0.5 %.
    """
    desk = Desk(deposit="6270", liquidates=True)
    desk.do(DefineInstrument(replace(BTC, maker_fee_ppm=0, taker_fee_ppm=0), 600_000))
    desk.do(Deposit("bob", "USDT", money("100000")))
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    for price, lots in (("54000.1", 1_000), ("54000", 0)):
        desk.price(price)
        assert desk.position("alice").lots == lots
