"""A request's way in and an answer's way out: two plain functions around the sequencer.

`prepare` turns a request into its answer, or into a `Pending` whose command the
sequencer applies; `finish` turns what came of it into the answer. Both return
in every case: a refusal is an answer. What does not depend on HTTP is in
`charge_weight`, `run` and `conclude`, which the WebSocket API calls too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from openperp.api.endpoint import Call, Document, Endpoint, Request, Security, Submission
from openperp.api.endpoints import ENDPOINTS
from openperp.api.errors import MISSING, ApiError, from_reject
from openperp.api.explain import explain_missing, header_value
from openperp.api.params import check_object, read_fields
from openperp.api.security import authenticate, check_operator
from openperp.api.view import View
from openperp.engine.commands import Command
from openperp.engine.events import Applied
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.rejects import Reject

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """What goes back: `headers` holds everything but the body's length."""

    status: int
    body: bytes
    headers: Headers


@dataclass(slots=True)
class Costs:
    """The counters that a request was charged to, as they stood then; -1 where it was not.

    `weight` is that of the address in this minute, the others are the orders of
    the account. `spot` asks for the weight under its older header as well.
    """

    weight: int = -1
    orders_10s: int = -1
    orders_1m: int = -1
    spot: bool = False


@dataclass(slots=True)
class Pending:
    """A request that waits for its command."""

    submission: Submission
    endpoint: Endpoint[Any]
    call: Call
    costs: Costs

    @property
    def headers(self) -> Headers:
        """Those that its answer begins with, whatever that is."""
        return _headers(self.costs)


Routes = dict[str, dict[str, Endpoint[Any]]]
Methods = dict[str, Endpoint[Any]]

JSON_HEADER: Final = (b"content-type", b"application/json")
OPERATOR_PREFIX: Final = "/operator/"
"""Here messages are the explanations themselves: they are read by people."""
ACCOUNT_PREFIX: Final = "/operator/v1/accounts/"
NAMED_PREFIX: Final = ACCOUNT_PREFIX + "{name}/"
"""Paths that begin so are the only ones with a parameter in them."""

_WITH_HEAD: Final = {"GET": ("GET", "HEAD")}


def _build_routes(endpoints: tuple[Endpoint[Any], ...]) -> tuple[Routes, Routes]:
    """Methods by path, and those of an account by what follows its name."""
    routes: Routes = {}
    of_account: Routes = {}
    for endpoint in endpoints:
        named = endpoint.path.startswith(NAMED_PREFIX)
        table = of_account if named else routes
        methods = table.setdefault(endpoint.path.removeprefix(NAMED_PREFIX), {})
        if endpoint.method in methods:
            raise ValueError(f"{endpoint.method} {endpoint.path} is declared twice")
        methods[endpoint.method] = endpoint
    return routes, of_account


def build_methods(endpoints: tuple[Endpoint[Any], ...]) -> Methods:
    """Endpoints by the names that they have in the WebSocket API."""
    methods: Methods = {}
    for endpoint in endpoints:
        for name in endpoint.ws:
            if name in methods:
                raise ValueError(f"the method {name} is declared twice")
            methods[name] = endpoint
    return methods


ROUTES, ACCOUNT_ROUTES = _build_routes(ENDPOINTS)
METHODS = build_methods(ENDPOINTS)


def prepare(request: Request, view: View) -> Answer | Pending:
    """Checks a request and runs its endpoint, up to the command if there is one."""
    costs = Costs()
    fields: dict[str, Any] = {}
    try:
        endpoint, in_path = _find_endpoint(request, view, costs)
        costs.spot = endpoint.spot
        now_ms = view.now_ms()
        if endpoint.security is Security.OPERATOR:
            check_operator(request, view)
            check_object(request.body)
        else:
            charge_weight(endpoint, request.ip, view, now_ms, costs)
        fields = read_fields(request.query, request.body)
        account = authenticate(request, fields, endpoint.security, view, now_ms)
        if in_path:
            fields.update(in_path)
        call = Call(view, account, now_ms, request)
        outcome = run(endpoint, call, fields, costs)
        if type(outcome) is Submission:
            return Pending(outcome, endpoint, call, costs)
        return _answer(outcome, view, costs)
    except ApiError as error:
        if error.code == MISSING and not error.explain:
            error.explain = explain_missing(error.msg, _places(request), fields)
        return _refuse(error, request, view, costs)


def run(endpoint: Endpoint[Any], call: Call, fields: Mapping[str, Any], costs: Costs) -> Any:
    """What the endpoint makes of the parameters of a caller who has been let in."""
    view = call.view
    if endpoint.order_count != (0, 0):
        costs.orders_10s, costs.orders_1m = view.limits.charge_orders(
            call.account, endpoint.order_count, call.now_ms, enforced=view.limits_on
        )
    if "params" in view.strict and endpoint.security is not Security.OPERATOR:
        endpoint.reader.check_known(fields)
    params = endpoint.reader.read(fields)
    weight = endpoint.weight
    if not isinstance(weight, int):
        charge_ip(call.request.ip, weight(params) - 1, view, call.now_ms, costs)
    return endpoint.handle(call, params)


def _places(request: Request) -> str:
    """Where parameters were looked for."""
    if not request.body:
        return "the query (there is no body)"
    is_json = request.body.lstrip()[:1] == b"{"
    return f"the query and the {'JSON' if is_json else 'form'} body"


def finish(pending: Pending, applied: Applied) -> Answer:
    """The answer to a request whose command has been applied, and is durable."""
    view = pending.call.view
    try:
        return _answer(conclude(pending.submission, applied, view), view, pending.costs)
    except ApiError as error:
        return _refuse(error, pending.call.request, view, pending.costs)


def conclude(submission: Submission, applied: Applied, view: View) -> Any:
    """What the outcome of a command says to the caller.

    Raises `ApiError` where the engine refused it.
    """
    reply = applied.reply
    if type(reply) is not Reject:
        return submission.finish(applied)
    error = from_reject(reply, view.dialect, _spec_of(applied.command, view))
    if submission.explain is not None and view.explain:
        error.explain = submission.explain(reply) or error.explain
    raise error


def _spec_of(command: Command, view: View) -> InstrumentSpec | None:
    market = view.state.markets.get(getattr(command, "symbol", ""))
    return None if market is None else market.spec


def find_methods(path: str) -> tuple[Mapping[str, Endpoint[Any]] | None, dict[str, str] | None]:
    """What a path takes, by method, and the parameters in it, where it has any."""
    methods = ROUTES.get(path)
    if methods is None and path.startswith(ACCOUNT_PREFIX):
        name, _, action = path.removeprefix(ACCOUNT_PREFIX).rpartition("/")
        return ACCOUNT_ROUTES.get(action), {"name": name}
    return methods, None


def allow_value(methods: Iterable[str]) -> str:
    """An Allow header: HEAD goes wherever GET does, and OPTIONS everywhere.

    >>> allow_value(["GET", "POST"])
    'GET, HEAD, POST, OPTIONS'
    """
    names = [name for method in methods for name in _WITH_HEAD.get(method, (method,))]
    return ", ".join([*names, "OPTIONS"])


def _find_endpoint(
    request: Request, view: View, costs: Costs
) -> tuple[Endpoint[Any], dict[str, str] | None]:
    path = request.path
    methods, in_path = find_methods(path)
    if methods is None:
        charge_ip(request.ip, 1, view, view.now_ms(), costs)
        raise ApiError(
            -5000,
            path[:200],
            request.method[:20],
            status=404,
            explain=f"no endpoint at {path[:200]}",
        )
    endpoint = methods.get(request.method)
    if endpoint is None:
        charge_ip(request.ip, 1, view, view.now_ms(), costs)
        allowed = allow_value(methods)
        raise ApiError(
            -5000,
            path,
            request.method[:20],
            status=405,
            headers=((b"allow", allowed.encode()),),
            explain=f"{path} takes {allowed}, not {request.method[:20]}",
        )
    return endpoint, in_path


def charge_weight(endpoint: Endpoint[Any], ip: str, view: View, now_ms: int, costs: Costs) -> None:
    """What a call costs its address before its parameters are read."""
    weight = endpoint.weight
    charge_ip(ip, weight if isinstance(weight, int) else 1, view, now_ms, costs)
    if endpoint.pool is not None:
        view.limits.charge_pool(endpoint.pool, ip, now_ms, enforced=view.limits_on)


def charge_ip(ip: str, weight: int, view: View, now_ms: int, costs: Costs) -> None:
    """Charges request weight; a refusal says as well what has been used."""
    try:
        costs.weight = view.limits.charge_ip(ip, weight, now_ms, enforced=view.limits_on)
    except ApiError:
        costs.weight = view.limits.weight_of(ip)
        raise


def _headers(costs: Costs) -> Headers:
    headers = [JSON_HEADER]
    if costs.weight >= 0:
        headers.append((b"x-mbx-used-weight-1m", b"%d" % costs.weight))
        if costs.spot:
            headers.append((b"x-mbx-used-weight", b"%d" % costs.weight))
    if costs.orders_10s >= 0:
        headers.append((b"x-mbx-order-count-10s", b"%d" % costs.orders_10s))
        headers.append((b"x-mbx-order-count-1m", b"%d" % costs.orders_1m))
    return headers


def _encode_element(value: Any) -> Any:
    if isinstance(value, ApiError):
        return {"code": value.code, "msg": value.msg}
    raise TypeError(f"cannot encode {type(value).__name__}")


encode: Final = msgspec.json.Encoder(enc_hook=_encode_element).encode
"""Any payload as compact JSON; an `ApiError` in it becomes its code and message."""


def _answer(payload: Any, view: View, costs: Costs) -> Answer:
    headers = _headers(costs)
    if type(payload) is list and view.explain:
        explained = [
            f"[{index}] {element.explain or element.msg}"
            for index, element in enumerate(payload)
            if type(element) is ApiError
        ]
        if explained:
            headers.append((b"x-explain", header_value("; ".join(explained))))
    if type(payload) is Document:
        headers[0] = (b"content-type", payload.media_type.encode())
        headers.append(
            (b"content-disposition", b'attachment; filename="%s"' % payload.name.encode())
        )
        return Answer(200, payload.body, headers)
    return Answer(200, encode(payload), headers)


def _refuse(error: ApiError, request: Request, view: View, costs: Costs) -> Answer:
    headers = [*_headers(costs), *error.headers]
    if view.explain:
        headers.append((b"x-explain", header_value(error.explain or error.msg)))
    msg = error.msg
    if error.explain and request.path.startswith(OPERATOR_PREFIX):
        msg = error.explain
    return Answer(error.status, encode({"code": error.code, "msg": msg}), headers)
