"""What is at stake in a venue stays below its limit, whatever it is asked to do."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.engine.desk import BTC, ETH, START_MS, Desk, money
from tests.engine.ruin import open_desk, trade

from openperp.engine import snapshot
from openperp.engine.assets import AssetSpec
from openperp.engine.bounds import count_stakes
from openperp.engine.commands import (
    AmendOrder,
    Batch,
    CreateAccount,
    DefineAsset,
    DefineInstrument,
    Deposit,
    FundInsurance,
    PlaceOrder,
    Pulse,
    Reset,
    SetMarginType,
    SetMode,
    SetMultiAssets,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import FundingPaid, FundingSkipped, ModeChanged
from openperp.engine.instruments import Bracket
from openperp.engine.numbers import MONEY_ONE, STAKES_LIMIT
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.terms import Cause, Mode, OrderType, Side

WIDE = replace(
    BTC,
    symbol="WIDEUSDT",
    base_asset="WIDE",
    price_precision=0,
    quantity_precision=0,
    min_ticks=1,
    max_ticks=40_000,
    max_lots=1_000_000,
    market_max_lots=1_000_000,
    brackets=(Bracket(20, 0, 100_000_000 * MONEY_ONE, 10_000, 0),),
)
"""An instrument between 1 and 40000, without price guards: unit 10^8."""


def wide_desk(**rules: Any) -> Desk:
    desk = Desk(deposit="1000000", liquidates=True, **{"bounds_stakes": True, **rules})
    desk.do(DefineInstrument(WIDE, 1))
    return desk


def order(desk: Desk, account: int, side: Side, lots: int, ticks: int) -> Any:
    return desk.do(PlaceOrder(account, "WIDEUSDT", side, OrderType.LIMIT, lots, ticks))


def turn(desk: Desk, lots: int) -> list[Any]:
    """alice buys at 1 and sells at 40000, bob the other way round; what came of the takers."""
    desk.do(Deposit("bob", "USDT", money("1000000")))
    replies = []
    for ticks, side in ((1, Side.BUY), (40_000, Side.SELL)):
        order(desk, 1, side, lots, ticks)
        replies.append(order(desk, 2, Side(-side), lots, ticks))
    return replies


def leave_room(desk: Desk, room: int) -> None:
    """Fills the insurance fund until the stakes can grow by `room`."""
    reply = desk.do(FundInsurance(STAKES_LIMIT - 1 - count_stakes(desk.state) - room))
    assert not isinstance(reply, Reject), reply


def test_a_trade_that_is_too_large_for_any_venue_is_refused_with_its_bound() -> None:
    desk = wide_desk()
    order(desk, 1, Side.BUY, 1_000_000, 1)
    order(desk, 2, Side.SELL, 1_000_000, 1)
    order(desk, 1, Side.SELL, 1_000_000, 40_000)
    before, stakes = snapshot.digest(desk.state), count_stakes(desk.state)
    refused = order(desk, 2, Side.BUY, 1_000_000, 40_000)
    assert refused.reason.name == "STAKES_TOO_HIGH"
    assert refused.detail == {
        "notional": money("40000000000"),
        "notional_max": (STAKES_LIMIT - 1 - stakes) // 8,
        "stakes": stakes,
        "stakes_max": STAKES_LIMIT,
    }
    assert snapshot.digest(desk.state) == before


def test_losses_that_nobody_can_pay_end_at_the_limit() -> None:
    """The insurance fund owes more with each turn, until one would be too much."""
    desk = wide_desk()
    rounds = 0
    while True:
        replies = turn(desk, 20_000)
        snapshot.load(snapshot.dump(desk.state))
        if any(isinstance(reply, Reject) for reply in replies):
            break
        rounds += 1
    assert {reply.reason.name for reply in replies if isinstance(reply, Reject)} == {
        "STAKES_TOO_HIGH"
    }
    assert rounds == 6
    assert desk.state.insurance < -money("1000000000")
    assert count_stakes(desk.state) < STAKES_LIMIT


def test_a_venue_from_before_goes_on_without_a_limit() -> None:
    desk = wide_desk(bounds_stakes=False)
    assert not any(isinstance(reply, Reject) for reply in turn(desk, 1_000_000))
    assert count_stakes(desk.state) > STAKES_LIMIT


def test_what_trades_on_one_market_and_back_on_another_ends_at_the_limit_too() -> None:
    """Wallets stay as they are, while what each market has realized grows for ever."""
    desk = wide_desk()
    desk.do(DefineInstrument(replace(WIDE, symbol="OTHERUSDT", base_asset="OTHER"), 1))
    refused = 0
    for _ in range(12):
        for symbol, first in (("WIDEUSDT", Side.BUY), ("OTHERUSDT", Side.SELL)):
            for ticks, side in ((1, first), (40_000, Side(-first))):
                for account, way in ((1, side), (2, Side(-side))):
                    reply = desk.do(
                        PlaceOrder(account, symbol, way, OrderType.LIMIT, 20_000, ticks)
                    )
                    refused += isinstance(reply, Reject)
    assert refused
    assert count_stakes(desk.state) < STAKES_LIMIT


def test_deposits_end_at_the_limit_but_debts_of_the_fund_can_be_paid() -> None:
    desk = wide_desk()
    turn(desk, 50_000)
    debt = -desk.state.insurance
    assert debt > 0
    room = STAKES_LIMIT - 1 - count_stakes(desk.state)
    refused = desk.do(Deposit("alice", "USDT", room + 1))
    assert (refused.reason.name, refused.detail["stakes_max"]) == ("AMOUNT_TOO_LARGE", STAKES_LIMIT)
    assert desk.do(CreateAccount("dave", room + 1)).reason.name == "AMOUNT_TOO_LARGE"
    assert desk.do(FundInsurance(2 * debt + room + 1)).reason.name == "AMOUNT_TOO_LARGE"
    assert not isinstance(desk.do(Deposit("alice", "USDT", room)), Reject)
    assert not isinstance(desk.do(FundInsurance(debt)), Reject)
    assert desk.state.insurance == 0


def test_first_deposits_stay_countable_over_a_reset() -> None:
    """Whoever opens accounts and empties them could give a reset more than there may be."""
    desk = Desk(bounds_stakes=True)
    amount = STAKES_LIMIT // 2
    desk.do(CreateAccount("dave", amount))
    desk.do(Withdraw("dave", "USDT", amount))
    refused = desk.do(CreateAccount("erin", amount))
    assert refused.reason.name == "AMOUNT_TOO_LARGE"
    assert refused.detail["first_deposits"] == amount + money("30000")
    assert not isinstance(desk.do(CreateAccount("erin", amount - money("30000") - 1)), Reject)
    desk.do(Reset())
    assert count_stakes(desk.state) == STAKES_LIMIT - 1


def test_a_fired_order_without_room_expires() -> None:
    desk = open_desk(bounds_stakes=True)
    desk.order("bob", "SELL", "1", "61000")
    stop = desk.order("carol", "BUY", "1", type="STOP_MARKET", trigger="60500")
    leave_room(desk, 8 * money("61000") - 1)
    desk.price("60500")
    assert desk.last(stop.order_id).cause is Cause.STAKES_TOO_HIGH
    desk.do(FundInsurance(-1))
    again = desk.order("carol", "BUY", "1")
    assert again.filled_lots == 1_000


def test_a_closing_order_and_an_amended_one_are_held_as_well() -> None:
    desk = open_desk(bounds_stakes=True)
    trade(desk, "BUY", "0.1", name="carol")
    desk.order("bob", "BUY", "0.1", "59000")
    leave_room(desk, 100 * MONEY_ONE)
    assert desk.refused("carol", "SELL", "0.1", reduce_only=True) == "STAKES_TOO_HIGH"
    rest = desk.order("carol", "SELL", "0.1", "62000")
    amend = AmendOrder(3, "BTCUSDT", Side.SELL, 100, 590_000, rest.order_id)
    assert desk.do(amend).reason.name == "STAKES_TOO_HIGH"
    assert desk.status(rest.order_id) == "NEW"


def test_a_funding_without_room_is_skipped() -> None:
    desk = open_desk(bounds_stakes=True)
    spec = replace(BTC, funding_hours=1, funding_cap_ppm=3_750, interest_ppm=600)
    desk.do(DefineInstrument(spec, 600_000))
    trade(desk, "BUY", "0.1")
    leave_room(desk, 10)
    desk.now = START_MS + 3_600_000
    desk.do(Pulse())
    assert [type(event) for event in desk.events() if isinstance(event, FundingSkipped)]
    assert not [event for event in desk.events() if isinstance(event, FundingPaid)]
    desk.do(FundInsurance(-money("1000")))
    desk.now = START_MS + 7_200_000
    desk.do(Pulse())
    assert len([event for event in desk.events() if isinstance(event, FundingPaid)]) == 2


@pytest.mark.parametrize(("room", "paid"), [("0.82500004", True), ("0.82500003", False)])
def test_a_funding_takes_the_room_of_what_is_paid_and_received(room: str, paid: bool) -> None:
    """The hour costs 0.0000625 of 6600, which alice has to owe, and bob receives it."""
    desk = open_desk(bounds_stakes=True)
    spec = replace(BTC, funding_hours=1, funding_cap_ppm=3_750, interest_ppm=600)
    desk.do(DefineInstrument(spec, 600_000))
    trade(desk, "BUY", "0.1")
    desk.price("66000")
    desk.do(Withdraw("alice", "USDT", desk.account("alice").wallet))
    leave_room(desk, money(room))
    desk.now = START_MS + 3_600_000
    desk.do(Pulse())
    assert desk.account("alice").wallet == (-money("0.4125") if paid else 0)
    assert count_stakes(desk.state) == STAKES_LIMIT - 1 - money(room) + paid * money("0.825")


def test_margin_is_at_stake_wherever_it_is_kept() -> None:
    stakes = []
    for isolated in (False, True):
        desk = open_desk()
        if isolated:
            desk.do(SetMarginType(1, "BTCUSDT", True))
        trade(desk, "BUY", "0.1")
        assert bool(desk.account("alice").set_aside) is isolated
        stakes.append(count_stakes(desk.state))
    assert stakes[0] == stakes[1]


def test_an_exchange_of_a_debt_that_overshoots_is_noted() -> None:
    """One unit of money is owed, and the least that BTC can pay is 58500."""
    desk = Desk(bounds_stakes=True)
    spec = AssetSpec("BTC", money("60000"), bid_buffer_ppm=50_000, exchange_bid_buffer_ppm=25_000)
    desk.do(DefineAsset(spec))
    desk.do(DefineAsset(AssetSpec("USDT", money("1"), exchange_threshold=money("12"))))
    desk.do(Deposit("alice", "BTC", money("1")))
    desk.do(SetMultiAssets(1, True))
    desk.do(Withdraw("alice", "USDT", money("10000") - money("1.2") + 1))
    trade(desk, "BUY", "0.1")
    assert desk.account("alice").wallet == -1
    leave_room(desk, 0)
    desk.do(DefineAsset(AssetSpec("USDT", money("1"))))
    assert desk.account("alice").wallet == 58_499
    assert desk.state.stakes_bound >= count_stakes(desk.state) == STAKES_LIMIT - 1 + 58_498


def test_a_liquidation_without_room_waits_for_the_operator() -> None:
    """The venue stops taking orders instead; with room again it does what was due."""
    desk = open_desk(bounds_stakes=True)
    trade(desk, "BUY", "0.1")
    desk.order("carol", "BUY", "0.1", "50000")
    leave_room(desk, 8 * money("5000") - 1)  # not for her bid, and less for a higher price
    desk.do(SetPrice("BTCUSDT", 502_000))
    assert ModeChanged(Mode.CANCEL_ONLY, "") in desk.events()
    assert desk.position("alice").lots == 100
    assert desk.state.mode.name == "CANCEL_ONLY"
    desk.do(SetMode(Mode.NORMAL))
    assert desk.state.mode.name == "CANCEL_ONLY"
    desk.do(FundInsurance(-money("100000")))
    desk.do(SetMode(Mode.NORMAL))
    assert desk.state.mode.name == "NORMAL"
    assert desk.position("alice").lots == 0


def test_one_batch_cannot_pass_the_limit() -> None:
    desk = wide_desk()
    singles = []
    for ticks, side in ((1, Side.BUY), (40_000, Side.SELL)) * 20:
        for account, way in ((1, side), (2, Side(-side))):
            singles.append(PlaceOrder(account, "WIDEUSDT", way, OrderType.LIMIT, 50_000, ticks))
    replies = desk.do(Batch(tuple(singles)))
    assert any(isinstance(reply, Reject) for reply in replies)
    assert any(isinstance(reply, OrderRecord) and reply.filled_lots for reply in replies)
    assert count_stakes(desk.state) < STAKES_LIMIT


@pytest.mark.parametrize("bounds", [True, False])
def test_a_snapshot_knows_whether_there_is_a_limit(bounds: bool) -> None:
    desk = wide_desk(bounds_stakes=bounds)
    turn(desk, 1_000)
    loaded = snapshot.load(snapshot.dump(desk.state))
    assert loaded.bounds_stakes is bounds
    assert loaded.first_deposits == desk.state.first_deposits
    assert loaded.stakes_bound >= count_stakes(desk.state)
    assert ETH.symbol in loaded.markets
