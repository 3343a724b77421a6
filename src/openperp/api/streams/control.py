"""What the listener of a stream socket may say: JSON texts that change what is heard.

    {"method": "SUBSCRIBE", "params": ["btcusdt@depth"], "id": 1}
    {"result": null, "id": 1}

The five methods and the texts of the errors are those of Binance's USD-M
streams. An error comes as `{"error": {"code", "msg"}, "id"}`, and a text that is
no JSON at all ends the connection as well. The id is echoed as it was written,
whatever it is: clients send numbers, strings and UUIDs.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from openperp.api.errors import ApiError
from openperp.api.streams.targets import StreamPlan

STREAMS_MAX: Final = 1024
"""Streams of one connection."""
NAME_MAX: Final = 128
"""Characters of the name of a stream; a listen key has 64."""

METHODS: Final = (
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST_SUBSCRIPTIONS",
    "SET_PROPERTY",
    "GET_PROPERTY",
)
COMBINED: Final = "combined"

Resolve = Callable[[str], str | None]
"""The name under which a stream speaks, or nothing where there is no such stream now."""

_decode_message = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_names = msgspec.json.Decoder(list[str]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


class Heard(msgspec.Struct, frozen=True):
    """What a message leads to: an answer, streams to hear and to leave, perhaps the end of all."""

    answer: bytes
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    ends: bool = False


class _Refused(Exception):
    def __init__(self, code: int, msg: str) -> None:
        super().__init__(code, msg)
        self.code = code
        self.msg = msg


class _Message:
    """One decoded message; `text` is kept to say where something is missing."""

    __slots__ = ("fields", "id", "text")

    def __init__(self, text: bytes, fields: dict[str, msgspec.Raw]) -> None:
        self.text = text
        self.fields = fields
        self.id = b"null"

    def read_id(self) -> None:
        written = bytes(self.fields.get("id", b"null"))
        if written != b"null" and written[:1] not in b'"-0123456789':
            raise _invalid("request ID must be an unsigned integer")
        self.id = written

    def read_method(self) -> str:
        raw = self.fields.get("method")
        if raw is None:
            raise _invalid(f"missing field `method` at {_place(self.text, len(self.text))}")
        try:
            method = _decode_text(raw)
        except msgspec.MsgspecError:
            method = bytes(raw)[:NAME_MAX].decode(errors="replace")
        if method not in METHODS:
            at = self.text.find(bytes(raw)) + len(bytes(raw))
            expected = ", ".join(f"`{name}`" for name in METHODS)
            raise _invalid(
                f"unknown variant `{method[:NAME_MAX]}`, expected one of {expected}"
                f" at {_place(self.text, at)}"
            )
        return method

    def read_names(self) -> list[str]:
        raw = self.fields.get("params")
        if raw is None:
            raise _invalid(f"missing field `params` at {_place(self.text, len(self.text))}")
        try:
            names = _decode_names(raw)
        except msgspec.MsgspecError:
            raise _invalid("invalid stream") from None
        if any(not name or len(name) > NAME_MAX for name in names):
            raise _invalid("invalid stream")
        return names

    def read_params(self, limit: int) -> list[msgspec.Raw]:
        try:
            params = _decode_list(self.fields.get("params", b"[]"))
        except msgspec.MsgspecError:
            raise _invalid("params must be an array") from None
        if len(params) > limit:
            raise _invalid("too many parameters")
        return params


class StreamSession:
    """The streams of one socket; `streams` holds their names with the user events wanted of each.

    Names that `resolve` does not know are held as well and stay silent, unless
    the venue is `strict`. `combined` says whether payloads travel in an envelope
    that names their stream.
    """

    __slots__ = ("_resolve", "_strict", "combined", "streams")

    def __init__(self, plan: StreamPlan, resolve: Resolve, *, strict: bool = False) -> None:
        """Raises: ApiError: -1130 where the address asks for what `SUBSCRIBE` would refuse."""
        self._resolve = resolve
        self._strict = strict
        self.combined = plan.combined
        self.streams: dict[str, frozenset[str] | None] = {}
        try:
            if any(len(name) > NAME_MAX for name in plan.names):
                raise _invalid("invalid stream")
            for name in self._admit(plan.names):
                self.streams[name] = plan.events.get(name)
        except _Refused as refusal:
            raise ApiError(-1130, "streams", explain=refusal.msg) from None

    def hear(self, text: bytes) -> Heard:
        """Carries out one message and answers it; `text` is valid UTF-8."""
        try:
            return self._answer(_Message(text, _read_fields(text)))
        except msgspec.DecodeError as error:
            return _not_json(text, str(error))
        except RecursionError:  # of the whole text, or of what is read once more within it
            return _not_json(text, "")

    def _answer(self, message: _Message) -> Heard:
        try:
            message.read_id()
            return self._carry_out(message)
        except _Refused as refusal:
            return Heard(_error(refusal, message.id))

    def _carry_out(self, message: _Message) -> Heard:
        match message.read_method():
            case "SUBSCRIBE":
                return self._subscribe(message)
            case "UNSUBSCRIBE":
                return self._unsubscribe(message)
            case "LIST_SUBSCRIPTIONS":
                message.read_params(0)
                return Heard(_result(msgspec.json.encode(list(self.streams)), message.id))
            case "SET_PROPERTY":
                return self._set_property(message)
            case _:
                _read_property(message.read_params(1))
                return Heard(_result(msgspec.json.encode(self.combined), message.id))

    def _subscribe(self, message: _Message) -> Heard:
        names = message.read_names()
        self._rename()
        joined = self._admit(names)
        for name in joined:
            self.streams.setdefault(name, None)
        return Heard(_result(b"null", message.id), joined=tuple(joined))

    def _unsubscribe(self, message: _Message) -> Heard:
        left = []
        for name in message.read_names():
            known = name if name in self.streams else self._resolve(name)
            if known in self.streams:
                del self.streams[known]
                left.append(known)
        return Heard(_result(b"null", message.id), left=tuple(left))

    def _set_property(self, message: _Message) -> Heard:
        params = message.read_params(2)
        _read_property(params)
        value = bytes(params[1]) if len(params) == 2 else b""
        if value not in {b"true", b"false"}:
            raise _Refused(1, "Invalid value type: expected Boolean")
        self.combined = value == b"true"
        self._rename()
        return Heard(_result(b"null", message.id))

    def _rename(self) -> None:
        """Holds each stream by the name under which it speaks.

        That of a market that has come since may have been written otherwise.
        """
        self.streams = {self._resolve(name) or name: it for name, it in self.streams.items()}

    def _admit(self, names: tuple[str, ...] | list[str]) -> list[str]:
        """The names as their streams speak them, if all of them are taken.

        Those that are here already are among them: one may have been silent for
        want of a market, and begins to speak when it is asked for again.
        """
        admitted: dict[str, None] = {}
        for name in names:
            known = self._resolve(name)
            if known is None and self._strict:
                raise _invalid("invalid stream")
            admitted[known or name] = None
        if len(self.streams.keys() | admitted.keys()) > STREAMS_MAX:
            raise _invalid("too many parameters")
        return list(admitted)


def _read_fields(text: bytes) -> dict[str, msgspec.Raw]:
    """The fields of an object, and none of JSON that is no object: it has no method either."""
    try:
        return _decode_message(text)
    except msgspec.ValidationError:
        msgspec.json.decode(text)  # it may still be no JSON further on
        return {}


def _read_property(params: list[msgspec.Raw]) -> None:
    """Sees to it that the property is the one that there is."""
    try:
        name = _decode_text(params[0])
    except (IndexError, msgspec.MsgspecError):
        raise _invalid("property name must be a string") from None
    if name != COMBINED:
        raise _Refused(0, "Unknown property")


def _invalid(what: str) -> _Refused:
    return _Refused(2, f"Invalid request: {what}")


def _result(result: bytes, request_id: bytes) -> bytes:
    return b'{"result":%b,"id":%b}' % (result, request_id)


def _error(refusal: _Refused, request_id: bytes) -> bytes:
    error = msgspec.json.encode({"code": refusal.code, "msg": refusal.msg})
    return b'{"error":%b,"id":%b}' % (error, request_id)


def _not_json(text: bytes, why: str) -> Heard:
    _, _, rest = why.partition("(byte ")
    at = int(rest.rstrip(")")) + 1 if rest else len(text)
    msg = f"Invalid JSON: expected value at {_place(text, at)}"
    error = msgspec.json.encode({"error": {"code": 3, "msg": msg}})
    return Heard(error, ends=True)


def _place(text: bytes, at: int) -> str:
    before = text[:at]
    column = len(before) - (before.rfind(b"\n") + 1)
    return f"line {before.count(10) + 1} column {column}"
