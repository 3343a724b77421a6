"""Orders: placing, cancelling and reading them, one at a time or several."""

from typing import Annotated, Any, Final, cast

import msgspec

from openperp.api.endpoint import Call, Endpoint, Security, Submission
from openperp.api.endpoints.batches import submit_each
from openperp.api.endpoints.order_form import (
    OrderForm,
    order_command,
    shows_outcome,
    single_command,
)
from openperp.api.endpoints.order_reading import (
    ALL_KEPT_MS,
    LIST_MAX,
    check_one_id,
    explain_unknown,
    find_ended,
    list_live,
    list_orders,
    query_order,
    time_window,
)
from openperp.api.endpoints.symbols import MaybeSymbol, OneSymbol, find_market
from openperp.api.errors import ApiError, from_reject
from openperp.api.kinds import (
    UNKNOWN_CLIENT_ID,
    UNKNOWN_ORDER_ID,
    ClientId,
    ClientIds,
    Long,
    NoId,
    Objects,
    OrderIds,
    Symbol,
)
from openperp.api.params import Params, Reader
from openperp.api.wire.orders import ReplyKind, order_writer
from openperp.api.wire.row import Row
from openperp.api.wire.trades import user_trade
from openperp.engine.checks import closes_side
from openperp.engine.commands import (
    Batch,
    CancelAllOrders,
    CancelOrder,
    PlaceOrder,
    SetCountdown,
)
from openperp.engine.events import Applied, OrderAccepted
from openperp.engine.lookup import find_order
from openperp.engine.placing import SECOND_MS, check_order, resolve_price
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason, Reject
from openperp.engine.state import Market
from openperp.engine.terms import Cause, OrderScope, OrderStatus, PositionSide

ALL_CANCELED: Final = {"code": 200, "msg": "The operation of cancel all open order is done."}

ORDER_IDS: Final = ("orderId", "origClientOrderId")
_ID_LISTS: Final = ("orderIdList", "origClientOrderIdList")


class OrderId(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    order_id: Annotated[int, Long()] = 0
    orig_client_order_id: Annotated[str, ClientId()] = ""


class OrderIdLists(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    order_id_list: Annotated[tuple[int | NoId, ...], OrderIds()] = ()
    orig_client_order_id_list: Annotated[tuple[str, ...], ClientIds()] = ()


class OrderList(Params, frozen=True):
    batch_orders: Annotated[tuple[dict[str, Any], ...], Objects()]


class Countdown(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    countdown_time: Annotated[int, Long()]


class OrderSpan(Params, frozen=True):
    symbol: Annotated[str, Symbol()] = ""
    order_id: Annotated[int, Long()] = 0
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, LIST_MAX)] = 500


class TradeSpan(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    order_id: Annotated[int, Long()] = 0
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    from_id: Annotated[int, Long()] = -1
    limit: Annotated[int, Long(1, LIST_MAX)] = 500


def book_scope(call: Call) -> OrderScope:
    """What the order endpoints reach: everything, or not the orders that wait for a trigger."""
    return OrderScope.BOOK if call.view.state.separate_trigger_ids else OrderScope.ANY


def place_order(call: Call, form: OrderForm) -> Submission:
    command = single_command(call, form)
    return Submission(command, lambda applied: _write_placed(call, form, applied.reply, applied))


def try_order(call: Call, form: OrderForm) -> Any:
    """Checks an order as if it were placed; the reply shows it without an id."""
    command = single_command(call, form)
    refusal = check_order(call.view.state, command, call.now_ms)
    market = find_market(call, command.symbol)
    if refusal is not None:
        raise from_reject(refusal, call.view.dialect, market.spec)
    writer = order_writer(market.spec, call.view.dialect, "test")
    return msgspec.Raw(writer.write(_preview(resolve_price(call.view.state, command), call.now_ms)))


def _preview(command: PlaceOrder, now_ms: int) -> OrderRecord:
    hedged = command.position_side is not PositionSide.BOTH
    return OrderRecord(
        order_id=0,
        client_id=command.client_id,
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        type=command.type,
        original_type=command.type,
        time_in_force=command.time_in_force,
        status=OrderStatus.NEW,
        ticks=command.ticks,
        lots=command.lots,
        filled_lots=0,
        filled_value=0,
        trigger_ticks=command.trigger_ticks,
        working_type=command.working_type,
        activation_ticks=command.activation_ticks,
        callback_ppm=command.callback_ppm,
        reduce_only=command.reduce_only
        or (hedged and closes_side(command.side, command.position_side)),
        close_position=command.close_position,
        price_protect=command.price_protect,
        position_side=command.position_side,
        algo=command.algo,
        parent_id=0,
        armed_lots=0,
        created_ms=now_ms,
        updated_ms=now_ms,
        triggered_ms=0,
        cause=Cause.NONE,
        stp=command.stp,
        expires_ms=command.expires_ms - command.expires_ms % SECOND_MS,
        price_match=command.price_match,
    )


def place_batch(call: Call, params: OrderList) -> Any:
    """Places up to five orders. Each stands alone; one that breaks a rule keeps its place."""
    return submit_each(call, params.batch_orders, _ORDER_READER, order_command, _write_placed)


_ORDER_READER: Final = Reader(OrderForm)


def _write_placed(call: Call, form: OrderForm, reply: Any, applied: Applied) -> msgspec.Raw:
    """What is replied to a new order: what became of it, or that it was accepted."""
    assert isinstance(reply, OrderRecord)
    order = reply if shows_outcome(form, call.view.dialect) else _as_accepted(reply, applied)
    return _write(call, order, "place")


def _as_accepted(order: OrderRecord, applied: Applied) -> OrderRecord:
    """An order as it was before it met the book."""
    if order.status is OrderStatus.NEW:
        return order
    for event in applied.events:
        if type(event) is OrderAccepted and event.order.order_id == order.order_id:
            return event.order
    raise AssertionError(f"order {order.order_id} was never accepted")


def cancel_order(call: Call, params: OrderId) -> Submission:
    """Cancels one live order; an ended one is as unknown as any other."""
    find_market(call, params.symbol)
    check_one_id(params.order_id, params.orig_client_order_id, ORDER_IDS)
    command = CancelOrder(
        call.account,
        params.symbol,
        params.order_id,
        params.orig_client_order_id,
        book_scope(call),
    )
    return Submission(
        command,
        lambda applied: _write_reply(call, applied, "cancel"),
        explain=lambda reject: explain_cancel(call, command, reject),
    )


def explain_cancel(call: Call, command: CancelOrder, refusal: Reject) -> str:
    """What became of the order that a cancel did not find; empty for other refusals."""
    if refusal.reason is not Reason.ORDER_UNKNOWN:
        return ""
    named = (command.symbol, command.order_id, command.client_id, command.scope)
    return explain_unknown(call, *named, find_ended(call, *named))


def cancel_batch(call: Call, params: OrderIdLists) -> Submission:
    """Cancels up to ten orders of one symbol, one entry per id and in the order of the list."""
    market = find_market(call, params.symbol)
    order_ids, client_ids = params.order_id_list, params.orig_client_order_id_list
    owner, symbol, reach = call.account, params.symbol, book_scope(call)
    if order_ids:
        if client_ids:
            raise ApiError(-1128, explain=f"{_ID_LISTS[0]} and {_ID_LISTS[1]} exclude each other")
        commands = [
            CancelOrder(owner, symbol, UNKNOWN_ORDER_ID if type(sent) is NoId else sent, "", reach)
            for sent in order_ids
        ]
    elif client_ids:
        commands = [
            CancelOrder(owner, symbol, 0, UNKNOWN_CLIENT_ID if type(sent) is NoId else sent, reach)
            for sent in client_ids
        ]
    else:
        raise ApiError(-1102, *_ID_LISTS)
    ids = order_ids or client_ids
    return Submission(
        Batch(tuple(commands)),
        lambda applied: _finish_cancels(call, market, commands, ids, applied),
    )


def _finish_cancels(
    call: Call,
    market: Market,
    commands: list[CancelOrder],
    ids: tuple[int | str, ...],
    applied: Applied,
) -> msgspec.Raw | list[msgspec.Raw | ApiError]:
    writer = order_writer(market.spec, call.view.dialect, "batch cancel")
    replies = _replies(applied)
    if Reject not in map(type, replies):
        return msgspec.Raw(writer.write_list(cast("tuple[OrderRecord, ...]", replies)))
    entries = [
        _recall(call, market, command, sent, reply) if isinstance(reply, Reject) else reply
        for command, sent, reply in zip(commands, ids, replies, strict=True)
    ]
    return [
        entry if isinstance(entry, ApiError) else msgspec.Raw(writer.write(entry))
        for entry in entries
    ]


def _recall(
    call: Call, market: Market, command: CancelOrder, sent: int | str, refusal: Reject
) -> OrderRecord | ApiError:
    """What a batch cancel says of an order that it could not cancel: how it ended, at any age."""
    error = from_reject(refusal, call.view.dialect, market.spec)
    if refusal.reason is not Reason.ORDER_UNKNOWN:
        return error
    if type(sent) is NoId:
        error.explain = f"{sent!r} is no order's id"
        return error
    ended = None
    named = (command.symbol, command.order_id, command.client_id, command.scope)
    if call.view.dialect.echoes_terminal_orders or call.view.explain:
        ended = find_ended(call, *named)
    if ended is not None and call.view.dialect.echoes_terminal_orders:
        return ended
    error.explain = explain_unknown(call, *named, ended)
    return error


def _replies(applied: Applied) -> tuple[OrderRecord | Reject, ...]:
    """The replies to a batch of orders or of cancels."""
    return cast("tuple[OrderRecord | Reject, ...]", applied.reply)


def _write_reply(call: Call, applied: Applied, kind: ReplyKind) -> msgspec.Raw:
    assert isinstance(applied.reply, OrderRecord)
    return _write(call, applied.reply, kind)


def _write(call: Call, order: OrderRecord, kind: ReplyKind) -> msgspec.Raw:
    view = call.view
    writer = order_writer(view.state.markets[order.symbol].spec, view.dialect, kind)
    return msgspec.Raw(writer.write(order))


def cancel_all(call: Call, params: OneSymbol) -> Submission:
    """Cancels everything on one symbol that the order endpoints reach."""
    find_market(call, params.symbol)
    command = CancelAllOrders(call.account, params.symbol, book_scope(call))
    return Submission(command, lambda _applied: ALL_CANCELED)


def set_countdown(call: Call, params: Countdown) -> Submission:
    """Has everything that `cancel_all` reaches cancelled later, unless it is asked for again."""
    find_market(call, params.symbol)
    duration_ms = params.countdown_time
    command = SetCountdown(call.account, params.symbol, duration_ms, book_scope(call))
    reply = {"symbol": params.symbol, "countdownTime": str(duration_ms)}
    return Submission(command, lambda _applied: reply)


def get_order(call: Call, params: OrderId) -> msgspec.Raw:
    """One order, live or ended."""
    find_market(call, params.symbol)
    order_id, client_id = params.order_id, params.orig_client_order_id
    check_one_id(order_id, client_id, ORDER_IDS)
    order = query_order(call, params.symbol, order_id, client_id, book_scope(call))
    return _write(call, order, "query")


def get_open_order(call: Call, params: OrderId) -> msgspec.Raw:
    """One live order."""
    find_market(call, params.symbol)
    order_id, client_id = params.order_id, params.orig_client_order_id
    check_one_id(order_id, client_id, ORDER_IDS)
    order = find_order(
        call.view.state, call.account, params.symbol, order_id, client_id, book_scope(call)
    )
    if order is None:
        raise ApiError(-2013, explain=f"no open order {order_id or client_id} on {params.symbol}")
    return _write(call, order.to_record(), "query")


def get_open_orders(call: Call, params: MaybeSymbol) -> list[msgspec.Raw]:
    """Live orders of one symbol or of all."""
    if params.symbol:
        find_market(call, params.symbol)
    orders = list_live(call, params.symbol, book_scope(call))
    return [_write(call, order, "query") for order in orders]


def get_all_orders(call: Call, params: OrderSpan) -> list[msgspec.Raw]:
    """Live and ended orders."""
    if params.symbol:
        find_market(call, params.symbol)
    orders = list_orders(
        call,
        params.symbol,
        book_scope(call),
        from_id=params.order_id,
        start_ms=params.start_time,
        end_ms=params.end_time,
        limit=params.limit,
    )
    return [_write(call, order, "all orders") for order in orders]


def get_user_trades(call: Call, params: TradeSpan) -> list[Row]:
    """The account's own fills on one symbol."""
    market = find_market(call, params.symbol)
    start_ms, end_ms = params.start_time, params.end_time
    if params.from_id >= 0 and (start_ms or end_ms):
        raise ApiError(-1128, explain="fromId excludes startTime and endTime")
    first, last = max(0, call.now_ms - ALL_KEPT_MS), call.now_ms
    if start_ms or end_ms or (params.from_id < 0 and not params.order_id):
        since, last = time_window(call, start_ms, end_ms)
        first = max(first, since)
    fills = call.view.history.list_fills(
        call.account,
        params.symbol,
        order_id=params.order_id or None,
        from_id=params.from_id if params.from_id >= 0 else None,
        start_ms=first,
        end_ms=last,
        limit=params.limit,
        newest=not start_ms and params.from_id < 0,
    )
    text = call.view.format_of(market)
    return [user_trade(fill, text, market.spec.quote_asset) for fill in fills]


def _endpoint(
    method: str,
    path: str,
    params: Any,
    handle: Any,
    summary: str,
    weight: Any = 1,
    order_count: tuple[int, int] = (0, 0),
    ws: tuple[str, ...] = (),
) -> Endpoint[Any]:
    security = Security.USER_DATA if method == "GET" else Security.TRADE
    return Endpoint(method, path, security, params, handle, summary, weight, order_count, ws)


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _endpoint(
        "POST", "/fapi/v1/order", OrderForm, place_order, "New order", 0, (1, 1), ("order.place",)
    ),
    _endpoint("POST", "/fapi/v1/order/test", OrderForm, try_order, "Check a new order", 0),
    _endpoint("GET", "/fapi/v1/order", OrderId, get_order, "Query an order", ws=("order.status",)),
    _endpoint(
        "DELETE", "/fapi/v1/order", OrderId, cancel_order, "Cancel an order", ws=("order.cancel",)
    ),
    _endpoint(
        "POST", "/fapi/v1/batchOrders", OrderList, place_batch, "New orders, up to 5", 5, (5, 1)
    ),
    _endpoint(
        "DELETE", "/fapi/v1/batchOrders", OrderIdLists, cancel_batch, "Cancel orders, up to 10"
    ),
    _endpoint("DELETE", "/fapi/v1/allOpenOrders", OneSymbol, cancel_all, "Cancel all open orders"),
    _endpoint(
        "POST",
        "/fapi/v1/countdownCancelAll",
        Countdown,
        set_countdown,
        "Cancel all open orders when time runs out",
        10,
    ),
    _endpoint("GET", "/fapi/v1/openOrder", OrderId, get_open_order, "Query an open order"),
    _endpoint(
        "GET",
        "/fapi/v1/openOrders",
        MaybeSymbol,
        get_open_orders,
        "Open orders",
        lambda params: 1 if params.symbol else 40,
    ),
    _endpoint("GET", "/fapi/v1/allOrders", OrderSpan, get_all_orders, "All orders", 5),
    _endpoint("GET", "/fapi/v1/userTrades", TradeSpan, get_user_trades, "Own trades", 5),
)
