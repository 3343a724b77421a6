"""In what order positions are given up while several accounts are ruined by one price.

Every position that is closed finds the ranking as it is by then: who gave up a part has
less profit and more in the wallet, and may have fallen behind.
"""

from msgspec.structs import replace
from tests.engine.desk import BTC, ETH, Desk, money
from tests.engine.ruin import trade

from openperp.engine.commands import (
    Batch,
    CreateAccount,
    DefineInstrument,
    Deposit,
    PlaceOrder,
    SetMarginType,
    SetPrice,
)
from openperp.engine.liquidation_events import PositionDeleveraged
from openperp.engine.ranking import SCORE_ONE
from openperp.engine.terms import OrderType, Side


def open_desk() -> Desk:
    """Without fees. Alice, erin and frank are long 0.2 each from 60000 on, and bankrupt
    at 50000, 50500 and 51000. Five others are short: bob, carol and gina 0.1, dave and henry
    0.15; gina on isolated margin.
    """
    desk = Desk(deposit="2000", liquidates=True)
    for spec, ticks in ((BTC, 600_000), (ETH, 300_000)):
        desk.do(DefineInstrument(replace(spec, maker_fee_ppm=0, taker_fee_ppm=0), ticks))
    deposits = {"dave": 5000, "erin": 1900, "frank": 1800, "gina": 5000, "henry": 4900}
    for name, deposit in deposits.items():
        desk.do(CreateAccount(name, money(str(deposit))))
    for name, amount in (("bob", "98000"), ("carol", "8000")):
        desk.do(Deposit(name, "USDT", money(amount)))
    desk.do(SetMarginType(desk.account("gina").account_id, "BTCUSDT", True))
    trade(desk, "BUY", "0.1", other="bob")
    trade(desk, "BUY", "0.1", other="carol")
    trade(desk, "BUY", "0.1", name="erin", other="gina")
    trade(desk, "BUY", "0.1", name="erin", other="dave")
    trade(desk, "BUY", "0.05", name="frank", other="dave")
    trade(desk, "BUY", "0.15", name="frank", other="henry")
    return desk


Given = tuple[str, int, int, int, str]


def given(desk: Desk) -> list[Given]:
    """Who gave up what: name, rank, of how many, lots and score."""
    return [
        (
            desk.state.accounts[event.account].name,
            event.rank,
            event.holders,
            event.lots,
            f"{event.score / SCORE_ONE:.8f}",
        )
        for event in desk.events()
        if isinstance(event, PositionDeleveraged)
    ]


def test_who_gave_up_a_part_falls_behind() -> None:
    """Profit at 50000 / wallet x 0.5 % of the size / balance, before each of three."""
    desk = open_desk()
    desk.price("50000")
    assert given(desk) == [
        ("gina", 1, 5, 100, "0.06410256"),  # 1000 / 300 x 25 / 1300
        ("henry", 2, 5, 100, "0.00179369"),  # 1500 / 4900 x 37.5 / 6400
        ("dave", 1, 4, 150, "0.00173077"),  # 1500 / 5000 x 37.5 / 6500
        ("carol", 2, 4, 50, "0.00022727"),  # 1000 / 10000 x 25 / 11000
        ("henry", 1, 3, 50, "0.00016552"),  # 500 / 5900 x 12.5 / 6400
        ("carol", 2, 3, 50, "0.00005437"),  # 500 / 10475 x 12.5 / 10975
        ("bob", 3, 3, 100, "0.00000248"),  # 1000 / 100000 x 25 / 101000
    ]


def test_what_a_liquidation_fires_counts_for_the_next_one() -> None:
    """Alice sells 0.01 to gina, at whose price dave takes profit and bob sells more."""
    desk = open_desk()
    desk.order("gina", "BUY", "0.01", "50200")
    desk.order("bob", "SELL", "0.1", "50400")
    desk.order("dave", "BUY", "0.1", type="TAKE_PROFIT_MARKET", trigger="50300")
    desk.price("50000", last=False)
    assert given(desk) == [
        ("gina", 1, 5, 90, "0.06410256"),  # 900 / 270 x 22.5 / 1170
        ("henry", 2, 5, 100, "0.00179369"),  # 1500 / 4900 x 37.5 / 6400
        ("carol", 1, 4, 100, "0.00022727"),  # 1000 / 10000 x 25 / 11000
        ("henry", 2, 4, 50, "0.00016552"),  # 500 / 5900 x 12.5 / 6400
        ("dave", 3, 4, 50, "0.00016233"),  # 500 / 5960 x 12.5 / 6460, no longer 1500 of profit
        ("bob", 1, 1, 200, "0.00000515"),  # 1040 / 100000 x 50 / 101040, no longer 1000
    ]


def test_what_was_paid_in_meanwhile_counts() -> None:
    """Frank is ruined, dave, next in line, is paid 95000, and ivan buys beyond his means."""
    desk = open_desk()
    for name, deposit in (("ivan", "400"), ("kim", "100000")):
        desk.do(CreateAccount(name, money(deposit)))
    desk.order("kim", "SELL", "0.1", "60000")
    ivan = desk.account("ivan").account_id
    desk.do(
        Batch(
            (
                SetPrice("BTCUSDT", 510_000, keeps_last=True),
                Deposit("dave", "USDT", money("95000")),
                PlaceOrder(ivan, "BTCUSDT", Side.BUY, OrderType.LIMIT, 100, 600_000),
            )
        )
    )
    assert given(desk) == [
        ("gina", 1, 5, 100, "0.06375000"),  # 900 / 300 x 25.5 / 1200
        ("henry", 2, 5, 100, "0.00168612"),  # 1350 / 4900 x 38.25 / 6250
        ("carol", 1, 5, 100, "0.00021055"),  # 900 / 10000 x 25.5 / 10900
    ]
