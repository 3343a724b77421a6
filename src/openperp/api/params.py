"""Parameters: from the bytes of a request to one typed record.

An endpoint declares a `Params` record whose fields are `Annotated[type, kind]`;
the kinds live in `api.kinds`. `Reader` compiles a record into a plan once.
Attribute names are ours, wire names follow by camel case: `order_id_list` is
read from `orderIdList`, in whatever letter case a client writes it.

`read_fields` turns query and body into one dict from lower-case name to value.
Values are text, or what JSON makes of them where the body is a JSON object.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar, get_type_hints
from urllib.parse import unquote_to_bytes

import msgspec

from openperp.api.dialect import Dialect
from openperp.api.errors import ApiError
from openperp.api.kinds import LONG_MAX, Kind, Rest, decode_json
from openperp.api.wire.numbers import decimal_text
from openperp.engine.numbers import MONEY_DECIMALS, NOTIONAL_LIMIT, divide_nearest
from openperp.engine.state import Market

Fields = Mapping[str, Any]
"""Parameters by lower-case name."""

PARAMETERS_MAX: Final = 100
"""Far above what any endpoint reads; a bound for what a stranger can make us split."""

SIGNING_NAMES: Final = frozenset({"timestamp", "recvwindow", "signature"})
"""Read by `api.security`, never by an endpoint."""

_BROKEN_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")


class Params(msgspec.Struct, frozen=True, rename="camel"):
    """Base of all parameter records. A field without default is mandatory."""


class NoParams(Params, frozen=True):
    """For endpoints that read nothing."""


P = TypeVar("P", bound=Params)


def read_fields(query: bytes, body: bytes) -> dict[str, Any]:
    """All parameters of a request; the query wins over the body.

    Raises `ApiError` for broken encodings, repeated names and too many names.
    """
    fields: dict[str, Any] = split_form(query) if query else {}
    if body and not body.isspace():
        fields = {**_read_body(body), **fields}
    return fields


def _read_body(body: bytes) -> dict[str, Any]:
    if body.lstrip()[:1] == b"{":
        return lower_names(decode_json(body, ""))
    return split_form(body)


def lower_names(members: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object as fields."""
    if len(members) > PARAMETERS_MAX:
        raise ApiError(-1101, PARAMETERS_MAX, len(members))
    fields = {name.lower(): value for name, value in members.items()}
    if len(fields) < len(members):
        raise ApiError(-1101, form=2, explain="a name was sent twice, in different letter case")
    return fields


def check_object(body: bytes) -> None:
    """Refuses a body that is no JSON object, where no other form of body is taken."""
    if body and not body.isspace() and body.lstrip()[:1] != b"{":
        raise ApiError.saying(-1130, "the body must be a JSON object")


def split_form(raw: bytes) -> dict[str, Any]:
    """Splits a query or form text and undoes its percent-encoding."""
    text = _to_text(raw)
    if text.count("&") >= PARAMETERS_MAX:
        raise ApiError(-1101, PARAMETERS_MAX, text.count("&") + 1)
    escaped = "%" in text or "+" in text
    fields: dict[str, Any] = {}
    for pair in text.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if escaped:
            if "%" in name or "+" in name:
                name = unescape(name)
            if "%" in value or "+" in value:
                value = unescape(value)
        name = name.lower()
        if name in fields:
            raise ApiError(-1101, form=2, explain=f"{name} was sent twice")
        fields[name] = value
    return fields


def _to_text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ApiError(-1100, explain=f"not UTF-8 at byte {error.start}") from None
    if "\0" in text:
        raise ApiError(-1100, explain="a NUL character")
    return text


def unescape(text: str) -> str:
    """Undoes percent-encoding, with `+` for a blank.

    The characters of a JSON list are by far the most frequent escapes; the
    rest takes the general way. Replacing those first cannot form new escapes,
    as none of them is a percent sign or a hexadecimal digit.

    >>> unescape("%5B1%2C+%222%22%5D"), unescape("a%2520b")
    ('[1, "2"]', 'a%20b')
    """
    text = text.replace("+", " ").replace("%2C", ",").replace("%22", '"')
    text = text.replace("%5B", "[").replace("%5D", "]")
    if "%" not in text:
        return text
    broken = _BROKEN_ESCAPE.search(text)
    if broken is not None:
        raise ApiError(
            -1100, explain=f"broken percent-encoding: {text[broken.start() : broken.start() + 3]}"
        )
    return _to_text(unquote_to_bytes(text))


class Reader(Generic[P]):
    """Reads one kind of record. `names` are the lower-case names that it knows."""

    __slots__ = ("_kinds", "_plan", "_record", "_rest", "names")

    def __init__(self, record: type[P]) -> None:
        hints = get_type_hints(record, include_extras=True)
        self._record = record
        fields = list(msgspec.structs.fields(record))
        last = kind_of(hints[fields[-1].name]) if fields else None
        self._rest = last if isinstance(last, Rest) else None
        self._plan = tuple(
            (field.encode_name.lower(), field.encode_name, kind.read, default, kind.reads_empty)
            for field in (fields[:-1] if self._rest else fields)
            for kind in [kind_of(hints[field.name])]
            for default in [msgspec.NODEFAULT if field.required else field.default]
        )
        self._kinds = {
            field.encode_name.lower(): (kind_of(hints[field.name]), field.encode_name)
            for field in fields
        }
        self.names = frozenset(name for name, *_ in self._plan)

    def read(self, fields: Fields) -> P:
        """The record; raises `ApiError` for a value that is missing or not valid.

        A JSON null counts as not sent, and so does an empty value for nearly all kinds.
        """
        values = []
        for name, wire_name, read, default, reads_empty in self._plan:
            value = fields.get(name)
            if value is None or (value == "" and not reads_empty):
                if default is msgspec.NODEFAULT:
                    raise ApiError(-1102, wire_name)
                values.append(default)
            else:
                values.append(read(value, wire_name))
        if self._rest is not None:
            values.append(self._rest.read(self._unread(fields), "terms"))
        return self._record(*values)

    def _unread(self, fields: Fields) -> dict[str, Any]:
        """What was sent under names that the plan does not have."""
        return {
            name: value
            for name, value in fields.items()
            if name not in self.names and value is not None and value != ""
        }

    def check_known(self, fields: Fields) -> None:
        """Refuses unknown and empty parameters, and sloppy lists: "params" in `strict`."""
        unknown = [name for name in fields if name not in self.names and name not in SIGNING_NAMES]
        if unknown:
            raise ApiError(
                -1104,
                len(fields) - len(unknown),
                len(fields),
                explain="; ".join(self._explain_unknown(name) for name in unknown[:5]),
            )
        for name, value in fields.items():
            if value == "":
                raise ApiError(-1105, name, explain=f"{name} was sent without a value")
            if value is not None and name in self._kinds:
                kind, wire_name = self._kinds[name]
                kind.check_strict(value, wire_name)

    def _explain_unknown(self, name: str) -> str:
        near = [known for _, known, *_ in self._plan if _is_near(name, known.lower())]
        guess = f", did you mean {near[0]}?" if near else ""
        return f"unknown parameter {name[:60]}{guess}"


def kind_of(annotation: Any) -> Kind[Any]:
    """The kind in an `Annotated` type."""
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Kind):
            return extra
    raise TypeError(f"{annotation} names no kind")


def _is_near(name: str, known: str) -> bool:
    """Whether two names begin alike and differ in length by little."""
    return name[:5] == known[:5] and abs(len(name) - len(known)) <= 4


STOP_NAMES: Final = frozenset(
    {
        "stopPrice",
        "triggerPrice",
        "activatePrice",
        "activationPrice",
        "takeProfitPrice",
        "stopLossPrice",
    }
)
"""Prices that fapi calls stop prices, with messages of their own."""


def to_ticks(market: Market, text: str, name: str) -> int:
    """A price in ticks; `text` is what the `Decimal` kind let through.

    Too many decimals is -1111, off the tick -4014, negative -4001 (-4006 for a
    stop price), beyond 64 bits -4002 (-4007). Bounds are the engine's.
    """
    spec = market.spec
    stop = name in STOP_NAMES
    if _is_negative(text):
        raise ApiError(-4006 if stop else -4001, explain=f"{name} {text} is negative")
    units = _scale(text, spec.price_precision, name)
    ticks, rest = divmod(units, spec.tick_units)
    if rest:
        tick = decimal_text(spec.tick_units, spec.price_precision, shortest=True)
        off = decimal_text(rest, spec.price_precision, shortest=True)
        raise ApiError(
            -4014, explain=f"PRICE_FILTER: {name} {text} is {off} above a multiple of {tick}"
        )
    if ticks > LONG_MAX:
        raise ApiError(-4007 if stop else -4002, explain=f"{name} {text} is beyond 64 bits")
    return ticks


def to_nearest_ticks(market: Market, text: str, name: str) -> int:
    """A price that no order has to rest at, in ticks: rounded, halves up.

    Negative it is -4001 (-4006 for a stop price), beyond 64 bits -4002 (-4007).
    """
    spec = market.spec
    stop = name in STOP_NAMES
    if _is_negative(text):
        raise ApiError(-4006 if stop else -4001, explain=f"{name} {text} is negative")
    whole, _, fraction = text.partition(".")
    decimals = max(len(fraction), spec.price_precision)
    tick = spec.tick_units * 10 ** (decimals - spec.price_precision)
    ticks = divide_nearest(int((whole or "0") + fraction.ljust(decimals, "0")), tick)
    if ticks > LONG_MAX:
        raise ApiError(-4007 if stop else -4002, explain=f"{name} {text} is beyond 64 bits")
    return ticks


def to_lots(market: Market, text: str, name: str, dialect: Dialect) -> int:
    """A quantity in lots.

    Off the lot it is rounded down or refused with -1111, as the dialect says;
    what is positive but below one lot is refused; negative is -4003, beyond 64
    bits -4005. Zero stays zero.
    """
    spec = market.spec
    if _is_negative(text):
        raise ApiError(-4003, explain=f"{name} {text} is negative")
    whole, _, fraction = text.partition(".")
    kept = fraction[: spec.quantity_precision].ljust(spec.quantity_precision, "0")
    lots, rest = divmod(int((whole or "0") + kept), spec.lot_units)
    is_off = bool(rest) or bool(fraction[spec.quantity_precision :].strip("0"))
    lot = decimal_text(spec.lot_units, spec.quantity_precision, shortest=True)
    if is_off and not dialect.floors_quantity:
        raise ApiError(-1111, explain=f"LOT_SIZE: {name} {text} is not a multiple of {lot}")
    if is_off and lots == 0:
        raise ApiError(
            dialect.lot_filter.code,
            *dialect.lot_filter.arguments,
            explain=f"LOT_SIZE: {name} {text} is below one lot of {lot}",
        )
    if lots > LONG_MAX:
        raise ApiError(-4005, explain=f"{name} {text} is beyond 64 bits")
    return lots


def to_money(text: str, name: str) -> int:
    """An amount in 10^-8 of the quote asset; negative is -4055, 2^62 and above -1130."""
    if _is_negative(text):
        raise ApiError(-4055, explain=f"{name} {text} is negative")
    money = _scale(text, MONEY_DECIMALS, name)
    if money >= NOTIONAL_LIMIT:
        raise ApiError(-1130, name, explain=f"{name} {text} is more than this venue can count")
    return money


def to_rate(text: str, name: str) -> int:
    """A fraction of one in parts per million; negative is -1130."""
    if _is_negative(text):
        raise ApiError(-1130, name, explain=f"{name} {text} is negative")
    ppm = _scale(text, 6, name)
    if ppm >= NOTIONAL_LIMIT:
        raise ApiError(-1130, name, explain=f"{name} {text} is more than this venue can count")
    return ppm


def to_ppm(text: str, name: str) -> int:
    """A percentage in parts per million; negative is -1130."""
    if _is_negative(text):
        raise ApiError(-1130, name, explain=f"{name} {text} is negative")
    return _scale(text, 4, name)


def _is_negative(text: str) -> bool:
    return text.startswith("-") and text.strip("-0.") != ""


def _scale(text: str, decimals: int, name: str) -> int:
    whole, _, fraction = text.lstrip("-").partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        raise ApiError(-1111, explain=f"{name} {text} has more than {decimals} decimals")
    return int((whole or "0") + fraction.ljust(decimals, "0"))
