"""The user data stream over a real socket: what is heard there is all that a client needs."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.api.streams.mirror import Mirror, compare
from websockets.sync.client import ClientConnection, connect

from openperp.api.dialect import DIALECTS
from openperp.testing import Account, Venue

BATCH = "/fapi/v1/batchOrders"
ALGO = "/fapi/v1/algoOrder"
KEY = "/fapi/v1/listenKey"


class Ear:
    """An account's user data stream, with the state that a client keeps of it."""

    def __init__(self, account: Account, socket: ClientConnection) -> None:
        self.account = account
        self.mirror = Mirror()
        self.socket = socket
        self._leverage = 20

    def next(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.socket.recv(timeout=10))
        return event

    def catch_up(self) -> None:
        """Hears everything up to now: a change of leverage marks the place."""
        self._leverage = 41 - self._leverage
        path, symbol = "/fapi/v1/leverage", "SOLUSDT"
        self.account.post(path, symbol=symbol, leverage=self._leverage)
        mark = {"s": symbol, "l": self._leverage}
        while True:
            event = self.next()
            self.mirror.hear(event)
            if event.get("ac") == mark:
                return


@contextmanager
def listen(venue: Venue, account: Account, tail: str = "") -> Iterator[Ear]:
    listen_key = account.post(KEY)["listenKey"]
    with connect(f"{venue.ws}/private/ws?listenKey={listen_key}{tail}") as socket:
        yield Ear(account, socket)


def poor(venue: Venue, name: str) -> Account:
    """An account that has nothing yet."""
    return venue.account(name, deposit="0")


@pytest.mark.parametrize(
    "dialect",
    [pytest.param(name, marks=pytest.mark.venue(dialect=name)) for name in DIALECTS],
)
def test_what_is_heard_is_what_rest_answers(
    venue: Venue, dialect: str, place: Callable[..., dict[str, Any]]
) -> None:
    alice, bob = poor(venue, "alice"), poor(venue, "bob")
    with listen(venue, alice) as hers, listen(venue, bob) as his:

        def check() -> None:
            for ear in (hers, his):
                ear.catch_up()
                compare(ear.mirror, ear.account, algos=dialect == "binance")

        for name in ("alice", "bob"):
            venue.operator.post(f"accounts/{name}/deposit", asset="USDT", amount="10000")
        check()
        for price in ("60000", "60010"):
            place(bob, side="SELL", price=price)
        place(alice, price="60010", quantity="0.015", takeProfitPrice="65000")
        check()
        stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}
        alice.post(ALGO, algoType="CONDITIONAL", triggerPrice="58000", reduceOnly=True, **stop)
        ids = [place(alice)["orderId"] for _ in range(3)]
        check()
        alice.delete(BATCH, symbol="BTCUSDT", orderIdList=ids[:2])
        place(bob, price="57000", quantity="0.005")
        check()
        venue.price("BTCUSDT", "57500")
        check()
        alice.delete("/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        venue.operator.post("accounts/bob/withdraw", asset="USDT", amount="12.5")
        check()
        assert hers.mirror.trades
        assert hers.mirror.orders == {}


def test_nothing_follows_the_end_of_a_listen_key(
    venue: Venue, place: Callable[..., dict[str, Any]]
) -> None:
    alice = venue.account("alice")
    with listen(venue, alice) as ear:
        place(alice)
        assert ear.next()["o"]["X"] == "NEW"
        venue.advance("59m")
        alice.put(KEY)
        venue.advance("59m")
        place(alice)
        assert ear.next()["o"]["X"] == "NEW"
        venue.advance("1m")
        ended, now_ms = ear.next(), venue.get("/fapi/v1/time")["serverTime"]
        assert (ended["e"], ended["E"]) == ("listenKeyExpired", now_ms)
        place(alice)
        ear.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":7}')
        assert ear.next()["id"] == 7


def test_a_filter_holds(venue: Venue, trade: Callable[..., Any]) -> None:
    alice, bob = venue.account("alice"), venue.account("bob")
    with listen(venue, alice, "&events=ACCOUNT_UPDATE/NONSENSE") as ear:
        trade(alice, bob)
        trade(bob, alice)
        heard = [ear.next() for _ in range(2)]
    assert [event["e"] for event in heard] == ["ACCOUNT_UPDATE"] * 2
    assert [event["a"]["P"][0]["pa"] for event in heard] == ["0.01", "0"]
