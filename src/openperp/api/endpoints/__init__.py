"""All endpoints, page by page."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Final

from openperp.api.endpoint import Endpoint
from openperp.api.endpoints import (
    account,
    account_terms,
    algo,
    amending,
    compat,
    downloads,
    forced_orders,
    income,
    insurance,
    klines,
    margin,
    market,
    market_trades,
    operator,
    operator_assets,
    orders,
    reference_data,
    statistics,
    user_stream,
)

Endpoints = tuple[Endpoint[Any], ...]

PAGES: Final[Mapping[str, Endpoints]] = {
    "Market data": market.ENDPOINTS,
    "Trades": market_trades.ENDPOINTS,
    "Klines": klines.ENDPOINTS,
    "Statistics": statistics.ENDPOINTS,
    "Market reference data": reference_data.ENDPOINTS,
    "Orders": orders.ENDPOINTS,
    "Amending": amending.ENDPOINTS,
    "Algo orders": algo.ENDPOINTS,
    "Account": account.ENDPOINTS,
    "Terms of the account": account_terms.ENDPOINTS,
    "Margin": margin.ENDPOINTS,
    "Liquidation": forced_orders.ENDPOINTS,
    "Income": income.ENDPOINTS,
    "Files": downloads.ENDPOINTS,
    "User data stream": user_stream.ENDPOINTS,
    "Outside fapi": compat.ENDPOINTS,
    "Operator": operator.ENDPOINTS + operator_assets.ENDPOINTS + insurance.ENDPOINTS,
}
"""What each module declares, under the title that it has wherever endpoints are described."""

ENDPOINTS: Final[Endpoints] = tuple(chain.from_iterable(PAGES.values()))
