"""Auto-deleveraging: who has to give up a position against one that nobody takes.

Source of the ranking: profit / wallet x maintenance margin / margin balance, largest first.
"""

from tests.engine.desk import Desk, money
from tests.engine.ruin import open_desk, story, trade

from openperp.engine.commands import CreateAccount, Deposit, SetMarginType, SetMode, SetPositionMode
from openperp.engine.events import OrderFilled, TradeExecuted
from openperp.engine.liquidation_events import PositionDeleveraged
from openperp.engine.ranking import rank_holders
from openperp.engine.terms import LONG, SHORT, Mode

ALICE = 1


def crowd() -> Desk:
    """Alice is long 0.3 from 60000 on 2996.4: bankrupt at 50012, ruined at 50000.

    Bob, carol and dave, a house account, are short 0.1 each. Bob and carol have a million
    in their wallets and dave has 5000.
    """
    desk = open_desk("3000")
    desk.do(CreateAccount("dave", money("5000"), house=True))
    for other in ("carol", "dave", "bob"):
        trade(desk, "BUY", "0.1", other=other)
    return desk


def ranked(desk: Desk) -> list[PositionDeleveraged]:
    return [event for event in desk.events() if isinstance(event, PositionDeleveraged)]


def test_who_has_most_profit_on_least_margin_is_first_and_only_as_many_as_needed() -> None:
    desk = crowd()
    desk.order("carol", "BUY", "0.15", "50012")
    desk.price("50000")
    assert story(desk)[1:] == [
        "close 0.3 of BTCUSDT 0.3 at 50012",
        # The book comes first, and carol is long 0.05 by then.
        "carol buys 0.15 at 50012, fee 1.50036",
        "alice sells 0.15 at 50012",
        f"alice's autoclose-{desk.now}-8 expires: NO_LIQUIDITY",
        "1 of 2, dave gives 0.1",
        "dave buys 0.1 at 50012",
        "alice sells 0.1 at 50012",
        "2 of 2, bob gives 0.05",
        "bob buys 0.05 at 50012",
        "alice sells 0.05 at 50012",
        "alice cross: 0 left, wallet 0",
    ]
    assert desk.position("bob").lots == -50


def test_equal_scores_go_by_account_number() -> None:
    desk = crowd()
    desk.price("50000")
    assert [(event.account, event.rank, event.holders) for event in ranked(desk)] == [
        (4, 1, 3),
        (2, 2, 3),
        (3, 3, 3),
    ]


def test_the_numbers_of_the_rank_are_told_as_they_were_before() -> None:
    """Dave: 5000 - 3 of fee; 0.1 x (60000 - 50000) of profit; 0.5 % of 5000 needed.

    1000 / 4997 x 25 / 5997 = 0.00083425...
    """
    desk = crowd()
    desk.price("50000")
    dave = ranked(desk)[0]
    assert (dave.profit, dave.wallet, dave.balance, dave.maintenance) == (
        money("1000"),
        money("4997"),
        money("5997"),
        money("25"),
    )
    assert dave.score == 83_425
    assert (dave.lots, dave.ticks) == (100, 500_120)


def test_orders_on_the_symbol_go_and_others_stay() -> None:
    desk = crowd()
    desk.order("dave", "SELL", "0.02", "70000", take_profit_ticks="65000")
    desk.order("dave", "BUY", "0.1", type="STOP_MARKET", trigger="80000")
    kept = desk.order("dave", "SELL", "1", "3500", symbol="ETHUSDT")
    desk.price("50000")
    lines = story(desk)
    at = lines.index("1 of 3, dave gives 0.1")
    assert lines[at - 3 : at] == [
        "dave's order 7 expires: DELEVERAGED",
        "dave's order 8 is cancelled: CASCADE",
        "dave's order 9 expires: DELEVERAGED",
    ]
    assert list(desk.state.orders) == [kept.order_id]


def test_it_is_no_trade_of_the_market() -> None:
    desk = crowd()
    market = desk.state.markets["BTCUSDT"]
    last, change, trade_id = market.last_ticks, market.book.update_id, desk.state.next_trade_id
    desk.price("50000", last=None)
    assert not [event for event in desk.events() if isinstance(event, TradeExecuted)]
    assert (market.last_ticks, market.book.update_id) == (last, change)
    fills = [event.fill for event in desk.events() if isinstance(event, OrderFilled)]
    assert [(fill.account, fill.maker, fill.fee, fill.trade_id - trade_id) for fill in fills] == [
        (4, True, 0, 0),
        (1, False, 0, 0),
        (2, True, 0, 1),
        (1, False, 0, 1),
        (3, True, 0, 2),
        (1, False, 0, 2),
    ]


def test_the_other_side_of_a_hedge_is_a_counterpart_too() -> None:
    """Alice's own short has the most profit on the least margin."""
    desk = open_desk()
    desk.do(SetPositionMode(ALICE, True))
    trade(desk, "BUY", "0.2", position_side=LONG)
    trade(desk, "SELL", "0.1", position_side=SHORT)
    desk.price("50600")
    assert story(desk)[3:] == [
        "1 of 2, alice gives 0.1",
        "alice buys 0.1 at 50412",
        "alice sells 0.1 at 50412",
        "2 of 2, bob gives 0.1",
        "bob buys 0.1 at 50412",
        "alice sells 0.1 at 50412",
        "alice cross: 37.6 left, wallet 37.6",
    ]


def test_an_isolated_position_is_ranked_by_its_own_margin() -> None:
    desk = open_desk("3000")
    desk.do(SetMarginType(2, "BTCUSDT", True))
    for other in ("carol", "bob"):
        trade(desk, "BUY", "0.1", other=other)
    desk.price("55000")
    holders = rank_holders(desk.state, desk.position("alice").market, longs=False)
    assert [(each.account.name, each.wallet, each.balance) for each in holders] == [
        ("bob", money("300"), money("800")),
        ("carol", money("1002997"), money("1003497")),
    ]


def test_a_counterpart_that_is_ruined_itself_is_last() -> None:
    """Dave has lost 8000 elsewhere while the markets were closed, and his turn comes after alice."""
    desk = crowd()
    desk.do(Deposit("dave", "USDT", money("1000")))
    trade(desk, "BUY", "10", "3000", symbol="ETHUSDT", name="dave", other="carol")
    desk.do(SetMode(Mode.CANCEL_ONLY))
    desk.price("2200", symbol="ETHUSDT")
    desk.price("50000")
    desk.do(SetMode(Mode.NORMAL))
    assert [(event.account, event.score > 0) for event in ranked(desk)[:3]] == [
        (3, True),
        (2, True),
        (4, False),
    ]
    assert ranked(desk)[2].balance < 0
