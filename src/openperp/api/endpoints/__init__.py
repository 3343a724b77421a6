"""All endpoints, in one explicit tuple."""

from typing import Any, Final

from openperp.api.endpoint import Endpoint
from openperp.api.endpoints import (
    account,
    algo,
    amending,
    compat,
    downloads,
    income,
    klines,
    market,
    operator,
    reference_data,
    standing,
    statistics,
    tape,
    trade,
    user_stream,
)

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    *market.ENDPOINTS,
    *tape.ENDPOINTS,
    *klines.ENDPOINTS,
    *statistics.ENDPOINTS,
    *reference_data.ENDPOINTS,
    *trade.ENDPOINTS,
    *amending.ENDPOINTS,
    *algo.ENDPOINTS,
    *account.ENDPOINTS,
    *standing.ENDPOINTS,
    *income.ENDPOINTS,
    *downloads.ENDPOINTS,
    *user_stream.ENDPOINTS,
    *compat.ENDPOINTS,
    *operator.ENDPOINTS,
)
