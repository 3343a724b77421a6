"""Positions and what is derived from them: entry, break-even and liquidation price."""

from typing import Any

from openperp.api.wire.numbers import InstrumentFormat, decimal_text, money_text
from openperp.engine import margin
from openperp.engine.instruments import Bracket
from openperp.engine.numbers import MONEY_DECIMALS, PPM
from openperp.engine.order import Order
from openperp.engine.state import Account, Position
from openperp.engine.terms import Side

Row = dict[str, Any]


def risk_row(account: Account, position: Position, instrument: InstrumentFormat) -> Row:
    """What v1 and v2 positionRisk tell of one market, with or without a position in it."""
    return {
        **_prices(account, position, instrument),
        "leverage": str(position.leverage),
        "maxNotionalValue": max_notional_text(position),
        "marginType": "cross",
        "isAutoAddMargin": "false",
        "isolatedMargin": money_text(0),
        "isolatedWallet": money_text(0),
        "notional": _signed_notional(position),
        "updateTime": position.updated_ms,
    }


def exposure_row(account: Account, position: Position, instrument: InstrumentFormat) -> Row:
    """What v3 positionRisk tells of one market."""
    return {
        **_prices(account, position, instrument),
        "isolatedMargin": money_text(0),
        "notional": _signed_notional(position),
        "marginAsset": position.market.spec.quote_asset,
        "isolatedWallet": money_text(0),
        **margin_fields(position),
        "adl": 0,
        "bidNotional": money_text(resting_notional(position, Side.BUY)),
        "askNotional": money_text(resting_notional(position, Side.SELL)),
        "updateTime": position.updated_ms,
    }


def account_row_v2(position: Position, instrument: InstrumentFormat) -> Row:
    """A position inside a v2 account reply."""
    return {
        "symbol": instrument.symbol,
        **margin_fields(position),
        "unrealizedProfit": money_text(margin.unrealized_pnl(position)),
        "leverage": str(position.leverage),
        "isolated": False,
        "entryPrice": instrument.entry_price(position.entry_cost, position.lots),
        "breakEvenPrice": break_even_text(position, instrument),
        "maxNotional": max_notional_text(position),
        "bidNotional": money_text(resting_notional(position, Side.BUY)),
        "askNotional": money_text(resting_notional(position, Side.SELL)),
        "positionSide": "BOTH",
        "positionAmt": instrument.quantity[position.lots],
        "notional": _signed_notional(position),
        "isolatedWallet": money_text(0),
        "updateTime": position.updated_ms,
    }


def account_row_v3(position: Position, instrument: InstrumentFormat) -> Row:
    """A position inside a v3 account reply."""
    fields = margin_fields(position)
    return {
        "symbol": instrument.symbol,
        "positionSide": "BOTH",
        "positionAmt": instrument.quantity[position.lots],
        "unrealizedProfit": money_text(margin.unrealized_pnl(position)),
        "isolatedMargin": money_text(0),
        "notional": _signed_notional(position),
        "isolatedWallet": money_text(0),
        "initialMargin": fields["initialMargin"],
        "maintMargin": fields["maintMargin"],
        "updateTime": position.updated_ms,
    }


def margin_fields(position: Position) -> Row:
    """What a position and its open orders tie up."""
    held = margin.position_margin(position)
    return {
        "initialMargin": money_text(held + position.order_margin),
        "maintMargin": money_text(margin.maintenance_margin(position)),
        "positionInitialMargin": money_text(held),
        "openOrderInitialMargin": money_text(position.order_margin),
    }


def max_notional_text(position: Position) -> str:
    cap = position.market.spec.notional_cap(position.leverage)
    return decimal_text(cap, MONEY_DECIMALS, shortest=True)


def resting_notional(position: Position, side: Side) -> int:
    """Money that the opening parts of the orders of one side would cost."""
    total = 0
    order: Order | None = position.chain(side).head
    while order is not None:
        total += order.opening_lots * order.ticks
        order = order.chain_next
    return total * position.market.unit


def break_even_text(position: Position, instrument: InstrumentFormat) -> str:
    fee_ppm = position.market.spec.taker_fee_ppm
    return break_even_price(position.lots, position.entry_cost, fee_ppm, instrument)


def break_even_price(lots: int, entry_cost: int, fee_ppm: int, instrument: InstrumentFormat) -> str:
    """The price at which closing returns the cost and a taker fee on either side of it."""
    if not lots:
        return instrument.derived_price(0, 0)
    fee = fee_ppm if lots > 0 else -fee_ppm
    cost = abs(entry_cost) * (PPM + fee)
    return instrument.derived_price(cost, abs(lots) * instrument.unit * (PPM - fee))


def liquidation_text(account: Account, position: Position, instrument: InstrumentFormat) -> str:
    """The mark price at which the account's margin equals its maintenance margin.

    All other prices stay as they are. It is the formula for cross margin that
    Binance explains, taken with the bracket in which the position would be at
    the result; "0" where no positive price would liquidate.
    """
    if not position.lots:
        return instrument.derived_price(0, 0)
    cushion = account.wallet - position.entry_cost
    for other in account.positions.values():
        if other is not position and other.lots:
            cushion += margin.unrealized_pnl(other) - margin.maintenance_margin(other)
    for bracket in position.market.spec.brackets:
        numerator, denominator = _liquidation_fraction(position, bracket, cushion)
        if numerator <= 0:
            return instrument.derived_price(0, 0)
        size = abs(position.lots) * instrument.unit * numerator // denominator
        if size < bracket.notional_cap:
            return instrument.derived_price(numerator, denominator)
    numerator, denominator = _liquidation_fraction(
        position, position.market.spec.brackets[-1], cushion
    )
    return instrument.derived_price(numerator, denominator)


def _liquidation_fraction(position: Position, bracket: Bracket, cushion: int) -> tuple[int, int]:
    """Ticks, as a fraction, at which `cushion` + lots x price - maintenance margin is zero.

    Positive denominator; a numerator of zero or less means that no price does it.
    """
    unit = position.market.unit
    numerator = (cushion + bracket.cum) * PPM
    denominator = unit * (abs(position.lots) * bracket.maintenance_ppm - position.lots * PPM)
    if denominator < 0:
        return -numerator, -denominator
    return numerator, denominator


def _prices(account: Account, position: Position, instrument: InstrumentFormat) -> Row:
    return {
        "symbol": instrument.symbol,
        "positionSide": "BOTH",
        "positionAmt": instrument.quantity[position.lots],
        "entryPrice": instrument.entry_price(position.entry_cost, position.lots),
        "breakEvenPrice": break_even_text(position, instrument),
        "markPrice": instrument.price[position.market.mark_ticks],
        "unRealizedProfit": money_text(margin.unrealized_pnl(position)),
        "liquidationPrice": liquidation_text(account, position, instrument),
    }


def _signed_notional(position: Position) -> str:
    market = position.market
    return money_text(position.lots * market.mark_ticks * market.unit)
