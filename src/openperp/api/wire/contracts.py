"""What REST and the streams tell alike of a contract: its status, and its funding."""

from typing import Final

from openperp.engine.state import Market, State
from openperp.engine.terms import Mode

CONTRACT_TYPE: Final = "PERPETUAL"

PERPETUAL_DELIVERY_MS: Final = 4_133_404_800_000
"""Delivery date of a contract that never delivers, as Binance writes it."""

FUNDING_INTERVAL_MS: Final = 8 * 3_600_000

FUNDING_RATE: Final = "0.00000000"
"""Positions pay no funding yet."""

_STATUSES: Final = {
    Mode.NORMAL: "TRADING",
    Mode.CANCEL_ONLY: "TRADING_CANCEL_ONLY",
    Mode.HALTED: "TRADING_HALT",
}


def contract_status(state: State, market: Market) -> str:
    """What a market accepts: the stricter of its own mode and the venue's."""
    return _STATUSES[max(market.mode, state.mode)]


def next_funding_ms(now_ms: int) -> int:
    """The funding time after `now_ms`."""
    return (now_ms // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS
