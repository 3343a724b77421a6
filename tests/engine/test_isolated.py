"""Isolated margin: what is set aside, what comes back, and what is refused, to the last 10^-8.

Sources: opening sets notional / leverage aside and fees come from the cross wallet, as the
fapi's pages on isolated positions have it; the refusals are those of its list of codes,
-4046 to -4055 and -4161.
"""

import msgspec
import pytest
from tests.engine.desk import Desk, money

from openperp.engine import snapshot
from openperp.engine.commands import (
    ChangeMargin,
    Command,
    DefineInstrument,
    Deposit,
    Reset,
    SetLeverage,
    SetMarginType,
    SetPositionMode,
    Withdraw,
)
from openperp.engine.events import MarginChanged, MarginTypeChanged, PositionChanged
from openperp.engine.margin import available_balance, free_margin, removable_margin, withdrawable
from openperp.engine.rejects import Reject
from openperp.engine.terms import BOTH, LONG, SHORT, PositionSide

ALICE = 1


@pytest.fixture
def desk() -> Desk:
    """Alice has isolated margin in BTCUSDT, leverage 20."""
    desk = Desk()
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    return desk


def trade(desk: Desk, side: str, quantity: str, price: str = "60000", **fields: object) -> None:
    """Alice rests an order and bob takes it: her fee is 0.02 %."""
    desk.order("alice", side, quantity, price, **fields)
    desk.order("bob", "SELL" if side == "BUY" else "BUY", quantity, price)


def wallets(desk: Desk, key: str = "BTCUSDT") -> tuple[int, int]:
    """Alice's isolated wallet and her cross wallet."""
    return desk.position("alice", key).isolated_wallet, desk.account("alice").cross_wallet


def change(desk: Desk, amount: str, *, removes: bool = False, side: PositionSide = BOTH) -> object:
    return desk.do(ChangeMargin(ALICE, "BTCUSDT", money(amount), removes, side))


def reason(reply: object) -> str:
    assert isinstance(reply, Reject), reply
    return reply.reason.name


@pytest.mark.parametrize(
    ("side", "quantity", "price", "leverage", "isolated", "cross"),
    [
        ("BUY", "1", "60000", 20, "3000", "6988"),  # 10000 - 12 fee - 60000 / 20
        ("SELL", "1", "60000", 20, "3000", "6988"),
        ("BUY", "0.1", "60000", 100, "60", "9938.8"),
        # The fee is 0.03599994, and 25.714242857... rounds up.
        ("BUY", "0.003", "59999.9", 7, "25.71424286", "9974.24975720"),
    ],
)
def test_opening_sets_notional_over_leverage_aside(
    desk: Desk, side: str, quantity: str, price: str, leverage: int, isolated: str, cross: str
) -> None:
    desk.do(SetLeverage(ALICE, "BTCUSDT", leverage))
    trade(desk, side, quantity, price)
    assert wallets(desk) == (money(isolated), money(cross))


def test_each_fill_rounds_up_by_itself(desk: Desk) -> None:
    desk.do(SetLeverage(ALICE, "BTCUSDT", 7))
    trade(desk, "BUY", "0.003", "59999.9")
    trade(desk, "BUY", "0.003", "59999.9")
    assert wallets(desk)[0] == 2 * money("25.71424286")


@pytest.mark.parametrize(
    ("price", "closed", "isolated", "cross"),
    [
        # Of 3000 on 1 BTC from 60000; 0.02 % of the price is paid each time.
        ("60600", "0.25", "2250", "7884.97"),  # 6988 + 750 + 150 - 3.03
        ("60600", "1", "0", "10575.88"),  # 6988 + 3000 + 600 - 12.12
        ("59400", "1", "0", "9376.12"),  # 6988 + 3000 - 600 - 11.88
        ("56000", "1", "0", "5976.8"),  # 6988 + 3000 - 4000 - 11.2: more than was set aside
    ],
)
def test_closing_gives_back_its_share_and_the_profit(
    desk: Desk, price: str, closed: str, isolated: str, cross: str
) -> None:
    trade(desk, "BUY", "1")
    trade(desk, "SELL", closed, price)
    assert wallets(desk) == (money(isolated), money(cross))


def test_shares_round_to_zero_and_the_last_close_gives_back_all(desk: Desk) -> None:
    desk.do(SetLeverage(ALICE, "BTCUSDT", 7))
    trade(desk, "BUY", "0.003", "59999.9")
    held = [wallets(desk)[0]]
    for _ in range(3):
        trade(desk, "SELL", "0.001", "59999.9")
        held.append(wallets(desk)[0])
    # A third of 25.71424286 is 8.571414286..., and half of what is left 8.57141429.
    assert held == [
        money("25.71424286"),
        money("17.14282858"),
        money("8.57141429"),
        0,
    ]


def test_turning_round_gives_all_back_and_sets_aside_anew(desk: Desk) -> None:
    trade(desk, "BUY", "1")
    trade(desk, "SELL", "1.5", "61000")
    # 0.5 x 61000 / 20; the profit is 1000, the fees 12 and 18.3.
    assert wallets(desk)[0] == money("1525")
    assert desk.wallet("alice") == money("10969.7")


def test_the_fee_comes_first_and_no_more_is_set_aside_than_is_there() -> None:
    desk = Desk(deposit="3000")
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    desk.order("alice", "BUY", "1", "60000")
    desk.do(SetLeverage(2, "BTCUSDT", 100))
    desk.order("bob", "SELL", "1", "60000")
    assert wallets(desk) == (money("2988"), 0)
    assert desk.refused("alice", "BUY", "0.001", "60000") == "MARGIN_INSUFFICIENT"


def test_orders_freeze_cross_margin_until_they_fill(desk: Desk) -> None:
    order = desk.order("alice", "BUY", "1", "60000")
    assert (wallets(desk)[0], desk.free("alice")) == (0, money("7000"))
    desk.cancel("alice", order.order_id)
    trade(desk, "BUY", "1")
    assert desk.account("alice").order_margin == 0
    assert desk.free("alice") == money("6988")


@pytest.mark.parametrize("price", ["30000", "60000", "90000"])
def test_cross_margin_knows_nothing_of_isolated_profit_and_loss(desk: Desk, price: str) -> None:
    trade(desk, "BUY", "1")
    desk.price(price)
    account = desk.account("alice")
    free = {free_margin(account), available_balance(account), withdrawable(account)}
    assert free == {money("6988")}
    assert reason(desk.do(Withdraw("alice", "USDT", money("6988.00000001")))) == (
        "BALANCE_INSUFFICIENT"
    )
    desk.do(Withdraw("alice", "USDT", money("6988")))
    assert wallets(desk) == (money("3000"), 0)


def test_a_close_pays_for_what_it_opens_with_what_it_gives_back() -> None:
    desk = Desk(deposit="3100")
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    trade(desk, "BUY", "1")
    desk.do(Deposit("carol", "USDT", money("10000")))
    desk.order("carol", "BUY", "1.5", "60000")
    assert wallets(desk) == (money("3000"), money("88"))
    desk.order("alice", "SELL", "1.5")
    assert wallets(desk)[0] == money("1500")


def test_a_close_at_a_loss_pays_for_nothing() -> None:
    desk = Desk(deposit="5000")
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    trade(desk, "BUY", "1")
    desk.price("57000")
    desk.do(Deposit("carol", "USDT", money("10000")))
    desk.order("carol", "BUY", "2", "57000")
    # All that was set aside is lost: 1988 is left, and 0.7 more at 57000 needs 1995.
    assert desk.refused("alice", "SELL", "1.7") == "MARGIN_INSUFFICIENT"
    assert desk.order("alice", "SELL", "1.6").status.name == "FILLED"


def test_hedged_sides_have_wallets_of_their_own() -> None:
    desk = Desk()
    desk.do(SetPositionMode(ALICE, True))
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    trade(desk, "BUY", "1", position_side=LONG)
    trade(desk, "SELL", "0.4", position_side=SHORT)
    assert wallets(desk, "BTCUSDT:LONG")[0] == money("3000")
    assert wallets(desk, "BTCUSDT:SHORT") == (money("1200"), money("5783.2"))
    assert isinstance(change(desk, "100", side=SHORT), MarginChanged)
    assert wallets(desk, "BTCUSDT:SHORT")[0] == money("1300")
    trade(desk, "SELL", "1", position_side=LONG)
    assert wallets(desk, "BTCUSDT:LONG")[0] == 0
    assert wallets(desk, "BTCUSDT:SHORT")[0] == money("1300")


@pytest.mark.parametrize(
    ("price", "removable"),
    [
        # 3000 + 500, less the initial margin at mark price, less a loss.
        ("60000", "500"),
        ("61000", "450"),  # needs 3050; the profit of 1000 stays
        ("59800", "310"),  # needs 2990, and 200 are lost
        ("59000", "0"),
    ],
)
def test_what_may_be_taken_from_a_position(desk: Desk, price: str, removable: str) -> None:
    trade(desk, "BUY", "1")
    change(desk, "500")
    desk.price(price)
    assert removable_margin(desk.position("alice")) == money(removable)
    if removable != "0":
        assert isinstance(change(desk, removable, removes=True), MarginChanged)
    reply = desk.do(ChangeMargin(ALICE, "BTCUSDT", 1, True))
    assert reason(reply) == "ISOLATED_MARGIN_INSUFFICIENT"


def test_margin_is_added_as_far_as_cross_margin_is_free(desk: Desk) -> None:
    trade(desk, "BUY", "1")
    desk.order("alice", "BUY", "0.1", "50000")
    assert reason(change(desk, "6738.00000001")) == "CROSS_MARGIN_INSUFFICIENT"
    reply = change(desk, "6738")
    assert isinstance(reply, MarginChanged)
    assert (reply.amount, reply.position.isolated_wallet) == (money("6738"), money("9738"))
    assert (reply.position.wallet, reply.position.set_aside) == (money("9988"), money("9738"))
    assert desk.events() == [reply]
    assert desk.free("alice") == 0


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (ChangeMargin(ALICE, "BTCUSDT", 0), "AMOUNT_NOT_POSITIVE"),
        (ChangeMargin(ALICE, "BTCUSDT", -1, True), "AMOUNT_NOT_POSITIVE"),
        (ChangeMargin(ALICE, "BTCUSDT", 2**62), "AMOUNT_TOO_LARGE"),
        (ChangeMargin(ALICE, "BTCUSDT", 1, False, LONG), "POSITION_SIDE_MISMATCH"),
        (ChangeMargin(ALICE, "NOSUCH", 1), "SYMBOL_UNKNOWN"),
        (ChangeMargin(9, "BTCUSDT", 1), "ACCOUNT_UNKNOWN"),
        (ChangeMargin(ALICE, "ETHUSDT", 1), "MARGIN_NOT_ISOLATED"),
        (ChangeMargin(ALICE, "BTCUSDT", 1), "MARGIN_WITHOUT_POSITION"),
        (SetMarginType(ALICE, "BTCUSDT", True), "MARGIN_TYPE_UNCHANGED"),
        (SetMarginType(ALICE, "ETHUSDT", False), "MARGIN_TYPE_UNCHANGED"),
        (SetMarginType(ALICE, "NOSUCH", True), "SYMBOL_UNKNOWN"),
        (SetMarginType(9, "BTCUSDT", True), "ACCOUNT_UNKNOWN"),
    ],
)
def test_refusals_change_nothing(desk: Desk, command: Command, expected: str) -> None:
    before = snapshot.digest(desk.state)
    assert reason(desk.do(command)) == expected
    assert snapshot.digest(desk.state) == before


def test_the_margin_type_changes_where_nothing_is_open(desk: Desk) -> None:
    back = SetMarginType(ALICE, "BTCUSDT", False)
    order = desk.order("alice", "BUY", "1", "60000")
    assert reason(desk.do(back)) == "MARGIN_TYPE_WITH_ORDERS"
    desk.cancel("alice", order.order_id)
    trigger = desk.order("alice", "SELL", "1", type="STOP_MARKET", trigger="50000")
    assert reason(desk.do(back)) == "MARGIN_TYPE_WITH_ORDERS"
    desk.cancel("alice", trigger.order_id)
    trade(desk, "BUY", "1")
    assert reason(desk.do(back)) == "MARGIN_TYPE_WITH_POSITION"
    trade(desk, "SELL", "1")
    wallet = desk.wallet("alice")
    flat = PositionChanged(ALICE, "BTCUSDT", 0, 0, wallet)
    assert desk.do(back) == MarginTypeChanged(ALICE, "BTCUSDT", False, (flat,))
    trade(desk, "BUY", "1")
    assert wallets(desk)[0] == 0


def test_another_symbol_is_another_matter(desk: Desk) -> None:
    desk.order("alice", "BUY", "1", "3000", symbol="ETHUSDT")
    desk.order("bob", "SELL", "1", "3000", symbol="ETHUSDT")
    assert not desk.position("alice", "ETHUSDT").isolated
    assert desk.account("alice").set_aside == 0
    assert isinstance(desk.do(SetMarginType(ALICE, "BTCUSDT", False)), MarginTypeChanged)


def test_leverage_of_an_isolated_position_only_rises(desk: Desk) -> None:
    desk.do(SetLeverage(ALICE, "BTCUSDT", 10))
    trade(desk, "BUY", "0.5")
    assert reason(desk.do(SetLeverage(ALICE, "BTCUSDT", 9))) == "ISOLATED_LEVERAGE_LOWERED"
    desk.do(SetLeverage(ALICE, "BTCUSDT", 10))
    desk.do(SetLeverage(ALICE, "BTCUSDT", 50))
    assert desk.position("alice").leverage == 50
    assert wallets(desk)[0] == money("3000"), "what is set aside stays"
    assert isinstance(change(desk, "2400", removes=True), MarginChanged)
    trade(desk, "SELL", "0.5")
    desk.do(SetLeverage(ALICE, "BTCUSDT", 2))
    assert desk.position("alice").leverage == 2


def test_leverage_of_orders_needs_cross_margin_alone(desk: Desk) -> None:
    trade(desk, "BUY", "1")
    desk.order("alice", "BUY", "1", "60000")
    # 6988 - 3000 are free, and orders would need 6000 at leverage 10.
    trade(desk, "SELL", "1", "60001")
    reply = desk.do(SetLeverage(ALICE, "BTCUSDT", 5))
    assert reason(reply) == "LEVERAGE_MARGIN_INSUFFICIENT"
    desk.do(SetLeverage(ALICE, "BTCUSDT", 10))
    assert desk.account("alice").order_margin == money("6000")


def test_both_sides_keep_the_margin_type_when_the_mode_changes(desk: Desk) -> None:
    desk.do(SetPositionMode(ALICE, True))
    assert desk.position("alice", "BTCUSDT:LONG").isolated
    assert desk.position("alice", "BTCUSDT:SHORT").isolated
    assert reason(change(desk, "1")) == "POSITION_SIDE_MISMATCH"
    desk.do(SetPositionMode(ALICE, False))
    assert desk.position("alice").isolated


def test_a_reset_gives_everything_back(desk: Desk) -> None:
    trade(desk, "BUY", "1")
    desk.do(Reset())
    assert (desk.free("alice"), desk.account("alice").set_aside) == (money("10000"), 0)
    trade(desk, "BUY", "1")
    assert wallets(desk)[0] == 0


def test_the_event_of_a_fill_says_where_the_money_is(desk: Desk) -> None:
    trade(desk, "BUY", "1")
    first, second = [event for event in desk.events() if isinstance(event, PositionChanged)]
    assert (first.isolated, first.isolated_wallet, first.set_aside) == (
        True,
        money("3000"),
        money("3000"),
    )
    assert (second.isolated, second.isolated_wallet, second.set_aside) == (False, 0, 0)


def test_terms_of_the_instrument_leave_margin_types_alone(desk: Desk) -> None:
    trade(desk, "BUY", "1")
    spec = desk.state.markets["BTCUSDT"].spec
    desk.do(DefineInstrument(spec, 600_000))
    assert wallets(desk)[0] == money("3000")


def test_a_snapshot_from_before_isolated_margin_is_read() -> None:
    desk = Desk()
    trade(desk, "BUY", "1")
    new = snapshot.dump(desk.state)
    old = msgspec.msgpack.decode(new)
    old[0] = 2
    for account in old[14]:
        for position in account[7]:
            assert position[-2:] == [False, 0]
            del position[-2:]
    assert snapshot.dump(snapshot.load(msgspec.msgpack.encode(old))) == new


def test_a_cross_wallet_below_zero_gives_nothing_and_takes_nothing_back() -> None:
    """Profits that are not realized let alice open, but there is no money to set aside."""
    desk = Desk(deposit="1000")
    for name in ("bob", "carol"):
        desk.do(Deposit(name, "USDT", money("100000")))
    desk.order("alice", "BUY", "5", "3000", symbol="ETHUSDT")
    desk.order("bob", "SELL", "5", "3000", symbol="ETHUSDT")
    desk.price("4000", symbol="ETHUSDT")
    trade(desk, "BUY", "0.1", "60000")
    desk.order("carol", "BUY", "0.1", "45000")
    desk.order("alice", "SELL", "0.1", "45000")
    assert desk.account("alice").cross_wallet < 0
    desk.do(SetMarginType(ALICE, "BTCUSDT", True))
    before = desk.account("alice").cross_wallet
    trade(desk, "BUY", "0.01", "45000")
    assert wallets(desk) == (0, before - money("0.09"))  # the fee of 0.02 % of 450
