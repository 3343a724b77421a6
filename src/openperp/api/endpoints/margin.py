"""Which margin positions stand on: the margin type of a symbol, and isolated margin."""

from typing import Annotated, Any, Final

import msgspec

from openperp.api.endpoint import Call, Endpoint, Security, Submission
from openperp.api.endpoints.spans import DAY_MS, check_span
from openperp.api.endpoints.symbols import find_market
from openperp.api.kinds import Decimal, Long, Symbol, Word
from openperp.api.params import Params, to_money
from openperp.api.wire.margin_changes import margin_change_row
from openperp.api.wire.numbers import decimal_text
from openperp.api.wire.row import Row
from openperp.engine.commands import ChangeMargin, SetMarginType
from openperp.engine.numbers import MONEY_DECIMALS
from openperp.engine.terms import PositionSide

MARGIN_SPAN_DAYS: Final = 30

_TYPES: Final = {"CROSSED": "CROSSED", "ISOLATED": "ISOLATED"}
_CHANGES: Final = {"1": 1, "2": 2}
_REMOVES: Final = 2


class MarginChoice(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    margin_type: Annotated[str, Word(_TYPES)]


class MarginMove(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    amount: Annotated[str, Decimal()]
    type: Annotated[int, Long(1, 2)]
    position_side: Annotated[PositionSide, Word(PositionSide, -4060)] = PositionSide.BOTH


class MarginChangeSpan(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    type: Annotated[int, Word(_CHANGES)] = 0
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, 1_000)] = 500


def set_margin_type(call: Call, params: MarginChoice) -> Submission:
    """Cross or isolated margin for a symbol, on which nothing may be open."""
    find_market(call, params.symbol)
    command = SetMarginType(call.account, params.symbol, params.margin_type == "ISOLATED")
    return Submission(command, lambda _applied: {"code": 200, "msg": "success"})


def change_margin(call: Call, params: MarginMove) -> Submission:
    """Adds margin to an isolated position or takes from it."""
    find_market(call, params.symbol)
    amount = to_money(params.amount, "amount")
    removes = params.type == _REMOVES
    command = ChangeMargin(call.account, params.symbol, amount, removes, params.position_side)
    answer = {
        "amount": msgspec.Raw(decimal_text(amount, MONEY_DECIMALS, shortest=True)),
        "code": 200,
        "msg": "Successfully modify position margin.",
        "type": params.type,
    }
    return Submission(command, lambda _applied: answer)


def get_margin_changes(call: Call, params: MarginChangeSpan) -> list[Row]:
    """What its owner added to isolated positions of a symbol, and what was taken, for 30 days."""
    find_market(call, params.symbol)
    check_span(params.start_time, params.end_time, days_max=MARGIN_SPAN_DAYS)
    first_ms = max(0, call.now_ms - MARGIN_SPAN_DAYS * DAY_MS)
    changes = call.view.history.market.list_margin_changes(
        call.account,
        params.symbol,
        removals=None if not params.type else params.type == _REMOVES,
        start_ms=max(params.start_time, first_ms) if params.start_time else None,
        end_ms=params.end_time or None,
        limit=params.limit,
    )
    return [margin_change_row(change) for change in changes if change.time_ms >= first_ms]


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        "POST",
        "/fapi/v1/marginType",
        Security.TRADE,
        MarginChoice,
        set_margin_type,
        "Change the margin type of a symbol",
    ),
    Endpoint(
        "POST",
        "/fapi/v1/positionMargin",
        Security.TRADE,
        MarginMove,
        change_margin,
        "Add or take margin of an isolated position",
    ),
    Endpoint(
        "GET",
        "/fapi/v1/positionMargin/history",
        Security.TRADE,
        MarginChangeSpan,
        get_margin_changes,
        "Changes of isolated margin",
    ),
)
