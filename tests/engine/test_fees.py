"""What fills cost at each fee tier."""

import pytest
from msgspec import structs
from tests.engine.desk import BTC, Desk, money

from openperp.engine import snapshot
from openperp.engine.commands import DefineInstrument, Reset, SetFeeTier
from openperp.engine.events import FeeTierChanged, OrderFilled
from openperp.engine.records import Fill
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest

PERCENTAGES = (
    (0, "0.0200", "0.0500"),
    (1, "0.0160", "0.0400"),
    (2, "0.0140", "0.0350"),
    (3, "0.0120", "0.0320"),
    (4, "0.0100", "0.0300"),
    (5, "0.0080", "0.0270"),
    (6, "0.0060", "0.0250"),
    (7, "0.0040", "0.0220"),
    (8, "0.0020", "0.0200"),
    (9, "0.0000", "0.0170"),
)
"""The public table of VIP levels of USDT futures: tier, maker and taker in percent."""


@pytest.fixture
def desk() -> Desk:
    return Desk()


def trade(desk: Desk, price: str = "60000") -> tuple[Fill, Fill]:
    """Alice rests 0.1 BTC and bob takes them; the fills of both."""
    desk.order("alice", "BUY", "0.1", price)
    desk.order("bob", "SELL", "0.1")
    maker, taker = [event.fill for event in desk.events() if isinstance(event, OrderFilled)]
    return maker, taker


@pytest.mark.parametrize(("tier", "maker", "taker"), PERCENTAGES)
def test_a_fill_of_6000_usdt(desk: Desk, tier: int, maker: str, taker: str) -> None:
    for name in ("alice", "bob"):
        desk.do(SetFeeTier(name, tier))
    resting, taking = trade(desk)
    # Percent with four decimals of 6000 is a whole number of thousandths of a cent.
    assert (resting.fee, taking.fee) == (money(maker) * 60, money(taker) * 60)
    assert desk.wallet("alice") == money("10000") - resting.fee
    assert desk.wallet("bob") == money("10000") - taking.fee
    assert desk.state.fee_account == resting.fee + taking.fee


def test_each_side_pays_by_its_own_tier(desk: Desk) -> None:
    desk.do(SetFeeTier("bob", 9))
    resting, taking = trade(desk)
    assert (resting.fee, taking.fee) == (money("1.2"), money("1.02"))


def test_rates_of_other_fees_round_up_to_a_millionth(desk: Desk) -> None:
    desk.do(DefineInstrument(structs.replace(BTC, maker_fee_ppm=1, taker_fee_ppm=333), 600_000))
    market = desk.state.markets["BTCUSDT"]
    assert market.maker_fees == [1, 1, 1, 1, 1, 1, 1, 1, 1, 0]
    assert market.taker_fees == [333, 267, 234, 214, 200, 180, 167, 147, 134, 114]


def test_what_a_change_tells(desk: Desk) -> None:
    told = FeeTierChanged(2, 3)
    assert desk.do(SetFeeTier("bob", 3)) == told
    assert desk.events() == [told]
    assert desk.account("bob").updated_ms == desk.now


@pytest.mark.parametrize(
    ("name", "tier", "reason"),
    [
        ("dave", 1, "ACCOUNT_UNKNOWN"),
        ("bob", -1, "FEE_TIER_UNKNOWN"),
        ("bob", 10, "FEE_TIER_UNKNOWN"),
    ],
)
def test_refusals(desk: Desk, name: str, tier: int, reason: str) -> None:
    before = digest(desk.state)
    reply = desk.do(SetFeeTier(name, tier))
    assert isinstance(reply, Reject)
    assert reply.reason.name == reason
    assert digest(desk.state) == before


def test_a_snapshot_keeps_the_tier_and_a_reset_does_not(desk: Desk) -> None:
    desk.do(SetFeeTier("bob", 4))
    loaded = snapshot.load(snapshot.dump(desk.state))
    assert loaded.accounts[2].fee_tier == 4
    desk.do(Reset())
    assert desk.account("bob").fee_tier == 0
    assert trade(desk)[1].fee == money("3")
