"""Changes of a wallet as rows."""

from typing import Final

from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.history.market import Income

INCOME_TYPES: Final = (
    "TRANSFER",
    "WELCOME_BONUS",
    "REALIZED_PNL",
    "FUNDING_FEE",
    "COMMISSION",
    "INSURANCE_CLEAR",
    "REFERRAL_KICKBACK",
    "COMMISSION_REBATE",
    "API_REBATE",
    "CONTEST_REWARD",
    "CROSS_COLLATERAL_TRANSFER",
    "OPTIONS_PREMIUM_FEE",
    "OPTIONS_SETTLE_PROFIT",
    "INTERNAL_TRANSFER",
    "AUTO_EXCHANGE",
    "DELIVERED_SETTELMENT",
    "COIN_SWAP_DEPOSIT",
    "COIN_SWAP_WITHDRAW",
    "POSITION_LIMIT_INCREASE_FEE",
    "STRATEGY_UMFUTURES_TRANSFER",
    "FEE_RETURN",
    "BFUSD_REWARD",
    "SPECIAL_FUNDING_FEE",
)
"""All that fapi knows, as it spells them."""


def income_row(income: Income) -> Row:
    """`info` repeats the type where the row has nothing else to say."""
    return {
        "symbol": income.symbol,
        "incomeType": income.kind.name,
        "income": money_text(income.amount),
        "asset": income.asset,
        "info": income.info or income.kind.name,
        "time": income.time_ms,
        "tranId": income.tran_id,
        "tradeId": str(income.trade_id) if income.trade_id else "",
    }
