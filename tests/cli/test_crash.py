"""Killed at any moment, a venue loses nothing that it had answered."""

import json
import random
import subprocess
import threading
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from openperp.testing import Account

Start = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]

TRADERS = 3
LATER = {
    "NEW": {"NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED"},
    "PARTIALLY_FILLED": {"PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED"},
    "FILLED": {"FILLED"},
    "CANCELED": {"CANCELED"},
    "EXPIRED": {"EXPIRED"},
}
"""The statuses that an order may be found with, by the one that was answered last."""


class Trader(threading.Thread):
    """Places and cancels until the venue is gone, and remembers every answer."""

    def __init__(self, account: Account, seed: int, enough: threading.Event, target: int) -> None:
        super().__init__()
        self.account = account
        self.answered: dict[int, dict[str, Any]] = {}
        self._random = random.Random(seed)
        self._enough = enough
        self._target = target
        self._answers = 0

    def run(self) -> None:
        try:
            while True:
                if self._random.random() < 0.6 or not self.answered:
                    self._place()
                else:
                    self._cancel()
        except (OSError, HTTPException):
            pass  # the venue was killed

    def _place(self) -> None:
        side = self._random.choice(["BUY", "SELL"])
        fields = {"symbol": "SOLUSDT", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
        price = str(148 + self._random.randrange(4))
        self._remember(self.account.post("/fapi/v1/order", **fields, side=side, price=price))

    def _cancel(self) -> None:
        ids = self._random.sample(sorted(self.answered), min(3, len(self.answered)))
        path = "/fapi/v1/batchOrders"
        for entry in self.account.delete(path, symbol="SOLUSDT", orderIdList=ids):
            self._remember(entry)

    def _remember(self, order: dict[str, Any]) -> None:
        self.answered[order["orderId"]] = order
        self._answers += 1
        if self._answers >= self._target:
            self._enough.set()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_answered_is_found_after_kill_9(
    start: Start, openperp: Run, tmp_path: Path, seed: int
) -> None:
    options = ("--data", str(tmp_path / "data"), "--market", "quiet", "--no-limits")
    chance = random.Random(seed)
    answered: dict[str, dict[int, dict[str, Any]]] = {}
    keys: dict[str, tuple[str, str]] = {}
    for life in range(2):
        venue = start(*options)
        enough = threading.Event()
        traders = []
        for number in range(TRADERS):
            name = f"trader{number}"
            account = venue.account(name, *keys[name]) if life else venue.create(name, "1000000")
            keys[name] = (account.api_key, account.api_secret)
            target = chance.randrange(20, 120)
            traders.append(Trader(account, chance.randrange(2**32), enough, target))
        for trader in traders:
            trader.start()
        assert enough.wait(timeout=20)
        venue.kill()
        for trader in traders:
            trader.join(timeout=20)
            answered.setdefault(trader.account.name, {}).update(trader.answered)

    report = json.loads(openperp("verify", tmp_path / "data").stdout)
    assert report["invariants"] == "ok"
    venue = start(*options)
    status = venue.operator.get("status")
    assert (status["seq"], status["digest"]) == (report["seq"], report["digest"])
    for name, orders in answered.items():
        assert orders
        account = venue.account(name, *keys[name])
        for order_id, order in orders.items():
            found = account.get("/fapi/v1/order", symbol="SOLUSDT", orderId=order_id)
            assert found["status"] in LATER[order["status"]], (order, found)
            assert float(found["executedQty"]) >= float(order["executedQty"])
            for field in ("clientOrderId", "side", "price", "origQty", "type"):
                assert found[field] == order[field]
    assert venue.stop() == 0
