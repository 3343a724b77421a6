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
from openperp.api.endpoint import Endpoint, Security
from openperp.api.endpoints import ENDPOINTS
from openperp.gateway.pages import EXAMPLES

DIALECT = "ztdx"
ALIKE_MAX = 2
"""Rows that a list shows when all of them have the same fields."""

DIGEST = "0123456789abcdef0123456789abcdef"
"""Stands for that of the state, which every change of the engine changes."""


def record() -> dict[str, list[Any]]:
    """Answers of each endpoint by method and path: the first one, and each of another shape."""
    found: dict[str, list[Any]] = {}
    for endpoint in ENDPOINTS:
        name = f"{endpoint.method} {endpoint.path}"
        operates = endpoint.security is Security.OPERATOR
        answers = ask_operator(endpoint) if operates else ask_all(name)
        by_shape: dict[type, Any] = {}
        for answer in answers:
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


def ask_operator(endpoint: Endpoint[Any]) -> Iterator[Answer]:
    """Asks with the first request of its declaration."""
    path = endpoint.path.removeprefix("/operator/v1/")
    if path == "explain":
        yield liquidated().operator(endpoint.method, path, account="alice")
        return
    venue = OfflineVenue(DIALECT)
    if endpoint.method == "POST":
        venue.operator("POST", "accounts", name="demo", deposit="100000")
    (request, *_) = (*endpoint.requests.values(), {})
    fields = {name: value for name, value in request.items() if f"{{{name}}}" not in path}
    yield venue.operator(endpoint.method, path.format(**request), **fields)


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
