"""All endpoints, in one explicit tuple."""

from typing import Any, Final

from openperp.api.endpoint import Endpoint
from openperp.api.endpoints import account, algo, compat, market, operator, trade, user_stream

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    *market.ENDPOINTS,
    *trade.ENDPOINTS,
    *algo.ENDPOINTS,
    *account.ENDPOINTS,
    *user_stream.ENDPOINTS,
    *compat.ENDPOINTS,
    *operator.ENDPOINTS,
)
