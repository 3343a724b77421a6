"""Amending orders: a new price and quantity under the same id, and what was amended."""

from typing import Annotated, Any, Final

import msgspec

from openperp.api.endpoint import Call, Endpoint, Security, Submission
from openperp.api.endpoints.batches import submit_each
from openperp.api.endpoints.order_form import price_or_match
from openperp.api.endpoints.order_reading import (
    ALL_KEPT_MS,
    check_one_id,
    explain_unknown,
    find_any,
    find_ended,
)
from openperp.api.endpoints.orders import ORDER_IDS, OrderList, book_scope
from openperp.api.endpoints.spans import check_span
from openperp.api.endpoints.symbols import find_market
from openperp.api.kinds import Bool, ClientId, Decimal, Long, Symbol, Unwanted, Word
from openperp.api.params import Params, Reader, to_lots
from openperp.api.wire.amendments import amendment_row
from openperp.api.wire.orders import order_writer
from openperp.api.wire.row import Row
from openperp.engine.commands import AmendOrder
from openperp.engine.events import Applied, OrderAmended
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason, Reject
from openperp.engine.terms import PriceMatch, Side

AMENDMENTS_MAX: Final = 100
_NO_EXITS: Final = Unwanted(
    "an amendment attaches nothing: POST algoOrder does, with parentOrderId"
)


class AmendForm(Params, frozen=True):
    """What an order becomes; a price and a quantity are needed even where one stays."""

    symbol: Annotated[str, Symbol()]
    side: Annotated[Side, Word(Side, -1117)]
    quantity: Annotated[str, Decimal()]
    price: Annotated[str, Decimal()] = ""
    order_id: Annotated[int, Long()] = 0
    orig_client_order_id: Annotated[str, ClientId()] = ""
    price_match: Annotated[PriceMatch, Word(PriceMatch, -5037)] = PriceMatch.NONE
    modify_id: Annotated[int, Long()] = 0
    reduce_only: Annotated[bool, Bool()] = False
    take_profit_price: Annotated[str, _NO_EXITS] = ""
    stop_loss_price: Annotated[str, _NO_EXITS] = ""
    attached_working_type: Annotated[str, _NO_EXITS] = ""
    take_profit_client_order_id: Annotated[str, _NO_EXITS] = ""
    stop_loss_client_order_id: Annotated[str, _NO_EXITS] = ""
    parent_order_id: Annotated[str, _NO_EXITS] = ""
    parent_client_order_id: Annotated[str, _NO_EXITS] = ""


class AmendmentSpan(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    order_id: Annotated[int, Long()] = 0
    orig_client_order_id: Annotated[str, ClientId()] = ""
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, AMENDMENTS_MAX)] = 50


def amend_command(call: Call, form: AmendForm) -> AmendOrder:
    """The command for PUT order and for an element of PUT batchOrders."""
    market = find_market(call, form.symbol)
    check_one_id(form.order_id, form.orig_client_order_id, ORDER_IDS)
    return AmendOrder(
        call.account,
        form.symbol,
        form.side,
        to_lots(market, form.quantity, "quantity", call.view.dialect),
        price_or_match(market, form.price, form.price_match),
        form.order_id,
        form.orig_client_order_id,
        book_scope(call),
        form.modify_id,
        form.reduce_only,
        form.price_match,
    )


def amend_order(call: Call, form: AmendForm) -> Submission:
    """Amends one live LIMIT order, which goes to the end of the queue."""
    command = amend_command(call, form)
    return Submission(
        command,
        lambda applied: _write(call, form, applied.reply, applied),
        explain=lambda reject: _explain(call, command, reject),
    )


def _explain(call: Call, command: AmendOrder, refusal: Reject) -> str:
    """What became of the order that was not found; empty for other refusals."""
    if refusal.reason is not Reason.AMENDED_ORDER_UNKNOWN:
        return ""
    named = (command.symbol, command.order_id, command.client_id, command.scope)
    return explain_unknown(call, *named, find_ended(call, *named))


def _write(call: Call, form: AmendForm, reply: Any, _applied: Applied) -> msgspec.Raw:
    """The order after its amendment, or as it was cancelled instead.

    `modifyId` is zero where the caller gave none.
    """
    assert isinstance(reply, OrderAmended | OrderRecord)
    order = reply.order if isinstance(reply, OrderAmended) else reply
    view = call.view
    text = order_writer(view.state.markets[order.symbol].spec, view.dialect, "amend").write(order)
    return msgspec.Raw(f'{text[:-1]},"modifyId":{form.modify_id}}}')


def amend_batch(call: Call, params: OrderList) -> Any:
    """Amends up to five orders. Each stands alone; one that breaks a rule keeps its place."""
    return submit_each(call, params.batch_orders, _READER, amend_command, _write)


_READER: Final = Reader(AmendForm)


def get_amendments(call: Call, params: AmendmentSpan) -> list[Row]:
    """Amendments of one order of any age, or of all of a symbol, oldest first.

    From a start on the first ones, otherwise the last.
    """
    market = find_market(call, params.symbol)
    check_span(params.start_time, params.end_time)
    named = (params.order_id, params.orig_client_order_id)
    order_id = None
    if any(named):
        order_id = find_any(call, params.symbol, *named, book_scope(call)).order_id
    kept_ms = call.now_ms - ALL_KEPT_MS
    rows = call.view.history.list_amendments(
        call.account,
        params.symbol,
        order_id=order_id,
        start_ms=max(params.start_time, kept_ms) if params.start_time else None,
        end_ms=min(params.end_time or call.now_ms, call.now_ms),
        limit=params.limit,
    )
    text = call.view.format_of(market)
    return [amendment_row(row, text) for row in rows if row.time_ms >= kept_ms]


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        "PUT",
        "/fapi/v1/order",
        Security.TRADE,
        AmendForm,
        amend_order,
        "Amend an order",
        0,
        (1, 1),
        ws=("order.modify",),
    ),
    Endpoint(
        "PUT",
        "/fapi/v1/batchOrders",
        Security.TRADE,
        OrderList,
        amend_batch,
        "Amend orders, up to 5",
        5,
        (5, 1),
    ),
    Endpoint(
        "GET",
        "/fapi/v1/orderAmendment",
        Security.USER_DATA,
        AmendmentSpan,
        get_amendments,
        "Amendments of orders",
    ),
)
