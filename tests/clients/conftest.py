"""Venues that real clients talk to: a real clock, as those clients have."""

from typing import Any

import pytest

from openperp.testing import Account, Venue

collect_ignore = ["seed_batch_cancel.py"]  # a program, which asks for its environment
collect_ignore_glob = ["scenarios/*"]  # the same


@pytest.fixture(params=["ztdx", "binance"])
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def resting(venue: Venue) -> tuple[Account, list[int]]:
    """An account with three resting orders: two limits and a stop that waits."""
    alice = venue.account("alice", deposit="10000")
    fields: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01"}
    limit = {**fields, "type": "LIMIT", "timeInForce": "GTC"}
    replies = [
        alice.post("/fapi/v1/order", **limit, price="50000"),
        alice.post("/fapi/v1/order", **limit, price="50001"),
        alice.post("/fapi/v1/order", **fields, type="STOP_MARKET", stopPrice="65000"),
    ]
    return alice, [reply["orderId"] for reply in replies]
