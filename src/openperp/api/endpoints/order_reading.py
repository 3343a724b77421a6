"""Reading orders: live ones from the state, ended ones from the history.

What ended long ago cannot be queried any more, though a batch cancel still
tells how it ended.
"""

from typing import Final, NamedTuple

from openperp.api.endpoint import Call
from openperp.api.errors import ApiError
from openperp.api.kinds import LONG_MAX
from openperp.engine.lookup import find_order, open_orders
from openperp.engine.records import OrderRecord
from openperp.engine.state import Account
from openperp.engine.terms import TRIGGER_TYPES, OrderScope, OrderStatus

DAY_MS: Final = 86_400_000
UNFILLED_KEPT_MS: Final = 3 * DAY_MS
"""How long cancelled and expired orders without fills can be queried, from their creation."""
ALL_KEPT_MS: Final = 90 * DAY_MS
"""How long any ended order, and any fill, can be queried."""
SPAN_MAX_DAYS: Final = 7
LIST_MAX: Final = 1_000
READ_MAX: Final = 50 * LIST_MAX
"""Ended orders that one list may look through: about a tenth of a second."""


def account_of(call: Call) -> Account:
    return call.view.state.accounts[call.account]


def check_one_id(order_id: int, client_id: str, names: tuple[str, str]) -> None:
    """One of the two ids must be there; the first wins where both are."""
    if not order_id and not client_id:
        raise ApiError(-1102, *names)


def is_retained(order: OrderRecord, now_ms: int) -> bool:
    """Whether queries may still show an ended order."""
    age = now_ms - order.created_ms
    if order.status is not OrderStatus.FILLED and not order.filled_lots:
        return age <= UNFILLED_KEPT_MS
    return age <= ALL_KEPT_MS


def belongs_to(order: OrderRecord, scope: OrderScope) -> bool:
    """Whether an ended order is in the reach of `scope`."""
    if scope is OrderScope.ANY:
        return True
    has_trigger = order.original_type in TRIGGER_TYPES
    if scope is OrderScope.TRIGGER:
        return has_trigger
    return not has_trigger or order.triggered_ms > 0


def find_ended(
    call: Call, symbol: str, order_id: int, client_id: str, scope: OrderScope
) -> OrderRecord | None:
    """An ended order of any age by its id, or the latest of a client id.

    Those that fired are found as orders of the book, too.
    """
    history = call.view.history
    if order_id:
        found = history.find_order(call.account, symbol, order_id)
    else:
        algo, fired = None, False
        if call.view.state.separate_trigger_ids and scope is not OrderScope.ANY:
            algo = scope is OrderScope.TRIGGER
            fired = not algo
        found = history.find_order_by_client_id(call.account, symbol, client_id, algo, fired=fired)
    if found is None or not belongs_to(found, scope):
        return None
    return found


def explain_unknown(
    call: Call,
    symbol: str,
    order_id: int,
    client_id: str,
    scope: OrderScope,
    ended: OrderRecord | None,
) -> str:
    """Why a cancel finds no live order: it has ended, goes by another endpoint, or never was."""
    name = order_id or client_id
    if ended is not None:
        return f"order {name} has ended: {ended.status.name}"
    live = find_order(call.view.state, call.account, symbol, order_id, client_id, OrderScope.ANY)
    if live is None:
        return f"no order {name} of this account{_on(symbol)}"
    if live.waiting:
        return f"order {name} waits for its trigger: DELETE /fapi/v1/algoOrder cancels it"
    if scope is OrderScope.BOOK:
        return f"order {name} has fired: orderId {live.order_id} reaches it"
    return f"order {name} is no algo order"


def find_any(
    call: Call, symbol: str, order_id: int, client_id: str, scope: OrderScope
) -> OrderRecord:
    """A live order, or one that ended at any time; -2013 when there never was one."""
    live = find_order(call.view.state, call.account, symbol, order_id, client_id, scope)
    if live is not None:
        return live.to_record()
    ended = find_ended(call, symbol, order_id, client_id, scope)
    if ended is None:
        name = order_id or client_id
        raise ApiError(-2013, explain=f"no order {name} of this account{_on(symbol)}")
    return ended


def query_order(
    call: Call, symbol: str, order_id: int, client_id: str, scope: OrderScope
) -> OrderRecord:
    """An order as a query shows it; -2013 when there is none, or none any more."""
    found = find_any(call, symbol, order_id, client_id, scope)
    if found.status >= OrderStatus.FILLED and not is_retained(found, call.now_ms):
        name = order_id or client_id
        raise ApiError(-2013, explain=f"order {name} ended too long ago to be queried")
    return found


def _on(symbol: str) -> str:
    return f" on {symbol}" if symbol else ""


def list_live(call: Call, symbol: str, scope: OrderScope) -> list[OrderRecord]:
    """Live orders in the reach of `scope`, oldest first. TRIGGER means those that wait."""
    found = open_orders(account_of(call), symbol)
    if scope is not OrderScope.ANY:
        waits = scope is OrderScope.TRIGGER
        found = [order for order in found if order.waiting == waits]
    return [order.to_record() for order in found]


def time_window(call: Call, start_ms: int, end_ms: int) -> tuple[int, int]:
    """The span of a list, both ends inclusive: at most seven days, by default the last seven."""
    span = SPAN_MAX_DAYS * DAY_MS
    if start_ms and end_ms:
        if start_ms > end_ms:
            raise ApiError(-1023, explain=f"startTime {start_ms} is after endTime {end_ms}")
        if end_ms - start_ms > span:
            raise ApiError(-4165, SPAN_MAX_DAYS, explain=f"{end_ms - start_ms} ms apart")
        return start_ms, end_ms
    if start_ms:
        return start_ms, start_ms + span
    end_ms = end_ms or call.now_ms
    return max(0, end_ms - span), end_ms


def list_orders(
    call: Call,
    symbol: str,
    scope: OrderScope,
    *,
    from_id: int,
    start_ms: int,
    end_ms: int,
    limit: int,
) -> list[OrderRecord]:
    """Live and ended orders, oldest first: from an id on, or within a span of creation times.

    From an id or a start on, the first `limit`; otherwise the last. Ended
    orders that may not be shown are passed over. Where `READ_MAX` of them stand
    between, the list ends there, and -1127 says so instead of an empty list.
    """
    first, last = 0, call.now_ms
    if not from_id or start_ms or end_ms:
        first, last = time_window(call, start_ms, end_ms)
    newest = not from_id and not start_ms
    span = _Span(symbol, scope, from_id, max(first, call.now_ms - ALL_KEPT_MS), last, newest)
    ended, low, high = _list_ended(call, span, limit)
    found = {order.order_id: order for order in ended}
    for order in list_live(call, symbol, OrderScope.ANY):
        if low <= order.order_id <= high and first <= order.created_ms <= last:
            found[order.order_id] = order
    orders = [found[key] for key in sorted(found) if belongs_to(found[key], scope)]
    if not orders and (low, high) != (from_id, LONG_MAX):
        further = "narrow startTime and endTime" if newest else f"go on from id {high + 1}"
        raise ApiError(
            -1127, explain=f"none of {READ_MAX} ended orders can be shown here; {further}"
        )
    return orders[-limit:] if newest else orders[:limit]


class _Span(NamedTuple):
    """What one list asks of the history; both times are included."""

    symbol: str
    scope: OrderScope
    from_id: int
    start_ms: int
    end_ms: int
    newest: bool


def _list_ended(call: Call, span: _Span, limit: int) -> tuple[list[OrderRecord], int, int]:
    """Ended orders that may be shown, with the lowest and the highest id that was looked at."""
    found: list[OrderRecord] = []
    low, high = span.from_id, LONG_MAX
    size = limit
    for _ in range(0, READ_MAX, LIST_MAX):
        page = call.view.history.list_orders(
            call.account,
            span.symbol,
            from_id=low,
            until_id=high,
            start_ms=span.start_ms,
            end_ms=span.end_ms,
            limit=size,
            newest=span.newest,
        )
        found += [
            order
            for order in page
            if is_retained(order, call.now_ms) and belongs_to(order, span.scope)
        ]
        if len(page) < size or len(found) >= limit:
            return found, span.from_id, LONG_MAX
        if span.newest:
            high = page[0].order_id - 1
        else:
            low = page[-1].order_id + 1
        size = LIST_MAX
    return (found, high + 1, LONG_MAX) if span.newest else (found, span.from_id, low - 1)
