"""Who is deleveraged first: the score and the rank, as tables.

Source: Binance's explanation of auto-deleveraging. PnL percentage = max(0, unrealized profit)
/ max(1, wallet), margin ratio = maintenance margin / (wallet + unrealized profit), zero where
that is not above zero; leverage PnL = their product, the highest first.
"""

from fractions import Fraction

import pytest
from msgspec.structs import replace
from tests.engine.desk import BTC, Desk, money

from openperp.engine.commands import (
    CreateAccount,
    DefineInstrument,
    Deposit,
    SetMarginType,
    SetPositionMode,
    Withdraw,
)
from openperp.engine.ranking import SCORE_ONE, rank_holders
from openperp.engine.terms import LONG

FREE = replace(BTC, maker_fee_ppm=0, taker_fee_ppm=0)


def open_desk() -> Desk:
    """Without fees, so that wallets are what was paid in; bob is short against everyone."""
    desk = Desk(deposit="10000")
    desk.do(DefineInstrument(FREE, 600_000))
    desk.do(Deposit("bob", "USDT", money("10000000")))
    return desk


def buy(desk: Desk, name: str, quantity: str, price: str = "60000", **fields: object) -> None:
    desk.order(name, "BUY", quantity, price, **fields)
    desk.order("bob", "SELL", quantity, price)


@pytest.mark.parametrize(
    ("says", "deposit", "quantity", "isolated", "mark", "score"),
    [
        # 6000 / 10000 x 330 / 16000
        ("a profit of 10 % on a cross wallet", "10000", "1", False, "66000", "0.01237500"),
        ("twice the wallet counts for less: 6000 / 20000 x 330 / 26000", "20000", "1", False,
         "66000", "0.00380769"),
        ("isolated, on 3000 of its own: 6000 / 3000 x 330 / 9000", "10000", "1", True, "66000",
         "0.07333333"),
        ("half the size: 3000 / 10000 x 165 / 13000", "10000", "0.5", False, "66000",
         "0.00380769"),
        ("no profit, no score", "10000", "1", False, "60000", "0.00000000"),
        ("a loss counts as none", "10000", "1", False, "59000", "0.00000000"),
        ("one tick of profit: 0.1 / 10000 x 300.0005 / 10000.1", "10000", "1", False, "60000.1",
         "0.00000030"),
        ("in the second bracket: 60000 / 100000 x 5100 / 160000", "100000", "10", False, "66000",
         "0.01912500"),
    ],
)  # fmt: skip
def test_the_score(
    says: str, deposit: str, quantity: str, isolated: bool, mark: str, score: str
) -> None:
    desk = open_desk()
    if deposit != "10000":
        desk.do(Deposit("alice", "USDT", money(deposit) - money("10000")))
    if isolated:
        desk.do(SetMarginType(1, "BTCUSDT", True))
    buy(desk, "alice", quantity)
    desk.price(mark)
    (holder,) = rank_holders(desk.state, desk.state.markets["BTCUSDT"], longs=True)
    assert holder.score == int(Fraction(score) * SCORE_ONE), says
    size, wallet = Fraction(quantity), Fraction(holder.wallet, 10**8)
    profit = max(Fraction(0), size * (Fraction(mark) - 60_000))
    balance = wallet + size * (Fraction(mark) - 60_000)
    needed = Fraction(holder.maintenance, 10**8)
    assert abs(profit / max(Fraction(1), wallet) * needed / balance - Fraction(score)) < Fraction(
        1, 10**8
    )


def test_a_wallet_below_one_counts_as_one() -> None:
    """What won 60000 holds 0.5: 60000 / 1 x 600 / 60000.5."""
    desk = open_desk()
    buy(desk, "alice", "1")
    desk.price("120000")
    alice = desk.account("alice")
    desk.state.net_deposits -= alice.wallet - money("0.5")
    alice.wallet = money("0.5")
    (holder,) = rank_holders(desk.state, desk.state.markets["BTCUSDT"], longs=True)
    assert holder.score == 59_999_500_004
    exact = Fraction(60_000 * 600) / Fraction("60000.5")
    assert abs(Fraction(holder.score, SCORE_ONE) - exact) < Fraction(1, SCORE_ONE)


def test_without_any_balance_there_is_no_score() -> None:
    desk = open_desk()
    buy(desk, "alice", "1")
    desk.price("50000")
    (holder,) = rank_holders(desk.state, desk.state.markets["BTCUSDT"], longs=True)
    assert (holder.balance, holder.score) == (0, 0)


def test_who_is_first() -> None:
    """By score; where that is the same by account, and LONG by its key."""
    desk = open_desk()
    for name in ("dave", "erin", "frank"):
        desk.do(CreateAccount(name, money("10000")))
    desk.do(SetMarginType(desk.account("erin").account_id, "BTCUSDT", True))
    desk.do(SetPositionMode(desk.account("frank").account_id, True))
    buy(desk, "carol", "1", "61000")
    buy(desk, "alice", "1")
    buy(desk, "dave", "1")
    buy(desk, "erin", "1")
    buy(desk, "frank", "1", position_side=LONG)
    desk.price("66000")
    ranked = rank_holders(desk.state, desk.state.markets["BTCUSDT"], longs=True)
    # 2 x 0.0367 of erin's own margin; 0.6 x 0.0206 three times; carol won only 5000.
    assert [holder.account.name for holder in ranked] == ["erin", "alice", "dave", "frank", "carol"]
    assert [holder.score for holder in ranked] == [
        7_333_333,
        1_237_500,
        1_237_500,
        1_237_500,
        1_100_000,
    ]
    desk.do(Withdraw("dave", "USDT", money("5000")))
    ranked = rank_holders(desk.state, desk.state.markets["BTCUSDT"], longs=True)
    # 6000 / 5000 x 330 / 11000
    assert [holder.account.name for holder in ranked[:2]] == ["erin", "dave"]
    assert ranked[1].score == 3_600_000
