"""Liquidation, step by step: who is due at which price, what is done, and who pays.

Sources: margin balance <= maintenance margin at mark price; maintenance margin =
notional x rate - cum of its bracket; bankruptcy price: the one at which the margin
balance is gone. Alice has 1000 and the terms are those of the desk, if nothing else is
said: maintenance 0.5 % up to a notional of 300000, maker 0.02 %, taker 0.05 %,
liquidation 1.25 %.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.desk import START_MS, Desk, money
from tests.engine.ruin import open_desk, set_leverage, set_terms, story, trade

from openperp.engine import snapshot
from openperp.engine.assets import AssetSpec
from openperp.engine.commands import (
    Batch,
    DefineAsset,
    Deposit,
    FundInsurance,
    PlaceOrder,
    Pulse,
    SetAssetIndex,
    SetMarginType,
    SetMode,
    SetMultiAssets,
    SetPositionMode,
)
from openperp.engine.events import OrderAccepted, OrderFilled, TradeExecuted
from openperp.engine.instruments import Bracket
from openperp.engine.liquidation_events import InsuranceChanged, LiquidationStarted
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.rejects import Reject
from openperp.engine.terms import LONG, SHORT, Mode, Origin, Side, WorkingType
from openperp.engine.terms import OrderType as Type

ALICE = 1

BRACKETS = (
    Bracket(100, 0, 2_000 * MONEY_ONE, 5_000, 0),
    Bracket(50, 2_000 * MONEY_ONE, 8_000 * MONEY_ONE, 20_000, 30 * MONEY_ONE),
    Bracket(20, 8_000 * MONEY_ONE, 900_000 * MONEY_ONE, 50_000, 270 * MONEY_ONE),
)
"""0.5 % up to 2000, 2 % - 30 up to 8000, then 5 % - 270."""


def long_desk(deposit: str = "1000") -> Desk:
    """Alice is long 0.1 at 60000 with 998.8 in her wallet, after a fee of 1.2.

    She is due when 998.8 + 0.1 x (mark - 60000) <= 0.1 x mark x 0.5 %: at 50263.3, with
    25.13 left of 25.13165 needed, and bankrupt at 50012.
    """
    desk = open_desk(deposit)
    trade(desk, "BUY", "0.1")
    return desk


def bid(desk: Desk, price: str, quantity: str = "0.1", **fields: object) -> None:
    desk.order("carol", "BUY", quantity, price, **fields)


@pytest.mark.parametrize(
    ("side", "safe", "due"),
    [
        ("BUY", "50263.4", "50263.3"),
        # 998.8 - 0.1 x (mark - 60000) <= 0.1 x mark x 0.5 %: mark >= 69639.80...
        ("SELL", "69639.8", "69639.9"),
    ],
)
def test_a_cross_position_is_due_at_the_price_of_the_formula(
    side: str, safe: str, due: str
) -> None:
    desk = open_desk()
    trade(desk, side, "0.1")
    desk.price(safe)
    assert story(desk) == []
    desk.price(due)
    assert isinstance(desk.events()[1], LiquidationStarted)
    assert desk.position("alice").lots == 0


def test_a_venue_that_does_not_liquidate_lets_everything_be() -> None:
    desk = Desk(deposit="1000")
    trade(desk, "BUY", "0.1")
    desk.price("20000")
    assert story(desk) == []
    assert desk.position("alice").lots == 100


@pytest.mark.parametrize(
    ("fee_ppm", "fee", "wallet"),
    [
        # Sold at 50200, alice has 998.8 - 980 = 18.8 left; 1.25 % of 5020 would be 62.75.
        (12_500, "18.8", "0"),
        (1_000, "5.02", "13.78"),
    ],
)
def test_the_book_closes_it_and_the_fee_is_no_more_than_is_left(
    fee_ppm: int, fee: str, wallet: str
) -> None:
    desk = long_desk()
    set_terms(desk, liquidation_fee_ppm=fee_ppm)
    bid(desk, "50200")
    desk.price("50263.3")
    assert story(desk) == [
        "alice cross: 25.13 left, 25.13165 needed",
        "close 0.1 of BTCUSDT 0.1 at 50012",
        "carol buys 0.1 at 50200, fee 1.004",
        "alice sells 0.1 at 50200",
        f"alice pays the fund {fee}",
        f"alice cross: {wallet} left, wallet {wallet}",
    ]
    assert desk.state.insurance == money(fee)
    assert desk.state.markets["BTCUSDT"].last_ticks == 502_000


def test_its_orders_are_the_venues_own() -> None:
    desk = long_desk()
    desk.price("50263.3")
    accepted = [event.order for event in desk.events() if isinstance(event, OrderAccepted)]
    assert [
        (order.origin.name, order.account, order.side.name, order.lots, order.client_id)
        for order in accepted
    ] == [
        ("LIQUIDATION", 1, "SELL", 100, f"autoclose-{desk.now}-3"),
        ("DELEVERAGING", 1, "SELL", 100, "adl_autoclose"),
        ("DELEVERAGING", 2, "BUY", 100, "adl_autoclose"),
    ]
    for order in accepted:
        assert (order.type.name, order.time_in_force.name, order.ticks, order.reduce_only) == (
            "LIMIT",
            "IOC",
            500_120,
            True,
        )
    assert desk.state.orders == {}
    assert desk.state.next_order_id == 6


def test_no_client_id_of_an_account_is_in_the_way() -> None:
    """Bob's order on another symbol lives on under the name that his forced one has, too."""
    desk = long_desk()
    order = desk.order("bob", "BUY", "1", "2000", symbol="ETHUSDT", client_id="adl_autoclose")
    desk.price("50263.3")
    assert desk.account("bob").client_ids["adl_autoclose"].order_id == order.order_id


@pytest.mark.parametrize(
    ("fund", "paid", "taken", "left"),
    [
        # Carol's bid is 12 below the bankruptcy price: 0.012 for each lot of 0.001.
        ("5", "1.2", "0.1", "3.8"),
        ("1.2", "1.2", "0.1", "0"),
        ("0.61", "0.6", "0.05", "0.01"),
    ],
)
def test_beyond_the_bankruptcy_price_the_fund_pays(
    fund: str, paid: str, taken: str, left: str
) -> None:
    desk = long_desk()
    bid(desk, "50000")
    desk.do(FundInsurance(money(fund)))
    desk.price("50263.3")
    lines = story(desk)
    assert lines[3] == f"alice sells {taken} at 50000"
    assert lines[4] == f"the fund pays alice {paid}"
    assert lines[-1] == "alice cross: 0 left, wallet 0"
    assert desk.state.insurance == money(left)


def test_no_event_tells_of_more_cross_margin_than_there_is() -> None:
    """What the fund pays for an isolated position comes when the loss of it is there."""
    desk = open_desk()
    desk.do(SetMarginType(1, "BTCUSDT", True))
    trade(desk, "BUY", "0.1")
    bid(desk, "50000")
    desk.do(FundInsurance(money("5000")))
    cross = desk.account("alice").cross_wallet
    desk.price("55000")
    told: list[Any] = [event for event in desk.events() if getattr(event, "account", 0) == 1]
    free = [event.wallet - event.set_aside for event in told if hasattr(event, "set_aside")]
    paid = [type(event).__name__ for event in told]
    assert "InsuranceCleared" in paid
    assert max(free) <= cross
    assert desk.account("alice").cross_wallet == cross


def test_what_the_fund_cannot_pay_for_is_deleveraged() -> None:
    desk = long_desk()
    bid(desk, "50000")
    desk.do(FundInsurance(money("0.011")))  # Less than one lot lacks.
    desk.price("50263.3")
    assert story(desk) == [
        "alice cross: 25.13 left, 25.13165 needed",
        "close 0.1 of BTCUSDT 0.1 at 50012",
        f"alice's autoclose-{desk.now}-4 expires: NO_LIQUIDITY",
        "1 of 1, bob gives 0.1",
        "bob buys 0.1 at 50012",
        "alice sells 0.1 at 50012",
        "alice cross: 0 left, wallet 0",
    ]
    assert desk.state.insurance == money("0.011")


def test_of_two_positions_the_one_with_more_maintenance_margin_goes_first() -> None:
    """Long 0.1 BTC from 60000, at 58000: -200; long 3 ETH from 3000, at 2747: -759.

    997 - 959 = 38 are left of 29 + 41.205 needed. ETH bears 8241 / 14041 of it: 22.303,
    so that it is bankrupt at (8241 - 22.303) / 3 = 2739.5656. Sold at 2780 it leaves
    137, of which 8241 / 14041 may go for the fee of 1.25 % of 8340. 56.59 are left of 29.
    """
    desk = long_desk()
    trade(desk, "BUY", "3", "3000", symbol="ETHUSDT")
    bid(desk, "2780", "5", symbol="ETHUSDT")
    desk.price("58000")
    desk.price("2747", symbol="ETHUSDT")
    assert story(desk) == [
        "alice cross: 38 left, 70.205 needed",
        "close 3 of ETHUSDT 3 at 2739.57",
        "carol buys 3 at 2780, fee 1.668",
        "alice sells 3 at 2780",
        "alice pays the fund 80.40858913",
        "alice cross: 56.59141087 left, wallet 256.59141087",
    ]
    assert desk.position("alice").lots == 100


def test_hedged_sides_are_positions_of_their_own() -> None:
    """Long 0.2 and short 0.1 from 60000, at 50600: 996.4 - 1880 + 940 = 56.4 are left.

    The long bears 10120 / 15180 of it: 37.6, and is bankrupt at (10120 - 37.6) / 0.2.
    """
    desk = open_desk()
    desk.do(SetPositionMode(ALICE, True))
    trade(desk, "BUY", "0.2", position_side=LONG)
    trade(desk, "SELL", "0.1", position_side=SHORT)
    bid(desk, "51300", "1")
    desk.price("50600")
    assert story(desk) == [
        "alice cross: 56.4 left, 75.9 needed",
        "close 0.2 of BTCUSDT LONG 0.2 at 50412",
        "carol buys 0.2 at 51300, fee 2.052",
        "alice sells 0.2 at 51300",
        "alice pays the fund 128.25",
        "alice cross: 68.15 left, wallet -871.85",
    ]
    assert desk.position("alice", "BTCUSDT:SHORT").lots == -100


def test_a_position_leaves_one_bracket_at_a_time() -> None:
    """Long 0.3 from 60000, at 54900: a notional of 16470 needs 5 % - 270 = 553.5.

    145 lots of 54.9 are the most below 8000. The rest, 7960.5, needs 2 % - 30 = 129.21;
    36 lots are the most below 2000.
    """
    desk = open_desk("2000")
    set_terms(desk, brackets=BRACKETS)
    set_leverage(desk, "alice", 20)
    trade(desk, "BUY", "0.3")
    bid(desk, "53350", "1")
    desk.price("54900")
    assert story(desk) == [
        "alice cross: 466.4 left, 553.5 needed",
        # Bankrupt at (16470 - 466.4) / 0.3 = 53345.33
        "close 0.155 of BTCUSDT 0.3 at 53345.4",
        "carol buys 0.155 at 53350, fee 1.65385",
        "alice sells 0.155 at 53350",
        "alice pays the fund 103.365625",
        # 122.784375 are left: (7960.5 - 122.784375) / 0.145 = 54053.21
        "close 0.109 of BTCUSDT 0.145 at 54053.3",
        "carol buys 0.109 at 53350, fee 1.16303",
        "alice sells 0.109 at 53350",
        "the fund pays alice 76.6597",
        "alice pays the fund 22.92313224",
        "close 0.036 of BTCUSDT 0.036 at 54689.7",
        "carol buys 0.036 at 53350, fee 0.38412",
        "alice sells 0.036 at 53350",
        "the fund pays alice 48.2292",
        "alice pays the fund 0.00014276",
        "alice cross: 0 left, wallet 0",
    ]


def test_a_stage_may_be_enough() -> None:
    """As above, with a better bid: 834.525 are left of 129.21."""
    desk = open_desk("2000")
    set_terms(desk, brackets=BRACKETS)
    trade(desk, "BUY", "0.3")
    bid(desk, "58000", "1")
    desk.price("54900")
    assert story(desk)[-1] == "alice cross: 834.525 left, wallet 1574.025"
    assert desk.position("alice").lots == 145


def isolated_desk() -> Desk:
    """Alice's 0.1 at 60000 stands on 300 of its own: due at 57286.4, bankrupt at 57000."""
    desk = open_desk()
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    trade(desk, "BUY", "0.1")
    return desk


def test_an_isolated_position_goes_alone() -> None:
    """Sold at 57100 it gives 10 back, all of which is its fee; 1.25 % would be 71.375."""
    desk = isolated_desk()
    bid(desk, "57100")
    desk.price("57286.5")
    assert story(desk) == []
    desk.price("57286.4")
    assert story(desk) == [
        "alice BTCUSDT: 28.64 left, 28.6432 needed",
        "close 0.1 of BTCUSDT 0.1 at 57000",
        "carol buys 0.1 at 57100, fee 1.142",
        "alice sells 0.1 at 57100",
        "alice pays the fund 10",
        "alice BTCUSDT: 0 left, wallet 698.8",
    ]
    assert desk.account("alice").cross_wallet == money("698.8")


def test_orders_go_first_and_children_with_them() -> None:
    desk = long_desk()
    desk.order("alice", "BUY", "0.01", "40000", stop_loss_ticks="39000")
    desk.order("alice", "SELL", "0.05", "90000", reduce_only=True)
    desk.order("alice", "SELL", "0.1", type="STOP_MARKET", trigger="30000")
    desk.order("alice", "SELL", "1", "4000", symbol="ETHUSDT")
    desk.price("50263.3")
    assert story(desk)[:7] == [
        "alice cross: 25.13 left, 25.13165 needed",
        "alice's order 3 expires: LIQUIDATED",
        "alice's order 4 is cancelled: CASCADE",
        "alice's order 5 expires: LIQUIDATED",
        "alice's order 6 expires: LIQUIDATED",
        "alice's order 7 expires: LIQUIDATED",
        "close 0.1 of BTCUSDT 0.1 at 50012",
    ]


def test_an_isolated_position_takes_the_orders_of_its_symbol_alone() -> None:
    desk = isolated_desk()
    desk.order("alice", "BUY", "0.001", "40000")
    kept = desk.order("alice", "SELL", "0.1", "4000", symbol="ETHUSDT")
    desk.price("57286.4")
    assert story(desk)[1] == "alice's order 3 expires: LIQUIDATED"
    assert list(desk.state.orders) == [kept.order_id]


def test_stops_see_the_price_before_anyone_is_liquidated() -> None:
    """Alice's stop sells at 50300 what would have been liquidated: her loss is 970."""
    desk = long_desk()
    desk.order(
        "alice",
        "SELL",
        "0.1",
        type="STOP_MARKET",
        trigger="50300",
        reduce_only=True,
        working_type=WorkingType.MARK_PRICE,
    )
    bid(desk, "50300")
    desk.price("50263.3", last=False)
    assert story(desk) == [
        "alice's order 3 fires",
        "carol buys 0.1 at 50300, fee 1.006",
        "alice sells 0.1 at 50300, fee 2.515",
    ]


def test_one_liquidation_may_ruin_others() -> None:
    """The trade at 50200 fires a stop, which sells so badly that its owner is due."""
    desk = Desk(deposit="1000", liquidates=True)
    desk.do(Deposit("bob", "USDT", money("1000000")))
    desk.do(Deposit("carol", "USDT", money("1005")))
    trade(desk, "BUY", "0.1")
    trade(desk, "BUY", "0.2", name="carol")
    desk.order("bob", "BUY", "0.1", "50200")
    desk.order("bob", "BUY", "0.1", "49000")
    desk.order("carol", "SELL", "0.1", type="STOP_MARKET", trigger="50210")
    desk.price("50263.3", last=False)
    assert story(desk) == [
        "alice cross: 25.13 left, 25.13165 needed",
        "close 0.1 of BTCUSDT 0.1 at 50012",
        "bob buys 0.1 at 50200, fee 1.004",
        "alice sells 0.1 at 50200",
        "alice pays the fund 18.8",
        "alice cross: 0 left, wallet 0",
        "carol's order 7 fires",
        "bob buys 0.1 at 49000, fee 0.98",
        "carol sells 0.1 at 49000, fee 2.45",
        # 2002.6 - 1100 - 2.45 - 973.67
        "carol cross: -73.52 left, 25.13165 needed",
        "close 0.1 of BTCUSDT 0.1 at 50998.5",
        f"carol's autoclose-{desk.now}-9 expires: NO_LIQUIDITY",
        "1 of 1, bob gives 0.1",
        "bob buys 0.1 at 50998.5",
        "carol sells 0.1 at 50998.5",
        "carol cross: 0 left, wallet 0",
    ]


def test_funding_may_use_margin_up() -> None:
    """At 50267 25.5 are left of 25.1335; funding of 0.01 % takes 0.50267 of it."""
    desk = long_desk()
    set_terms(desk, funding_hours=8, funding_cap_ppm=3_750)
    bid(desk, "50200")
    desk.price("50267")
    assert story(desk) == []
    desk.now = START_MS + 8 * 3_600_000 + 5
    desk.do(Pulse())
    assert story(desk)[0] == "alice cross: 24.99733 left, 25.1335 needed"
    started = next(event for event in desk.events() if isinstance(event, LiquidationStarted))
    assert started.time_ms == START_MS + 8 * 3_600_000
    assert desk.position("alice").lots == 0


@pytest.mark.parametrize("symbol", ["", "BTCUSDT"])
def test_a_closed_market_liquidates_nobody_until_it_reopens(symbol: str) -> None:
    desk = long_desk()
    desk.do(SetMode(Mode.CANCEL_ONLY, symbol))
    desk.price("50000")
    desk.price("49000")
    assert story(desk) == []
    desk.do(SetMode(Mode.NORMAL, symbol))
    assert story(desk)[0] == "alice cross: -101.2 left, 24.5 needed"
    assert desk.position("alice").lots == 0


def test_the_open_market_of_two_closes_its_position() -> None:
    """BTCUSDT is halted: its loss counts, and ETHUSDT has to pay for it."""
    desk = long_desk()
    trade(desk, "BUY", "0.1", "3000", symbol="ETHUSDT")
    desk.do(SetMode(Mode.HALTED, "BTCUSDT"))
    desk.price("50000")
    assert story(desk)[1].startswith("close 0.1 of ETHUSDT")
    assert desk.position("alice").lots == 100
    assert desk.position("alice", "ETHUSDT").lots == 0


def test_new_brackets_are_looked_at_at_once() -> None:
    desk = long_desk()
    desk.price("52000")
    steeper = (Bracket(100, 0, 900_000 * MONEY_ONE, 50_000, 0),)
    set_terms(desk, brackets=steeper)
    assert story(desk)[0] == "alice cross: 198.8 left, 260 needed"


def test_accounts_go_by_number_and_isolated_positions_by_key() -> None:
    desk = open_desk()
    for account in (1, 3):
        for symbol in ("ETHUSDT", "BTCUSDT"):
            desk.do(SetMarginType(account, symbol, True))
    for name in ("carol", "alice"):
        trade(desk, "BUY", "1", "3000", symbol="ETHUSDT", name=name)
        trade(desk, "BUY", "0.1", name=name)
    desk.do(SetMode(Mode.CANCEL_ONLY))
    desk.price("57000")
    desk.price("2850", symbol="ETHUSDT")
    desk.do(SetMode(Mode.NORMAL))
    started = [event for event in desk.events() if isinstance(event, LiquidationStarted)]
    assert [(event.account, event.symbol) for event in started] == [
        (1, "BTCUSDT"),
        (1, "ETHUSDT"),
        (3, "BTCUSDT"),
        (3, "ETHUSDT"),
    ]


def test_each_element_of_a_batch_has_its_consequences() -> None:
    """Selling half at 45000 ruins the other half: nothing of it is left for the second order."""
    desk = long_desk()
    desk.price("51000")
    bid(desk, "45000", "0.05")
    sell = PlaceOrder(ALICE, "BTCUSDT", Side.SELL, Type.MARKET, 50, reduce_only=True)
    first, second = desk.do(Batch((sell, sell)))
    assert first.filled_lots == 50
    assert "alice cross: -202.325 left, 12.75 needed" in story(desk)
    assert second.reason.name == "REDUCE_ONLY_REJECTED"


def test_a_debt_without_positions_is_paid_by_the_fund() -> None:
    """Alice sells at 40000 what she bought at 60000: 998.8 - 2000 - 2 of fee."""
    desk = long_desk()
    bid(desk, "40000")
    desk.order("alice", "SELL", "0.1")
    assert story(desk) == [
        "carol buys 0.1 at 40000, fee 0.8",
        "alice sells 0.1 at 40000, fee 2",
        "the fund pays alice 1003.2",
    ]
    assert desk.wallet("alice") == 0
    assert desk.state.insurance == -money("1003.2")


def give_bitcoin(desk: Desk, amount: str) -> None:
    """Alice has BTC as margin, at 95 % of its index, or 97.5 % where it has to pay a debt."""
    desk.do(DefineAsset(AssetSpec("BTC", money("60000"), 50_000, 50_000, 0, 25_000, 25_000)))
    desk.do(Deposit("alice", "BTC", money(amount)))
    desk.do(SetMultiAssets(ALICE, True))


def test_collateral_is_margin_until_its_index_falls() -> None:
    """At 50000 998.8 - 1000 + 0.1 x 275 x 95 % = 24.925 are left of 25.

    Closed at 49750.8 it has lost 1024.92: 26.12 are owed, for which 0.09741725 BTC go at
    275 x 97.5 %.
    """
    desk = long_desk()
    give_bitcoin(desk, "0.1")
    desk.price("50000")
    assert story(desk) == []
    desk.do(SetAssetIndex("BTC", money("276")))
    assert story(desk) == []
    desk.do(SetAssetIndex("BTC", money("275")))
    assert story(desk)[:2] == [
        "alice cross: 24.925 left, 25 needed",
        "close 0.1 of BTCUSDT 0.1 at 49750.8",
    ]
    assert money("0") <= desk.wallet("alice") < money("0.00001")
    assert desk.account("alice").balances["BTC"] == money("0.1") - money("0.09741725")
    assert desk.state.insurance == 0


def test_a_debt_takes_other_assets_before_the_fund_pays() -> None:
    """0.01 BTC make 585 of the 1003.2 that are owed."""
    desk = long_desk()
    give_bitcoin(desk, "0.01")
    bid(desk, "40000")
    desk.order("alice", "SELL", "0.1")
    assert story(desk)[2:] == ["the fund pays alice 418.2"]
    assert desk.account("alice").balances["BTC"] == 0


def test_only_who_was_not_forced_pays_a_commission() -> None:
    desk = long_desk()
    bid(desk, "50200", "0.04")
    desk.price("50263.3")
    fees = {
        (event.order.account, event.order.origin): event.fill.fee
        for event in desk.events()
        if isinstance(event, OrderFilled)
    }
    assert fees == {
        (3, Origin.ACCOUNT): money("0.4016"),
        (1, Origin.LIQUIDATION): 0,
        (1, Origin.DELEVERAGING): 0,
        (2, Origin.DELEVERAGING): 0,
    }
    assert sum(isinstance(event, TradeExecuted) for event in desk.events()) == 1


@pytest.mark.parametrize(
    ("before", "amount", "outcome"),
    [
        ("0", 0, "AMOUNT_NOT_POSITIVE"),
        ("0", -1, "BALANCE_INSUFFICIENT"),
        ("5", -money("5") - 1, "BALANCE_INSUFFICIENT"),
        ("5", 2**62, "AMOUNT_TOO_LARGE"),
        ("5", -(2**62), "AMOUNT_TOO_LARGE"),
        ("5", 2**62 - money("2002000"), "AMOUNT_TOO_LARGE"),
        ("5", -money("5"), "0"),
        ("5", money("2"), "7"),
    ],
)
def test_the_operator_pays_into_the_fund_and_takes_out_what_it_has(
    before: str, amount: int, outcome: str
) -> None:
    desk = open_desk()
    if before != "0":
        desk.do(FundInsurance(money(before)))
    digest = snapshot.digest(desk.state)
    reply = desk.do(FundInsurance(amount))
    if isinstance(reply, Reject):
        assert reply.reason.name == outcome
        assert snapshot.digest(desk.state) == digest
    else:
        assert reply == InsuranceChanged(amount, money(outcome))
        assert desk.events() == [reply]
        assert desk.state.insurance == money(outcome)


@pytest.mark.parametrize("move", [lambda desk: desk.price("50263.3"), None])
def test_a_snapshot_keeps_what_the_venue_does(move: Callable[[Desk], None] | None) -> None:
    desk = long_desk()
    if move is not None:
        move(desk)
    loaded = snapshot.load(snapshot.dump(desk.state))
    assert loaded.liquidates
    assert snapshot.dump(loaded) == snapshot.dump(desk.state)
