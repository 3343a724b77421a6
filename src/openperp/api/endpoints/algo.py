"""Algo orders: trigger orders under their own name.

Where order endpoints and algo endpoints share one id space, `algoId` is the
`orderId` and either finds the order.
"""

from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security, Submission
from openperp.api.endpoints.order_form import AlgoForm, algo_command
from openperp.api.endpoints.order_reading import (
    LIST_MAX,
    check_one_id,
    list_live,
    list_orders,
    query_order,
)
from openperp.api.endpoints.orders import ALL_CANCELED, explain_cancel
from openperp.api.endpoints.symbols import OneSymbol, find_market
from openperp.api.errors import ApiError
from openperp.api.kinds import ClientId, Long, Symbol, Word
from openperp.api.params import Params
from openperp.api.wire.algo import algo_canceled, algo_entry, algo_order, algo_query
from openperp.api.wire.row import Row
from openperp.engine.commands import CancelAllOrders, CancelOrder
from openperp.engine.events import Applied
from openperp.engine.records import OrderRecord
from openperp.engine.terms import OrderScope

_ALGO_IDS: Final = ("algoId", "clientAlgoId")
_ALGO_TYPES: Final = {"CONDITIONAL": "CONDITIONAL"}


class AlgoId(Params, frozen=True):
    algo_id: Annotated[int, Long()] = 0
    client_algo_id: Annotated[str, ClientId()] = ""


class OpenAlgoOrders(Params, frozen=True):
    algo_type: Annotated[str, Word(_ALGO_TYPES)] = "CONDITIONAL"
    symbol: Annotated[str, Symbol()] = ""
    algo_id: Annotated[int, Long()] = 0


class AlgoSpan(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    algo_id: Annotated[int, Long()] = 0
    start_time: Annotated[int, Long()] = 0
    end_time: Annotated[int, Long()] = 0
    limit: Annotated[int, Long(1, LIST_MAX)] = 500


def place_algo(call: Call, form: AlgoForm) -> Submission:
    command = algo_command(call, form)
    text = call.view.format_of(find_market(call, form.symbol))
    return Submission(command, lambda applied: algo_order(_order(applied), text))


def cancel_algo(call: Call, params: AlgoId) -> Submission:
    """Cancels one trigger order on whatever symbol."""
    check_one_id(params.algo_id, params.client_algo_id, _ALGO_IDS)
    command = CancelOrder(
        call.account, "", params.algo_id, params.client_algo_id, OrderScope.TRIGGER
    )
    return Submission(
        command,
        lambda applied: algo_canceled(_order(applied)),
        explain=lambda reject: explain_cancel(call, command, reject),
    )


def _order(applied: Applied) -> OrderRecord:
    assert isinstance(applied.reply, OrderRecord)
    return applied.reply


def cancel_all_algo(call: Call, params: OneSymbol) -> Submission:
    """Cancels every trigger order that waits on one symbol."""
    find_market(call, params.symbol)
    command = CancelAllOrders(call.account, params.symbol, OrderScope.TRIGGER)
    return Submission(command, lambda _applied: ALL_CANCELED)


def get_algo(call: Call, params: AlgoId) -> Row:
    """One trigger order: waiting, fired or ended."""
    check_one_id(params.algo_id, params.client_algo_id, _ALGO_IDS)
    order = query_order(call, "", params.algo_id, params.client_algo_id, OrderScope.TRIGGER)
    return _write(call, order)


def get_open_algo(call: Call, params: OpenAlgoOrders) -> list[Row]:
    """Trigger orders that wait, on one symbol or on all."""
    if params.symbol:
        find_market(call, params.symbol)
    orders = list_live(call, params.symbol, OrderScope.TRIGGER)
    return [_list(call, order) for order in orders if params.algo_id in {0, order.order_id}]


def get_all_algo(call: Call, params: AlgoSpan) -> list[Row]:
    """Trigger orders of every state."""
    find_market(call, params.symbol)
    if params.algo_id and (params.start_time or params.end_time):
        raise ApiError(-1128, explain="algoId excludes startTime and endTime")
    orders = list_orders(
        call,
        params.symbol,
        OrderScope.TRIGGER,
        from_id=params.algo_id,
        start_ms=params.start_time,
        end_ms=params.end_time,
        limit=params.limit,
    )
    return [_list(call, order) for order in orders]


def _list(call: Call, order: OrderRecord) -> Row:
    return algo_entry(order, call.view.format_of(find_market(call, order.symbol)))


def _write(call: Call, order: OrderRecord) -> Row:
    return algo_query(order, call.view.format_of(find_market(call, order.symbol)))


_PATH: Final = "/fapi/v1/algoOrder"
_READ: Final = Security.USER_DATA
_TRADE: Final = Security.TRADE

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        "POST",
        _PATH,
        _TRADE,
        AlgoForm,
        place_algo,
        "New algo order",
        0,
        (1, 1),
        ("algoOrder.place",),
    ),
    Endpoint("GET", _PATH, _READ, AlgoId, get_algo, "Query an algo order"),
    Endpoint(
        "DELETE",
        _PATH,
        _TRADE,
        AlgoId,
        cancel_algo,
        "Cancel an algo order",
        ws=("algoOrder.cancel",),
    ),
    Endpoint(
        "DELETE",
        "/fapi/v1/algoOpenOrders",
        _TRADE,
        OneSymbol,
        cancel_all_algo,
        "Cancel all open algo orders",
    ),
    Endpoint(
        "GET",
        "/fapi/v1/openAlgoOrders",
        _READ,
        OpenAlgoOrders,
        get_open_algo,
        "Open algo orders",
        lambda params: 1 if params.symbol else 40,
    ),
    Endpoint("GET", "/fapi/v1/allAlgoOrders", _READ, AlgoSpan, get_all_algo, "All algo orders", 5),
)
