"""Accounts, instruments, modes, reset: what an operator does."""

from typing import Any

import msgspec
import pytest
from tests.engine.desk import BTC, Desk, money

from openperp.engine.apply import apply
from openperp.engine.commands import (
    VENUE_RULES,
    AddKey,
    Batch,
    CancelAllOrders,
    CancelOrder,
    Command,
    CreateAccount,
    DefineInstrument,
    Deposit,
    OpenVenue,
    Pulse,
    Record,
    Reset,
    SetLeverage,
    SetMode,
    SetOrderLimits,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import PositionChanged
from openperp.engine.instruments import Bracket
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest, dump, load
from openperp.engine.terms import Mode, OrderScope, PositionSide


def test_deposits_and_withdrawals_move_the_wallet() -> None:
    desk = Desk()
    assert desk.do(Deposit("alice", "USDT", money("5"))).wallet == money("10005")
    assert desk.do(Withdraw("alice", "USDT", money("10005"))).wallet == 0


def test_all_deposits_together_stay_countable() -> None:
    desk = Desk()
    rich = NOTIONAL_LIMIT - desk.state.net_deposits - 1
    desk.do(CreateAccount("rich", rich))
    for command in (CreateAccount("more", 1), Deposit("alice", "USDT", 1)):
        assert desk.do(command).reason.name == "AMOUNT_TOO_LARGE"
    load(dump(desk.state))


def test_an_account_is_opened_with_its_key_or_not_at_all() -> None:
    desk = Desk()
    desk.do(CreateAccount("dave", 0, False, "key", "hmac", b"sealed"))
    assert desk.state.keys["key"].account == desk.account("dave").account_id
    for command in (
        CreateAccount("dave", 0, False, "other", "hmac", b"sealed"),
        CreateAccount("erin", 0, False, "key", "hmac", b"sealed"),
    ):
        assert isinstance(desk.do(command), Reject)
    assert list(desk.state.keys) == ["key"]


def test_frozen_money_and_unrealized_profit_stay() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    desk.price("61000")
    reply = desk.do(Withdraw("alice", "USDT", money("7920.00000001")))
    assert reply.detail == {"needed": money("7920.00000001"), "available": money("7920")}
    desk.do(Withdraw("alice", "USDT", money("7920")))


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (CreateAccount("alice", 0), "ACCOUNT_EXISTS"),
        (CreateAccount("", 0), "ACCOUNT_NAME_INVALID"),
        (CreateAccount("a/b", 0), "ACCOUNT_NAME_INVALID"),
        (CreateAccount("a\n", 0), "ACCOUNT_NAME_INVALID"),
        (CreateAccount("x" * 65, 0), "ACCOUNT_NAME_INVALID"),
        (CreateAccount("new", -1), "AMOUNT_NOT_POSITIVE"),
        (Deposit("nobody", "USDT", 1), "ACCOUNT_UNKNOWN"),
        (Deposit("alice", "XXX", 1), "ASSET_UNKNOWN"),
        (Deposit("alice", "USDT", 0), "AMOUNT_NOT_POSITIVE"),
        (Deposit("alice", "USDT", NOTIONAL_LIMIT - 1), "AMOUNT_TOO_LARGE"),
        (CreateAccount("new", NOTIONAL_LIMIT), "AMOUNT_TOO_LARGE"),
        (Withdraw("alice", "USDT", -1), "AMOUNT_NOT_POSITIVE"),
        (Withdraw("alice", "USDT", money("10001")), "BALANCE_INSUFFICIENT"),
        (AddKey("nobody", "k", "hmac", b""), "ACCOUNT_UNKNOWN"),
        (OpenVenue("binance"), "VENUE_ALREADY_OPEN"),
        (SetPrice("XXX", 1), "SYMBOL_UNKNOWN"),
        (SetPrice("BTCUSDT", 0), "PRICE_BELOW_MINIMUM"),
        (SetPrice("BTCUSDT", 10**9), "PRICE_ABOVE_MAXIMUM"),
        (SetMode(Mode.HALTED, "XXX"), "SYMBOL_UNKNOWN"),
        (CancelOrder(1, "BTCUSDT", 99), "ORDER_UNKNOWN"),
        (CancelAllOrders(99, "BTCUSDT"), "ACCOUNT_UNKNOWN"),
        (CancelAllOrders(1, "XXX"), "SYMBOL_UNKNOWN"),
    ],
)
def test_refusals_change_nothing(command: Command, reason: str) -> None:
    desk = Desk()
    desk.do(Pulse())
    before = digest(desk.state)
    reply = desk.do(command)
    assert isinstance(reply, Reject)
    assert reply.reason.name == reason
    assert desk.events() == []
    assert digest(desk.state) == before


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        (0, 600_000, "QUANTITY_NOT_POSITIVE"),
        (-5, 600_000, "QUANTITY_NOT_POSITIVE"),
        (1_000_001, 600_000, "QUANTITY_ABOVE_MAXIMUM"),
        (2**70, 600_000, "QUANTITY_ABOVE_MAXIMUM"),
        (1, 0, "PRICE_BELOW_MINIMUM"),
        (1, -1, "PRICE_BELOW_MINIMUM"),
        (1, 2**70, "PRICE_ABOVE_MAXIMUM"),
        (1, 10, "NOTIONAL_BELOW_MINIMUM"),
    ],
)
def test_sizes_beyond_the_bounds_are_refused_on_entry(
    quantity: int, price: int, reason: str
) -> None:
    desk = Desk()
    template = desk.order("alice", "BUY", "1", "60000")
    command = msgspec.structs.replace(
        desk.records[-1].command,
        lots=quantity,
        ticks=price,
    )
    reply = desk.do(command)
    assert isinstance(reply, Reject)
    assert reply.reason.name == reason
    assert template.order_id in desk.state.orders


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"symbol": "btc"}, "upper-case"),
        ({"symbol": "B" * 21}, "up to 20"),
        ({"base_asset": "B\u202eC"}, "upper-case"),
        ({"quote_asset": "EUR"}, "must be USDT"),
        ({"brackets": (Bracket(1001, 0, 10, 0, 0),)}, "must not exceed 1000"),
        ({"brackets": (Bracket(20, 0, NOTIONAL_LIMIT, 0, 0),)}, "cap of a bracket"),
        ({"brackets": (Bracket(20, 0, 10, 10**6, 0),)}, "maintenance rate"),
        ({"min_notional": NOTIONAL_LIMIT}, "minimum notional"),
        ({"max_orders": 10**30}, "order limit"),
        ({"onboard_ms": -1}, "listing time"),
        ({"price_precision": 6}, "8 decimals"),
        ({"tick_units": 0}, "tick and the lot"),
        ({"min_lots": 0}, "smallest price and quantity"),
        ({"max_ticks": 2**60}, "too large"),
        ({"market_max_lots": 2_000_000}, "market quantity"),
        ({"brackets": ()}, "at least one"),
        ({"default_leverage": 101}, "default leverage"),
        ({"maker_fee_ppm": -1}, "fees"),
        ({"max_orders": 0}, "order limit"),
        ({"tick_units": 5}, "tick units of an existing"),
    ],
)
def test_bad_instruments_are_refused_with_a_sentence(change: dict[str, Any], fault: str) -> None:
    desk = Desk()
    reply = desk.do(DefineInstrument(msgspec.structs.replace(BTC, **change), 600_000))
    assert isinstance(reply, Reject)
    assert fault in str(reply.detail["fault"])


def test_terms_of_an_instrument_can_change() -> None:
    desk = Desk()
    desk.do(DefineInstrument(msgspec.structs.replace(BTC, taker_fee_ppm=1000), 600_000))
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    assert desk.wallet("alice") == money("9940")


def test_leverage_in_use_stays_possible() -> None:
    desk = Desk()
    desk.do(SetLeverage(1, "BTCUSDT", 80))
    lower = msgspec.structs.replace(BTC, brackets=BTC.brackets[1:])
    lower = msgspec.structs.replace(
        lower, brackets=(msgspec.structs.replace(lower.brackets[0], notional_floor=0),)
    )
    reply = desk.do(DefineInstrument(lower, 600_000))
    assert "alice uses leverage 80" in str(reply.detail["fault"])
    desk.do(SetLeverage(1, "BTCUSDT", 50))
    assert desk.do(DefineInstrument(lower, 600_000)) is None


@pytest.mark.parametrize("symbol", ["", "BTCUSDT"])
def test_modes(symbol: str) -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    desk.do(SetMode(Mode.HALTED, symbol))
    assert desk.refused("alice", "BUY", "1", "50000") == "MODE_REFUSES"
    assert desk.cancel("alice", order.order_id).reason.name == "MODE_REFUSES"
    assert desk.do(CancelAllOrders(1, "BTCUSDT")).reason.name == "MODE_REFUSES"
    desk.do(SetMode(Mode.CANCEL_ONLY, symbol))
    assert desk.refused("alice", "BUY", "1", "50000") == "MODE_REFUSES"
    assert desk.cancel("alice", order.order_id).status.name == "CANCELED"
    desk.do(SetMode(Mode.NORMAL, symbol))
    desk.order("alice", "BUY", "1", "50000")


def test_open_order_limit_and_its_switch() -> None:
    desk = Desk()
    desk.do(DefineInstrument(msgspec.structs.replace(BTC, max_orders=1), 600_000))
    desk.order("alice", "BUY", "0.001", "50000")
    assert desk.refused("alice", "BUY", "0.001", "50000") == "OPEN_ORDER_LIMIT_REACHED"
    desk.do(SetOrderLimits(False))
    desk.order("alice", "BUY", "0.001", "50000")


def test_a_batch_applies_each_element_alone() -> None:
    desk = Desk()
    kept = desk.order("alice", "BUY", "1", "50000")
    reply = desk.do(
        Batch(
            (
                CancelOrder(1, "BTCUSDT", 77),
                CancelOrder(1, "BTCUSDT", kept.order_id),
                CancelOrder(1, "BTCUSDT", kept.order_id),
            )
        )
    )
    assert [type(entry) for entry in reply] == [Reject, OrderRecord, Reject]


@pytest.mark.parametrize(
    ("account", "symbol", "scope"),
    [(2, "BTCUSDT", 0), (1, "ETHUSDT", 0), (1, "BTCUSDT", 2)],
)
def test_a_cancel_reaches_only_its_own(account: int, symbol: str, scope: int) -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    reply = desk.do(CancelOrder(account, symbol, order.order_id, scope=OrderScope(scope)))
    assert reply.reason.name == "ORDER_UNKNOWN"


def test_reset_keeps_accounts_keys_and_first_deposits() -> None:
    desk = Desk()
    desk.do(AddKey("alice", "key", "hmac", b"sealed"))
    desk.do(Deposit("alice", "USDT", money("5")))
    desk.order("bob", "SELL", "1", "60000", stop_loss_ticks="61000")
    desk.order("alice", "BUY", "0.5", "60000")
    desk.price("65000")
    desk.do(SetMode(Mode.HALTED))
    desk.do(Reset())

    state = desk.state
    assert (desk.wallet("alice"), desk.free("bob")) == (money("10000"), money("10000"))
    assert list(state.keys) == ["key"]
    assert not state.orders
    assert state.markets["BTCUSDT"].mark_ticks == 600_000
    assert desk.order("alice", "BUY", "1", "50000").order_id == 1


def test_change_numbers_of_a_book_go_on_over_a_reset() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    seen = desk.state.markets["BTCUSDT"].book.update_id
    desk.do(Reset())
    assert desk.state.markets["BTCUSDT"].book.update_id == seen + 1


def test_a_position_tells_what_it_has_realized_in_all() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    for price in ("60100", "60200"):
        desk.order("bob", "BUY", "0.1", price)
        desk.order("alice", "SELL", "0.1", price)
    changed = [event for event in desk.events() if isinstance(event, PositionChanged)]
    assert [(event.account, event.realized) for event in changed] == [
        (2, -money("30")),
        (1, money("30")),
    ]
    assert {event.position_side for event in changed} == {PositionSide.BOTH}
    assert load(dump(desk.state)).accounts[1].positions["BTCUSDT"].realized == money("30")


def test_time_never_runs_backwards() -> None:
    desk = Desk()
    late = desk.now
    applied = apply(desk.state, Record(desk.state.seq + 1, 5, Pulse()))
    assert applied.time_ms == late


@pytest.mark.parametrize("rule", VENUE_RULES)
def test_each_rule_of_a_venue_reaches_states_and_snapshots(rule: str) -> None:
    for value in (0, 1):
        desk = Desk(**{rule: type(getattr(OpenVenue(""), rule))(value)})
        assert getattr(desk.state, rule) == value
        assert getattr(load(dump(desk.state)), rule) == value
