"""Liquidation and break-even prices worked out by hand, and tried out.

Source of the liquidation price: Binance's FAQ b3c689c1f50a44cabb3a84e663b81d93,

    LP = (WB - TMM + UPNL + cumB + cumL + cumS - sB qB EB - qL EL + qS ES)
         / (qB mB + qL mL + qS mS - sB qB - qL + qS)

with the bracket that holds at LP. WB is the wallet, TMM and UPNL are what the other cross
positions need and have won (an isolated position counts its own wallet, and neither); q is
the size, E the entry price, m the maintenance rate and cum the maintenance amount of the BOTH
(s = 1 long, -1 short), LONG and SHORT position.
"""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.engine.desk import BTC, Desk, money, ticks

from openperp.api.wire.liquidation import liquidation_text
from openperp.api.wire.numbers import instrument_format
from openperp.api.wire.positions import break_even_text
from openperp.engine.commands import (
    Deposit,
    SetMarginType,
    SetPositionMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.instruments import Bracket
from openperp.engine.liquidation_events import LiquidationStarted
from openperp.engine.margin import maintenance_margin, unrealized_pnl
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.records import OrderRecord
from openperp.engine.state import Account, Market, Position
from openperp.engine.terms import PositionSide

TEXT = instrument_format(BTC, shortest=True)
BOTH, LONG, SHORT = PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT

FLAT = (Bracket(100, 0, 10**9 * MONEY_ONE, 4_000, 0),)
"""0.4 % for all sizes."""
STEPS = BTC.brackets
"""0.5 % below 300,000, 1 % less 1,500 below 3,000,000, 2.5 % less 46,500 above."""

Leg = tuple[PositionSide, str, str]
"""Position side, signed quantity and entry price."""


def hold(
    wallet: str, sides: list[Leg], brackets: tuple[Bracket, ...] = STEPS, isolated: str = ""
) -> Account:
    """An account with positions in one market, whose mark price is the first entry price."""
    market = Market(structs.replace(BTC, brackets=brackets), 1, ticks(sides[0][2]))
    account = Account(1, "a", 0, False)
    account.wallet = money(wallet)
    account.hedge = sides[0][0] is not BOTH
    for side, quantity, entry in sides:
        position = Position(market, side)
        position.lots = int(Decimal(quantity) * 1000)
        position.entry_cost = position.lots * ticks(entry) * market.unit
        position.isolated = bool(isolated)
        position.isolated_wallet = money(isolated or "0")
        account.set_aside += position.isolated_wallet
        account.positions[position.key] = position
    return account


def by_formula(
    wallet: Fraction, sides: list[tuple[Fraction, Fraction]], rates: list[tuple[Fraction, Fraction]]
) -> Fraction:
    """The published formula; `sides` are signed q and E, `rates` m and cum at the LP."""
    above, below = wallet, Fraction(0)
    for (size, entry), (rate, cum) in zip(sides, rates, strict=True):
        above += cum - size * entry
        below += abs(size) * rate - size
    return above / below


EXAMPLES = [
    # What it shows, wallet, sides, brackets, number of the bracket of each side at LP, LP
    ("the FAQ's own numbers", "1000", [(BOTH, "1", "10000")], FLAT, [0], "9036.14458"),
    ("the same, sold", "1000", [(BOTH, "-1", "10000")], FLAT, [0], "10956.1753"),
    ("a wallet that pays for all of it", "10000", [(BOTH, "1", "10000")], FLAT, [0], "0"),
    ("a wallet as large as it all", "9999", [(BOTH, "1", "10000")], FLAT, [0], "1.00402"),
    ("no wallet at all", "0", [(BOTH, "1", "10000")], FLAT, [0], "10040.16064"),
    ("a long in the first bracket", "6000", [(BOTH, "2", "60000")], STEPS, [0], "57286.43216"),
    ("a short in the first bracket", "6000", [(BOTH, "-2", "60000")], STEPS, [0], "62686.56716"),
    ("a long that falls into it", "15000", [(BOTH, "5", "61000")], STEPS, [0], "58291.45729"),
    ("a long in the second", "30000", [(BOTH, "10", "60000")], STEPS, [1], "57424.24242"),
    ("a short in the second", "30000", [(BOTH, "-10", "60000")], STEPS, [1], "62524.75248"),
    ("a short that rises into it", "20000", [(BOTH, "-4.8", "60000")], STEPS, [1], "63840.75908"),
    ("a short that rises to the edge", "27000", [(BOTH, "-5", "54900")], STEPS, [1], "60000"),
    ("a long in the third", "300000", [(BOTH, "60", "60000")], STEPS, [2], "55615.38462"),
    ("a short in the third", "300000", [(BOTH, "-60", "60000")], STEPS, [2], "64170.73171"),
    (
        "a long above a short",
        "20000",
        [(LONG, "9", "60000"), (SHORT, "-2", "60100")],
        STEPS,
        [1, 0],
        "57724.63768",
    ),
    (
        "a short above a long",
        "20000",
        [(LONG, "2", "60000"), (SHORT, "-9", "60100")],
        STEPS,
        [0, 1],
        "62309.85915",
    ),
    (
        "as much of both, worn out by what they need",
        "4000",
        [(LONG, "3", "60000"), (SHORT, "-3", "60100")],
        STEPS,
        [1, 1],
        "121666.66667",
    ),
    (
        "two brackets apart",
        "200000",
        [(LONG, "60", "60000"), (SHORT, "-1", "60000")],
        STEPS,
        [2, 0],
        "57283.24202",
    ),
]


@pytest.mark.parametrize(
    ("wallet", "sides", "brackets", "at", "price"),
    [row[1:] for row in EXAMPLES],
    ids=[row[0] for row in EXAMPLES],
)
def test_the_liquidation_price_of_cross_margin(
    wallet: str, sides: list[Leg], brackets: tuple[Bracket, ...], at: list[int], price: str
) -> None:
    """Both sides of a market share it, each in the bracket that holds for its size there."""
    terms = [(Fraction(quantity), Fraction(entry)) for _, quantity, entry in sides]
    table = [brackets[index] for index in at]
    rates = [(Fraction(b.maintenance_ppm, 10**6), Fraction(b.cum, MONEY_ONE)) for b in table]
    exact = by_formula(Fraction(wallet), terms, rates)
    for (size, _), bracket in zip(terms, table, strict=True):
        value = abs(size) * exact * MONEY_ONE
        assert bracket.notional_floor <= value < bracket.notional_cap
    assert abs(exact - Fraction(price)) <= Fraction(1, 200_000), "to five decimals"

    account = hold(wallet, sides, brackets)
    assert {liquidation_text(account, held, TEXT) for held in account.positions.values()} == {price}


@pytest.mark.parametrize(
    ("wallet", "sides", "brackets", "price"),
    [(row[1], row[2], row[3], row[5]) for row in EXAMPLES if len(row[2]) == 1],
    ids=[row[0] for row in EXAMPLES if len(row[2]) == 1],
)
@pytest.mark.parametrize("hedge", [False, True], ids=["one-way", "hedge"])
def test_an_isolated_wallet_counts_as_a_cross_wallet_does(
    wallet: str, sides: list[Leg], brackets: tuple[Bracket, ...], price: str, hedge: bool
) -> None:
    """What is beside it does not: neither the rest of the wallet nor the other side."""
    ((_, quantity, entry),) = sides
    if hedge:
        sides = [(LONG, quantity, entry), (SHORT, "-0.5", entry)]
        if quantity.startswith("-"):
            sides = [(LONG, "0.5", entry), (SHORT, quantity, entry)]
    account = hold("1000000", sides, brackets, wallet)
    held = next(p for p in account.positions.values() if p.lots == int(Decimal(quantity) * 1000))
    assert liquidation_text(account, held, TEXT) == price


def test_what_other_positions_need_and_have_won_counts() -> None:
    """TMM and UPNL: a second market with 0.5 ETH from 4000, marked 3500."""
    account = hold("6000", [(BOTH, "2", "60000")])
    market = Market(structs.replace(BTC, symbol="ETHUSDT"), 2, ticks("3500"))
    other = account.positions["ETHUSDT"] = Position(market)
    other.lots, other.entry_cost = 500, money("2000")
    # UPNL = 0.5 x -500 = -250, TMM = 1750 x 0.5 % = 8.75: LP = (5741.25 - 120000) / -1.99
    text = liquidation_text(account, account.positions["BTCUSDT"], TEXT)
    assert text == "57416.45729"
    assert abs(Fraction(text) - Fraction("114258.75") / Fraction("1.99")) < Fraction(1, 200_000)
    other.isolated = True
    other.isolated_wallet = account.set_aside = money("258.75")
    # Of its own margin it takes as much of the wallet, and the rest is its own affair.
    assert liquidation_text(account, account.positions["BTCUSDT"], TEXT) == text


@pytest.mark.parametrize(
    ("says", "quantity", "entry", "taker_ppm", "tier", "price"),
    [
        # Source: selling at p returns p q (1 - f), and buying has cost E q (1 + f).
        ("a long pays the fee twice", "1", "60000", 500, 0, "60060.03002"),
        ("a short as well", "-1", "60000", 500, 0, "59940.02999"),
        ("whatever its size", "0.007", "60000", 500, 0, "60060.03002"),
        ("no fee, no distance", "3", "61234.5", 0, 0, "61234.5"),
        ("the lowest fee of the table", "1", "60000", 500, 9, "60020.40347"),
        ("none without a position", "0", "60000", 500, 0, "0"),
    ],
)
def test_the_break_even_price(
    says: str, quantity: str, entry: str, taker_ppm: int, tier: int, price: str
) -> None:
    account = hold("1000", [(BOTH, quantity, entry)])
    position = account.positions["BTCUSDT"]
    position.market.set_spec(structs.replace(BTC, taker_fee_ppm=taker_ppm))
    account.fee_tier = tier
    assert break_even_text(account, position, TEXT) == price
    if price != "0":
        fee = Fraction(position.market.taker_fees[tier], 10**6) * (1 if position.lots > 0 else -1)
        exact = Fraction(entry) * (1 + fee) / (1 - fee)
        assert abs(exact - Fraction(price)) <= Fraction(1, 200_000), says


QUANTITIES = st.integers(1, 70_000)
ENTRIES = st.integers(300_000, 900_000)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """One-way or hedged, cross or isolated, alone or beside another market."""
    hedge, isolated = draw(st.booleans()), draw(st.booleans())
    market = Market(BTC, 1, 600_000)
    account = Account(1, "a", 0, False)
    account.hedge = hedge
    account.wallet = draw(st.integers(0, 10**6)) * MONEY_ONE
    account.collateral = draw(st.just(0) | st.integers(0, 10**5)) * MONEY_ONE
    for side in (LONG, SHORT) if hedge else (BOTH,):
        _open(draw, account, market, side, isolated)
    if draw(st.booleans()):
        eth = Market(structs.replace(BTC, symbol="ETHUSDT"), 2, 600_000)
        for side in (LONG, SHORT) if hedge else (BOTH,):
            _open(draw, account, eth, side, draw(st.booleans()))
    return account


def _open(
    draw: st.DrawFn, account: Account, market: Market, side: PositionSide, isolated: bool
) -> None:
    sign = draw(st.sampled_from([1, -1])) if side is BOTH else int(side)
    position = Position(market, side)
    position.lots = draw(QUANTITIES) * sign
    position.entry_cost = position.lots * draw(ENTRIES) * market.unit
    if isolated:
        position.isolated = True
        position.isolated_wallet = draw(st.integers(0, 10**5)) * MONEY_ONE
        account.set_aside += position.isolated_wallet
        account.wallet += position.isolated_wallet
    account.positions[position.key] = position


def spare(account: Account, position: Position, mark: int) -> int:
    """Margin balance over maintenance margin of the part that a position stands in."""
    position.market.mark_ticks = mark
    if position.isolated:
        part, total = [position], position.isolated_wallet
    else:
        part = [held for held in account.positions.values() if not held.isolated]
        total = account.cross_wallet + account.collateral
    return total + sum(unrealized_pnl(held) - maintenance_margin(held) for held in part)


FAR = 10**12
"""Ticks beyond any that could come."""


@settings(max_examples=400)
@given(accounts())
def test_margin_lasts_until_one_tick_before_the_liquidation_price(account: Account) -> None:
    """At the price maintenance margin is worn out, one tick nearer it is not.

    What is left is concave in the price, so that nothing in between liquidates, either.
    """
    position = next(iter(account.positions.values()))
    price = Fraction(liquidation_text(account, position, TEXT)) * 10
    if spare(account, position, 600_000) <= 0:
        return  # due already
    if price == 0:
        assert spare(account, position, 1) > 0
        assert spare(account, position, FAR) > 0
        return
    # The text is rounded to a ten-thousandth of a tick: the tick at it may be the one beside.
    falls = price < 600_000
    round_off = floor if falls else ceil
    step = 1 if falls else -1
    near = {round_off(price + edge) for edge in _EDGES}
    found = [(spare(account, position, at), spare(account, position, at + step)) for at in near]
    assert any(there <= 0 < before for there, before in found), (price, found)
    position.market.mark_ticks = 600_000


_EDGES = (Fraction(-1, 10_000), Fraction(0), Fraction(1, 10_000))


def test_a_traded_position_has_the_same_price_as_one_made_by_hand() -> None:
    desk = Desk(deposit="6000")
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    # 5970 after the taker fee: (5970 - 60000) / -0.995
    text = liquidation_text(desk.account("alice"), desk.position("alice"), TEXT)
    assert text == "54301.50754"


ACCOUNTS: Final = st.fixed_dictionaries(
    {
        "deposit": st.integers(1_000, 400_000),
        "isolated": st.booleans(),
        "long": st.integers(0, 60_000),
        "short": st.integers(0, 60_000),
        "other": st.integers(-3_000, 3_000),
        "path": st.lists(st.integers(0, 99), max_size=4),
    }
)


def settle(desk: Desk, side: str, lots: int, symbol: str, position_side: PositionSide) -> None:
    """Alice trades with bob at the index price, if she has the margin."""
    price = desk.state.markets[symbol].index_ticks
    at = f"{price // 10}" if symbol == "BTCUSDT" else f"{price // 100}"
    quantity = f"{lots // 1000}.{lots % 1000:03}"
    mine = desk.place("alice", side, quantity, at, symbol=symbol, position_side=position_side)
    if isinstance(mine, OrderRecord):
        desk.order("bob", "SELL" if side == "BUY" else "BUY", quantity, at, symbol=symbol)


@settings(max_examples=150)
@given(ACCOUNTS)
def test_the_venue_liquidates_at_the_liquidation_price_and_not_before(terms: Any) -> None:
    """By whatever way the price gets there; one tick before it everything is as it was."""
    desk = Desk(deposit="1000000", liquidates=True)
    desk.do(Deposit("bob", "USDT", money("1000000000")))
    desk.do(Withdraw("alice", "USDT", money("1000000") - money(str(terms["deposit"]))))
    hedge = bool(terms["long"] and terms["short"])
    desk.do(SetPositionMode(1, hedge))
    if terms["isolated"]:
        desk.do(SetMarginType(1, "BTCUSDT", True))
    if terms["other"]:
        side, way = (LONG, "BUY") if terms["other"] > 0 else (SHORT, "SELL")
        settle(desk, way, abs(terms["other"]), "ETHUSDT", side if hedge else BOTH)
    for side, way, lots in ((LONG, "BUY", terms["long"]), (SHORT, "SELL", terms["short"])):
        if lots:
            settle(desk, way, lots, "BTCUSDT", side if hedge else BOTH)
    held = [p for p in desk.account("alice").positions.values() if p.lots]
    held = [position for position in held if position.market.symbol == "BTCUSDT"]
    if not held or any(isinstance(e, LiquidationStarted) for a in desk.applied for e in a.events):
        return
    texts = {Fraction(liquidation_text(desk.account("alice"), p, TEXT)) * 10 for p in held}
    falling = max((price for price in texts if 0 < price < 600_000), default=Fraction(0))
    rising = min((price for price in texts if price >= 600_000), default=Fraction(0))
    if falling and terms["long"] >= terms["short"]:
        due, step = floor(falling), 1
    elif rising and ceil(rising) < BTC.max_ticks:
        due, step = ceil(rising), -1
    else:
        return
    if due < 2 or abs(due - (falling if step == 1 else rising)) < Fraction(1, 1_000):
        return  # so near to a tick that the text cannot tell which
    safe = due + step
    for part in terms["path"]:
        _walk(desk, 600_000 + (safe - 600_000) * part // 100)
        assert not _started(desk)
    _walk(desk, safe)
    assert not _started(desk)
    _walk(desk, due)
    assert _started(desk)


def _walk(desk: Desk, to: int) -> None:
    desk.do(SetPrice("BTCUSDT", to))


def _started(desk: Desk) -> bool:
    return any(isinstance(e, LiquidationStarted) and e.account == 1 for e in desk.events())
