"""What every endpoint asks of its caller, against the inventory: security, weight, order count.

`rest_terms.json` has these facts of Binance's documentation; where weights go by the
limit it gives them at the ends of each step.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.api.offline import header
from tests.golden.rest_calls import CALLS, play
from tests.golden.test_rest import DECLARED, SAME_AS

TERMS: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("rest_terms.json").read_text(encoding="utf-8")
)
OPEN_TO_ALL = {
    "GET /futures/data/topLongShortAccountRatio",
    "GET /futures/data/topLongShortPositionRatio",
}
"""A key is asked for by the latest documents alone, and clients send none."""

UNDOCUMENTED = {"POST /fapi/v1/order/test": 0}
"""Weights that Binance does not tell: checking an order costs what placing it does."""


@pytest.mark.parametrize("name", DECLARED)
def test_security_and_pool(name: str) -> None:
    endpoint, terms = DECLARED[name], TERMS[SAME_AS.get(name, name)]
    security = "NONE" if name in OPEN_TO_ALL else terms["security"]
    assert endpoint.security.name == security
    pool = endpoint.pool and [endpoint.pool.limit, endpoint.pool.span_ms // 60_000]
    assert pool == terms.get("pool")


def weights(name: str) -> list[tuple[dict[str, Any], int]]:
    """What to send beside the parameters of a call, and what that weighs."""
    terms = TERMS[SAME_AS.get(name, name)]
    weight: Any = terms.get("weight", UNDOCUMENTED.get(name))
    if isinstance(weight, int):
        return [({}, weight)]
    if "limit" in weight:
        return [({"limit": limit}, cost) for limit, cost in weight["limit"].items()]
    symbol = "USDTUSD" if name.endswith("assetIndex") else "BTCUSDT"
    return [({"symbol": symbol}, weight["symbol"]), ({"symbol": None}, weight["all"])]


@pytest.mark.parametrize("name", DECLARED)
def test_what_a_call_is_charged(name: str) -> None:
    """As the headers of the answer say it, whatever else the answer says."""
    method, path = name.split(" ")
    orders = TERMS[SAME_AS.get(name, name)].get("orders")
    for beside, weight in weights(name):
        scene = play("ztdx")
        first = CALLS[name][0]
        fields = {**((first(scene) if callable(first) else first) or {}), **beside}
        scene.alice.venue.view.limits.clear()
        answer = scene.alice.send(method, path, **fields)
        assert header(answer, "x-mbx-used-weight-1m") == str(weight), fields
        counts = [header(answer, f"x-mbx-order-count-{span}") for span in ("10s", "1m")]
        assert counts == (list(map(str, orders)) if orders else [None, None])
