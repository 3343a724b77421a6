"""What the slow engine puts at stake, on venues where an amount was worked out by hand."""

from typing import Any

import pytest
from tests.engine.desk import BTC, START_MS, money

from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineInstrument,
    Deposit,
    FundInsurance,
    OpenVenue,
    PlaceOrder,
    Record,
    SetPrice,
)
from openperp.engine.numbers import STAKES_LIMIT
from openperp.engine.rejects import Reason
from openperp.engine.terms import Mode, OrderType, Side
from openperp.lab.reference.amounts import from_money
from openperp.lab.reference.apply import Outcome, apply
from openperp.lab.reference.stakes import at_stake
from openperp.lab.reference.venue import Refused, Venue

ALICE, BOB, CAROL = 1, 2, 3


class Desk:
    """Alice has 1000, Bob and Carol a million each: 2001000 at stake."""

    def __init__(self, *, bounds: bool = True) -> None:
        self.venue = Venue()
        self._seq = 0
        self.do(OpenVenue("ztdx", liquidates=True, bounds_stakes=bounds))
        self.do(DefineInstrument(BTC, 600_000))
        for name, amount in (("alice", "1000"), ("bob", "1000000"), ("carol", "1000000")):
            self.do(CreateAccount(name, money(amount)))

    def do(self, command: Command) -> Outcome:
        self._seq += 1
        outcomes, _ = apply(self.venue, Record(self._seq, START_MS, command))
        return outcomes[0]

    def place(self, account: int, side: Side, lots: int, ticks: int = 0) -> Any:
        type = OrderType.LIMIT if ticks else OrderType.MARKET
        return self.do(PlaceOrder(account, "BTCUSDT", side, type, lots, ticks))

    def leave(self, room: int) -> None:
        """Fills the fund until so much more may be at stake, and no unit of money more."""
        taken = from_money(at_stake(self.venue))
        assert not isinstance(self.do(FundInsurance(STAKES_LIMIT - 1 - taken - room)), Refused)


def test_what_is_at_stake() -> None:
    desk = Desk()
    desk.place(BOB, Side.SELL, 100, 600_000)
    desk.place(ALICE, Side.BUY, 100)
    # Wallets and fees are what was paid in; two positions cost 6000 each, which counts twice.
    assert from_money(at_stake(desk.venue)) == money("2001000") + 4 * money("6000")
    desk.place(ALICE, Side.SELL, 100, 610_000)
    desk.place(BOB, Side.BUY, 100)
    # Alice has realized 100 and Bob lost as much.
    assert from_money(at_stake(desk.venue)) == money("2001200")


@pytest.mark.parametrize(("room", "refused"), [(48_000, False), (47_999, True)])
def test_a_trade_needs_eight_times_its_notional(room: int, refused: bool) -> None:
    desk = Desk()
    desk.place(BOB, Side.SELL, 100, 600_000)
    desk.leave(money(str(room)))
    outcome = desk.place(CAROL, Side.BUY, 100)
    assert isinstance(outcome, Refused) is refused
    if isinstance(outcome, Refused):
        assert outcome.reasons == {Reason.STAKES_TOO_HIGH}


def test_a_venue_without_a_limit_takes_it() -> None:
    desk = Desk(bounds=False)
    desk.place(BOB, Side.SELL, 100, 600_000)
    desk.leave(0)
    assert not isinstance(desk.place(CAROL, Side.BUY, 100), Refused)
    assert not isinstance(desk.do(Deposit("carol", "USDT", money("5"))), Refused)


def test_deposits_have_to_find_room() -> None:
    desk = Desk()
    desk.leave(money("5"))
    refused = desk.do(Deposit("carol", "USDT", money("5.00000001")))
    assert isinstance(refused, Refused)
    assert refused.reasons == {Reason.AMOUNT_TOO_LARGE}
    assert isinstance(desk.do(CreateAccount("dave", money("5.00000001"))), Refused)
    assert not isinstance(desk.do(Deposit("carol", "USDT", money("5"))), Refused)


def test_a_liquidation_that_finds_none_closes_the_venue_for_orders() -> None:
    desk = Desk()
    desk.place(BOB, Side.SELL, 100, 600_000)
    desk.place(ALICE, Side.BUY, 100)
    desk.leave(money("40000"))
    desk.do(SetPrice("BTCUSDT", 502_000))
    assert desk.venue.mode is Mode.CANCEL_ONLY
    held = [position.quantity for position in desk.venue.accounts[ALICE].positions.values()]
    assert [float(quantity) for quantity in held] == [0.1]
