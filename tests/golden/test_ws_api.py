"""The answer of every method of the WebSocket API, field by field, against its inventory.

`ws_api_fields.json` has the fields of each method's result with their types: facts of
Binance's documentation. Where a result here has other fields, `DIFFERENCES` says why.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.api.caller import Caller
from tests.api.offline import OfflineVenue
from tests.api.trader import Trader, trade

from openperp.api.dialect import DIALECTS
from openperp.api.dispatch import METHODS
from openperp.api.ws_api import SESSION_METHODS

INVENTORY: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("ws_api_fields.json").read_text(encoding="utf-8")
)
SERVED = sorted({*METHODS, *SESSION_METHODS})

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000",
    "quantity": "0.01",
}
STOP = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "STOP",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "65000",
    "triggerPrice": "64000",
}
TRAILING = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "TRAILING_STOP_MARKET",
    "quantity": "0.01",
    "callbackRate": "1",
}


class Difference(NamedTuple):
    """Fields that results lack, or have beyond the inventory, and why."""

    why: str
    methods: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    dialects: tuple[str, ...] = tuple(DIALECTS)


DIFFERENCES = (
    Difference(
        "ztdx: replies to place and amend carry what was filled, as in the seed",
        ("order.place", "order.modify"),
        adds=("result.avgPrice", "result.cumQuote"),
        dialects=("ztdx",),
    ),
    Difference(
        "it is the reply of REST, which names the pair",
        ("order.modify",),
        adds=("result.pair",),
    ),
    Difference(
        "ztdx: cancels carry what was filled, as in the seed",
        ("order.cancel",),
        adds=("result.cumQuote",),
        dialects=("ztdx",),
    ),
    Difference(
        "binance: a trailing stop is an algo order",
        ("order.cancel", "order.status"),
        lacks=("result.activatePrice", "result.priceRate"),
        dialects=("binance",),
    ),
    Difference(
        "there are no iceberg orders",
        ("algoOrder.place",),
        lacks=("result.icebergQuantity",),
    ),
    Difference(
        "it is version 2 of the account as REST has it",
        ("account.status",),
        adds=(
            "result.feeBurn",
            "result.positions[].isolatedWallet",
            "result.positions[].notional",
        ),
    ),
    Difference(
        "it is version 3 of the account as REST has it",
        ("v2/account.status",),
        lacks=("result.assets[].marginAvailable",),
    ),
)


class Scene:
    """A caller who holds a position and an order, and is logged on."""

    def __init__(self, dialect: str) -> None:
        venue = OfflineVenue(dialect)
        trade(Trader(venue), Trader(venue, "bob"))
        self.caller = Caller(venue)
        self.caller.use_ed25519()
        self.caller.result("session.logon")
        self.dialect = dialect

    def ids(self) -> dict[str, Any]:
        """A fresh order, of the kind that has most to tell."""
        trailing = self.dialect == "ztdx"
        order = self.caller.result("order.place", **(TRAILING if trailing else LIMIT))
        return {"symbol": "BTCUSDT", "orderId": order["orderId"]}

    def algo_ids(self) -> dict[str, Any]:
        return {"algoId": self.caller.result("algoOrder.place", **STOP)["algoId"]}

    def change(self) -> dict[str, Any]:
        order = self.caller.result("order.place", **LIMIT)
        fields = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02", "price": "50001"}
        return {**fields, "orderId": order["orderId"], "modifyId": 7}

    def listen(self) -> dict[str, Any]:
        self.caller.result("userDataStream.start")
        return {}


Fields = dict[str, Any] | Callable[[Scene], dict[str, Any]]

CALLS: dict[str, tuple[Fields, ...]] = {
    "algoOrder.cancel": (Scene.algo_ids,),
    "algoOrder.place": (STOP,),
    "depth": ({"symbol": "BTCUSDT"},),
    "order.cancel": (Scene.ids,),
    "order.modify": (Scene.change,),
    "order.place": (LIMIT,),
    "order.status": (Scene.ids,),
    "ticker.book": ({"symbol": "BTCUSDT"}, {}),
    "ticker.price": ({"symbol": "BTCUSDT"}, {}),
    "userDataStream.ping": (Scene.listen,),
    "userDataStream.stop": (Scene.listen,),
}
"""What each method is called with; the others without anything."""


def test_what_is_served_is_in_the_inventory() -> None:
    assert set(CALLS) <= set(INVENTORY)
    assert set(INVENTORY) == set(SERVED)
    for row in DIFFERENCES:
        known = {path for method in row.methods for path in INVENTORY[method]}
        assert known.issuperset(row.lacks), row


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("method", SERVED)
def test_the_fields_of_a_result(method: str, dialect: str) -> None:
    found = collect(method, dialect)
    expected = INVENTORY[method]
    rows = [row for row in DIFFERENCES if method in row.methods and dialect in row.dialects]
    assert set(expected) - set(found) == {path for row in rows for path in row.lacks}
    assert set(found) - set(expected) - {"result"} == {path for row in rows for path in row.adds}
    for path in found.keys() & expected.keys():
        for kind in found[path]:
            assert kind in kinds_of(expected[path]), (path, kind, expected[path])


def kinds_of(expected: str) -> set[str]:
    """The types that the inventory allows; "array<...>" says more than is told apart here."""
    return {kind.partition("<")[0] for kind in expected.replace("[price,qty]", "").split("|")}


def collect(method: str, dialect: str) -> dict[str, set[str]]:
    """All fields of the results with the types that they had."""
    scene = Scene(dialect)
    found: dict[str, set[str]] = {}
    for call in CALLS.get(method, ({},)):
        fields = call(scene) if callable(call) else call
        result = scene.caller.result(method, **fields)
        for path, kind in walk(result, "result"):
            found.setdefault(path, set()).add(kind)
    return found


def walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each field at and under `path` with its type; a level of a book is one value."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object"}
    yield path, "array" if type(value) is list else names.get(type(value), "null")
    if isinstance(value, dict):
        for name, member in value.items():
            yield from walk(member, f"{path}.{name}")
    elif isinstance(value, list):
        for element in value:
            if isinstance(element, dict):
                yield from list(walk(element, f"{path}[]"))[1:]
            else:
                assert list(map(type, element)) == [str, str]


def test_a_path_and_a_type_for_each_field() -> None:
    assert dict(walk({"a": [{"b": 1}], "c": [["1", "2"]], "d": None}, "result")) == {
        "result": "object",
        "result.a": "array",
        "result.a[].b": "integer",
        "result.c": "array",
        "result.d": "null",
    }
