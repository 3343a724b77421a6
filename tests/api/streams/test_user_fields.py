"""Every user event, field by field: the keys and types that its inventory names, no others."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.offline import START_MS
from tests.api.streams.listener import Event, HeardVenue, Listener
from tests.api.trader import ALGO, trade

from openperp.api.dialect import DIALECTS
from openperp.api.streams.user_events import USER_EVENTS, expired_payload
from openperp.engine.commands import Deposit, SetPrice, Withdraw
from openperp.engine.numbers import MONEY_ONE

FIELDS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "user_event_fields.json").read_text(encoding="utf-8")
)
TYPES = {"string": str, "integer": int, "boolean": bool}
COMMISSION = {"o.N", "o.n"}
TRAILING = {"o.AP", "o.cr"}
AMENDED = {"o.M"}


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, type]]:
    """The leaves of an event: path and type. An empty list is a leaf of its own."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flatten(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        if not value:
            yield f"{path}[]", list
        for inner in value:
            yield from flatten(inner, f"{path}[]")
    else:
        yield path, type(value)


def check(event: Event, absent: set[str], empty: str = "") -> None:
    """`absent` keys are not there; the list `empty` is there, without rows."""
    expected = {
        key: TYPES[kind]
        for key, kind in FIELDS[event["e"]].items()
        if key not in absent and not (empty and key.startswith(empty))
    }
    if empty:
        expected[empty] = list
    assert dict(flatten(event)) == expected


def listener(dialect: str = "ztdx") -> Listener:
    return Listener(HeardVenue(dialect))


def named(trader: Listener, name: str) -> list[Event]:
    return [event for event in trader.hear() if event["e"] == name]


def test_the_inventory_and_the_names_agree() -> None:
    assert set(FIELDS) == USER_EVENTS


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_new_order(dialect: str) -> None:
    alice = listener(dialect)
    alice.limit()
    (event,) = named(alice, "ORDER_TRADE_UPDATE")
    check(event, COMMISSION | TRAILING | AMENDED)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("side", ["maker", "taker"])
def test_a_fill(dialect: str, side: str) -> None:
    alice = listener(dialect)
    bob = Listener(alice.ears, "bob")
    trade(bob, alice) if side == "maker" else trade(alice, bob)
    *_, lite, account, update = alice.hear()
    check(lite, set())
    check(account, {"a.S"})
    check(update, TRAILING | AMENDED)


def test_a_trailing_order() -> None:
    alice = listener()
    place_trailing(alice)
    for event in named(alice, "ORDER_TRADE_UPDATE"):
        check(event, COMMISSION | AMENDED)


def place_trailing(trader: Listener) -> None:
    trader.post(
        ALGO,
        algoType="CONDITIONAL",
        symbol="BTCUSDT",
        side="SELL",
        type="TRAILING_STOP_MARKET",
        quantity="0.01",
        callbackRate="1",
        activatePrice="61000",
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_algo_order(dialect: str) -> None:
    alice = listener(dialect)
    place_trailing(alice)
    (event,) = named(alice, "ALGO_UPDATE")
    check(event, set())
    assert event["o"]["ia"] is False


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_algo_order_that_does_not_trail(dialect: str) -> None:
    alice = listener(dialect)
    place_stop(alice)
    alice.venue.price("BTCUSDT", 650_000)
    new, triggering, triggered, finished = named(alice, "ALGO_UPDATE")
    for event in (new, triggering, triggered, finished):
        check(event, {"o.ia"})
    assert [event["o"]["ai"] for event in (new, triggering, triggered)] == ["", "", "1"]
    assert [event["o"]["act"] for event in (triggering, triggered)] == ["", "MARKET"]


def place_stop(trader: Listener) -> None:
    trader.post(
        ALGO,
        algoType="CONDITIONAL",
        symbol="BTCUSDT",
        side="BUY",
        type="STOP_MARKET",
        quantity="0.01",
        triggerPrice="65000",
    )


@pytest.mark.parametrize(
    ("command", "reason", "change"),
    [(Deposit, "DEPOSIT", "5.00000000"), (Withdraw, "WITHDRAW", "-5.00000000")],
)
def test_a_transfer(command: Callable[..., Any], reason: str, change: str) -> None:
    alice = listener()
    alice.venue.apply(command("alice", "USDT", 5 * MONEY_ONE))
    (event,) = alice.hear()
    check(event, {"a.S"}, empty="a.P[]")
    assert event["a"]["m"] == reason
    assert event["a"]["B"][0]["bc"] == change


def test_a_change_of_leverage() -> None:
    alice = listener()
    alice.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
    (event,) = alice.hear()
    check(event, {"ai.j"})
    assert event["ac"] == {"s": "BTCUSDT", "l": 7}


def test_a_change_of_the_assets_mode() -> None:
    alice = listener()
    alice.post("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")
    (event,) = alice.hear()
    check(event, {"ac.s", "ac.l"})


def test_a_margin_call() -> None:
    alice = listener()
    bob = Listener(alice.ears, "bob")
    trade(alice, bob, quantity="3")
    alice.hear()
    alice.venue.apply(SetPrice("BTCUSDT", 569_500))
    (event,) = alice.hear()
    check(event, set())
    assert [row["s"] for row in event["p"]] == ["BTCUSDT"]


def test_the_end_of_a_listen_key() -> None:
    event = json.loads(expired_payload("k" * 64, START_MS))
    check(event, set())
    assert event == {"e": "listenKeyExpired", "E": START_MS, "listenKey": "k" * 64}
