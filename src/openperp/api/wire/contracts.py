"""What REST and the streams tell alike of a contract: its status, and its funding."""

from typing import Final

from openperp.api.wire.numbers import InstrumentFormat, money_text
from openperp.api.wire.row import Row
from openperp.engine.numbers import PPM
from openperp.engine.pricing import (
    BASE_HOURS,
    RATE_ONE,
    default_cap_ppm,
    estimate_rate,
    next_stamp,
)
from openperp.engine.state import Market, State
from openperp.engine.terms import Mode
from openperp.history.market import Funding

rate_text: Final = money_text
"""Rates have the eight decimals of money, and are counted alike."""

CONTRACT_TYPE: Final = "PERPETUAL"

PERPETUAL_DELIVERY_MS: Final = 4_133_404_800_000
"""Delivery date of a contract that never delivers, as Binance writes it."""

_STATUSES: Final = {
    Mode.NORMAL: "TRADING",
    Mode.CANCEL_ONLY: "TRADING_CANCEL_ONLY",
    Mode.HALTED: "TRADING_HALT",
}


def contract_status(state: State, market: Market) -> str:
    """What a market accepts: the stricter of its own mode and the venue's."""
    return _STATUSES[max(market.mode, state.mode)]


def funding_rate(state: State, market: Market) -> str:
    """What the next funding would be if it came now."""
    return rate_text(estimate_rate(market, state.time_ms))


def interest_rate(market: Market) -> str:
    """The interest that is part of it, for eight hours."""
    return rate_text(market.spec.interest_ppm * RATE_ONE // PPM)


def next_funding_ms(market: Market, now_ms: int) -> int:
    """The funding time after `now_ms`; zero where positions pay none."""
    return next_stamp(market.spec, now_ms)


def funding_row(funding: Funding, instrument: InstrumentFormat) -> Row:
    """A funding that was settled."""
    return {
        "symbol": funding.symbol,
        "fundingRate": rate_text(funding.rate),
        "fundingTime": funding.time_ms,
        "markPrice": instrument.price[funding.mark_ticks],
        "rateType": "Regular",
    }


def funding_terms(market: Market) -> Row:
    """How often positions pay, and how much at most."""
    cap = market.spec.funding_cap_ppm * RATE_ONE // PPM
    return {
        "symbol": market.symbol,
        "adjustedFundingRateCap": rate_text(cap),
        "adjustedFundingRateFloor": rate_text(-cap),
        "fundingIntervalHours": market.spec.funding_hours,
        "disclaimer": False,
        "updateTime": market.period_ms,
    }


def has_own_terms(market: Market) -> bool:
    """Whether its funding differs from that of an ordinary contract."""
    spec = market.spec
    ordinary = (BASE_HOURS, default_cap_ppm(spec.brackets[0].maintenance_ppm))
    return spec.funding_hours > 0 and (spec.funding_hours, spec.funding_cap_ppm) != ordinary
