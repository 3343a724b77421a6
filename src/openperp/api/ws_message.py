"""Requests of the WebSocket API as they are read, and answers as they are written.

A request is one JSON object: `id`, `method` and, where the method takes any,
`params`. Its answer repeats the `id` and says by `status` what HTTP would say.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import msgspec

from openperp.api.dispatch import Costs, charge_ip, encode
from openperp.api.errors import MISSING, ApiError
from openperp.api.explain import explain_missing
from openperp.api.kinds import LONG_MAX, JsonFraction, decode_json
from openperp.api.params import lower_names
from openperp.api.rate_limits import RATE_LIMITS
from openperp.api.view import View

_COUNTED: Final = {key: encode(row)[:-1] + b',"count":%d}' for key, row in RATE_LIMITS.items()}
"""Each limit as it is told beside an answer, with a place for what is used of it."""

_NULL: Final = b"null"

MEMBERS_SHOWN: Final = 10
"""Of the names in a request that are told to who left out one that it must have."""


class Message(msgspec.Struct, frozen=True):
    """`params` as sent, and `fields`, the same by lower-case name."""

    method: str
    params: dict[str, Any]
    fields: dict[str, Any]


@dataclass(slots=True)
class Exchange:
    """One request on its way: what it was charged, and what its answer must repeat."""

    view: View
    ip: str
    now_ms: int
    shows_limits: bool
    id: bytes = _NULL
    costs: Costs = field(default_factory=Costs)

    def read(self, text: bytes) -> Message:
        """The request in a frame; from here on its `id` is known, if it has one.

        Raises `ApiError`: -1130 for what is no request, -1102 for what it lacks,
        -1101 for names that stand in it twice.
        """
        members = decode_json(text, "")
        if type(members) is not dict:
            raise ApiError(-1130, explain="a request is a JSON object")
        self.id = _read_id(members)
        method = members.get("method")
        if method is None or method == "":
            raise _missing("method", members)
        if type(method) is not str:
            raise ApiError(-1130, "method", explain="method is not a text")
        params = members.get("params")
        if params is None:
            params = {}
        elif type(params) is not dict:
            raise ApiError(-1130, "params", explain="params is not a JSON object")
        _check_repeats(text, members, params)
        return Message(method, params, lower_names(params))

    def charge(self, weight: int) -> None:
        charge_ip(self.ip, weight, self.view, self.now_ms, self.costs)

    def answer(self, result: Any) -> bytes:
        return b'{"id":%b,"status":200,"result":%b%b}' % (self.id, encode(result), self._limits())

    def refuse(self, error: ApiError) -> bytes:
        """An answer with `explain` beside code and message, and `data` where waiting helps."""
        told: dict[str, Any] = {"code": error.code, "msg": error.msg}
        if error.retry_ms:
            told["data"] = {"serverTime": self.now_ms, "retryAfter": self.now_ms + error.retry_ms}
        if self.view.explain:
            told["explain"] = error.explain or error.msg
        return b'{"id":%b,"status":%d,"error":%b%b}' % (
            self.id,
            error.status,
            encode(told),
            self._limits(),
        )

    def _limits(self) -> bytes:
        if not self.shows_limits:
            return b""
        costs = self.costs
        counted = _COUNTED["REQUEST_WEIGHT", "MINUTE"] % self.view.limits.weight_of(self.ip)
        if costs.orders_10s >= 0:
            counted += b"," + _COUNTED["ORDERS", "SECOND"] % costs.orders_10s
            counted += b"," + _COUNTED["ORDERS", "MINUTE"] % costs.orders_1m
        return b',"rateLimits":[%b]' % counted


def _read_id(members: Mapping[str, Any]) -> bytes:
    """The `id` as JSON: a number, a text or null, to be echoed as what it is."""
    if "id" not in members:
        raise _missing("id", members)
    value = members["id"]
    if type(value) is JsonFraction:
        return value.encode()
    if value is None or type(value) is str or (type(value) is int and abs(value) <= LONG_MAX):
        return encode(value)
    raise ApiError(-1130, "id", explain="id is neither a text nor a number of 64 bits nor null")


def _missing(name: str, members: Mapping[str, Any]) -> ApiError:
    error = ApiError(MISSING, name)
    found = islice(members, MEMBERS_SHOWN)
    error.explain = explain_missing(error.msg, "the request itself", found)
    return error


def _check_repeats(text: bytes, members: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Refuses an object that names a member twice, of which readers see the last only.

    What was read needs so many quotation marks; only where the text has more
    of them it is worth the slow way.
    """
    marks = 2 * (_texts(members) + _texts(params))
    if text.count(b'"') == marks:
        return
    try:
        json.loads(text, object_pairs_hook=_unique, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise ApiError(-1130, explain="not JSON") from None


def _texts(members: Mapping[str, Any]) -> int:
    """Names and texts among the members."""
    return len(members) + [*map(type, members.values())].count(str)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) < len(pairs):
        raise ApiError(-1101, form=2, explain="a name was sent twice")
