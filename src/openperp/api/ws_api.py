"""The WebSocket API: methods in, answers out, by the same endpoints as HTTP.

`prepare_method` turns the text of a frame into its answer, or into a
`PendingMethod` whose command the sequencer applies; `finish_method` turns what
came of it into the answer. Nothing here waits or writes, and neither raises
`ApiError`: a refusal is an answer. A method is the name that an endpoint
declares in `ws`; those that concern the connection itself are here.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from openperp.api.dispatch import METHODS, Costs, charge_ip, charge_weight, conclude, run
from openperp.api.endpoint import Call, Endpoint, Request, Submission
from openperp.api.errors import MISSING, ApiError
from openperp.api.explain import explain_missing
from openperp.api.kinds import Bool
from openperp.api.params import read_fields
from openperp.api.public_keys import ED25519
from openperp.api.security import Signed, authenticate_method, check_signed, find_key
from openperp.api.view import View
from openperp.api.wire.row import Row
from openperp.api.ws_message import Exchange, Message
from openperp.engine.events import Applied

HANDSHAKE_WEIGHT: Final = 5
SESSION_WEIGHT: Final = 2

_RETURN_LIMITS: Final = "returnRateLimits"
_BOOL: Final = Bool()


@dataclass(slots=True)
class MethodSession:
    """One connection; times are the venue's, in milliseconds.

    `api_key` is that of the last session.logon; empty, as `authorized_since` is
    None, while nobody is logged on. Keys are never taken back, so what it opens
    it opens until it is replaced, session.logout comes, or the connection ends.
    """

    connected_since: int
    return_rate_limits: bool = True
    api_key: bytes = b""
    authorized_since: int | None = None


@dataclass(slots=True)
class PendingMethod:
    """A request that waits for its command."""

    submission: Submission
    exchange: Exchange


def open_session(query: bytes, view: View, ip: str) -> MethodSession:
    """The session of a connection that asks to be opened with this query.

    Raises `ApiError` where it is not: over the limit of its address (429, 418),
    or a query that cannot be read.
    """
    now_ms = view.now_ms()
    charge_ip(ip, HANDSHAKE_WEIGHT, view, now_ms, Costs())
    return MethodSession(now_ms, _shows_limits(read_fields(query, b""), default=True))


def prepare_method(
    text: bytes, session: MethodSession, view: View, ip: str
) -> bytes | PendingMethod:
    """Checks a request and runs its method, up to the command if there is one."""
    exchange = Exchange(view, ip, view.now_ms(), session.return_rate_limits)
    fields: dict[str, Any] = {}
    try:
        message, method = _open(text, exchange)
        fields = message.fields
        exchange.shows_limits = _shows_limits(fields, default=exchange.shows_limits)
        if not isinstance(method, Endpoint):
            exchange.charge(SESSION_WEIGHT)
            return exchange.answer(method(session, message, exchange))
        outcome = _call(method, message, session, exchange)
        if type(outcome) is Submission:
            return PendingMethod(outcome, exchange)
        return exchange.answer(outcome)
    except ApiError as error:
        if error.code == MISSING and not error.explain:
            error.explain = explain_missing(error.msg, "params", fields)
        return exchange.refuse(error)


def finish_method(pending: PendingMethod, applied: Applied) -> bytes:
    """The answer to a request whose command has been applied, and is durable."""
    exchange = pending.exchange
    try:
        return exchange.answer(conclude(pending.submission, applied, exchange.view))
    except ApiError as error:
        return exchange.refuse(error)


def refuse_method(pending: PendingMethod, error: ApiError) -> bytes:
    """The answer to a request whose command was not taken, or whose outcome is not known."""
    return pending.exchange.refuse(error)


def refuse_text(text: bytes, error: ApiError, session: MethodSession, view: View, ip: str) -> bytes:
    """The answer to a request that could not be looked into further; it is not charged."""
    exchange = Exchange(view, ip, view.now_ms(), session.return_rate_limits)
    with suppress(ApiError):
        exchange.read(text)  # For its id.
    return exchange.refuse(error)


SessionMethod = Callable[[MethodSession, Message, Exchange], Row]


def _open(text: bytes, exchange: Exchange) -> tuple[Message, Endpoint[Any] | SessionMethod]:
    """The request and who serves it; what nobody can serve weighs 1, as on HTTP."""
    try:
        message = exchange.read(text)
        return message, _find_method(message.method)
    except ApiError:
        exchange.charge(1)
        raise


def _find_method(name: str) -> Endpoint[Any] | SessionMethod:
    """A method by its name, with or without a version in front of it."""
    found = METHODS.get(name) or SESSION_METHODS.get(name)
    if found is None:
        version, slash, rest = name.partition("/")
        if slash and version[:1] == "v" and version[1:].isdigit():
            found = METHODS.get(rest) or SESSION_METHODS.get(rest)
    if found is None:
        shown = name[:60]
        raise ApiError(-5000, "/ws-fapi/v1", shown, explain=f"no method {shown}")
    return found


def _call(
    endpoint: Endpoint[Any], message: Message, session: MethodSession, exchange: Exchange
) -> Any:
    view, now_ms, ip = exchange.view, exchange.now_ms, exchange.ip
    charge_weight(endpoint, ip, view, now_ms, exchange.costs)
    fields = message.fields
    account = authenticate_method(
        Signed(message.params, fields, ip), endpoint.security, session.api_key, view, now_ms
    )
    fields.pop("apikey", None)
    fields.pop(_RETURN_LIMITS.lower(), None)
    request = Request(endpoint.method, endpoint.path, b"", b"", {}, ip)
    call = Call(view, account, now_ms, request, over_http=False)
    return run(endpoint, call, fields, exchange.costs)


def _shows_limits(fields: Mapping[str, Any], *, default: bool) -> bool:
    value = fields.get(_RETURN_LIMITS.lower())
    if value is None or value == "":
        return default
    return _BOOL.read(value, _RETURN_LIMITS)


def _log_on(session: MethodSession, message: Message, exchange: Exchange) -> Row:
    """Takes an Ed25519 key as that of the session, in place of one before it."""
    signed = Signed(message.params, message.fields, exchange.ip)
    api_key = signed.api_key()
    if not api_key:
        raise ApiError(-1102, "apiKey")
    key = find_key(api_key, exchange.ip, exchange.view)
    if key.kind != ED25519:
        raise ApiError(-4056, explain=f"session.logon takes {ED25519} keys; this one is {key.kind}")
    check_signed(signed, key, exchange.view, exchange.now_ms)
    session.api_key, session.authorized_since = api_key, exchange.now_ms
    return _status(session, exchange)


def _log_out(session: MethodSession, _message: Message, exchange: Exchange) -> Row:
    session.api_key, session.authorized_since = b"", None
    return _status(session, exchange)


def _tell(session: MethodSession, _message: Message, exchange: Exchange) -> Row:
    return _status(session, exchange)


def _status(session: MethodSession, exchange: Exchange) -> Row:
    return {
        "apiKey": session.api_key.decode() or None,
        "authorizedSince": session.authorized_since,
        "connectedSince": session.connected_since,
        "returnRateLimits": session.return_rate_limits,
        "serverTime": exchange.now_ms,
    }


SESSION_METHODS: Final[Mapping[str, SessionMethod]] = {
    "session.logon": _log_on,
    "session.logout": _log_out,
    "session.status": _tell,
}
