"""Frozen margin, fees, profit and loss: to the last 10^-8."""

import pytest
from msgspec import structs
from tests.engine.desk import BTC, Desk, lots, money, ticks

from openperp.engine.commands import DefineInstrument, Deposit, SetLeverage, Withdraw
from openperp.engine.margin import maintenance_margin, position_margin, unrealized_pnl
from openperp.engine.rejects import Reject


@pytest.mark.parametrize(
    ("quantity", "price", "leverage", "frozen"),
    [
        ("1", "60000", 20, "3000"),
        ("0.001", "60000", 20, "3"),
        ("0.003", "59999.9", 7, "25.71424286"),  # 25.714242857..., rounded up
        ("0.001", "50000.1", 3, "16.66670000"),
    ],
)
def test_an_order_freezes_its_notional_over_leverage_rounded_up(
    quantity: str, price: str, leverage: int, frozen: str
) -> None:
    desk = Desk()
    desk.do(SetLeverage(1, "BTCUSDT", leverage))
    before = desk.free("alice")

    order = desk.order("alice", "BUY", quantity, price)

    assert before - desk.free("alice") == money(frozen)
    desk.cancel("alice", order.order_id)
    assert desk.free("alice") == before


@pytest.mark.parametrize(("larger", "frozen"), [(False, "5700"), (True, "3000")])
def test_two_sides_count_as_their_sum_or_as_the_larger_one(larger: bool, frozen: str) -> None:
    desk = Desk(larger_side_margin=larger)
    desk.order("alice", "BUY", "0.9", "60000")
    desk.order("alice", "SELL", "1", "60000.1")
    free = money("10000") - desk.free("alice")
    # 0.9 x 60000 / 20 = 2700 and 1 x 60000.1 / 20 = 3000.005
    assert free == money(frozen) + money("0.005")


def test_a_partial_fill_releases_its_part() -> None:
    desk = Desk()
    desk.order("alice", "BUY", "1", "60000")
    desk.order("bob", "SELL", "0.4", "60000")

    assert desk.account("alice").order_margin == money("1800")
    assert position_margin(desk.position("alice")) == money("1200")


def test_orders_that_close_freeze_nothing_and_what_opens_beyond_does() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "0.5", "60000")
    desk.order("alice", "BUY", "0.5", "60000")

    first = desk.order("alice", "SELL", "0.3", "61000")
    assert desk.account("alice").order_margin == 0
    desk.order("alice", "SELL", "0.3", "62000")
    assert desk.account("alice").order_margin == money("310"), "0.1 opens: 0.1 x 62000 / 20"

    desk.cancel("alice", first.order_id)
    assert desk.account("alice").order_margin == 0, "the younger order now closes in full"


def test_closing_orders_start_to_freeze_when_the_position_goes() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "0.5", "60000")
    desk.order("alice", "BUY", "0.5", "60000")
    desk.order("alice", "SELL", "0.5", "61000")
    desk.order("bob", "BUY", "0.2", "60000")
    desk.order("alice", "SELL", "0.2", "60000")

    assert desk.position("alice").lots == lots("0.3")
    assert desk.account("alice").order_margin == money("610"), "0.2 x 61000 / 20"


def test_leverage_refreezes_what_rests() -> None:
    desk = Desk()
    desk.order("alice", "BUY", "1", "60000")
    desk.do(SetLeverage(1, "BTCUSDT", 50))
    assert desk.account("alice").order_margin == money("1200")


@pytest.mark.parametrize(
    ("leverage", "reason"),
    [(0, "LEVERAGE_INVALID"), (101, "LEVERAGE_INVALID"), (5, "LEVERAGE_MARGIN_INSUFFICIENT")],
)
def test_leverage_is_refused(leverage: int, reason: str) -> None:
    desk = Desk()
    desk.order("alice", "BUY", "3", "60000")
    reply = desk.do(SetLeverage(1, "BTCUSDT", leverage))
    assert isinstance(reply, Reject)
    assert reply.reason.name == reason
    assert desk.account("alice").order_margin == money("9000")


def test_margin_is_checked_to_the_last_unit() -> None:
    desk = Desk(deposit="3000")
    assert desk.refused("alice", "BUY", "1", "60000.1") == "MARGIN_INSUFFICIENT"
    desk.order("alice", "BUY", "1", "60000")
    assert desk.free("alice") == 0


def test_a_market_order_is_checked_at_its_worst_fill() -> None:
    desk = Desk(deposit="3010")
    desk.order("bob", "SELL", "0.5", "60000")
    desk.order("carol", "SELL", "0.5", "61000")
    assert desk.refused("alice", "BUY", "1") == "MARGIN_INSUFFICIENT", "1 x 61000 / 20 = 3050"
    desk.order("alice", "BUY", "0.5")


def test_a_refusal_says_what_was_needed_and_what_was_there() -> None:
    desk = Desk(deposit="100")
    reply = desk.place("alice", "BUY", "1", "60000")
    assert reply.detail["needed"] == money("3000")
    assert reply.detail["available"] == money("100")


def test_fees_and_profit_of_a_round_trip() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    # Taker 0.05 % of 60000, maker 0.02 %.
    assert desk.wallet("alice") == money("9970")
    assert desk.wallet("bob") == money("9988")

    desk.price("60600")
    assert unrealized_pnl(desk.position("alice")) == money("600")
    assert unrealized_pnl(desk.position("bob")) == -money("600")

    desk.order("bob", "BUY", "1", "60600")
    desk.order("alice", "SELL", "1", "60600")
    assert desk.wallet("alice") == money("9970") + money("600") - money("30.3")
    assert desk.wallet("bob") == money("9988") - money("600") - money("12.12")
    assert desk.state.fee_account == money("30") + money("12") + money("30.3") + money("12.12")


def test_fees_round_up() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "0.003", "3000.01", symbol="ETHUSDT")
    desk.order("alice", "BUY", "0.003", "3000.01", symbol="ETHUSDT")
    # 9.00003 x 0.05 % = 0.004500015 and x 0.02 % = 0.001800006
    assert desk.wallet("alice") == money("10000") - money("0.00450002")
    assert desk.wallet("bob") == money("10000") - money("0.00180001")
    assert desk.state.fee_account == money("0.00630003")


def test_flipping_a_position_realizes_one_part_and_opens_the_other() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "0.3", "60000")
    desk.order("alice", "BUY", "0.3", "60000")
    desk.order("carol", "BUY", "0.5", "60100")
    desk.order("alice", "SELL", "0.5", "60100")

    position = desk.position("alice")
    assert position.lots == -lots("0.2")
    assert position.entry_cost == -lots("0.2") * ticks("60100") * 10_000


def test_partial_closes_lose_nothing() -> None:
    desk = Desk()
    for quantity, price in (("0.007", "60000.1"), ("0.003", "60000.3"), ("0.001", "59999.7")):
        desk.order("bob", "SELL", quantity, price)
        desk.order("alice", "BUY", quantity, price)
    for _ in range(11):
        desk.order("bob", "BUY", "0.001", "60000")
        desk.order("alice", "SELL", "0.001", "60000")
    position = desk.position("alice")
    assert (position.lots, position.entry_cost) == (0, 0)


def test_the_notional_cap_of_the_leverage_holds_for_position_and_orders() -> None:
    desk = Desk(deposit="10000000")
    desk.do(SetLeverage(1, "BTCUSDT", 100))
    desk.order("alice", "BUY", "3", "60000")
    assert desk.refused("alice", "BUY", "2.001", "60000") == "POSITION_LIMIT_EXCEEDED"
    desk.order("alice", "BUY", "2", "60000")
    desk.order("alice", "SELL", "4.9", "60001")


def test_maintenance_margin_by_bracket() -> None:
    desk = Desk(deposit="10000000")
    desk.order("bob", "SELL", "6", "60000")
    desk.order("alice", "BUY", "6", "60000")
    # 360,000 lies in the second bracket: x 1 % - 1,500.
    assert maintenance_margin(desk.position("alice")) == money("2100")


def test_losses_block_new_orders() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    desk.price("54000")
    # 9970 - 6000 - 54000 / 20
    assert desk.free("alice") == money("1270")
    assert desk.refused("alice", "BUY", "1", "54000") == "MARGIN_INSUFFICIENT"


@pytest.mark.parametrize("price", ["10", "50000", "60000", ""])
def test_a_seller_pays_for_the_bids_he_hits_and_not_for_his_limit(price: str) -> None:
    desk = Desk(deposit="100000")
    desk.order("bob", "BUY", "1", "60000")
    desk.order("bob", "BUY", "1", "50000")
    desk.do(Withdraw("alice", "USDT", money("97001")))
    assert desk.free("alice") == money("2999")
    assert desk.refused("alice", "SELL", "1", price) == "MARGIN_INSUFFICIENT"
    desk.do(Deposit("alice", "USDT", money("1")))
    assert desk.order("alice", "SELL", "1", price).status.name == "FILLED"


def test_the_rest_of_a_crossing_sell_counts_at_its_limit() -> None:
    desk = Desk(deposit="5500")
    desk.order("bob", "BUY", "1", "60000")
    # 1 at 60000 and 1 at 50000, over 20.
    desk.order("alice", "SELL", "2", "50000")
    assert desk.account("alice").order_margin == money("2500")


@pytest.mark.parametrize("type", ["LIMIT", "MARKET"])
def test_a_crossing_sell_is_held_to_the_cap_at_what_it_fetches(type: str) -> None:
    desk = Desk(deposit="10000000")
    desk.do(SetLeverage(1, "BTCUSDT", 100))
    desk.order("bob", "BUY", "10", "60000")
    price = "30000" if type == "LIMIT" else ""
    assert desk.refused("alice", "SELL", "5.001", price) == "POSITION_LIMIT_EXCEEDED"
    desk.order("alice", "SELL", "5", price)


def test_leverage_must_fit_what_the_orders_would_open() -> None:
    desk = Desk(deposit="10000000")
    desk.order("alice", "BUY", "9", "60000")
    reply = desk.do(SetLeverage(1, "BTCUSDT", 100))
    assert isinstance(reply, Reject)
    assert reply.reason.name == "POSITION_LIMIT_EXCEEDED"


def test_a_close_at_market_is_paid_by_the_margin_that_it_frees() -> None:
    desk = Desk(deposit="3060")
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    desk.order("alice", "SELL", "1", "60000.1")
    desk.order("carol", "BUY", "1", "60000")
    assert desk.order("alice", "SELL", "1").status.name == "FILLED"


@pytest.mark.parametrize(("side", "other", "sign"), [("BUY", "SELL", 1), ("SELL", "BUY", -1)])
def test_a_partial_close_takes_its_share_of_the_cost_rounded_to_zero(
    side: str, other: str, sign: int
) -> None:
    desk = Desk()
    for quantity, price in (("0.001", "60000.1"), ("0.002", "60000")):
        desk.order("bob", other, quantity, price)
        desk.order("alice", side, quantity, price)
    assert desk.position("alice").entry_cost == sign * money("180.0001")
    desk.order("bob", side, "0.001", "60000")
    desk.order("alice", other, "0.001", "60000")
    # A third of 180.0001 is 60.000033333...
    assert desk.position("alice").entry_cost == sign * (money("180.0001") - money("60.00003333"))


def test_the_margin_of_a_position_rounds_up() -> None:
    desk = Desk()
    desk.do(SetLeverage(1, "BTCUSDT", 7))
    desk.price("59999.9")
    desk.order("bob", "SELL", "0.003", "59999.9")
    desk.order("alice", "BUY", "0.003", "59999.9")
    assert position_margin(desk.position("alice")) == money("25.71424286")


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
def test_the_cap_holds_to_the_last_unit(spare: int, fits: bool) -> None:
    desk = Desk(deposit="10000000")
    top = structs.replace(BTC.brackets[2], notional_cap=money("3600000") + spare)
    terms = structs.replace(BTC, brackets=(*BTC.brackets[:2], top))
    desk.do(DefineInstrument(terms, 600_000))
    reply = desk.place("alice", "BUY", "60", "60000")
    assert isinstance(reply, Reject) is not fits


def test_profit_that_is_not_realized_cannot_be_withdrawn() -> None:
    """Worth 9970 + 9000 less 3450 of margin, of which 9970 are there."""
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    desk.price("69000")
    assert isinstance(desk.do(Withdraw("alice", "USDT", money("9970.00000001"))), Reject)
    desk.do(Withdraw("alice", "USDT", money("9970")))
    assert desk.wallet("alice") == 0


def test_a_position_counts_against_the_cap_on_its_own_side_alone() -> None:
    """Long 5 of at most 300000 / 60000 = 5: selling 9.9 closes 5 and opens 4.9."""
    desk = Desk(deposit="10000000")
    desk.do(SetLeverage(1, "BTCUSDT", 100))
    desk.order("bob", "SELL", "5", "60000")
    desk.order("alice", "BUY", "5", "60000")
    assert desk.refused("alice", "BUY", "0.001", "60000") == "POSITION_LIMIT_EXCEEDED"
    desk.order("alice", "SELL", "9.9", "60000")
