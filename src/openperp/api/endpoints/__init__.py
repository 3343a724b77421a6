"""All endpoints, in one explicit tuple."""

from typing import Any, Final

from openperp.api.endpoint import Endpoint
from openperp.api.endpoints import (
    account,
    algo,
    compat,
    market,
    operator,
    reference_data,
    standing,
    trade,
    user_stream,
)

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    *market.ENDPOINTS,
    *reference_data.ENDPOINTS,
    *trade.ENDPOINTS,
    *algo.ENDPOINTS,
    *account.ENDPOINTS,
    *standing.ENDPOINTS,
    *user_stream.ENDPOINTS,
    *compat.ENDPOINTS,
    *operator.ENDPOINTS,
)
