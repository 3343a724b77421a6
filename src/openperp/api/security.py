"""Who is calling: API keys, signatures, timestamps and the operator's token.

The signed text of an HTTP request is the query as sent, without its signature
parameter, immediately followed by the body as sent, without its signature
parameter; the two are joined by nothing. That of the WebSocket API is all its
parameters but the signature, sorted by name and joined as in a query. HMAC-SHA256
signatures are hexadecimal in either letter case, those of RSA and Ed25519 keys
are base64.

Clients differ in whether they sign escaped values, so a signature may fit either of
two texts, and never more. Both follow from what was sent: a check costs at most twice
as much, and a guess has two chances instead of one among 2^128 or more. Who has read
a signed request could send it on under another escaping, or as it was.

A signature does not wear out: a request that is sent twice within its window is
carried out twice, as on Binance. What guards an order against that is its client
order id.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlencode

from openperp.api.endpoint import Request, Security
from openperp.api.errors import ApiError
from openperp.api.explain import quote_text
from openperp.api.kinds import Long
from openperp.api.public_keys import PUBLIC_KEY_KINDS, public_key_verifier
from openperp.api.view import ApiKey, View

RECV_WINDOW_DEFAULT_MS: Final = 5_000
RECV_WINDOW_MAX_MS: Final = 60_000
"""A longer window is taken for this one: samples of the documentation send 9999999."""

AHEAD_MS: Final = 1_000
"""How far a timestamp may be ahead of the venue, exclusively."""

API_KEY_LENGTH: Final = 64

HMAC: Final = "hmac"
KEY_KINDS: Final = (HMAC, *PUBLIC_KEY_KINDS)

_PERMISSIONS: Final = {
    Security.MARKET_DATA: "read",
    Security.USER_STREAM: "read",
    Security.USER_DATA: "read",
    Security.TRADE: "trade",
}
_SIGNED: Final = frozenset({Security.USER_DATA, Security.TRADE})
_LONG: Final = Long()


def make_verifier(kind: str, secret: str) -> Callable[[bytes, str], bool]:
    """Tells whether a signature is that of a text by a key of this kind.

    `secret` is the HMAC secret, or the public key of the pair in PEM form; a
    ValueError says why that is none.
    """
    if kind == HMAC:
        return hmac_verifier(secret.encode())
    return public_key_verifier(kind, secret)


def hmac_verifier(secret: bytes) -> Callable[[bytes, str], bool]:
    """Tells whether a hexadecimal signature is the HMAC-SHA256 of a text.

    The key is worked into the hash once; each check starts from a copy of it.
    """
    keyed = hmac.new(secret, digestmod=hashlib.sha256)

    def verify(text: bytes, signature: str) -> bool:
        check = keyed.copy()
        check.update(text)
        given = signature.lower().encode("utf-8", "replace")
        return hmac.compare_digest(check.hexdigest().encode(), given)

    return verify


@dataclass(slots=True)
class Signed:
    """The parameters of one message of the WebSocket API, and who sent it.

    `params` are as sent, `fields` the same by lower-case name.
    """

    params: Mapping[str, Any]
    fields: Mapping[str, Any]
    ip: str

    def api_key(self) -> bytes:
        """The key that it names; empty where it names none. A malformed one is -2014."""
        given = self.fields.get("apikey")
        if given is None or given == "":
            return b""
        if type(given) is not str:
            raise ApiError(-2014, explain="apiKey is not a text")
        return given.encode("utf-8", "replace")

    def text(self) -> bytes:
        """What a signature covers, with values as they are: so the documentation has it."""
        params = self.params
        pairs = [
            f"{name}={value if type(value := params[name]) is str else signed_value(value)}"
            for name in sorted(params)
            if name != "signature"
        ]
        return "&".join(pairs).encode("utf-8", "replace")

    def escaped_text(self) -> bytes:
        """The same with values as in a query: so the clients of its authors sign it."""
        pairs = [
            (name, signed_value(value))
            for name, value in sorted(self.params.items())
            if name != "signature"
        ]
        return urlencode(pairs).encode()


def signed_value(value: Any) -> str:
    """A JSON value as its sender signs it: numbers and booleans as they stand in the message.

    >>> signed_value("a"), signed_value(7), signed_value(False), signed_value([1, "b"])
    ('a', '7', 'false', '[1,"b"]')
    """
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def authenticate(
    request: Request, fields: Mapping[str, Any], security: Security, view: View, now_ms: int
) -> int:
    """The account that is calling, or 0 where the endpoint asks for no account.

    Raises `ApiError`: -2014 and -2015 for the key, -1102 for a missing timestamp,
    -1022 for a wrong or missing signature, -1021 for the time.
    """
    permission = _PERMISSIONS.get(security)
    if permission is None:
        return 0
    api_key = request.headers.get(b"x-mbx-apikey")
    if api_key is None:
        raise ApiError(-2014, explain="the header X-MBX-APIKEY is missing")
    key = find_key(api_key, request.ip, view)
    if security in _SIGNED:
        timestamp = _read_long(fields, "timestamp")
        _check_signature(request, fields, key, strict="signature" in view.strict)
        _check_time(fields, timestamp, view, now_ms)
    _check_permission(key, permission)
    return key.account


def authenticate_method(
    message: Signed, security: Security, logged_on: bytes, view: View, now_ms: int
) -> int:
    """The account that is calling a method of the WebSocket API, or 0 where none is needed.

    `logged_on` is the key of the session, if it has one: its requests need neither
    `apiKey` nor `signature`, and one that brings its own is checked by that.
    Raises `ApiError` as `authenticate` does, with -1102 for a missing `apiKey`.
    """
    permission = _PERMISSIONS.get(security)
    if permission is None:
        return 0
    api_key = message.api_key() or logged_on
    if not api_key:
        raise ApiError(-1102, "apiKey")
    key = find_key(api_key, message.ip, view)
    if security in _SIGNED:
        needs_signature = api_key != logged_on or message.fields.get("signature") is not None
        check_signed(message, key, view, now_ms, needs_signature=needs_signature)
    _check_permission(key, permission)
    return key.account


def check_signed(
    message: Signed, key: ApiKey, view: View, now_ms: int, *, needs_signature: bool = True
) -> None:
    """The timestamp of a message and, where it must have one, its signature."""
    timestamp = _read_long(message.fields, "timestamp")
    if needs_signature:
        _check_message_signature(message, key)
    _check_time(message.fields, timestamp, view, now_ms)


def _check_message_signature(message: Signed, key: ApiKey) -> None:
    signature = message.fields.get("signature")
    if type(signature) is not str or not signature:
        raise ApiError(-1022, explain="the parameter signature is missing")
    text = message.text()
    if key.verify(text, signature):
        return
    escaped = message.escaped_text()
    if escaped != text and key.verify(escaped, signature):
        return
    raise ApiError(
        -1022,
        explain=(
            f"the signature is not that of these {len(text)} bytes"
            f" (parameters without signature, sorted by name): {quote_text(text)}"
        ),
    )


def _check_permission(key: ApiKey, permission: str) -> None:
    if permission not in key.permissions:
        raise ApiError(-2015, explain=f"this key lacks the permission {permission!r}")


def check_operator(request: Request, view: View) -> None:
    """Raises `ApiError` with status 401 unless the request carries the operator's token."""
    given = request.headers.get(b"authorization", b"")
    scheme, _, token = given.strip().partition(b" ")
    token, expected = token.strip(), view.operator_token.encode()
    if scheme.lower() == b"bearer" and token:
        if expected and hmac.compare_digest(token, expected):
            return
        raise ApiError.saying(-2015, "this is not the operator token of this venue", 401)
    raise ApiError.saying(
        -2015, "this call needs the header Authorization: Bearer <operator token>", 401
    )


def find_key(api_key: bytes, ip: str, view: View) -> ApiKey:
    """The key of that name; raises -2014 and -2015 where it may not be used from `ip`."""
    key = view.keys.get(api_key)
    if key is None:
        if len(api_key) != API_KEY_LENGTH or not api_key.isalnum():
            raise ApiError(-2014, explain=f"an API key has {API_KEY_LENGTH} letters and digits")
        raise ApiError(-2015, explain="this venue does not know the key")
    if key.ips and ip not in key.ips:
        raise ApiError(-2015, explain=f"the key is not open to the address {ip}")
    return key


def _read_long(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if value is None or value == "":
        raise ApiError(-1102, name)
    return _LONG.read(value, name)


def _check_time(fields: Mapping[str, Any], timestamp: int, view: View, now_ms: int) -> None:
    window = RECV_WINDOW_DEFAULT_MS
    given = fields.get("recvwindow")
    if given is not None and given != "":
        window = min(_LONG.read(given, "recvWindow"), RECV_WINDOW_MAX_MS)
    if -AHEAD_MS < now_ms - timestamp <= window:
        return
    wall_ms = view.wall_ms()
    wall_counts = view.clock_mode == "virtual" and "time" not in view.strict
    if wall_counts and -AHEAD_MS < wall_ms - timestamp <= window:
        return
    late = now_ms - timestamp
    raise ApiError(
        -1021,
        form=int(late < 0),
        explain=(
            f"timestamp {timestamp}, venue clock {now_ms} ({view.clock_mode}),"
            f" wall clock {wall_ms}: {abs(late)} ms {'behind' if late >= 0 else 'ahead of'} the"
            f" venue, allowed {window} ms behind and less than {AHEAD_MS} ms ahead"
            f"{_guess_unit(timestamp, now_ms)}"
        ),
    )


def _guess_unit(timestamp: int, now_ms: int) -> str:
    """A word on timestamps that are no milliseconds: those of today lie a thousandfold apart."""
    if timestamp < now_ms // 100:
        return "; it looks like seconds and must be milliseconds"
    if timestamp > now_ms * 100:
        return "; it looks like microseconds and must be milliseconds"
    return ""


def _check_signature(
    request: Request, fields: Mapping[str, Any], key: ApiKey, *, strict: bool
) -> None:
    signature = fields.get("signature")
    if type(signature) is not str or not signature:
        raise ApiError(-1022, explain="the parameter signature is missing")
    text = signed_text(request.query, request.body)
    if key.verify(text, signature):
        return
    is_escaped = b"%" in text or b"+" in text
    if is_escaped and not strict and key.verify(_decoded(request.query, request.body), signature):
        return
    raise ApiError(
        -1022,
        explain=(
            f"the signature is not that of these {len(text)} bytes"
            f" (query without signature, then body without signature): {quote_text(text)}"
        ),
    )


def signed_text(query: bytes, body: bytes) -> bytes:
    """What a signature covers: both texts as sent, each without its signature parameter."""
    if not body:
        return without_signature(query)
    return without_signature(query) + without_signature(body)


def without_signature(text: bytes) -> bytes:
    """A query or form text without its signature parameter, wherever that stands.

    >>> without_signature(b"a=1&signature=ff"), without_signature(b"Signature=ff&a=1")
    (b'a=1', b'a=1')
    """
    head, found, tail = text.rpartition(b"&signature=")
    if found and b"&" not in tail:
        return head
    if b"signature=" not in text.lower():
        return text
    return b"&".join(pair for pair in text.split(b"&") if pair[:10].lower() != b"signature=")


def _decoded(query: bytes, body: bytes) -> bytes:
    """The signed text with its percent-encoding undone: some clients sign it so."""
    parts = (without_signature(query), without_signature(body))
    return b"".join(unquote_to_bytes(part.replace(b"+", b" ")) for part in parts)
