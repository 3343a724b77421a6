"""All endpoints, in one explicit tuple."""

from typing import Any, Final

from openperp.api.endpoint import Endpoint
from openperp.api.endpoints import compat, market, operator

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    *market.ENDPOINTS,
    *compat.ENDPOINTS,
    *operator.ENDPOINTS,
)
