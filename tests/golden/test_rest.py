"""Every endpoint's answer, field by field, against the inventory of fapi's answers.

`rest_fields.json` has the fields of each answer with their types: facts of Binance's
documentation. Where an answer here has other fields, `DIFFERENCES` says why. What is
inside an empty list is forgiven to endpoints that declare why they have nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.golden.rest_calls import CALLS, play

from openperp.api.dialect import DIALECTS
from openperp.api.endpoints import ENDPOINTS

Paths = dict[str, set[str]]

INVENTORY: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("rest_fields.json").read_text(encoding="utf-8")
)
DECLARED = {
    f"{endpoint.method} {endpoint.path}": endpoint
    for endpoint in ENDPOINTS
    if endpoint.path.startswith(("/fapi/", "/futures/"))
}
SAME_AS = {"GET /fapi/v1/positionRisk": "GET /fapi/v2/positionRisk"}
"""Withdrawn by Binance and served here, with the fields of the version that followed."""


class Difference(NamedTuple):
    """Fields that answers lack, or have beyond the inventory, and why."""

    why: str
    endpoints: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    dialects: tuple[str, ...] = tuple(DIALECTS)


ORDERS = ("order", "batchOrders")
ORDER_LISTS = ("GET /fapi/v1/openOrders", "GET /fapi/v1/allOrders")
ALGO_LISTS = ("GET /fapi/v1/openAlgoOrders", "GET /fapi/v1/allAlgoOrders")
TRAILING = ("activatePrice", "priceRate")

DIFFERENCES = (
    Difference(
        "ztdx: replies to place and amend carry what was filled, as in the seed",
        tuple(f"{verb} /fapi/v1/{what}" for verb in ("POST", "PUT") for what in ORDERS),
        adds=("avgPrice", "cumQuote", "[].avgPrice", "[].cumQuote"),
        dialects=("ztdx",),
    ),
    Difference(
        "ztdx: cancels carry what was filled, as in the seed",
        ("DELETE /fapi/v1/order", "DELETE /fapi/v1/batchOrders"),
        adds=("cumQuote", "[].cumQuote"),
        dialects=("ztdx",),
    ),
    Difference(
        "ztdx: the entries of a batch cancel have exactly the fields of the seed",
        ("DELETE /fapi/v1/batchOrders",),
        lacks=("[].priceMatch", "[].selfTradePreventionMode", "[].goodTillDate"),
        dialects=("ztdx",),
    ),
    Difference(
        "binance: a trailing stop is an algo order until it fires, and the order that it becomes"
        " fills at once",
        (
            "POST /fapi/v1/order/test",
            "GET /fapi/v1/openOrder",
            "GET /fapi/v1/openOrders",
            "DELETE /fapi/v1/order",
            "DELETE /fapi/v1/batchOrders",
        ),
        lacks=(*TRAILING, *(f"[].{field}" for field in TRAILING)),
        dialects=("binance",),
    ),
    Difference(
        "only orders of coin-margined contracts have it",
        (*ORDER_LISTS, "GET /fapi/v1/forceOrders"),
        lacks=("[].cumBase",),
    ),
    Difference(
        "there are no iceberg orders, and an empty text is no number",
        ("POST /fapi/v1/algoOrder", "GET /fapi/v1/algoOrder", *ALGO_LISTS),
        lacks=("icebergQuantity", "[].icebergQuantity"),
    ),
    Difference(
        "a trailing stop says how it trails, and any stop what of it was traded, in lists as well",
        ("GET /fapi/v1/algoOrder", *ALGO_LISTS),
        adds=(
            *("activatePrice", "callbackRate"),
            *("[].activatePrice", "[].callbackRate", "[].actualQty"),
        ),
    ),
    Difference(
        "as in the answer about one of them",
        ALGO_LISTS,
        adds=("[].actualType",),
    ),
    Difference(
        "this filter is not applied here",
        ("GET /fapi/v1/exchangeInfo",),
        lacks=("symbols[].filters[].positionControlSide",),
    ),
    Difference(
        "Binance sends it too, and lists do without it in its documentation",
        ("GET /fapi/v1/ticker/bookTicker",),
        adds=("lastUpdateId", "[].lastUpdateId"),
    ),
    Difference(
        "clients read them here as they do in other answers about positions",
        ("GET /fapi/v2/account",),
        adds=("positions[].breakEvenPrice", "positions[].isolatedWallet", "positions[].notional"),
    ),
    Difference(
        "nobody's brackets are scaled; and one symbol has a list too, which is what clients met",
        ("GET /fapi/v1/leverageBracket",),
        lacks=(
            *("[].notionalCoef", "notionalCoef", "symbol", "brackets"),
            *("brackets[].bracket", "brackets[].initialLeverage", "brackets[].notionalCap"),
            *("brackets[].notionalFloor", "brackets[].maintMarginRatio", "brackets[].cum"),
        ),
    ),
    Difference(
        "it takes the place of BOTH in hedge mode",
        ("GET /fapi/v1/adlQuantile",),
        lacks=("[].adlQuantile.HEDGE",),
    ),
)


def test_every_endpoint_is_in_the_inventory_and_is_called() -> None:
    assert set(DECLARED) <= set(CALLS)
    assert {SAME_AS.get(name, name) for name in CALLS} == set(INVENTORY)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", DECLARED)
def test_the_fields_of_an_answer(name: str, dialect: str) -> None:
    found = collect(name, dialect)
    expected = INVENTORY[SAME_AS.get(name, name)]
    lacks, adds = named_differences(name, dialect)
    empty = empty_places(found) if DECLARED[name].stance else ()
    lacking = {path for path in expected if path not in found and not path.startswith(empty)}
    assert lacking == lacks, "fields that are missing, and those whose absence is explained"
    assert set(found) - set(expected) - {""} == adds, "further fields, and those explained"
    for path in found.keys() & expected.keys():
        for kind in found[path]:
            assert fits(kind, expected[path]), (path, kind, expected[path])


def named_differences(name: str, dialect: str) -> tuple[set[str], set[str]]:
    """What the table says of one endpoint in one dialect; fields of its own form alone."""
    rows = [row for row in DIFFERENCES if name in row.endpoints and dialect in row.dialects]
    expected = INVENTORY[SAME_AS.get(name, name)]
    is_list = {path.startswith("[]") for path in expected}
    return (
        {path for row in rows for path in row.lacks if path in expected},
        {path for row in rows for path in row.adds if path.startswith("[]") in is_list},
    )


def test_every_difference_is_of_something() -> None:
    for row in DIFFERENCES:
        for name in row.endpoints:
            assert name in DECLARED, row
        known = {path for name in row.endpoints for path in INVENTORY[name]}
        assert known.issuperset(row.lacks), row


def collect(name: str, dialect: str) -> Paths:
    """All fields of the answers with the types that they had; "" is the answer itself."""
    method, path = name.split(" ")
    scene = play(dialect)
    found: Paths = {}
    for call in CALLS[name]:
        fields = call(scene) if callable(call) else call
        if fields is None:
            continue
        answer = scene.alice.send(method, path, **fields)
        assert answer.status == 200, answer.body
        body = json.loads(answer.body)
        for field, kind in [("", type_of(body)), *walk(body, "")]:
            found.setdefault(field, set()).add(kind)
    return found


def walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each field under `path` with its type, containers included; rows of columns by number."""
    if isinstance(value, dict):
        for name, member in value.items():
            field = f"{path}.{name}" if path else name
            yield field, type_of(member)
            yield from walk(member, field)
    elif isinstance(value, list):
        for element in value:
            if isinstance(element, list) and not path:
                yield from ((f"[][{column}]", type_of(cell)) for column, cell in enumerate(element))
            else:
                yield from walk(element, f"{path}[]")


def type_of(value: Any) -> str:
    if isinstance(value, list):
        kinds = sorted({type_of(element) for element in value})
        return f"array<{'|'.join(kinds)}>" if kinds else "array"
    if value == {}:
        return "object of nothing"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object"}
    return names.get(type(value), "null")


def empty_places(found: Paths) -> tuple[str, ...]:
    """The beginnings of all paths that lie in containers which never held anything."""
    places = {path: {"array": "[]", "object of nothing": "."} for path in found}
    return tuple(
        path + inside
        for path, insides in places.items()
        for kind, inside in insides.items()
        if found[path] == {kind}
    )


def fits(kind: str, expected: str) -> bool:
    """Whether a value's type is the documented one; an empty container fits any of its sort."""
    if kind == "array" or expected == "array":
        return kind.startswith("array") and expected.startswith("array")
    if kind == "object of nothing":
        return expected == "object"
    return kind in expected.split("|")


def test_a_path_and_a_type_for_each_field() -> None:
    body = {"a": [{"b": 1, "c": [["1"]]}, {"d": {}}], "e": [], "f": True}
    assert dict(walk(body, "")) == {
        "a": "array<object>",
        "a[].b": "integer",
        "a[].c": "array<array<string>>",
        "a[].d": "object of nothing",
        "e": "array",
        "f": "boolean",
    }
    assert dict(walk([[1, "2"]], "")) == {"[][0]": "integer", "[][1]": "string"}
