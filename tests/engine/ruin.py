"""A desk on which accounts are ruined, and what happened to them, as lines a trader can read."""

from typing import Any

from tests.engine.desk import BTC, Desk, money

from openperp.engine import events as told
from openperp.engine.commands import DefineInstrument, Deposit, SetLeverage
from openperp.engine.events import Event
from openperp.engine.liquidation_events import (
    InsuranceCleared,
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
    PositionDeleveraged,
)
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.terms import Side


def open_desk(deposit: str = "1000", **rules: Any) -> Desk:
    """A desk that liquidates: alice has `deposit`, bob and carol have a million more."""
    desk = Desk(deposit=deposit, liquidates=True, **rules)
    for name in ("bob", "carol"):
        desk.do(Deposit(name, "USDT", money("1000000")))
    return desk


def trade(
    desk: Desk,
    side: str,
    quantity: str,
    price: str = "60000",
    *,
    name: str = "alice",
    other: str = "bob",
    **fields: Any,
) -> None:
    """`name` rests an order, for a fee of 0.02 %, and `other` takes it, for one of 0.05 %."""
    symbol = fields.get("symbol", "BTCUSDT")
    desk.order(name, side, quantity, price, **fields)
    opposite = "SELL" if side == "BUY" else "BUY"
    desk.order(other, opposite, quantity, price, symbol=symbol)


def set_terms(desk: Desk, **terms: Any) -> None:
    """Changes the terms of BTCUSDT."""
    spec = desk.state.markets["BTCUSDT"].spec
    fields = {name: getattr(spec, name) for name in spec.__struct_fields__} | terms
    desk.do(DefineInstrument(type(BTC)(**fields), 600_000))


def set_leverage(desk: Desk, name: str, leverage: int, symbol: str = "BTCUSDT") -> None:
    desk.do(SetLeverage(desk.account(name).account_id, symbol, leverage))


def story(desk: Desk) -> list[str]:
    """What the last command did about ruined accounts, and the trades of everyone."""
    lines = [_line(desk, event) for event in desk.events()]
    return [line for line in lines if line]


def _line(desk: Desk, event: Event) -> str:
    writer = _LINES.get(type(event))
    return writer(desk, event) if writer else ""


def _name(desk: Desk, account: int) -> str:
    return desk.state.accounts[account].name


def _usd(amount: int) -> str:
    whole, fraction = divmod(abs(amount), MONEY_ONE)
    return f"{'-' * (amount < 0)}{whole}.{fraction:08d}".rstrip("0").rstrip(".")


def _price(ticks: int, symbol: str) -> str:
    return f"{ticks / (10 if symbol == 'BTCUSDT' else 100):.10g}"


def _lots(lots: int) -> str:
    return f"{lots / 1000:.10g}"


def _part(event: Any) -> str:
    side = "" if event.position_side == 0 else f" {event.position_side.name}"
    return f"{event.symbol or 'cross'}{side}"


def _started(desk: Desk, event: LiquidationStarted) -> str:
    name = _name(desk, event.account)
    return f"{name} {_part(event)}: {_usd(event.balance)} left, {_usd(event.maintenance)} needed"


def _staged(_: Desk, event: LiquidationStaged) -> str:
    price = _price(event.bankruptcy_ticks, event.symbol)
    return f"close {_lots(event.lots)} of {_part(event)} {_lots(event.held_lots)} at {price}"


def _expired(desk: Desk, event: told.OrderExpired) -> str:
    order = event.order
    who = order.client_id if order.origin else f"order {order.order_id}"
    return f"{_name(desk, order.account)}'s {who} expires: {order.cause.name}"


def _canceled(desk: Desk, event: told.OrderCanceled) -> str:
    order = event.order
    name = _name(desk, order.account)
    return f"{name}'s order {order.order_id} is cancelled: {order.cause.name}"


def _triggered(desk: Desk, event: told.OrderTriggered) -> str:
    return f"{_name(desk, event.order.account)}'s order {event.order.order_id} fires"


def _filled(desk: Desk, event: told.OrderFilled) -> str:
    fill = event.fill
    verb = "buys" if fill.side is Side.BUY else "sells"
    price = _price(fill.ticks, fill.symbol)
    fee = f", fee {_usd(fill.fee)}" if fill.fee else ""
    return f"{_name(desk, fill.account)} {verb} {_lots(fill.lots)} at {price}{fee}"


def _cleared(desk: Desk, event: InsuranceCleared) -> str:
    name = _name(desk, event.account)
    if event.amount < 0:
        return f"{name} pays the fund {_usd(-event.amount)}"
    return f"the fund pays {name} {_usd(event.amount)}"


def _deleveraged(desk: Desk, event: PositionDeleveraged) -> str:
    name = _name(desk, event.account)
    return f"{event.rank} of {event.holders}, {name} gives {_lots(event.lots)}"


def _ended(desk: Desk, event: LiquidationEnded) -> str:
    name = _name(desk, event.account)
    return f"{name} {_part(event)}: {_usd(event.balance)} left, wallet {_usd(event.wallet)}"


_LINES: dict[type, Any] = {
    LiquidationStarted: _started,
    LiquidationStaged: _staged,
    told.OrderExpired: _expired,
    told.OrderCanceled: _canceled,
    told.OrderTriggered: _triggered,
    told.OrderFilled: _filled,
    InsuranceCleared: _cleared,
    PositionDeleveraged: _deleveraged,
    LiquidationEnded: _ended,
}
