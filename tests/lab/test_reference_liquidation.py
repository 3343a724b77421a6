"""Liquidations of the slow engine, with numbers that a reader can follow."""

from typing import Any

import pytest
from tests.engine.desk import BTC, ETH, START_MS, money

from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineInstrument,
    FundInsurance,
    OpenVenue,
    PlaceOrder,
    Record,
    SetMarginType,
    SetMode,
    SetPositionMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import (
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    TradeExecuted,
)
from openperp.engine.liquidation_events import (
    InsuranceCleared,
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
    PositionDeleveraged,
)
from openperp.engine.rejects import Reason
from openperp.engine.terms import Cause, Mode, OrderType, Origin, PositionSide, Side
from openperp.lab.reference import margin
from openperp.lab.reference.amounts import from_money
from openperp.lab.reference.apply import Outcome, apply
from openperp.lab.reference.venue import Refused, Venue

BUY, SELL = Side.BUY, Side.SELL
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
ALICE, BOB, CAROL, DAVE = 1, 2, 3, 4


class Desk:
    """A slow venue; Alice has what the test gives her, the others have plenty."""

    def __init__(self, deposit: str = "1000", *, liquidates: bool = True) -> None:
        self.venue = Venue()
        self.events: list[Event] = []
        self._seq = 0
        self.do(OpenVenue("ztdx", liquidates=liquidates))
        self.do(DefineInstrument(BTC, 600_000))
        self.do(DefineInstrument(ETH, 300_000))
        for name, amount in (("alice", deposit), ("bob", "1e6"), ("carol", "2e6"), ("dave", "1e6")):
            self.do(CreateAccount(name, int(float(amount) * 10**8)))

    def do(self, command: Command) -> Outcome:
        self._seq += 1
        outcomes, self.events = apply(self.venue, Record(self._seq, START_MS, command))
        assert from_money(margin.money_gap(self.venue)) == 0
        return outcomes[0]

    def place(self, account: int, side: Side, lots: int, ticks: int = 0, **fields: Any) -> None:
        type = OrderType.LIMIT if ticks else OrderType.MARKET
        symbol = fields.pop("symbol", "BTCUSDT")
        outcome = self.do(PlaceOrder(account, symbol, side, type, lots, ticks, **fields))
        assert not isinstance(outcome, Refused), outcome

    def move(self, ticks: int, symbol: str = "BTCUSDT") -> None:
        self.do(SetPrice(symbol, ticks))

    def told(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def cleared(self) -> list[int]:
        return [event.amount for event in self.told(InsuranceCleared)]

    def wallet(self, account: int) -> int:
        return from_money(self.venue.accounts[account].wallet)

    def lots(self, account: int, side: PositionSide = PositionSide.BOTH) -> int:
        held = self.venue.accounts[account].positions[("BTCUSDT", side)]
        return int(held.quantity * 1000)


def _long(lots: int = 100, deposit: str = "1000", **rules: bool) -> Desk:
    """Alice buys at 60000 from Bob, as a taker: 100 lots cost her 3 of her 1000."""
    desk = Desk(deposit, **rules)
    desk.place(BOB, SELL, lots, 600_000)
    desk.place(ALICE, BUY, lots)
    return desk


def test_one_tick_before_nothing_happens() -> None:
    desk = _long()
    # 997 - 0.1 x (60000 - p) > 0.1 x p x 0.5 %  <=>  p > 50281.41
    desk.move(502_815)
    assert not desk.told(LiquidationStarted)
    desk.move(502_814)
    assert len(desk.told(LiquidationStarted)) == 1


def test_margin_that_is_just_what_is_needed_is_used_up() -> None:
    desk = _long()
    desk.do(Withdraw("alice", "USDT", money("1.85")))
    # 995.15 - 970 are left, and 5030 x 0.5 % are needed.
    desk.move(503_000)
    (started,) = desk.told(LiquidationStarted)
    assert started.balance == started.maintenance == money("25.15")


def test_what_remains_is_below_the_cap_of_the_lower_bracket() -> None:
    desk = Desk("22000")
    desk.move(526_000)
    desk.place(BOB, SELL, 8_000, 526_000)
    desk.place(ALICE, BUY, 8_000)
    desk.move(500_000)
    # 6000 lots at 50000 are 300000 and in the upper bracket still.
    assert next(event.lots for event in desk.told(LiquidationStaged)) == 2_001


def test_a_venue_that_does_not_liquidate() -> None:
    desk = _long(liquidates=False)
    desk.move(400_000)
    assert desk.lots(ALICE) == 100


def test_the_book_pays_more_than_bankruptcy() -> None:
    desk = _long()
    desk.place(CAROL, BUY, 100, 501_000)
    desk.move(502_000)
    (started,) = desk.told(LiquidationStarted)
    # 997 - 980 are left, and 5020 x 0.5 % are needed.
    assert (started.symbol, started.balance, started.maintenance) == (
        "",
        money("17"),
        2_510_000_000,
    )
    (staged,) = desk.told(LiquidationStaged)
    assert (staged.lots, staged.held_lots, staged.bankruptcy_ticks) == (100, 100, 500_300)
    fills = [event.fill for event in desk.told(OrderFilled)]
    assert [(fill.account, fill.ticks, fill.fee) for fill in fills] == [
        (CAROL, 501_000, money("1.002")),
        (ALICE, 501_000, 0),
    ]
    # 1.25 % of 5010 are more than the 7 that are left.
    assert desk.cleared() == [-money("7")]
    (ended,) = desk.told(LiquidationEnded)
    assert (ended.balance, ended.wallet, desk.wallet(ALICE)) == (0, 0, 0)
    assert from_money(desk.venue.insurance) == money("7")


def test_the_fund_pays_as_far_as_it_goes_and_the_gainer_takes_the_rest() -> None:
    desk = _long()
    desk.do(FundInsurance(money("10")))
    desk.place(CAROL, BUY, 100, 499_000)
    desk.move(502_000)
    # 13 cents a lot are missing: 10 pay for 76 lots.
    assert desk.cleared() == [money("9.88")]
    (order,) = [event.order for event in desk.told(OrderExpired)]
    assert (order.filled_lots, order.cause, order.origin) == (
        76,
        Cause.NO_LIQUIDITY,
        Origin.LIQUIDATION,
    )
    assert order.client_id == f"autoclose-{START_MS}-{order.order_id}"
    (taken,) = desk.told(PositionDeleveraged)
    assert (taken.account, taken.lots, taken.ticks) == (BOB, 24, 500_300)
    # Bob was a maker of 1.2, and gains 980: 980 x 25.1 / (999998.8 x 1000978.8).
    assert (taken.profit, taken.wallet) == (money("980"), money("999998.8"))
    assert (taken.rank, taken.holders, taken.score) == (1, 1, 2)
    last = [event.fill for event in desk.told(OrderFilled)][-2:]
    assert [(fill.account, fill.lots, fill.ticks, fill.maker, fill.fee) for fill in last] == [
        (BOB, 24, 500_300, True, 0),
        (ALICE, 24, 500_300, False, 0),
    ]
    assert last[0].trade_id == last[1].trade_id
    assert [event.lots for event in desk.told(TradeExecuted)] == [76]
    assert desk.venue.markets["BTCUSDT"].last == 49_900
    assert (desk.wallet(ALICE), desk.lots(ALICE), desk.lots(BOB)) == (0, 0, -76)


def test_an_isolated_position_is_closed_down_to_the_lower_bracket() -> None:
    desk = Desk("100000")
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    desk.place(BOB, SELL, 10_000, 600_000)
    desk.place(ALICE, BUY, 10_000)
    desk.place(CAROL, BUY, 20_000, 571_000)
    desk.place(ALICE, BUY, 10, 200_000, symbol="ETHUSDT")
    wallet = desk.wallet(ALICE)
    # 30000 are set aside and 26000 lost; 574000 x 1 % - 1500 are needed.
    desk.move(574_000)
    (started,) = desk.told(LiquidationStarted)
    assert (started.symbol, started.balance, started.maintenance) == (
        "BTCUSDT",
        money("4000"),
        money("4240"),
    )
    # 5226 lots at 57400 are 299972.40, below 300000.
    (staged,) = desk.told(LiquidationStaged)
    assert (staged.lots, staged.bankruptcy_ticks) == (4_774, 570_000)
    # Of what was set aside 14322 come back, less a loss of 13844.60: the fee takes it.
    assert desk.cleared() == [-money("477.4")]
    (ended,) = desk.told(LiquidationEnded)
    assert (ended.balance, ended.maintenance) == (money("2090.4"), money("1499.862"))
    assert (ended.set_aside, desk.lots(ALICE)) == (money("15678"), 5_226)
    assert desk.wallet(ALICE) == wallet - money("14322")
    assert [order.symbol for order in desk.venue.orders if order.account == ALICE] == ["ETHUSDT"]


def test_the_larger_need_is_closed_first_and_may_be_enough() -> None:
    desk = _long(deposit="1500")
    desk.place(BOB, SELL, 1_000, 300_000, symbol="ETHUSDT")
    desk.place(ALICE, BUY, 1_000, symbol="ETHUSDT")
    desk.place(CAROL, BUY, 100, 503_000)
    # 1500 - 3 - 1.5 - 1000 - 470 are left; 25 and 12.65 are needed.
    desk.move(253_000, "ETHUSDT")
    desk.move(500_000)
    (staged,) = desk.told(LiquidationStaged)
    assert (staged.symbol, staged.balance, staged.maintenance) == (
        "BTCUSDT",
        money("25.5"),
        money("37.65"),
    )
    # Its share is 25.5 x 5000 / 7530: 16.93227091.
    assert staged.bankruptcy_ticks == 498_307
    # 55.5 are left now, of which 5000 / 7530 may be taken as a fee.
    assert desk.cleared() == [-3_685_258_964]
    (ended,) = desk.told(LiquidationEnded)
    assert (ended.balance, ended.maintenance) == (1_864_741_036, money("12.65"))


def test_orders_go_first_and_children_with_them() -> None:
    desk = _long()
    desk.place(ALICE, BUY, 10, 450_000, take_profit_ticks=900_000)
    desk.place(ALICE, BUY, 10, 200_000, symbol="ETHUSDT")
    desk.place(BOB, BUY, 1, 300_000, stop_loss_ticks=200_000)
    desk.place(DAVE, BUY, 1, 300_000)
    desk.move(502_000)
    gone = [(event.order.account, event.order.cause) for event in desk.told(OrderExpired)]
    assert gone == [
        (ALICE, Cause.LIQUIDATED),
        (ALICE, Cause.LIQUIDATED),
        (ALICE, Cause.NO_LIQUIDITY),
        (BOB, Cause.DELEVERAGED),
    ]
    children = [(event.order.account, event.order.cause) for event in desk.told(OrderCanceled)]
    assert children == [(ALICE, Cause.CASCADE), (BOB, Cause.CASCADE)]
    assert [order.account for order in desk.venue.orders] == [DAVE]


def test_the_other_side_of_the_same_account_is_a_counterpart() -> None:
    desk = Desk("3000")
    desk.do(SetPositionMode(ALICE, True))
    desk.place(BOB, SELL, 300, 600_000)
    desk.place(ALICE, BUY, 300, position_side=LONG)
    desk.place(CAROL, BUY, 100, 600_000)
    desk.place(ALICE, SELL, 100, position_side=SHORT)
    desk.move(451_000)
    # 8 are left of her margin, so that her own gain stands on the least.
    told = desk.told(PositionDeleveraged)
    ranked = [(each.account, each.position_side, each.lots, each.ticks) for each in told]
    assert ranked == [
        (ALICE, SHORT, 100, 450_800),
        (BOB, PositionSide.BOTH, 200, 450_800),
    ]
    # 1490 x 90.2 / (2988 x 8)
    assert (told[0].balance, told[0].maintenance) == (money("8"), money("90.2"))
    assert told[0].score == 562_240_629
    assert (desk.lots(ALICE, LONG), desk.lots(ALICE, SHORT)) == (0, 0)


def test_a_closed_market_waits_until_it_reopens() -> None:
    desk = _long()
    desk.do(SetMode(Mode.CANCEL_ONLY, "BTCUSDT"))
    desk.move(400_000)
    assert desk.lots(ALICE) == 100
    desk.do(SetMode(Mode.NORMAL, "BTCUSDT"))
    (started,) = desk.told(LiquidationStarted)
    assert started.balance == money("-1003")
    # 50030 would leave nothing; at 40000 Bob pays what she cannot.
    assert desk.told(LiquidationStaged)[0].bankruptcy_ticks == 500_300
    assert (desk.wallet(ALICE), desk.lots(ALICE), desk.lots(BOB)) == (0, 0, 0)


def test_a_deficit_is_paid_though_the_fund_has_nothing() -> None:
    desk = Desk("400")
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    desk.place(BOB, SELL, 100, 600_000)
    desk.place(ALICE, BUY, 100)
    desk.do(Withdraw("alice", "USDT", money("97")))
    # Nothing but 300 on the position: the fee of closing it is more than there is.
    desk.place(CAROL, BUY, 100, 570_000)
    desk.place(ALICE, SELL, 100, reduce_only=True)
    (paid,) = desk.told(InsuranceCleared)
    assert (paid.symbol, paid.amount, paid.wallet) == ("", money("2.85"), 0)
    assert from_money(desk.venue.insurance) == -money("2.85")


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (0, Reason.AMOUNT_NOT_POSITIVE),
        (2**62, Reason.AMOUNT_TOO_LARGE),
        (-(2**62), Reason.AMOUNT_TOO_LARGE),
        (2**62 - money("4001000"), Reason.AMOUNT_TOO_LARGE),
        (-money("5.00000001"), Reason.BALANCE_INSUFFICIENT),
    ],
)
def test_what_the_fund_refuses(amount: int, reason: Reason) -> None:
    desk = Desk()
    desk.do(FundInsurance(money("5")))
    outcome = desk.do(FundInsurance(amount))
    assert isinstance(outcome, Refused)
    assert reason in outcome.reasons
    assert not isinstance(desk.do(FundInsurance(-money("5"))), Refused)
    assert desk.venue.insurance == 0


def test_orders_of_the_venue_are_marked() -> None:
    desk = _long()
    desk.move(502_000)
    placed = [
        (event.order.account, event.order.origin, event.order.client_id)
        for event in desk.told(OrderAccepted)
    ]
    assert [(account, origin) for account, origin, _ in placed] == [
        (ALICE, Origin.LIQUIDATION),
        (ALICE, Origin.DELEVERAGING),
        (BOB, Origin.DELEVERAGING),
    ]
    assert placed[1][2] == placed[2][2] == "adl_autoclose"
