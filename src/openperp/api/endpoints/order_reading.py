"""Reading orders: live ones from the state, ended ones from the history.

What ended long ago cannot be queried any more, though a batch cancel still
tells how it ended.
"""

from typing import Final

from openperp.api.endpoint import Call
from openperp.api.errors import ApiError
from openperp.engine.events import OrderRecord
from openperp.engine.lookup import find_order, open_orders
from openperp.engine.state import Account
from openperp.engine.terms import TRIGGER_TYPES, OrderScope, OrderStatus

DAY_MS: Final = 86_400_000
UNFILLED_KEPT_MS: Final = 3 * DAY_MS
"""How long cancelled and expired orders without fills can be queried, from their creation."""
ALL_KEPT_MS: Final = 90 * DAY_MS
"""How long any ended order, and any fill, can be queried."""
SPAN_MAX_DAYS: Final = 7
LIST_MAX: Final = 1_000


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
    """An ended order of any age by its id, or the latest of a client id."""
    history = call.view.history
    if order_id:
        found = history.find_order(call.account, symbol, order_id)
    else:
        algo = None
        if call.view.dialect.separate_trigger_ids and scope is not OrderScope.ANY:
            algo = scope is OrderScope.TRIGGER
        found = history.find_order_by_client_id(call.account, symbol, client_id, algo)
    if found is None or not belongs_to(found, scope):
        return None
    return found


def query_order(
    call: Call, symbol: str, order_id: int, client_id: str, scope: OrderScope
) -> OrderRecord:
    """An order as a query shows it; -2013 when there is none, or none any more."""
    live = find_order(call.view.state, call.account, symbol, order_id, client_id, scope)
    if live is not None:
        return live.to_record()
    ended = find_ended(call, symbol, order_id, client_id, scope)
    name = order_id or client_id
    if ended is None:
        raise ApiError(-2013, explain=f"no order {name} of this account{_on(symbol)}")
    if not is_retained(ended, call.now_ms):
        raise ApiError(-2013, explain=f"order {name} ended too long ago to be queried")
    return ended


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

    From an id or a start on, the first `limit`; otherwise the last.
    """
    first, last = 0, call.now_ms
    if not from_id or start_ms or end_ms:
        first, last = time_window(call, start_ms, end_ms)
    newest = not from_id and not start_ms
    ended = call.view.history.list_orders(
        call.account,
        symbol,
        from_id=from_id,
        start_ms=max(first, call.now_ms - ALL_KEPT_MS),
        end_ms=last,
        limit=LIST_MAX,
        newest=newest,
    )
    live = [
        order
        for order in list_live(call, symbol, OrderScope.ANY)
        if order.order_id >= from_id and first <= order.created_ms <= last
    ]
    kept = {order.order_id: order for order in ended if is_retained(order, call.now_ms)}
    kept.update((order.order_id, order) for order in live)
    found = [kept[order_id] for order_id in sorted(kept) if belongs_to(kept[order_id], scope)]
    return found[-limit:] if newest else found[:limit]
