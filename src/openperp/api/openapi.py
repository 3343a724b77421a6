"""The OpenAPI document, from the declarations that the venue itself uses.

What it says of a parameter is what the parameter's kind says of itself; what it
says of an answer is inferred from examples of that answer, where there are any.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_type_hints

import msgspec

from openperp.api.endpoint import Endpoint, Security
from openperp.api.endpoints import PAGES
from openperp.api.kinds import Rest, Unwanted
from openperp.api.params import kind_of

Schema = dict[str, Any]
Examples = Mapping[str, Any]
"""What each endpoint answers on a venue with some life in it, by `method path`."""

VERSION: Final = "3.1.0"

_ERROR: Final = {"$ref": "#/components/schemas/Error"}
_SIGNED: Final = frozenset({Security.USER_DATA, Security.TRADE})
_KEYED: Final = _SIGNED | {Security.MARKET_DATA, Security.USER_STREAM}

_SIGNING: Final = (
    ("timestamp", True, "Milliseconds since the Unix epoch.", {"type": "integer"}),
    ("recvWindow", False, "Milliseconds for which the request is good.", {"type": "integer"}),
    (
        "signature",
        True,
        (
            "Of the query, followed by the body, both as sent and without this parameter: "
            "HMAC-SHA256 in hexadecimal, or RSA or Ed25519 in base64."
        ),
        {"type": "string"},
    ),
)

_STATUSES: Final = {
    "400": "Refused, with a code that says why; nothing changed.",
    "401": "The key, the signature's key or the token is not good for this.",
    "404": "There is no such path, or no account of that name.",
    "413": "The body is too long.",
    "418": "Banned for going on after 429; Retry-After says for how many seconds.",
    "429": "Too many requests or orders; Retry-After says when to come back, in seconds.",
    "503": "The venue cannot take or confirm it; the code says whether anything was done.",
}

_DESCRIPTION: Final = """\
A perpetual-futures venue of your own that speaks the Binance USD-M Futures API.

Signed calls can be tried from this page: under *Authorize* give an API key and its
secret, and the page adds `timestamp` and `signature` itself. Neither leaves it for
any other host than this venue.
"""


def build_document(version: str, examples: Examples) -> Schema:
    """The whole document; `version` is that of the product."""
    paths: dict[str, Schema] = {}
    for title, endpoints in PAGES.items():
        for endpoint in endpoints:
            answers = examples.get(f"{endpoint.method} {endpoint.path}", ())
            operations = paths.setdefault(endpoint.path, {})
            operations[endpoint.method.lower()] = _operation(endpoint, title, answers)
    return {
        "openapi": VERSION,
        "info": {"title": "openperp", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["code", "msg"],
                    "properties": {"code": {"type": "integer"}, "msg": {"type": "string"}},
                    "additionalProperties": False,
                }
            },
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-MBX-APIKEY"},
                "apiSecret": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-SECRET",
                    "description": (
                        "The secret of the API key. It never leaves this page, which computes "
                        "`timestamp` and `signature` with it; no header of this name is sent, "
                        "and other clients sign by themselves."
                    ),
                },
                "operator": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(endpoint: Endpoint[Any], title: str, answers: Sequence[Any]) -> Schema:
    operation: Schema = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "description": _describe(endpoint),
        "tags": [title],
        "security": _security(endpoint.security),
        "responses": dict(_responses(answers)),
    }
    parameters = list(_parameters(endpoint))
    if parameters:
        operation["parameters"] = parameters
    if _has_body(endpoint):
        operation["requestBody"] = _body(endpoint)
    return operation


def _operation_id(endpoint: Endpoint[Any]) -> str:
    words = endpoint.path.replace("{", "").replace("}", "").strip("/").split("/")
    return "_".join([endpoint.method.lower(), *words]).replace("-", "_")


def _describe(endpoint: Endpoint[Any]) -> str:
    """What it costs, its name on the WebSocket API, and where it stands apart."""
    weight = endpoint.weight
    parts = []
    if endpoint.security is not Security.OPERATOR:
        cost = str(weight) if isinstance(weight, int) else "by parameters"
        parts.append(f"Weight: {cost}.")
    if endpoint.order_count != (0, 0):
        ten_seconds, minute = endpoint.order_count
        parts.append(f"Counts {ten_seconds} of the orders per 10 s and {minute} per minute.")
    if endpoint.ws:
        parts.append("On the WebSocket API: " + ", ".join(f"`{name}`" for name in endpoint.ws))
    if endpoint.stance:
        parts.append(endpoint.stance)
    return " ".join(parts)


def _security(security: Security) -> list[Schema]:
    if security is Security.OPERATOR:
        return [{"operator": []}]
    if security in _SIGNED:
        return [{"apiKey": [], "apiSecret": []}]
    return [{"apiKey": []}] if security in _KEYED else []


def _fields(endpoint: Endpoint[Any]) -> Iterator[tuple[str, bool, Schema]]:
    """Wire name, whether it is mandatory, and what it may be."""
    hints = get_type_hints(endpoint.params, include_extras=True)
    for field in msgspec.structs.fields(endpoint.params):
        kind = kind_of(hints[field.name])
        if not isinstance(kind, Rest | Unwanted):
            yield field.encode_name, field.required, kind.schema


def _parameters(endpoint: Endpoint[Any]) -> Iterator[Schema]:
    in_body = _has_body(endpoint)
    for name, required, schema in _fields(endpoint):
        if f"{{{name}}}" in endpoint.path:
            parameter: Schema = {"name": name, "in": "path", "required": True, "schema": schema}
            yield parameter | _example(endpoint, name)
        elif not in_body:
            yield _query_parameter(name, required, schema) | _example(endpoint, name)
    if endpoint.security in _SIGNED:
        for name, required, description, schema in _SIGNING:
            yield _query_parameter(name, required, schema) | {"description": description}


def _has_body(endpoint: Endpoint[Any]) -> bool:
    takes_any = bool(msgspec.structs.fields(endpoint.params))
    return takes_any and endpoint.security is Security.OPERATOR and endpoint.method == "POST"


def _example(endpoint: Endpoint[Any], name: str) -> Schema:
    """A value for one parameter, from the first request that gives it one."""
    values = [request[name] for request in endpoint.requests.values() if name in request]
    return {"example": values[0]} if values else {}


def _query_parameter(name: str, required: bool, schema: Schema) -> Schema:
    """A list travels as JSON text inside its one parameter."""
    parameter: Schema = {"name": name, "in": "query", "required": required}
    if schema["type"] == "array":
        return parameter | {"content": {"application/json": {"schema": schema}}}
    return parameter | {"schema": schema}


def _body(endpoint: Endpoint[Any]) -> Schema:
    fields = [
        (name, required, schema)
        for name, required, schema in _fields(endpoint)
        if f"{{{name}}}" not in endpoint.path
    ]
    required = [name for name, is_required, _ in fields if is_required]
    schema: Schema = {
        "type": "object",
        "properties": {name: schema for name, _, schema in fields},
    }
    if required:
        schema["required"] = required
    content: Schema = {"schema": schema}
    if endpoint.requests:
        content["examples"] = dict(_body_examples(endpoint))
    return {"required": bool(required), "content": {"application/json": content}}


def _body_examples(endpoint: Endpoint[Any]) -> Iterator[tuple[str, Schema]]:
    for summary, request in endpoint.requests.items():
        value = {key: each for key, each in request.items() if f"{{{key}}}" not in endpoint.path}
        yield summary, {"summary": summary, "value": value}


def _responses(answers: Sequence[Any]) -> Iterator[tuple[str, Schema]]:
    content: Schema = {"schema": _infer_any(answers)}
    media_type = "application/json"
    if answers:
        content["example"] = answers[0]
        media_type = "text/csv" if isinstance(answers[0], str) else media_type
    yield "200", {"description": "Done.", "content": {media_type: content}}
    for status, description in _STATUSES.items():
        yield (
            status,
            {
                "description": description,
                "content": {"application/json": {"schema": _ERROR}},
            },
        )


def infer_schema(example: Any) -> Schema:
    """The types of an answer, as far as an example shows them; lists may mix.

    >>> infer_schema({"code": 200, "data": [["1.5"]]})["properties"]["code"]
    {'type': 'integer'}
    """
    if isinstance(example, dict):
        return {
            "type": "object",
            "properties": {name: infer_schema(value) for name, value in example.items()},
        }
    if isinstance(example, list):
        items = _infer_any(example)
        return {"type": "array", "items": items} if items else {"type": "array"}
    return dict(_SCALARS.get(type(example), {}))


def _infer_any(examples: Sequence[Any]) -> Schema:
    """What one of several examples may be; anything where there are none."""
    kinds: list[Schema] = []
    for example in examples:
        schema = infer_schema(example)
        if schema not in kinds:
            kinds.append(schema)
    if len(kinds) > 1:
        return {"anyOf": kinds}
    return kinds[0] if kinds else {}


_SCALARS: Final[Mapping[type, Schema]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
}
