"""Kinds of parameters: how a value is checked and what it becomes.

A value arrives as text, or as a JSON value from a JSON body or from an element
of a batch; both forms of the same thing are taken alike. Each kind raises
`ApiError` with the code and message that fapi has for its case.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, final

import msgspec

from openperp.api.addresses import plain_address
from openperp.api.errors import ApiError

T = TypeVar("T")

LONG_MAX: Final = 2**63 - 1
UNKNOWN_ORDER_ID: Final = -1
"""Stands in commands for every id that no order can have."""
UNKNOWN_CLIENT_ID: Final = "?"
"""Stands in commands for client ids that no order can have: "?" is not in their alphabet."""

CLIENT_ID_PATTERN: Final = "^[.A-Z:/a-z0-9_-]{1,36}$"
DECIMAL_PATTERN: Final = r"^-?([0-9]{1,20})(\.[0-9]{0,20})?$"
LONG_PATTERN: Final = "^[0-9]{1,20}$"

_CLIENT_ID: Final = re.compile(CLIENT_ID_PATTERN[1:-1])
JSON_DEPTH_MAX: Final = 32
"""Lists and objects within each other; what is deeper could not be written again either."""

_DIGITS_MAX: Final = 4_000
_MANY_DIGITS: Final = re.compile(b"[0-9]{%d,}" % _DIGITS_MAX)
DECIMAL_WORDS: Final = "not a decimal number of at most 20 digits on either side of the point"
_DECIMAL: Final = re.compile(r"-?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")


@final
class NoId(str):
    """What was sent as an id and can be none, as far as an explanation repeats it."""

    __slots__ = ()

    def __new__(cls, sent: object) -> Self:
        return super().__new__(cls, str(sent)[:60])


class JsonFraction(str):
    """A JSON number with a fraction or an exponent, as its own text."""

    __slots__ = ()


_DECODER: Final = msgspec.json.Decoder(float_hook=JsonFraction)
_DECODE_INTEGERS: Final = msgspec.json.Decoder(list[int], strict=True).decode


def decode_json(text: bytes | str, name: str) -> Any:
    """JSON with numbers kept exactly and no deeper than `JSON_DEPTH_MAX`; -1130 for anything else.

    Of digits beyond what an integer may be read from, some thousands are kept:
    they stay what they are, a number or a text that nothing can be.
    """
    try:
        value = _DECODER.decode(_shorten_digits(text) if len(text) > _DIGITS_MAX else text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _invalid(name, f"not JSON: {error}") from None
    if _is_too_deep(value):
        raise _invalid(name, f"lists and objects more than {JSON_DEPTH_MAX} deep")
    return value


def _is_too_deep(value: Any) -> bool:
    level = [value] if type(value) is dict or type(value) is list else []
    for _ in range(JSON_DEPTH_MAX):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
    return bool(level)


def _shorten_digits(text: bytes | str) -> bytes | str:
    if isinstance(text, bytes):
        return _MANY_DIGITS.sub(lambda match: match[0][:_DIGITS_MAX], text)
    return _shorten_digits(text.encode("utf-8", "surrogatepass"))


def _invalid(name: str, why: str) -> ApiError:
    arguments = (name,) if name else ()
    return ApiError(-1130, *arguments, explain=f"{name}: {why}" if name else why)


class Kind(Generic[T]):
    """`read` turns a value into its typed form; `schema` describes it for OpenAPI.

    An empty value counts as not sent, unless the kind `reads_empty` ones too.
    """

    __slots__ = ()
    reads_empty: ClassVar[bool] = False

    def read(self, value: Any, name: str) -> T:
        raise NotImplementedError

    def check_strict(self, value: Any, name: str) -> None:
        """Refuses what `read` takes, and "params" in `strict` does not."""

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


class Symbol(Kind[str]):
    """A symbol in any letter case. Whether it is listed, the endpoint asks.

    Other alphabets have letters whose upper case is a plain S or K: those stay
    what they are, and name no symbol.
    """

    __slots__ = ()

    def read(self, value: Any, name: str) -> str:
        if type(value) is not str or len(value) > 40:
            raise _invalid(name, "not a symbol")
        return value.upper() if value.isascii() else value


class Text(Kind[str]):
    """Any text of at most `length_max` characters."""

    __slots__ = ("length_max",)

    def __init__(self, length_max: int = 100) -> None:
        self.length_max = length_max

    def read(self, value: Any, name: str) -> str:
        if type(value) is not str or len(value) > self.length_max:
            raise _invalid(name, f"not a text of at most {self.length_max} characters")
        return value


class Long(Kind[int]):
    """A whole number from `minimum` to `maximum`, at most 64 bits."""

    __slots__ = ("maximum", "minimum")

    def __init__(self, minimum: int = 0, maximum: int = LONG_MAX) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def read(self, value: Any, name: str) -> int:
        if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 4000:
            value = int(value)
        if type(value) is not int:
            raise ApiError(-1100, name, LONG_PATTERN, explain=f"{name}: not a whole number")
        if not self.minimum <= value <= self.maximum:
            raise _invalid(name, f"{value} is outside {self.minimum} to {self.maximum}")
        return value

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


class Bool(Kind[bool]):
    """true or false in any letter case, or a JSON boolean."""

    __slots__ = ()

    def read(self, value: Any, name: str) -> bool:
        if type(value) is bool:
            return value
        word = value.lower() if type(value) is str else ""
        if word not in {"true", "false"}:
            raise _invalid(name, "neither true nor false")
        return word == "true"

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Decimal(Kind[str]):
    """A decimal number as checked text: at most 20 digits on either side of the point.

    It may carry a minus sign, so that `to_ticks` and `to_lots` can name the
    rule that a negative value breaks.
    """

    __slots__ = ()

    def read(self, value: Any, name: str) -> str:
        if type(value) is int:
            value = str(value) if abs(value) <= LONG_MAX else ""
        if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
            raise ApiError(-1100, name, DECIMAL_PATTERN, explain=f"{name}: {DECIMAL_WORDS}")
        return str(value)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": DECIMAL_PATTERN}


class Exit(Decimal):
    """The price at which a position is to be left: whoever sends it empty believes in an exit."""

    __slots__ = ()
    reads_empty = True

    def read(self, value: Any, name: str) -> str:
        if value == "":
            raise ApiError(-1102, name, explain=f"{name} was sent without a value")
        return super().read(value, name)


class Unwanted(Kind[str]):
    """What other calls take and this one refuses, whatever the value, since it would be dropped."""

    __slots__ = ("why",)
    reads_empty = True

    def __init__(self, why: str) -> None:
        self.why = why

    def read(self, value: Any, name: str) -> str:
        del value
        raise ApiError(-1106, name, explain=self.why)


class ClientId(Kind[str]):
    """A client order id: 1 to 36 characters of `.A-Z:/a-z0-9_-`."""

    __slots__ = ()

    def read(self, value: Any, name: str) -> str:
        if type(value) is int:
            value = str(value) if abs(value) <= LONG_MAX else ""
        if type(value) is not str or _CLIENT_ID.fullmatch(value) is None:
            too_long = isinstance(value, str) and len(value) > 36
            raise ApiError(
                -4015, form=int(too_long), explain=f"{name} must match {CLIENT_ID_PATTERN}"
            )
        return value

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": CLIENT_ID_PATTERN}


class Word(Kind[T]):
    """One of a closed set of words, in the letter case of the documentation.

    `words` is an enum, whose member names are the words, or a mapping. `code`
    is what fapi answers to any other word; `names_value` says that its message
    repeats the word, otherwise -1130 repeats the parameter's name.
    """

    __slots__ = ("code", "names_value", "words")

    def __init__(
        self,
        words: type[Enum] | Mapping[str, T],
        code: int = -1130,
        *,
        names_value: bool = False,
    ) -> None:
        self.words: dict[str, Any] = (
            dict(words) if isinstance(words, Mapping) else dict(words.__members__)
        )
        self.code = code
        self.names_value = names_value

    def read(self, value: Any, name: str) -> T:
        word = self.words.get(value) if isinstance(value, str) else None
        if word is None:
            explain = f"{name} must be one of {', '.join(self.words)}"
            if self.code == -1130:
                raise ApiError(-1130, name, explain=explain)
            arguments = (str(value)[:40],) if self.names_value else ()
            raise ApiError(self.code, *arguments, explain=explain)
        found: T = word
        return found

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}


class OrderIds(Kind[tuple[int | NoId, ...]]):
    """A JSON list of order ids: numbers, or numbers in quotes.

    What can be no order's id (text, a number beyond 64 bits, zero) becomes a
    `NoId`, so that it is answered in its place. More than `most` ids are
    refused with -4032, other elements with -1130.
    """

    __slots__ = ("most",)

    def __init__(self, most: int = 10) -> None:
        self.most = most

    def read(self, value: Any, name: str) -> tuple[int | NoId, ...]:
        try:
            ids = _DECODE_INTEGERS(value)
        except (msgspec.MsgspecError, TypeError, UnicodeError, RecursionError):
            return self._read_each(read_list(value, name), name)
        if len(ids) > self.most:
            raise _too_many(ids, self.most, name)
        for order_id in ids:
            if not 0 < order_id <= LONG_MAX:
                return self._read_each(ids, name)
        return tuple(ids)

    def check_strict(self, value: Any, name: str) -> None:
        """Source: change log of 2023-06-16; neither quotes around ids nor blanks."""
        if any(type(element) is str for element in read_list(value, name)):
            raise _invalid(name, "an id in quotes")
        if type(value) is str and any(character.isspace() for character in value):
            raise _invalid(name, "a blank in the list")

    def _read_each(self, elements: list[Any], name: str) -> tuple[int | NoId, ...]:
        ids = tuple(_order_id(element, name) for element in elements)
        if len(ids) > self.most:
            raise _too_many(ids, self.most, name)
        return ids

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "integer"}, "maxItems": self.most}


def _order_id(element: Any, name: str) -> int | NoId:
    if type(element) not in {int, str}:
        raise _invalid(name, "an element is neither an integer nor a string")
    order_id = element
    if type(element) is str and element.isascii() and element.isdigit() and len(element) <= 20:
        order_id = int(element)
    if type(order_id) is int and 0 < order_id <= LONG_MAX:
        return order_id
    return NoId(element)


class ClientIds(Kind[tuple[str, ...]]):
    """A JSON list of client ids; whatever can be none becomes a `NoId`."""

    __slots__ = ("most",)

    def __init__(self, most: int = 10) -> None:
        self.most = most

    def read(self, value: Any, name: str) -> tuple[str, ...]:
        elements = read_list(value, name)
        ids = tuple(_client_id(element, name) for element in elements)
        if len(ids) > self.most:
            raise _too_many(ids, self.most, name)
        return ids

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}, "maxItems": self.most}


def _client_id(element: Any, name: str) -> str:
    if type(element) is int:
        element = str(element)
    if type(element) is not str:
        raise _invalid(name, "an element is neither an integer nor a string")
    return element if _CLIENT_ID.fullmatch(element) is not None else NoId(element)


def _too_many(ids: Iterable[object], most: int, name: str) -> ApiError:
    return ApiError(-4032, explain=f"{name} has {len(list(ids))} elements, at most {most} allowed")


class Objects(Kind[tuple[dict[str, Any], ...]]):
    """A JSON list of 1 to `most` objects, each to be read by a `params.Reader`."""

    __slots__ = ("most",)

    def __init__(self, most: int = 5) -> None:
        self.most = most

    def read(self, value: Any, name: str) -> tuple[dict[str, Any], ...]:
        elements = read_list(value, name)
        if not all(isinstance(element, dict) for element in elements):
            raise _invalid(name, "an element is not an object")
        if not 1 <= len(elements) <= self.most:
            raise ApiError(-4082, len(elements), explain=f"1 to {self.most} are allowed")
        return tuple(elements)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "object"}, "maxItems": self.most}


class Words(Kind[tuple[str, ...]]):
    """A JSON list of at least one of the words of `allowed`; a word sent twice counts once."""

    __slots__ = ("allowed",)

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def read(self, value: Any, name: str) -> tuple[str, ...]:
        elements = read_list(value, name)
        if not elements or any(element not in self.allowed for element in elements):
            raise _invalid(name, f"name at least one, and only these: {', '.join(self.allowed)}")
        return tuple(word for word in self.allowed if word in elements)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "enum": list(self.allowed)}}


class Addresses(Kind[tuple[str, ...]]):
    """A JSON list of up to `most` IP addresses, which become as connections show them."""

    __slots__ = ("most",)

    def __init__(self, most: int = 30) -> None:
        self.most = most

    def read(self, value: Any, name: str) -> tuple[str, ...]:
        elements = read_list(value, name)
        if len(elements) > self.most:
            raise _invalid(name, f"{len(elements)} addresses, at most {self.most} allowed")
        return tuple(_address(element, name) for element in elements)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}, "maxItems": self.most}


def _address(element: Any, name: str) -> str:
    try:
        return plain_address(element if type(element) is str else "")
    except ValueError:
        raise _invalid(name, f"{str(element)[:60]!r} is no IP address") from None


class Rest(Kind[dict[str, Any]]):
    """Everything that no other field of the record reads, by lower-case name.

    It stands last in its record. What the values mean is for another to say;
    here they are only kept within 64 bits and `TEXT_MAX` characters of printable
    ASCII each, `ELEMENTS_MAX` in a list or an object, and `DEPTH_MAX` deep.
    """

    __slots__ = ()

    TEXT_MAX: Final = 60
    ELEMENTS_MAX: Final = 100
    DEPTH_MAX: Final = 3

    def read(self, value: Any, name: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise _invalid(name, "not an object")
        for member, content in value.items():
            self._check(content, member[: self.TEXT_MAX], self.DEPTH_MAX)
        return value

    def _check(self, value: Any, name: str, depth: int) -> None:
        if isinstance(value, str):
            if len(value) > self.TEXT_MAX or not (value.isascii() and value.isprintable()):
                raise _invalid(name, f"not a text of at most {self.TEXT_MAX} plain characters")
        elif type(value) is int:
            if abs(value) > LONG_MAX:
                raise _invalid(name, "beyond 64 bits")
        elif isinstance(value, list | dict):
            if not depth or len(value) > self.ELEMENTS_MAX:
                raise _invalid(name, "too many values, or too deep")
            for element in value if isinstance(value, list) else (*value, *value.values()):
                self._check(element, name, depth - 1)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "object"}


def read_list(value: Any, name: str) -> list[Any]:
    """A JSON list: one that a JSON body held, or the text of one."""
    elements = decode_json(value, name) if type(value) is str else value
    if type(elements) is not list:
        raise _invalid(name, "not a JSON list")
    return elements
