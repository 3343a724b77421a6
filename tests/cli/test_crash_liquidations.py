"""Killed amid a cascade of liquidations, a venue keeps what it told of them."""

import json
import random
import subprocess
import threading
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.cli.conftest import Process

from openperp.testing import Account, VenueError

Start = Callable[..., Process]
Run = Callable[..., subprocess.CompletedProcess[str]]

ENOUGH = 100
"""Answers to somebody who asks for liquidations, before the venue is killed."""
LOSERS = 9
FIELDS = {"symbol": "BTCUSDT", "newOrderRespType": "RESULT"}


class Cascade:
    """Prices that jump, one maker, and those whom each jump ruins; each kind on its own thread.

    What was answered last is kept: `orders` by account and id, `stories` and `forced`
    by account, and in `paid` each deposit.
    """

    def __init__(self, seed: int) -> None:
        self.keys: dict[str, tuple[str, str]] = {}
        self.orders: dict[tuple[str, int], dict[str, Any]] = {}
        self.stories: dict[str, list[Any]] = {}
        self.forced: dict[str, list[Any]] = {}
        self.paid: dict[str, list[str]] = {}
        self._chance = random.Random(seed)
        self._price = 60_000.0

    def live(self, venue: Process) -> None:
        """Trades until the venue is killed, which is when enough was told of liquidations."""
        accounts = self.open_accounts(venue)
        enough = threading.Event()
        told = [0]

        def tell(chance: random.Random) -> None:
            self._read(venue, accounts, chance)
            told[0] += 1
            if told[0] >= ENOUGH:
                enough.set()

        threads = [
            _until_killed(turn, random.Random(self._chance.random()))
            for turn in (
                lambda chance: self._jump(venue, chance),
                lambda chance: self._deposit(venue, chance),
                lambda chance: self._quote(accounts["maker"], chance),
                lambda chance: self._gamble(accounts, chance),
                tell,
            )
        ]
        assert enough.wait(timeout=30)
        venue.kill()
        for thread in threads:
            thread.join(timeout=30)

    def open_accounts(self, venue: Process) -> dict[str, Account]:
        if self.keys:
            return {name: venue.account(name, *keys) for name, keys in self.keys.items()}
        accounts = {"maker": venue.create("maker", "20000")}
        for number in range(LOSERS):
            name = f"loser{number}"
            accounts[name] = venue.create(name, "300")
            accounts[name].post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=100)
            if number % 3 == 0:
                fields = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
                accounts[name].post("/fapi/v1/marginType", **fields)
        for name, account in accounts.items():
            self.keys[name] = (account.api_key, account.api_secret)
            self.paid[name] = []
        return accounts

    def _jump(self, venue: Process, chance: random.Random) -> None:
        moved = self._price * (1 + chance.uniform(-0.03, 0.03))
        self._price = min(75_000.0, max(45_000.0, moved))
        venue.operator.post("price", symbol="BTCUSDT", price=f"{self._price:.1f}")
        if chance.random() < 0.1:
            venue.operator.post("insurance", amount="100")

    def _deposit(self, venue: Process, chance: random.Random) -> None:
        name = f"loser{chance.randrange(LOSERS)}"
        amount = str(100 + len(self.paid[name]))
        venue.operator.post(f"accounts/{name}/deposit", amount=amount)
        self.paid[name].append(amount)

    def _quote(self, maker: Account, chance: random.Random) -> None:
        batch = [
            {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "side": side}
            | {"quantity": "0.4", "price": f"{self._price * factor:.1f}"}
            for side, factor in (("BUY", 0.999), ("SELL", 1.001), ("BUY", 0.99), ("SELL", 1.01))
        ]
        for order in maker.post("/fapi/v1/batchOrders", batchOrders=batch):
            if "orderId" in order:
                self.orders["maker", order["orderId"]] = order
        if chance.random() < 0.3:
            maker.delete("/fapi/v1/allOpenOrders", symbol="BTCUSDT")

    def _gamble(self, accounts: dict[str, Account], chance: random.Random) -> None:
        name = f"loser{chance.randrange(LOSERS)}"
        side, quantity = chance.choice(["BUY", "SELL"]), f"{chance.uniform(0.05, 0.3):.3f}"
        fields = {**FIELDS, "side": side, "type": "MARKET", "quantity": quantity}
        order = accounts[name].post("/fapi/v1/order", **fields)
        self.orders[name, order["orderId"]] = order

    def _read(self, venue: Process, accounts: dict[str, Account], chance: random.Random) -> None:
        name = chance.choice(sorted(accounts))
        self.stories[name] = venue.operator.get(f"explain?account={name}")["liquidations"]
        self.forced[name] = accounts[name].get("/fapi/v1/forceOrders", limit=20)


def _until_killed(turn: Callable[[random.Random], None], chance: random.Random) -> threading.Thread:
    """A thread that goes on after refusals, and ends with the venue."""

    def run() -> None:
        while True:
            try:
                turn(chance)
            except VenueError as error:
                if error.status != 400:
                    raise
            except (OSError, HTTPException):
                return

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def check_answers(cascade: Cascade, venue: Process) -> None:
    """That each answer still holds: what is over stays as it was, and nothing is missing."""
    accounts = cascade.open_accounts(venue)
    for (name, order_id), order in cascade.orders.items():
        found = accounts[name].get("/fapi/v1/order", symbol="BTCUSDT", orderId=order_id)
        assert float(found["executedQty"]) >= float(order["executedQty"])
        assert order["status"] in ("NEW", "PARTIALLY_FILLED", found["status"]), (order, found)
    for name, story in cascade.stories.items():
        steps = [step for row in story for step in row["steps"]]
        row = venue.operator.get(f"explain?account={name}")
        now = [step for row in row["liquidations"] for step in row["steps"]]
        assert len(now) == 500 or now[: len(steps)] == steps
    for name, rows in cascade.forced.items():
        for row in rows:
            time = row["time"]
            fields = {"startTime": time, "endTime": time, "limit": 100}
            assert row in accounts[name].get("/fapi/v1/forceOrders", **fields)
    for name, amounts in cascade.paid.items():
        fields = {"incomeType": "TRANSFER", "limit": 1000}
        moved = [float(row["income"]) for row in accounts[name].get("/fapi/v1/income", **fields)]
        for amount in amounts:
            assert float(amount) in moved


def test_what_was_told_of_liquidations_outlives_kill_9(
    start: Start, openperp: Run, tmp_path: Path
) -> None:
    options = ("--data", str(tmp_path / "data"), "--market", "quiet", "--no-limits")
    cascade = Cascade(seed=1)
    for _ in range(2):
        cascade.live(start(*options))
        report = json.loads(openperp("verify", tmp_path / "data").stdout)
        assert report["invariants"] == "ok"
        venue = start(*options)
        status = venue.operator.get("status")
        assert (status["seq"], status["digest"]) == (report["seq"], report["digest"])
        check_answers(cascade, venue)
        assert venue.stop() == 0
    stories = [row for story in cascade.stories.values() for row in story]
    kinds = {step["step"] for row in stories for step in row["steps"]}
    assert {"started", "ended"} <= kinds
