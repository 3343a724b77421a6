"""Who pays for a fill that costs more than an account has: its isolated position comes before
the insurance fund.

Alice has 700, isolated margin and leverage 100. She buys 1 BTC at 60000 for a fee of 12: 600 are
set aside, and 88 are left. What she sells has a fee of 0.05 %.
"""

import pytest
from tests.engine.desk import Desk, money
from tests.engine.ruin import open_desk, set_leverage, trade

from openperp.engine import snapshot
from openperp.engine.commands import (
    Deposit,
    FundInsurance,
    SetMarginType,
    SetPositionMode,
    Withdraw,
)
from openperp.engine.terms import IOC, LONG, SHORT

ALICE = 1


def long_desk(*, isolated_pays: bool = True) -> Desk:
    desk = open_desk("700", isolated_pays=isolated_pays)
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    set_leverage(desk, "alice", 100)
    trade(desk, "BUY", "1")
    return desk


def sell_half(desk: Desk, price: str) -> None:
    """Bob offers to take over half of what alice has."""
    desk.order("bob", "BUY", "0.5", price)
    desk.order("alice", "SELL", "0.5", price, time_in_force=IOC)


def wallets(desk: Desk) -> tuple[int, int, int]:
    """Alice's isolated wallet, her cross wallet, and the fund."""
    position, account = desk.position("alice"), desk.account("alice")
    return position.isolated_wallet, account.cross_wallet, desk.state.insurance


@pytest.mark.parametrize(
    ("price", "isolated", "cross", "fund"),
    [
        # Half of the 600 come back first. Loss and fee are paid from that ...
        ("59800", "300", "273.05", "0"),  # 88 + 300 - 100 - 14.95
        # ... then from the cross wallet ...
        ("59300", "300", "23.175", "0"),  # 88 + 300 - 350 - 14.825
        # ... then from what is still set aside: 88 + 300 - 450 - 14.775 = -76.775 ...
        ("59100", "223.225", "0", "0"),
        # ... and by the fund at last: 88 + 300 - 750 - 14.625 = -376.625, of which the position
        # pays 300. It has nothing left then, and is closed at 60000, where it loses nothing.
        ("58500", "0", "0", "76.625"),
    ],
)
def test_the_position_pays_before_the_fund(
    price: str, isolated: str, cross: str, fund: str
) -> None:
    desk = long_desk()
    sell_half(desk, price)
    assert wallets(desk) == (money(isolated), money(cross), -money(fund))
    assert desk.position("alice").lots == (500 if isolated != "0" else 0)


def test_in_venues_from_before_the_fund_pays_all_of_it() -> None:
    desk = long_desk(isolated_pays=False)
    sell_half(desk, "59100")
    assert wallets(desk) == (money("300"), 0, -money("76.775"))


def test_a_maker_pays_like_a_taker() -> None:
    desk = long_desk()
    desk.order("alice", "SELL", "0.5", "59100")
    desk.order("bob", "BUY", "0.5", "59100")
    # The fee is 5.91: 88 + 300 - 450 - 5.91 = -67.91.
    assert wallets(desk) == (money("232.09"), 0, 0)


def test_a_short_pays_like_a_long() -> None:
    desk = open_desk("700", isolated_pays=True)
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    set_leverage(desk, "alice", 100)
    trade(desk, "SELL", "1")
    desk.order("bob", "SELL", "0.5", "60900")
    desk.order("alice", "BUY", "0.5", "60900", time_in_force=IOC)
    # 88 + 300 - 450 - 15.225 = -77.225.
    assert wallets(desk) == (money("222.775"), 0, 0)


def test_the_other_side_is_another_position() -> None:
    desk = open_desk("1500", isolated_pays=True)
    desk.do(SetPositionMode(ALICE, True))
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    set_leverage(desk, "alice", 100)
    for side, word in (("BUY", LONG), ("SELL", SHORT)):
        trade(desk, side, "1", position_side=word)
    desk.order("bob", "BUY", "0.5", "58620")
    desk.order("alice", "SELL", "0.5", "58620", time_in_force=IOC, position_side=LONG)
    long, short = [desk.position("alice", f"BTCUSDT:{side}") for side in ("LONG", "SHORT")]
    # 1500 - 24 - 1200 = 276, and 276 + 300 - 690 - 14.655 = -128.655.
    assert (long.isolated_wallet, short.isolated_wallet) == (money("171.345"), money("600"))
    assert (desk.account("alice").cross_wallet, desk.state.insurance) == (0, 0)


def test_a_cross_loss_leaves_isolated_positions_alone() -> None:
    desk = open_desk("700", isolated_pays=True)
    desk.do(SetMarginType(ALICE, "ETHUSDT", True))
    set_leverage(desk, "alice", 100, "ETHUSDT")
    trade(desk, "BUY", "10", "3000", symbol="ETHUSDT")
    set_leverage(desk, "alice", 100)
    trade(desk, "BUY", "0.5")
    desk.order("bob", "BUY", "0.5", "58500")
    desk.order("alice", "SELL", "0.5", "58500", time_in_force=IOC)
    # 700 - 6 - 300 - 6 = 388, and 388 - 750 - 14.625 = -376.625.
    assert desk.position("alice", "ETHUSDT").isolated_wallet == money("300")
    assert desk.state.insurance == -money("376.625")


def test_only_what_the_fill_has_cost_is_paid() -> None:
    """A debt from before, which profits of another market bear, stays where it is."""
    desk = open_desk("2000", isolated_pays=True)
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    set_leverage(desk, "alice", 100)
    trade(desk, "BUY", "1")
    trade(desk, "BUY", "1", "3000", symbol="ETHUSDT")
    desk.price("4000", symbol="ETHUSDT")
    desk.do(Withdraw("alice", "USDT", desk.account("alice").cross_wallet))
    trade(desk, "BUY", "0.5", "4000", symbol="ETHUSDT")
    assert wallets(desk) == (money("600"), -money("0.4"), 0)
    sell_half(desk, "59300")
    # The fee is 14.825: 300 - 350 - 14.825 = -64.825.
    assert wallets(desk) == (money("235.175"), -money("0.4"), 0)


def test_a_fund_that_owes_pays_for_no_fill() -> None:
    desk = long_desk()
    sell_half(desk, "58500")
    desk.do(Deposit("alice", "USDT", money("700")))
    trade(desk, "BUY", "1")
    desk.do(Withdraw("alice", "USDT", money("88")))
    desk.order("bob", "BUY", "1", "59300")
    desk.price("59650")
    assert desk.position("alice").lots == 0
    assert wallets(desk) == (0, 0, -money("76.625"))


@pytest.mark.parametrize("pays", [False, True])
def test_below_bankruptcy_the_fund_pays_for_each_fill(pays: bool) -> None:
    desk = long_desk(isolated_pays=pays)
    desk.do(Withdraw("alice", "USDT", money("88")))
    desk.do(FundInsurance(money("1000")))
    desk.order("bob", "BUY", "0.5", "59300")
    desk.order("bob", "BUY", "0.5", "59200")
    desk.price("59650")
    # The price of bankruptcy is 59400; what closes there has lost what comes back with it.
    assert wallets(desk) == (0, 0, money("850"))
    assert desk.position("alice").lots == 0
    changes = [getattr(event, "isolated_wallet", None) for event in desk.events()]
    assert money("300") in changes


def test_snapshots_know_who_pays() -> None:
    for pays in (False, True):
        desk = Desk(isolated_pays=pays)
        assert snapshot.load(snapshot.dump(desk.state)).isolated_pays is pays
