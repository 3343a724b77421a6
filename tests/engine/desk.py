"""A trading desk for tests: one venue in memory, spoken to in traders' words."""

from typing import Any

import msgspec

from openperp.engine import invariants
from openperp.engine.apply import apply
from openperp.engine.commands import (
    CancelOrder,
    Command,
    CreateAccount,
    DefineInstrument,
    OpenVenue,
    PlaceOrder,
    Record,
    SetPrice,
)
from openperp.engine.events import Applied, Event
from openperp.engine.instruments import Bracket, InstrumentSpec
from openperp.engine.margin import free_margin
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.state import Account, Position, State
from openperp.engine.terms import OrderType, Side

BTC = InstrumentSpec(
    symbol="BTCUSDT",
    base_asset="BTC",
    quote_asset="USDT",
    price_precision=1,
    quantity_precision=3,
    tick_units=1,
    lot_units=1,
    min_ticks=1,
    max_ticks=10_000_000,
    min_lots=1,
    max_lots=1_000_000,
    market_max_lots=200_000,
    min_notional=5 * MONEY_ONE,
    max_orders=200,
    maker_fee_ppm=200,
    taker_fee_ppm=500,
    default_leverage=20,
    brackets=(
        Bracket(100, 0, 300_000 * MONEY_ONE, 5_000, 0),
        Bracket(50, 300_000 * MONEY_ONE, 3_000_000 * MONEY_ONE, 10_000, 1_500 * MONEY_ONE),
        Bracket(20, 3_000_000 * MONEY_ONE, 90_000_000 * MONEY_ONE, 25_000, 46_500 * MONEY_ONE),
    ),
)
"""Tick 0.1, lot 0.001: one tick times one lot is 10^4 units of money."""

ETH = msgspec.structs.replace(BTC, symbol="ETHUSDT", base_asset="ETH", price_precision=2)

NAMES = ("alice", "bob", "carol")
START_MS = 1_767_225_600_000


class Desk:
    """Every command is applied, its invariants are checked, its events are kept."""

    def __init__(self, *, deposit: str = "10000", **rules: Any) -> None:
        self.state = State()
        self.now = START_MS
        self.applied: list[Applied] = []
        self.records: list[Record] = []
        self.do(OpenVenue("ztdx", **rules))
        self.do(DefineInstrument(BTC, 600_000))
        self.do(DefineInstrument(ETH, 300_000))
        for name in NAMES:
            self.do(CreateAccount(name, money(deposit)))

    def do(self, command: Command) -> Any:
        """Applies a command one millisecond after the last; its reply."""
        self.now += 1
        record = Record(self.state.seq + 1, self.now, command)
        self.records.append(record)
        applied = apply(self.state, record)
        self.applied.append(applied)
        invariants.check(self.state)
        return applied.reply

    def place(
        self,
        name: str,
        side: str,
        quantity: str,
        price: str = "",
        *,
        type: str = "",
        trigger: str = "",
        **fields: Any,
    ) -> Any:
        """Places an order; without a price it is a MARKET order. The reply."""
        word = type or ("LIMIT" if price else "MARKET")
        symbol = fields.setdefault("symbol", "BTCUSDT")
        for key in ("take_profit_ticks", "stop_loss_ticks", "activation_ticks"):
            if isinstance(fields.get(key), str):
                fields[key] = ticks(fields[key], symbol)
        return self.do(
            PlaceOrder(
                account=self.account(name).account_id,
                side=Side[side],
                type=OrderType[word],
                lots=lots(quantity) if quantity else 0,
                ticks=ticks(price, symbol) if price else 0,
                trigger_ticks=ticks(trigger, symbol) if trigger else 0,
                **fields,
            )
        )

    def order(self, *args: Any, **fields: Any) -> OrderRecord:
        """Places an order that must not be refused."""
        reply = self.place(*args, **fields)
        assert isinstance(reply, OrderRecord), reply
        return reply

    def refused(self, *args: Any, **fields: Any) -> str:
        """Places an order that must be refused; the reason's name."""
        reply = self.place(*args, **fields)
        assert isinstance(reply, Reject), reply
        return reply.reason.name

    def cancel(self, name: str, order_id: int, **fields: Any) -> Any:
        account = self.account(name).account_id
        return self.do(CancelOrder(account, "BTCUSDT", order_id, **fields))

    def price(self, price: str, *, last: bool | None = True, symbol: str = "BTCUSDT") -> None:
        self.do(SetPrice(symbol, ticks(price, symbol), last is True, last is False))

    def account(self, name: str) -> Account:
        return self.state.accounts[self.state.account_ids[name]]

    def position(self, name: str, key: str = "BTCUSDT") -> Position:
        """A position by its key: the symbol, or "BTCUSDT:LONG" in hedge mode."""
        return self.account(name).positions[key]

    def free(self, name: str) -> int:
        return free_margin(self.account(name))

    def wallet(self, name: str) -> int:
        return self.account(name).wallet

    def status(self, order_id: int) -> str:
        """The last status told of an order."""
        return self.last(order_id).status.name

    def last(self, order_id: int) -> OrderRecord:
        for applied in reversed(self.applied):
            for event in reversed(applied.events):
                order = getattr(event, "order", None)
                if order is not None and order.order_id == order_id:
                    assert isinstance(order, OrderRecord)
                    return order
        raise KeyError(order_id)

    def events(self) -> list[Event]:
        """What the last command did."""
        return list(self.applied[-1].events)


def money(text: str) -> int:
    return _scaled(text, 8)


def ticks(text: str, symbol: str = "BTCUSDT") -> int:
    return _scaled(text, {"BTCUSDT": 1, "ETHUSDT": 2}[symbol])


def lots(text: str) -> int:
    return _scaled(text, 3)


def _scaled(text: str, decimals: int) -> int:
    whole, _, fraction = text.partition(".")
    assert len(fraction) <= decimals
    return int(whole + fraction.ljust(decimals, "0"))
