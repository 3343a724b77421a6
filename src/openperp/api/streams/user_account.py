"""Balances, positions and settings as the user data stream tells them.

Field names, types and letter cases are those of Binance's user data stream,
where cross margin is "cross" in ACCOUNT_UPDATE and "CROSSED" in MARGIN_CALL.
"""

from openperp.api.wire.numbers import InstrumentFormat, money_text
from openperp.api.wire.positions import break_even_price
from openperp.api.wire.row import Row
from openperp.engine import margin
from openperp.engine.events import LeverageChanged, PositionChanged, WalletChanged
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.state import Market, Position


def fill_update(
    event: PositionChanged, wallet_change: int, market: Market, instrument: InstrumentFormat
) -> Row:
    """The `a` of ACCOUNT_UPDATE after a fill; a wallet that it left alone is not listed."""
    balances = [_balance(MARGIN_ASSET, event.wallet, 0)] if wallet_change else []
    return {"m": "ORDER", "B": balances, "P": [_position(event, market, instrument)]}


def transfer_update(event: WalletChanged) -> Row:
    """The `a` of ACCOUNT_UPDATE after a deposit or a withdrawal."""
    reason = "DEPOSIT" if event.amount > 0 else "WITHDRAW"
    return {"m": reason, "B": [_balance(event.asset, event.wallet, event.amount)], "P": []}


def _balance(asset: str, wallet: int, change: int) -> Row:
    """`change` is what is neither profit nor commission."""
    text = money_text(wallet)
    return {"a": asset, "wb": text, "cw": text, "bc": money_text(change)}


def _position(event: PositionChanged, market: Market, instrument: InstrumentFormat) -> Row:
    """A position after a fill; its profit is that at mark price."""
    lots, cost = event.lots, event.entry_cost
    return {
        "s": event.symbol,
        "pa": instrument.quantity[lots],
        "ep": instrument.entry_price(cost, lots),
        "bep": break_even_price(lots, cost, market.spec.taker_fee_ppm, instrument),
        "cr": money_text(event.realized),
        "up": money_text(lots * market.mark_ticks * market.unit - cost),
        "mt": "cross",
        "iw": money_text(0),
        "ps": event.position_side.name,
    }


def leverage_update(event: LeverageChanged) -> Row:
    """The `ac` of ACCOUNT_CONFIG_UPDATE."""
    return {"s": event.symbol, "l": event.leverage}


def endangered(position: Position, instrument: InstrumentFormat) -> Row:
    """One of `p` of MARGIN_CALL."""
    return {
        "s": instrument.symbol,
        "ps": position.side.name,
        "pa": instrument.quantity[position.lots],
        "mt": "CROSSED",
        "iw": money_text(0),
        "mp": instrument.price[position.market.mark_ticks],
        "up": money_text(margin.unrealized_pnl(position)),
        "mm": money_text(margin.maintenance_margin(position)),
    }
