"""A local book built over a real socket, by the documented procedure, is the venue's."""

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from tests.api.streams.local_book import LocalBook
from websockets.sync.client import ClientConnection, connect

from openperp.testing import Account, Venue

REQUESTS = 250
NAMES = ("btcusdt@depth@100ms", "btcusdt@depth", "btcusdt@depth@500ms")


class RemoteBook:
    """One connection with one stream, and the book that comes of it."""

    def __init__(self, socket: ClientConnection, name: str) -> None:
        self.name = name
        self.book = LocalBook()
        self._socket = socket
        self._last_id = 0

    def catch_up(self, until_id: int) -> None:
        """Reads updates up to the one behind which `until_id` comes next."""
        while self._last_id + 1 < until_id:
            update = json.loads(self._socket.recv(timeout=10))
            assert update["e"] == "depthUpdate"
            self._last_id = update["u"]
            self.book.hear(update)


@contextmanager
def follow(venue: Venue, name: str) -> Iterator[RemoteBook]:
    with connect(f"{venue.ws}/public/ws/{name}", compression=None) as socket:
        yield RemoteBook(socket, name)


def snapshot(venue: Venue) -> dict[str, Any]:
    book: dict[str, Any] = venue.get("/fapi/v1/depth", symbol="BTCUSDT", limit=1000)
    return book


def act(traders: list[Account], dice: random.Random, resting: list[tuple[Account, int]]) -> None:
    """One request: an order near 60000, one that takes, or a cancel of a few."""
    trader = dice.choice(traders)
    if resting and dice.random() < 0.25:
        owner, order_id = resting.pop(dice.randrange(len(resting)))
        owner.delete("/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=[order_id])
        return
    side = dice.choice(["BUY", "SELL"])
    away = dice.randint(-20, 50) * (1 if side == "SELL" else -1)
    order = trader.post(
        "/fapi/v1/order",
        symbol="BTCUSDT",
        side=side,
        type="LIMIT",
        timeInForce=dice.choice(["GTC", "GTC", "GTC", "IOC"]),
        quantity=f"0.0{dice.randint(10, 50)}",
        price=60_000 + away,
    )
    if order["status"] in {"NEW", "PARTIALLY_FILLED"}:
        resting.append((trader, order["orderId"]))


@pytest.mark.parametrize(
    "clock",
    [
        pytest.param(clock, marks=pytest.mark.venue(clock=clock, limits=False))
        for clock in ("virtual", "real")
    ],
)
def test_local_books_over_sockets(venue: Venue, clock: str) -> None:
    del clock
    traders = [venue.account(name, deposit="10000000") for name in ("alice", "bob")]
    dice = random.Random(7)
    resting: list[tuple[Account, int]] = []
    with ExitStack() as connections:
        books = [connections.enter_context(follow(venue, name)) for name in NAMES]
        for number in range(REQUESTS):
            act(traders, dice, resting)
            if number == REQUESTS // 4:
                for remote in books:
                    remote.book.load(snapshot(venue))
            if number == REQUESTS // 3:
                # A listener that comes late shares the stream with the first one.
                books += [connections.enter_context(follow(venue, name)) for name in NAMES]
            if number == REQUESTS // 2:
                venue.reset()
                resting.clear()
            if number == REQUESTS * 3 // 4:
                for remote in books[len(NAMES) :]:
                    remote.book.load(snapshot(venue))
        truth = snapshot(venue)
        assert truth["bids"]
        assert truth["asks"]
        for remote in books:
            remote.catch_up(truth["lastUpdateId"])
            assert remote.book.updates, remote.name
            assert remote.book.levels == {side: dict(truth[side]) for side in ("bids", "asks")}
