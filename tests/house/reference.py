"""The generated pages of `docs/reference`, from the declarations that the venue itself uses.

`python -m tests.house.reference` writes them, and the examples of the API reference;
tests hold the files to them.
"""

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from tests.golden import examples
from tests.house.streams import streams

from openperp.api import dialect
from openperp.api.dialect import DIALECTS, Dialect
from openperp.api.dispatch import METHODS
from openperp.api.endpoint import Endpoint
from openperp.api.endpoints import ENDPOINTS, PAGES, Endpoints
from openperp.api.endpoints.order_form import OrderTerms
from openperp.api.kinds import CLIENT_ID_PATTERN, DECIMAL_PATTERN, LONG_MAX, Kind, Rest, Unwanted
from openperp.api.params import kind_of
from openperp.api.ws_api import HANDSHAKE_WEIGHT, SESSION_WEIGHT

DIRECTORY = Path(__file__).parents[2] / "docs" / "reference"
SECURITY = {
    "NONE": "",
    "MARKET_DATA": "key",
    "USER_STREAM": "key",
    "USER_DATA": "signed",
    "TRADE": "signed",
    "OPERATOR": "token",
}
ITEMS = {"integer": "whole numbers", "string": "texts", "object": "objects"}
PATTERNS = {
    CLIENT_ID_PATTERN: "1 to 36 characters of `.A-Z:/a-z0-9_-`",
    DECIMAL_PATTERN: "a decimal number",
}


def pages() -> dict[str, str]:
    """File name -> content."""
    return {
        "dialects.md": dialects(),
        "endpoints.md": endpoints(),
        "not-applicable.md": not_applicable(),
        "streams.md": streams(),
    }


def dialects() -> str:
    names = list(DIALECTS)
    rows = [
        [
            sentence.removesuffix("."),
            *(_cell(getattr(DIALECTS[name], field)) for name in names),
        ]
        for field, sentence in _field_docs(Dialect)
    ]
    return f"""\
# Dialects

Generated from `src/openperp/api/dialect.py` by `make docs`.

`ztdx` speaks the older form of the API: the one in which trigger orders go to
`POST /fapi/v1/order` and a batch cancel of an ended order returns that order.
`binance` does as Binance does in late 2026. The dialect is chosen with
`--dialect` when a data directory is made, and stays. Everything that is not in
this table is the same in both.

{_table(["", *(f"`{name}`" for name in names)], rows)}
"""


def _field_docs(record: type) -> Iterator[tuple[str, str]]:
    """Each field of a record that has a docstring under it, with that docstring."""
    (body,) = (
        node.body
        for node in ast.parse(inspect.getsource(dialect)).body
        if isinstance(node, ast.ClassDef) and node.name == record.__name__
    )
    for field, text in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            yield field.target.id, " ".join(str(text.value.value).split())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.name if isinstance(value, Enum) else str(value)


def endpoints() -> str:
    sections = "\n".join(_section(title, page) for title, page in PAGES.items())
    return f"""\
# Endpoints

Generated from the declarations in `src/openperp/api/endpoints` by `make docs`.

A parameter in bold is mandatory. Names are taken in any letter case, from the
query, a form body or a JSON body. `signed` asks for the header `X-MBX-APIKEY`
and the parameters `timestamp` and `signature`, and takes `recvWindow`; `token`
asks for `Authorization: Bearer <operator token>`. `POST instruments` takes the
[terms of the configuration file](../how-to/configure.md#instruments) beside the symbol. Weights count against 2400 a
minute for each IP address.

{sections}
## WebSocket API

Methods of `/ws-fapi/v1`, each with the call that does the same and has its
parameters, security and weight; `apiKey` and `signature` stand among the parameters.
A version in front of a name that has none, as in `v3/order.place`, is passed over.

{_methods()}

`session.logon`, `session.status` and `session.logout` belong to the connection and
weigh {SESSION_WEIGHT} each, the handshake {HANDSHAKE_WEIGHT}.
[How to use it](../how-to/call-methods.md).

## Order parameters

Which of them an order needs follows from its type, as on Binance:
`timeInForce`, `quantity` and `price` for LIMIT; `quantity` for MARKET; a
`stopPrice` for STOP, STOP_MARKET, TAKE_PROFIT and TAKE_PROFIT_MARKET;
`callbackRate` for TRAILING_STOP_MARKET.

A trigger order with `timeInForce` GTE_GTC is tied to the position that it would close: it is
reduce-only, needs that position to be there (-4509 otherwise), and expires in the command that
ends it, by whatever fill, or turns it round. Other trigger orders outlive their position, those
with `closePosition` too where they are GTC. With `closePosition` one STOP_MARKET and one
TAKE_PROFIT_MARKET can wait for each direction of a position; another is refused with -4130
until the first is cancelled or has fired. [An example](../how-to/place-every-order.md#stops-that-end-with-the-position).

{_parameters(OrderTerms)}

What `POST order` takes beyond these, for orders attached to the new one, the elements of
`batchOrders` take as well; `algoOrder` passes it over.

## Values

What a client may send. `timeInForce` RPI is refused with -4084, see
[What does not apply here](not-applicable.md).

{_values()}
"""


def _section(title: str, page: Endpoints) -> str:
    rows = [
        [
            f"`{endpoint.method} {endpoint.path}`",
            endpoint.summary,
            SECURITY[endpoint.security.name],
            _weight(endpoint),
            _parameters(endpoint.params, OrderTerms),
        ]
        for endpoint in page
    ]
    return f"## {title}\n\n{_table(['call', 'does', 'security', 'weight', 'parameters'], rows)}\n"


def _methods() -> str:
    rows = [
        [f"`{name}`", f"`{endpoint.method} {endpoint.path}`", endpoint.summary]
        for name, endpoint in sorted(METHODS.items())
    ]
    return _table(["method", "call", "does"], rows)


def not_applicable() -> str:
    rows = [
        [f"`{endpoint.method} {endpoint.path}`", endpoint.stance]
        for endpoint in ENDPOINTS
        if endpoint.stance
    ]
    return f"""\
# What does not apply here

Generated from the declarations in `src/openperp/api/endpoints` by `make docs`.

A venue of your own has no stocks, no spot wallet and no contracts that are delivered. The
calls that speak of them are answered all the same, so that clients which make them go on.

{_table(["call", "answer, and why"], rows)}

Orders with `timeInForce` RPI are refused with -4084. Such an order is hidden from depth, and
trades only with what people send from the app and the web page of the exchange, with no client
of the API. Everybody here is a client of the API, so it would wait for nobody. GTX is the word
for an order that must not take.
"""


def _parameters(record: type, known: type | None = None) -> str:
    """Names with defaults; those of the record `known`, where included, as a link."""
    fields = _named_fields(record)
    texts = []
    if known is not None and issubclass(record, known):
        texts = ["[order parameters](#order-parameters)"]
        fields = fields[len(msgspec.structs.fields(known)) :]
    return ", ".join([*texts, *map(_parameter, fields)])


def _named_fields(record: type) -> list[Any]:
    """The fields of a record but the one that takes whatever else is sent, and what is refused."""
    hints = get_type_hints(record, include_extras=True)
    fields = msgspec.structs.fields(record)
    return [
        field for field in fields if not isinstance(kind_of(hints[field.name]), Rest | Unwanted)
    ]


def _parameter(field: Any) -> str:
    if field.required:
        return f"**{field.encode_name}**"
    default = field.default
    if isinstance(default, Enum):
        default = default.name
    if default in (None, "", 0, -1, False, ()) or isinstance(default, tuple):
        return str(field.encode_name)
    return f"{field.encode_name} = {default}"


def _weight(endpoint: Endpoint[Any]) -> str:
    weight = endpoint.weight
    orders = endpoint.order_count[0]
    if endpoint.pool is not None:
        return f"{weight}; {endpoint.pool.limit} in {endpoint.pool.span_ms // 60_000} min"
    if isinstance(weight, int):
        counted = f"{orders} order" if orders == 1 else f"{orders} orders"
        return f"{weight}, {counted}" if orders else str(weight)
    one, all_symbols = (_weigh(endpoint, symbol=symbol) for symbol in ("X", ""))
    if one != all_symbols:
        return f"{one}, without symbol {all_symbols}"
    hints = get_type_hints(endpoint.params, include_extras=True)
    most = min(kind_of(hints["limit"]).schema["maximum"], 1_500)
    weights = [_weigh(endpoint, limit=limit) for limit in (5, 1_000, most)]
    return f"{weights[0]} to {max(weights)} by limit"


def _weigh(endpoint: Endpoint[Any], **sent: Any) -> int:
    """What a call with these parameters weighs, whatever its mandatory ones are."""
    assert callable(endpoint.weight)
    fields = msgspec.structs.fields(endpoint.params)
    values = {field.name: "" for field in fields if field.required}
    known = {field.name for field in fields}
    values.update({name: value for name, value in sent.items() if name in known})
    weight: int = endpoint.weight(endpoint.params(**values))
    return weight


def _values() -> str:
    """Every parameter once, with what it may be in any endpoint."""
    values: dict[str, dict[str, None]] = {}
    for endpoint in ENDPOINTS:
        hints = get_type_hints(endpoint.params, include_extras=True)
        for field in _named_fields(endpoint.params):
            value = _value(kind_of(hints[field.name]))
            values.setdefault(field.encode_name, {})[value] = None
    rows = [[f"`{name}`", "; or ".join(values[name])] for name in sorted(values, key=str.lower)]
    return _table(["parameter", "value"], rows)


def _value(kind: Kind[Any]) -> str:
    """What the kind's own schema allows, in words."""
    schema = kind.schema
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema["type"] == "integer":
        bounded = schema["maximum"] < LONG_MAX
        return f"{schema['minimum']} to {schema['maximum']}" if bounded else "a whole number"
    if schema["type"] == "array":
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        items = schema["items"]
        words = ", ".join(f"`{word}`" for word in items.get("enum", ()))
        return f"a JSON list of {words or ITEMS[items['type']]}{most}"
    if schema["type"] == "boolean":
        return "`true` or `false`"
    return PATTERNS.get(schema.get("pattern", ""), "text")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    DIRECTORY.mkdir(exist_ok=True)
    for name, content in pages().items():
        (DIRECTORY / name).write_text(content, encoding="utf-8")
    examples.main()


if __name__ == "__main__":
    main()
