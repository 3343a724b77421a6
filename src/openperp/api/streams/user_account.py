"""Balances, positions and settings as the user data stream tells them.

Field names, types and letter cases are those of Binance's user data stream,
where cross margin is "cross" in ACCOUNT_UPDATE and "CROSSED" in MARGIN_CALL.
"""

from openperp.api.wire.numbers import InstrumentFormat, money_text
from openperp.api.wire.positions import break_even_price, margin_type_word, margin_word
from openperp.api.wire.row import Row
from openperp.engine import margin
from openperp.engine.events import (
    AssetExchanged,
    FundingPaid,
    LeverageChanged,
    MarginChanged,
    MarginTypeChanged,
    MultiAssetsChanged,
    PositionChanged,
    WalletChanged,
)
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.liquidation_events import InsuranceCleared
from openperp.engine.state import Account, Market, Position


def fill_update(
    event: PositionChanged,
    wallet_change: int,
    account: Account,
    market: Market,
    instrument: InstrumentFormat,
) -> Row:
    """The `a` of ACCOUNT_UPDATE after a fill; a wallet that it left alone is not listed."""
    # Money that is set aside leaves the cross wallet, which is told beside the whole.
    told = wallet_change or event.isolated
    balances = [_balance(MARGIN_ASSET, event.wallet, event.set_aside, 0)] if told else []
    return {"m": "ORDER", "B": balances, "P": [_position(event, account, market, instrument)]}


def margin_update(
    event: MarginChanged, account: Account, market: Market, instrument: InstrumentFormat
) -> Row:
    """The `a` of ACCOUNT_UPDATE after a change of isolated margin: nothing left the wallet."""
    moved = event.position
    return {
        "m": "MARGIN_TRANSFER",
        "B": [_balance(MARGIN_ASSET, moved.wallet, moved.set_aside, 0)],
        "P": [_position(moved, account, market, instrument)],
    }


def margin_type_update(
    event: MarginTypeChanged, account: Account, market: Market, instrument: InstrumentFormat
) -> Row:
    """The `a` of ACCOUNT_UPDATE after a change of the margin type; no money has moved."""
    rows = [_position(side, account, market, instrument) for side in event.positions]
    return {"m": "MARGIN_TYPE_CHANGE", "B": [], "P": rows}


def transfer_update(event: WalletChanged) -> Row:
    """The `a` of ACCOUNT_UPDATE after a deposit or a withdrawal."""
    reason = "DEPOSIT" if event.amount > 0 else "WITHDRAW"
    balance = _balance(event.asset, event.wallet, event.set_aside, event.amount)
    return {"m": reason, "B": [balance], "P": []}


def insurance_update(event: InsuranceCleared) -> Row:
    """The `a` of ACCOUNT_UPDATE after the insurance fund paid for the account, or took its fee."""
    balance = _balance(MARGIN_ASSET, event.wallet, event.set_aside, event.amount)
    return {"m": "INSURANCE_CLEAR", "B": [balance], "P": []}


def funding_update(
    event: FundingPaid,
    moved: PositionChanged | None,
    account: Account,
    market: Market,
    instrument: InstrumentFormat,
) -> Row:
    """The `a` of ACCOUNT_UPDATE after funding; `moved` is an isolated position that paid it."""
    balances = [_balance(MARGIN_ASSET, event.wallet, event.set_aside, event.amount)]
    positions = [_position(moved, account, market, instrument)] if moved else []
    return {"m": "FUNDING_FEE", "S": event.symbol, "B": balances, "P": positions}


def _balance(asset: str, wallet: int, set_aside: int, change: int) -> Row:
    """`change` is what is neither profit nor commission."""
    return {
        "a": asset,
        "wb": money_text(wallet),
        "cw": money_text(wallet - set_aside),
        "bc": money_text(change),
    }


def _position(
    event: PositionChanged, account: Account, market: Market, instrument: InstrumentFormat
) -> Row:
    """A position as an event tells it; its profit is that at mark price."""
    lots, cost = event.lots, event.entry_cost
    fee_ppm = market.taker_fees[account.fee_tier]
    return {
        "s": event.symbol,
        "pa": instrument.quantity[lots],
        "ep": instrument.entry_price(cost, lots),
        "bep": break_even_price(lots, cost, fee_ppm, instrument),
        "cr": money_text(event.realized),
        "up": money_text(lots * market.mark_ticks * market.unit - cost),
        "mt": margin_word(event.isolated),
        "iw": money_text(event.isolated_wallet),
        "ps": event.position_side.name,
    }


def exchange_update(event: AssetExchanged) -> Row:
    """The `a` of ACCOUNT_UPDATE after an asset was exchanged to pay a debt of the wallet."""
    given = _balance(event.asset, event.balance, 0, -event.amount)
    taken = _balance(MARGIN_ASSET, event.wallet, 0, event.received)
    return {"m": "AUTO_EXCHANGE", "B": [given, taken], "P": []}


def assets_update(event: MultiAssetsChanged) -> Row:
    """The `ai` of ACCOUNT_CONFIG_UPDATE."""
    return {"j": event.enabled}


def leverage_update(event: LeverageChanged) -> Row:
    """The `ac` of ACCOUNT_CONFIG_UPDATE."""
    return {"s": event.symbol, "l": event.leverage}


def endangered(position: Position, instrument: InstrumentFormat) -> Row:
    """One of `p` of MARGIN_CALL."""
    return {
        "s": instrument.symbol,
        "ps": position.side.name,
        "pa": instrument.quantity[position.lots],
        "mt": margin_type_word(position.isolated),
        "iw": money_text(position.isolated_wallet),
        "mp": instrument.price[position.market.mark_ticks],
        "up": money_text(margin.unrealized_pnl(position)),
        "mm": money_text(margin.maintenance_margin(position)),
    }
