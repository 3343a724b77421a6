"""Fills as rows of userTrades."""

from openperp.api.wire.numbers import InstrumentFormat, money_text
from openperp.api.wire.row import Row
from openperp.engine.records import Fill
from openperp.engine.terms import Side


def user_trade(fill: Fill, instrument: InstrumentFormat, asset: str) -> Row:
    """One fill as its owner sees it; fees and profit are in `asset`."""
    quantity = instrument.quantity[fill.lots]
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side.name,
        "price": instrument.price[fill.ticks],
        "qty": quantity,
        "realizedPnl": money_text(fill.realized),
        "marginAsset": asset,
        "quoteQty": money_text(fill.ticks * fill.lots * instrument.unit),
        "baseQty": quantity,
        "commission": money_text(fill.fee),
        "commissionAsset": asset,
        "time": fill.time_ms,
        "positionSide": fill.position_side.name,
        "buyer": fill.side is Side.BUY,
        "maker": fill.maker,
        "pair": fill.symbol,
    }
