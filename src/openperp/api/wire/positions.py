"""Positions as rows, with what is derived from them."""

from openperp.api.wire.liquidation import liquidation_text
from openperp.api.wire.numbers import InstrumentFormat, decimal_text, money_text
from openperp.api.wire.row import Row
from openperp.engine import margin
from openperp.engine.numbers import MONEY_DECIMALS, PPM
from openperp.engine.state import Account, Position
from openperp.engine.terms import Side


def risk_row(account: Account, position: Position, instrument: InstrumentFormat) -> Row:
    """What v1 and v2 positionRisk tell of one market, with or without a position in it."""
    return {
        **_prices(account, position, instrument),
        "leverage": str(position.leverage),
        "maxNotionalValue": max_notional_text(position),
        "marginType": margin_word(position.isolated),
        "isAutoAddMargin": "false",
        "isolatedMargin": isolated_margin_text(position),
        "isolatedWallet": money_text(position.isolated_wallet),
        "notional": _signed_notional(position),
        "updateTime": position.updated_ms,
    }


def exposure_row(
    account: Account, position: Position, instrument: InstrumentFormat, level: int
) -> Row:
    """What v3 positionRisk tells of one market; `level` is that of the queue of deleveraging."""
    return {
        **_prices(account, position, instrument),
        "isolatedMargin": isolated_margin_text(position),
        "notional": _signed_notional(position),
        "marginAsset": position.market.spec.quote_asset,
        "isolatedWallet": money_text(position.isolated_wallet),
        **margin_fields(position),
        "adl": level,
        "bidNotional": money_text(resting_notional(position, Side.BUY)),
        "askNotional": money_text(resting_notional(position, Side.SELL)),
        "updateTime": position.updated_ms,
    }


def account_row_v2(account: Account, position: Position, instrument: InstrumentFormat) -> Row:
    """A position inside a v2 account reply."""
    return {
        "symbol": instrument.symbol,
        **margin_fields(position),
        "unrealizedProfit": money_text(margin.unrealized_pnl(position)),
        "leverage": str(position.leverage),
        "isolated": position.isolated,
        "entryPrice": instrument.entry_price(position.entry_cost, position.lots),
        "breakEvenPrice": break_even_text(account, position, instrument),
        "maxNotional": max_notional_text(position),
        "bidNotional": money_text(resting_notional(position, Side.BUY)),
        "askNotional": money_text(resting_notional(position, Side.SELL)),
        "positionSide": position.side.name,
        "positionAmt": instrument.quantity[position.lots],
        "notional": _signed_notional(position),
        "isolatedWallet": money_text(position.isolated_wallet),
        "updateTime": position.updated_ms,
    }


def account_row_v3(position: Position, instrument: InstrumentFormat) -> Row:
    """A position inside a v3 account reply."""
    fields = margin_fields(position)
    return {
        "symbol": instrument.symbol,
        "positionSide": position.side.name,
        "positionAmt": instrument.quantity[position.lots],
        "unrealizedProfit": money_text(margin.unrealized_pnl(position)),
        "isolatedMargin": isolated_margin_text(position),
        "notional": _signed_notional(position),
        "isolatedWallet": money_text(position.isolated_wallet),
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


def isolated_margin_text(position: Position) -> str:
    """What an isolated position is worth: its wallet and its unrealized profit."""
    profit = margin.unrealized_pnl(position) if position.isolated else 0
    return money_text(position.isolated_wallet + profit)


def margin_word(isolated: bool) -> str:
    """The margin type as a position tells it."""
    return "isolated" if isolated else "cross"


def margin_type_word(isolated: bool) -> str:
    """The margin type as settings and margin calls tell it."""
    return "ISOLATED" if isolated else "CROSSED"


def max_notional_text(position: Position) -> str:
    cap = position.market.spec.notional_cap(position.leverage)
    return decimal_text(cap, MONEY_DECIMALS, shortest=True)


def resting_notional(position: Position, side: Side) -> int:
    """Money that the opening parts of the orders of one side would cost."""
    return position.chain(side).value * position.market.unit


def break_even_text(account: Account, position: Position, instrument: InstrumentFormat) -> str:
    fee_ppm = position.market.taker_fees[account.fee_tier]
    return break_even_price(position.lots, position.entry_cost, fee_ppm, instrument)


def break_even_price(lots: int, entry_cost: int, fee_ppm: int, instrument: InstrumentFormat) -> str:
    """The price at which closing returns the cost and a taker fee on either side of it."""
    if not lots:
        return instrument.derived_price(0, 0)
    fee = fee_ppm if lots > 0 else -fee_ppm
    cost = abs(entry_cost) * (PPM + fee)
    return instrument.derived_price(cost, abs(lots) * instrument.unit * (PPM - fee))


def _prices(account: Account, position: Position, instrument: InstrumentFormat) -> Row:
    return {
        "symbol": instrument.symbol,
        "positionSide": position.side.name,
        "positionAmt": instrument.quantity[position.lots],
        "entryPrice": instrument.entry_price(position.entry_cost, position.lots),
        "breakEvenPrice": break_even_text(account, position, instrument),
        "markPrice": instrument.price[position.market.mark_ticks],
        "unRealizedProfit": money_text(margin.unrealized_pnl(position)),
        "liquidationPrice": liquidation_text(account, position, instrument),
    }


def _signed_notional(position: Position) -> str:
    market = position.market
    return money_text(position.lots * market.mark_ticks * market.unit)
