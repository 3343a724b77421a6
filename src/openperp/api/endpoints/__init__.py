"""All endpoints, in one explicit tuple."""

from typing import Any, Final

from openperp.api.endpoint import Endpoint
from openperp.api.endpoints import (
    account,
    account_terms,
    algo,
    amending,
    compat,
    downloads,
    income,
    klines,
    market,
    market_trades,
    operator,
    reference_data,
    statistics,
    trade,
    user_stream,
)

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    *market.ENDPOINTS,
    *market_trades.ENDPOINTS,
    *klines.ENDPOINTS,
    *statistics.ENDPOINTS,
    *reference_data.ENDPOINTS,
    *trade.ENDPOINTS,
    *amending.ENDPOINTS,
    *algo.ENDPOINTS,
    *account.ENDPOINTS,
    *account_terms.ENDPOINTS,
    *income.ENDPOINTS,
    *downloads.ENDPOINTS,
    *user_stream.ENDPOINTS,
    *compat.ENDPOINTS,
    *operator.ENDPOINTS,
)
