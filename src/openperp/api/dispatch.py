"""A request's way in and an answer's way out: two plain functions around the sequencer.

`prepare` turns a request into its answer, or into a `Pending` whose command the
sequencer applies; `finish` turns what came of it into the answer. Both return
in every case: a refusal is an answer.
"""

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


@dataclass(slots=True)
class Answer:
    """What goes back: `headers` holds everything but the body's length."""

    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Pending:
    """A request that waits for its command; `headers` already says what it was charged."""

    submission: Submission
    endpoint: Endpoint[Any]
    call: Call
    headers: list[tuple[bytes, bytes]]


Routes = dict[str, dict[str, Endpoint[Any]]]
Methods = dict[str, Endpoint[Any]]

JSON_HEADER: Final = (b"content-type", b"application/json")
OPERATOR_PREFIX: Final = "/operator/"
"""Here messages are the explanations themselves: they are read by people."""
ACCOUNT_PREFIX: Final = "/operator/v1/accounts/"
NAMED_PREFIX: Final = ACCOUNT_PREFIX + "{name}/"
"""Paths that begin so are the only ones with a parameter in them."""


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
    headers = [JSON_HEADER]
    fields: dict[str, Any] = {}
    try:
        endpoint, in_path = _find_endpoint(request, view, headers)
        now_ms = view.now_ms()
        public = endpoint.security is not Security.OPERATOR
        weight = endpoint.weight
        if public:
            _charge_ip(request, weight if isinstance(weight, int) else 1, view, now_ms, headers)
            if endpoint.pool is not None:
                view.limits.charge_pool(endpoint.pool, request.ip, now_ms, enforced=view.limits_on)
        else:
            check_operator(request, view)
            check_object(request.body)
        fields = read_fields(request.query, request.body)
        account = authenticate(request, fields, endpoint.security, view, now_ms)
        if endpoint.order_count != (0, 0):
            _charge_orders(account, endpoint, view, now_ms, headers)
        if in_path:
            fields.update(in_path)
        if "params" in view.strict and public:
            endpoint.reader.check_known(fields)
        params = endpoint.reader.read(fields)
        if not isinstance(weight, int):
            _charge_ip(request, weight(params) - 1, view, now_ms, headers)
        call = Call(view, account, now_ms, request)
        outcome = endpoint.handle(call, params)
        if type(outcome) is Submission:
            return Pending(outcome, endpoint, call, headers)
        return _answer(outcome, view, headers)
    except ApiError as error:
        if error.code == MISSING and not error.explain:
            error.explain = explain_missing(error.msg, _places(request), fields)
        return _refuse(error, request, view, headers)


def _places(request: Request) -> str:
    """Where parameters were looked for."""
    if not request.body:
        return "the query (there is no body)"
    is_json = request.body.lstrip()[:1] == b"{"
    return f"the query and the {'JSON' if is_json else 'form'} body"


def finish(pending: Pending, applied: Applied) -> Answer:
    """The answer to a request whose command has been applied, and is durable."""
    view = pending.call.view
    reply = applied.reply
    try:
        if type(reply) is Reject:
            error = from_reject(reply, view.dialect, _spec_of(applied.command, view))
            if pending.submission.explain is not None and view.explain:
                error.explain = pending.submission.explain(reply) or error.explain
            raise error
        return _answer(pending.submission.finish(applied), view, pending.headers)
    except ApiError as error:
        return _refuse(error, pending.call.request, view, pending.headers)


def _spec_of(command: Command, view: View) -> InstrumentSpec | None:
    market = view.state.markets.get(getattr(command, "symbol", ""))
    return None if market is None else market.spec


def _find_endpoint(
    request: Request, view: View, headers: list[tuple[bytes, bytes]]
) -> tuple[Endpoint[Any], dict[str, str] | None]:
    path, in_path = request.path, None
    methods = ROUTES.get(path)
    if methods is None and path.startswith(ACCOUNT_PREFIX):
        name, _, action = path.removeprefix(ACCOUNT_PREFIX).rpartition("/")
        methods = ACCOUNT_ROUTES.get(action)
        in_path = {"name": name}
    if methods is None:
        _charge_ip(request, 1, view, view.now_ms(), headers)
        raise ApiError(
            -5000,
            path[:200],
            request.method[:20],
            status=404,
            explain=f"no endpoint at {path[:200]}",
        )
    endpoint = methods.get(request.method)
    if endpoint is None:
        _charge_ip(request, 1, view, view.now_ms(), headers)
        allowed = ", ".join(methods)
        raise ApiError(
            -5000,
            path,
            request.method[:20],
            status=405,
            headers=((b"allow", allowed.encode()),),
            explain=f"{path} takes {allowed}, not {request.method[:20]}",
        )
    return endpoint, in_path


def _charge_ip(
    request: Request, weight: int, view: View, now_ms: int, headers: list[tuple[bytes, bytes]]
) -> None:
    used = view.limits.charge_ip(request.ip, weight, now_ms, enforced=view.limits_on)
    used_header = (b"x-mbx-used-weight-1m", b"%d" % used)
    if len(headers) == 1:
        headers.append(used_header)
    else:
        headers[1] = used_header


def _charge_orders(
    account: int,
    endpoint: Endpoint[Any],
    view: View,
    now_ms: int,
    headers: list[tuple[bytes, bytes]],
) -> None:
    ten_seconds, minute = view.limits.charge_orders(
        account, endpoint.order_count, now_ms, enforced=view.limits_on
    )
    headers.append((b"x-mbx-order-count-10s", b"%d" % ten_seconds))
    headers.append((b"x-mbx-order-count-1m", b"%d" % minute))


def _encode_element(value: Any) -> Any:
    if isinstance(value, ApiError):
        return {"code": value.code, "msg": value.msg}
    raise TypeError(f"cannot encode {type(value).__name__}")


_ENCODE: Final = msgspec.json.Encoder(enc_hook=_encode_element).encode


def _answer(payload: Any, view: View, headers: list[tuple[bytes, bytes]]) -> Answer:
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
    return Answer(200, _ENCODE(payload), headers)


def _refuse(
    error: ApiError, request: Request, view: View, headers: list[tuple[bytes, bytes]]
) -> Answer:
    headers = [*headers, *error.headers]
    if view.explain:
        headers.append((b"x-explain", header_value(error.explain or error.msg)))
    msg = error.msg
    if error.explain and request.path.startswith(OPERATOR_PREFIX):
        msg = error.explain
    return Answer(error.status, _ENCODE({"code": error.code, "msg": msg}), headers)
