"""Whatever an operator sends: never a fault of the venue's own, and a refusal changes nothing."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.standing import standing

from openperp.testing import Venue

ROUNDS = 60
"""Requests for each call."""

CALLS: dict[str, dict[str, Any]] = {
    "accounts": {"name": "zoe", "deposit": "100"},
    "accounts/demo/deposit": {"asset": "USDT", "amount": "1"},
    "accounts/demo/withdraw": {"asset": "USDT", "amount": "1"},
    "accounts/demo/keys": {"type": "hmac", "permissions": ["read"], "ips": ["127.0.0.1"]},
    "price": {"symbol": "BTCUSDT", "price": "60000", "last": False},
    "instruments": {
        "symbol": "DOGEUSDT",
        "tick": "0.0001",
        "lot": "1",
        "price": "0.25",
        "base": "DOGE",
        "quote": "USDT",
        "price_decimals": 4,
        "quantity_decimals": 0,
        "min_price": "0.0001",
        "max_price": "100",
        "min_quantity": "1",
        "max_quantity": "100000",
        "market_max_quantity": "1000",
        "min_notional": "5",
        "max_orders": 200,
        "maker_fee": "0.0002",
        "taker_fee": "0.0005",
        "leverage": 20,
        "brackets": [{"leverage": 20, "cap": "100000", "rate": "0.01"}],
    },
    "clock": {"advance_ms": 1},
    "mode": {"mode": "normal", "symbol": "BTCUSDT"},
}
VALUES: list[Any] = [
    *(None, True, False, "", " ", [], {}, [[]], [{}], {"a": 1}, [None], 0, -1, 1, 1.5, -0.0),
    *(10**30, -(10**30), 2**63, 2**62, 1e308, 1e-308, "1e-999999", "1e999999", "1e5", "0_0.1"),
    *("NaN", "-Infinity", "0x10", "\u0661", "\uff11", "-0", "+1", ".", "0." + "0" * 30 + "1"),
    *("9" * 30, "9" * 5_000, "x" * 100_000, "a\x00b", "a\nb", "\ud800", "\u017f", "../..", "%s"),
    *("BTCUSDT", "BTCU\u017fDT", "btcusdt", "USDC", "demo", "{name}", "::1", "0.1"),
    *(["read"] * 50, [["read"]], [1], {"leverage": 200_000_000, "cap": 1, "rate": 0.1}),
    *([{"leverage": 20, "cap": 2**62, "rate": "0.1"}], [{"leverage": 1, "cap": 5, "rate": 1}]),
]
BODIES = [b"", b" ", b"null", b"[]", b'""', b"{", b"{}", b"\xff", b"{" * 5_000, b"name=zoe", b"1"]


def bodies(fields: dict[str, Any], chance: random.Random) -> Iterator[bytes]:
    """The call's own fields, each time with some of them spoiled, and now and then no JSON."""
    for _ in range(ROUNDS):
        if chance.random() < 0.1:
            yield chance.choice(BODIES)
            continue
        spoiled = dict(fields)
        for name in chance.sample(sorted(fields), min(len(fields), chance.randint(1, 2))):
            spoiled[name] = chance.choice(VALUES)
            if chance.random() < 0.2:
                del spoiled[name]
        if chance.random() < 0.1:
            spoiled[chance.choice(["wat", "", "NAME", "x" * 200])] = chance.choice(VALUES)
        yield json.dumps(spoiled).encode()


@pytest.mark.parametrize("path", CALLS)
def test_whatever_an_operator_sends_is_answered(venue: Venue, path: str) -> None:
    chance = random.Random(path)
    headers = {"Authorization": f"Bearer {venue.operator_token}"}
    before = standing(venue)
    for body in bodies(CALLS[path], chance):
        answer = venue.request("POST", f"/operator/v1/{path}", headers, body)
        assert answer.status < 500, (body[:300], answer)
        reply = answer.json()
        after = standing(venue)
        if answer.status != 200:
            assert reply["code"] < 0
            assert reply["msg"]
            assert after == before, body[:300]
        before = after
        assert after["status"]["invariants"] == "ok"


def test_most_bodies_are_refused_and_some_are_not(venue: Venue) -> None:
    """The fuzzing above reaches both ways."""
    headers = {"Authorization": f"Bearer {venue.operator_token}"}
    chance = random.Random(1)
    statuses = [
        venue.request("POST", "/operator/v1/accounts/demo/deposit", headers, body).status
        for body in bodies(CALLS["accounts/demo/deposit"], chance)
    ]
    assert {200, 400} <= set(statuses)
