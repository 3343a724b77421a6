"""Why the wallet changed: transfers, profits and fees."""

from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.spans import DAY_MS, check_span
from openperp.api.endpoints.symbols import find_market
from openperp.api.kinds import Long, Symbol, Word
from openperp.api.params import Params
from openperp.api.wire.income import INCOME_TYPES, income_row
from openperp.api.wire.row import Row
from openperp.history.market import IncomeKind

DEFAULT_SPAN_MS: Final = 7 * DAY_MS
"""What is shown to a caller who names no time."""
KEPT_MS: Final = 90 * DAY_MS
"""How far back income can be asked for."""

_WORDS: Final = {word: word for word in INCOME_TYPES}


class IncomeSpan(Params, frozen=True):
    symbol: Annotated[str, Symbol()] = ""
    income_type: Annotated[str, Word(_WORDS)] = ""
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, 1_000)] = 100


def get_income(call: Call, params: IncomeSpan) -> list[Row]:
    """From a start on the first rows, otherwise the last; of the last week where no time is named.

    Types that Binance has and this venue does not are empty.
    """
    if params.symbol:
        find_market(call, params.symbol)
    check_span(params.start_time, params.end_time)
    kind = IncomeKind.__members__.get(params.income_type)
    if params.income_type and kind is None:
        return []
    timed = params.start_time or params.end_time
    first_ms = max(0, call.now_ms - (KEPT_MS if timed else DEFAULT_SPAN_MS))
    rows = call.view.history.market.list_income(
        call.account,
        params.symbol,
        kind=kind,
        start_ms=max(params.start_time, first_ms) if params.start_time else None,
        end_ms=min(params.end_time or call.now_ms, call.now_ms),
        limit=params.limit,
    )
    return [income_row(row) for row in rows if row.time_ms >= first_ms]


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        "GET",
        "/fapi/v1/income",
        Security.USER_DATA,
        IncomeSpan,
        get_income,
        "Transfers, profits and fees",
        30,
    ),
)
