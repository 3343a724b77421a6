"""What every endpoint answers on a venue with some life in it: examples for the API reference.

`python -m tests.golden.examples` records them; a test holds the file to them. Answers
that are refusals have no example.
"""

import json
from collections.abc import Iterator
from typing import Any

from tests.api import offline
from tests.api.offline import OfflineVenue
from tests.api.trader import Trader, trade
from tests.golden.rest_calls import CALLS, TIMES, Call, Fields, Scene, after_liquidation, play

from openperp.api.dispatch import Answer
from openperp.api.endpoint import Security
from openperp.api.endpoints import ENDPOINTS
from openperp.gateway.pages import EXAMPLES

DIALECT = "ztdx"
ALIKE_MAX = 2
"""Rows that a list shows when all of them have the same fields."""

DIGEST = "0123456789abcdef0123456789abcdef"
"""Stands for that of the state, which every change of the engine changes."""

EXPLAIN = "GET /operator/v1/explain"
OPERATOR: dict[str, dict[str, Any]] = {
    "POST /operator/v1/accounts": {"name": "carol", "deposit": "1000"},
    "POST /operator/v1/accounts/{name}/deposit": {"amount": "100"},
    "POST /operator/v1/accounts/{name}/withdraw": {"amount": "100"},
    "POST /operator/v1/accounts/{name}/keys": {"type": "hmac"},
    "POST /operator/v1/accounts/{name}/fee_tier": {"tier": 1},
    "POST /operator/v1/price": {"symbol": "BTCUSDT", "price": "61000"},
    "POST /operator/v1/instruments": {"symbol": "BTCUSDT", "min_notional": "10"},
    "POST /operator/v1/assets": {"asset": "ETH", "index": "3000", "bid_buffer": "0.1"},
    "POST /operator/v1/clock": {"mode": "virtual"},
    "POST /operator/v1/insurance": {"amount": "1000"},
    EXPLAIN: {"account": "alice"},
    "POST /operator/v1/mode": {"mode": "normal"},
}


def record() -> dict[str, list[Any]]:
    """Answers of each endpoint by method and path: the first one, and each of another shape."""
    found: dict[str, list[Any]] = {}
    for endpoint in ENDPOINTS:
        name = f"{endpoint.method} {endpoint.path}"
        ask = ask_operator if endpoint.security is Security.OPERATOR else ask_all
        by_shape: dict[type, Any] = {}
        for answer in ask(name):
            if answer.status == 200:
                body = shorten(read(answer))
                by_shape.setdefault(type(body), body)
        found[name] = list(by_shape.values())
    return found


def ask_all(name: str) -> Iterator[Answer]:
    method, path = name.split(" ")
    scene = play(DIALECT)
    for call in CALLS[name] if name in CALLS else [BESIDE.get(name, {})]:
        fields = call(scene) if callable(call) else call
        yield scene.alice.send(method, path, **(fields or {}))


def trade_file(scene: Scene) -> Fields:
    return {"id": scene.alice.get("/fapi/v1/trade/asyn", **TIMES)["downloadId"]}


BESIDE: dict[str, Call] = {"GET /downloads": trade_file}
"""What calls outside fapi are made with."""


def liquidated() -> OfflineVenue:
    """A venue in which alice was liquidated and holds something again."""
    scene = play(DIALECT)
    after_liquidation(scene)
    venue = scene.alice.venue
    venue.operator("POST", "accounts/alice/deposit", amount="1000")
    trade(scene.alice, Trader(venue, "bob"))
    return venue


def ask_operator(name: str) -> Iterator[Answer]:
    method, path = name.split(" ")
    venue = liquidated() if name == EXPLAIN else OfflineVenue(DIALECT)
    path = path.replace("{name}", "alice").removeprefix("/operator/v1/")
    yield venue.operator(method, path, **OPERATOR.get(name, {}))


def read(answer: Answer) -> Any:
    if (b"content-type", b"application/json") in answer.headers:
        return json.loads(answer.body)
    return answer.body.decode()


def shorten(value: Any) -> Any:
    """Long lists of like rows lose their middle, since two rows tell what all look like."""
    if isinstance(value, dict):
        return {
            name: DIGEST if name == "digest" else shorten(member) for name, member in value.items()
        }
    if isinstance(value, list):
        fields = {tuple(element) if isinstance(element, dict) else "" for element in value}
        rows = value[:ALIKE_MAX] if len(fields) == 1 and len(value) > ALIKE_MAX else value
        return [shorten(row) for row in rows]
    return value


def text() -> str:
    return json.dumps(record(), indent=1) + "\n"


def main() -> None:
    EXAMPLES.write_text(text(), encoding="utf-8")
    while offline.OPEN:
        offline.OPEN.pop().close()


if __name__ == "__main__":
    main()
