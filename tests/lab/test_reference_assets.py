"""Multi-assets mode of the slow engine, with numbers that a reader can follow."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.engine.desk import BTC, START_MS

from openperp.engine.assets import MARGIN_SPEC, AssetSpec
from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineAsset,
    DefineInstrument,
    Deposit,
    OpenVenue,
    PlaceOrder,
    Record,
    SetAssetIndex,
    SetMarginType,
    SetMultiAssets,
    Withdraw,
)
from openperp.engine.events import AssetExchanged, Event
from openperp.engine.rejects import Reason
from openperp.engine.terms import OrderType, Side
from openperp.lab.reference import margin
from openperp.lab.reference.amounts import from_money
from openperp.lab.reference.apply import Outcome, apply
from openperp.lab.reference.venue import Refused, Venue

ONE = 10**8
ALICE, BOB = 1, 2
COIN = AssetSpec("COIN", 50_000 * ONE, 50_000, 50_000, 0, 25_000, 25_000)


class Desk:
    """A slow venue without fees; Alice has 1000 USDT and one COIN, and may owe 2000."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.events: list[Event] = []
        self._seq = 0
        self.do(OpenVenue("ztdx"))
        self.do(DefineInstrument(replace(BTC, maker_fee_ppm=0, taker_fee_ppm=0), 600_000))
        self.do(DefineAsset(replace(MARGIN_SPEC, exchange_threshold=2_000 * ONE)))
        self.do(DefineAsset(COIN))
        self.do(CreateAccount("alice", 1_000 * ONE))
        self.do(CreateAccount("bob", 1_000_000 * ONE))
        self.do(Deposit("alice", "COIN", ONE))

    def do(self, command: Command) -> Outcome:
        self._seq += 1
        (outcome,), self.events = apply(self.venue, Record(self._seq, START_MS, command))
        return outcome

    def refused(self, command: Command) -> set[Reason]:
        outcome = self.do(command)
        return set(outcome.reasons) if isinstance(outcome, Refused) else set()

    def order(self, account: int, side: Side, quantity: float, price: float) -> Outcome:
        lots, ticks = round(quantity * 1_000), round(price * 10)
        return self.do(PlaceOrder(account, "BTCUSDT", side, OrderType.LIMIT, lots, ticks))

    def trade(self, side: Side, quantity: float, price: float) -> None:
        """Alice's, with Bob."""
        self.order(BOB, Side(-side), quantity, price)
        self.order(ALICE, side, quantity, price)

    @property
    def free(self) -> float:
        return float(margin.free(self.venue, self.venue.accounts[ALICE]))

    def exchanged(self) -> Any:
        (event,) = [event for event in self.events if isinstance(event, AssetExchanged)]
        return event


def in_mode() -> Desk:
    desk = Desk()
    desk.do(SetMultiAssets(ALICE, True))
    return desk


def test_assets_count_below_their_index_in_the_mode_alone() -> None:
    desk = Desk()
    assert desk.free == 1_000
    desk.do(SetMultiAssets(ALICE, True))
    assert desk.free == 1_000 + 0.95 * 50_000
    desk.do(SetAssetIndex("COIN", 40_000 * ONE))
    assert desk.free == 1_000 + 0.95 * 40_000
    desk.do(SetMultiAssets(ALICE, False))
    assert desk.free == 1_000


def test_what_the_account_needs_of_an_asset_stays() -> None:
    """A position of 120,000 at leverage 20 needs 6,000: 5,000 beside the wallet, at 47,500."""
    desk = in_mode()
    desk.trade(Side.BUY, 2, 60_000)
    stays = -(-5_000 * ONE // 47_500)
    assert desk.refused(Withdraw("alice", "COIN", ONE - stays + 1)) == {Reason.BALANCE_INSUFFICIENT}
    assert not desk.refused(Withdraw("alice", "COIN", ONE - stays))
    assert 0 <= desk.free < 0.001


def test_a_debt_is_paid_beyond_the_threshold() -> None:
    """2,900 are lost: 1,900 stand. 200 more are 2,100 at 48,750."""
    desk = in_mode()
    desk.trade(Side.BUY, 2, 60_000)
    desk.trade(Side.SELL, 1, 57_100)
    assert from_money(desk.venue.accounts[ALICE].wallet) == -1_900 * ONE
    desk.trade(Side.SELL, 0.5, 59_600)
    paid = desk.exchanged()
    assert paid.amount == -(-2_100 * ONE // 48_750)
    assert paid.received == paid.amount * 48_750
    assert 0 <= paid.wallet < 48_750
    assert float(margin.money_gap(desk.venue)) == 0


def test_any_debt_is_paid_once_nothing_is_open() -> None:
    desk = in_mode()
    desk.trade(Side.BUY, 1, 60_000)
    desk.trade(Side.SELL, 1, 58_999)
    assert desk.exchanged().amount == -(-1 * ONE // 48_750)


def test_all_that_is_there_pays_for_a_part() -> None:
    desk = in_mode()
    desk.do(SetAssetIndex("COIN", 1_000 * ONE))
    desk.trade(Side.BUY, 0.5, 60_000)
    desk.trade(Side.SELL, 0.5, 50_000)
    paid = desk.exchanged()
    assert (paid.amount, paid.received) == (ONE, 975 * ONE)
    assert paid.wallet == (1_000 - 5_000 + 975) * ONE


def _isolate(desk: Desk) -> None:
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))


def _wait(desk: Desk) -> None:
    desk.order(ALICE, Side.BUY, 0.1, 50_000)


def _owe(desk: Desk) -> None:
    desk.do(SetMultiAssets(ALICE, True))
    desk.trade(Side.BUY, 1, 60_000)
    desk.trade(Side.SELL, 0.5, 57_000)


def _lean(desk: Desk) -> None:
    desk.do(SetMultiAssets(ALICE, True))
    desk.trade(Side.BUY, 1, 60_000)


@pytest.mark.parametrize(
    ("before", "enabled", "reason"),
    [
        (_isolate, True, Reason.MULTI_ASSETS_WITH_ISOLATED),
        (_wait, True, Reason.MULTI_ASSETS_WITH_ORDERS),
        (_isolate, False, Reason.MULTI_ASSETS_UNCHANGED),
        (_owe, False, Reason.MULTI_ASSETS_WITH_DEBT),
        (_lean, False, Reason.MULTI_ASSETS_MARGIN_INSUFFICIENT),
    ],
)
def test_when_the_mode_stays(before: Any, enabled: bool, reason: Reason) -> None:
    desk = Desk()
    before(desk)
    assert reason in desk.refused(SetMultiAssets(ALICE, enabled))


def test_no_margin_of_its_own_in_the_mode() -> None:
    refused = in_mode().refused(SetMarginType(ALICE, "BTCUSDT", True))
    assert refused == {Reason.ISOLATED_IN_MULTI_ASSETS}


def test_deposits_stay_countable() -> None:
    desk = Desk()
    assert desk.refused(SetAssetIndex("COIN", 2**62 - 1)) == {Reason.AMOUNT_TOO_LARGE}
    assert desk.refused(Deposit("alice", "COIN", 10**16)) == {Reason.AMOUNT_TOO_LARGE}
    assert desk.refused(Deposit("alice", "NONE", 1)) == {Reason.ASSET_UNKNOWN}
