"""Every market stream, field by field, against the inventory of what clients expect."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.api.streams.listening import Listening

from openperp.api.dialect import DIALECTS
from openperp.engine.commands import DefineInstrument, PlaceOrder, SetLeverage
from openperp.engine.terms import OrderType, Side

GOLDEN = Path(__file__).parents[2] / "golden" / "stream_fields.json"
INVENTORY: dict[str, dict[str, Any]] = json.loads(GOLDEN.read_text())

SILENT = {
    "<symbol>@compositeIndex",
    "tradingSession",
}
"""There is nothing here of which they could tell."""

SUBJECTS = {
    "<symbol>": "btcusdt",
    "<pair>_<contractType>": "btcusdt_perpetual",
    "<assetSymbol>": "usdtusd",
    "<interval>": "1m",
    "<levels>": "5",
}
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
MINUTE = 60_000


def name_of(pattern: str) -> str:
    for word, subject in SUBJECTS.items():
        pattern = pattern.replace(word, subject)
    return pattern


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Keys and types, in order; a list of objects counts as its first one."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from flatten(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from flatten(value[0], f"{path}[]")
    elif isinstance(value, list):
        assert all(isinstance(price, str) and isinstance(size, str) for price, size in value)
        yield path, "array<[price,qty]>"
    else:
        yield path, TYPES[type(value)]


def trade(venue: Listening, ticks: int, lots: int) -> None:
    alice, bob = venue.state.accounts
    venue.apply(PlaceOrder(alice, "BTCUSDT", Side.SELL, OrderType.LIMIT, lots, ticks))
    venue.apply(PlaceOrder(bob, "BTCUSDT", Side.BUY, OrderType.LIMIT, lots - 1, ticks))


def liquidate(venue: Listening) -> None:
    """Bob buys with all he has, and the price falls."""
    alice, bob = venue.state.accounts
    venue.apply(SetLeverage(bob, "BTCUSDT", 10))
    for account, side in ((alice, Side.SELL), (bob, Side.BUY)):
        venue.apply(PlaceOrder(account, "BTCUSDT", side, OrderType.LIMIT, 1_500, 600_010))
    venue.price("BTCUSDT", 530_000)


def play(venue: Listening) -> None:
    """Something for every stream to tell: trades, a closed minute, new brackets."""
    trade(venue, 600_005, 3)
    venue.elapse(MINUTE + 6_000)
    trade(venue, 600_010, 5)
    market = venue.state.markets["BTCUSDT"]
    spec = structs.replace(market.spec, brackets=market.spec.brackets[:2], default_leverage=10)
    venue.apply(DefineInstrument(spec, market.index_ticks))
    liquidate(venue)
    venue.elapse(6_000)


@pytest.fixture(scope="module", params=list(DIALECTS))
def heard(request: pytest.FixtureRequest) -> dict[str, list[Any]]:
    """Everything that each stream of the inventory said."""
    venue = Listening(request.param, immediate=False)
    messages = {pattern: venue.hear(name_of(pattern)) for pattern in INVENTORY}
    play(venue)
    return messages


def test_the_silent_streams_are_silent_and_no_other(heard: dict[str, list[Any]]) -> None:
    assert {pattern for pattern, messages in heard.items() if not messages} == SILENT


@pytest.mark.parametrize("pattern", [key for key in INVENTORY if key not in SILENT])
def test_the_fields_of_a_stream(heard: dict[str, list[Any]], pattern: str) -> None:
    golden = INVENTORY[pattern]
    for message in heard[pattern]:
        assert isinstance(message, list) == (golden["shape"] == "list")
        for row in message if isinstance(message, list) else [message]:
            fields = dict(golden["fields"])
            if pattern == "!contractInfo" and "bks" not in row:
                fields = {key: kind for key, kind in fields.items() if "bks" not in key}
            found = dict(flatten(row))
            assert list(found) == list(fields)
            for key, kind in found.items():
                # JSON writes a ratio of one or zero as an integer.
                assert kind == fields[key] or (kind, fields[key]) == ("integer", "number"), key
