"""The WebSocket API over a real socket, method by method."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import pytest
from tests.contract.standing import standing
from tests.contract.test_keys import KINDS, pair
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from openperp.api.dialect import DIALECTS
from openperp.testing import Account, Venue

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000",
    "quantity": "0.01",
}
STOP = {"symbol": "BTCUSDT", "side": "BUY", "type": "STOP_MARKET", "quantity": "0.01"}
ALGO = {"algoType": "CONDITIONAL", **STOP, "triggerPrice": "65000"}

in_each_dialect = pytest.mark.parametrize(
    "dialect",
    [pytest.param(name, marks=pytest.mark.venue(dialect=name)) for name in DIALECTS],
)


class Line:
    """One connection of an account; ids count up."""

    def __init__(self, venue: Venue, account: Account, socket: ClientConnection) -> None:
        self.venue = venue
        self.account = account
        self.socket = socket
        self._last_id = 0

    def send(self, text: str) -> dict[str, Any]:
        self.socket.send(text)
        answer: dict[str, Any] = json.loads(self.socket.recv(timeout=10))
        return answer

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request that nobody signs."""
        self._last_id += 1
        answer = self.send(json.dumps({"id": self._last_id, "method": method, "params": params}))
        assert answer["id"] == self._last_id
        return answer

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request that is stamped and signed."""
        params = {"apiKey": self.account.api_key, "timestamp": self.venue.now_ms(), **params}
        text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        return self.ask(method, **params, signature=unquote(self.account.sign(text)))

    def result(self, method: str, **params: Any) -> Any:
        answer = self.call(method, **params)
        assert answer["status"] == 200, answer
        return answer["result"]


@contextmanager
def open_line(venue: Venue, account: Account | None = None, query: str = "") -> Iterator[Line]:
    with connect(f"{venue.ws_api}{query}", compression=None) as socket:
        yield Line(venue, account or venue.demo, socket)


@in_each_dialect
def test_orders(venue: Venue, dialect: str) -> None:
    with open_line(venue) as line:
        order = line.result("order.place", **LIMIT, newClientOrderId="mine")
        assert ("cumQuote" in order) == (dialect == "ztdx")
        ids = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
        assert venue.demo.get("/fapi/v1/order", **ids) == line.result("order.status", **ids)
        canceled = line.result("order.cancel", symbol="BTCUSDT", origClientOrderId="mine")
        assert canceled["status"] == "CANCELED"
        assert line.call("order.cancel", **ids)["error"]["code"] == -2011
        assert venue.demo.get("/fapi/v1/openOrders") == []


@in_each_dialect
def test_an_order_is_amended(venue: Venue, dialect: str) -> None:
    assert dialect in DIALECTS
    with open_line(venue) as line:
        ids = {"symbol": "BTCUSDT", "orderId": line.result("order.place", **LIMIT)["orderId"]}
        line.result("order.modify", **ids, side="BUY", price="50001", quantity="0.02")
        found = venue.demo.get("/fapi/v1/order", **ids)
        assert (float(found["price"]), float(found["origQty"])) == (50001, 0.02)


@in_each_dialect
def test_algo_orders(venue: Venue, dialect: str) -> None:
    with open_line(venue) as line:
        order = line.result("algoOrder.place", **ALGO)
        assert venue.demo.get("/fapi/v1/openAlgoOrders")[0]["algoId"] == order["algoId"]
        canceled = line.result("algoOrder.cancel", algoId=order["algoId"])
        assert (canceled["code"], canceled["algoId"]) == ("200", order["algoId"])
        stop = line.call("order.place", **STOP, stopPrice="65000")
        assert ("error" in stop) == (dialect == "binance")


@in_each_dialect
def test_accounts_are_those_of_rest(venue: Venue, dialect: str) -> None:
    assert dialect in DIALECTS
    with open_line(venue) as line:
        line.result("order.place", **LIMIT)
        for method, path in (
            ("account.balance", "/fapi/v2/balance"),
            ("v2/account.balance", "/fapi/v3/balance"),
            ("account.status", "/fapi/v2/account"),
            ("v2/account.status", "/fapi/v3/account"),
            ("account.position", "/fapi/v2/positionRisk"),
            ("v2/account.position", "/fapi/v3/positionRisk"),
        ):
            assert line.result(method) == venue.demo.get(path), method


@in_each_dialect
def test_market_data_is_that_of_rest(venue: Venue, dialect: str) -> None:
    assert dialect in DIALECTS
    with open_line(venue) as line:
        line.result("order.place", **LIMIT)
        for method, path in (
            ("depth", "/fapi/v1/depth"),
            ("ticker.book", "/fapi/v1/ticker/bookTicker"),
            ("ticker.price", "/fapi/v2/ticker/price"),
        ):
            answer = line.ask(method, symbol="BTCUSDT")
            assert answer["result"] == venue.get(f"{path}?symbol=BTCUSDT"), method
        for method, path in (
            ("ticker.book", "/fapi/v1/ticker/bookTicker"),
            ("ticker.price", "/fapi/v2/ticker/price"),
        ):
            assert line.ask(method)["result"] == venue.get(path), method


def test_a_listen_key_by_methods_is_the_one_of_rest(venue: Venue) -> None:
    with open_line(venue) as line:
        key = {"apiKey": venue.demo.api_key}
        listen_key = line.ask("userDataStream.start", **key)["result"]["listenKey"]
        assert venue.demo.post("/fapi/v1/listenKey")["listenKey"] == listen_key
        with connect(f"{venue.ws}/private/ws/{listen_key}") as ear:
            line.result("order.place", **LIMIT)
            assert json.loads(ear.recv(timeout=10))["e"] == "ORDER_TRADE_UPDATE"
        assert line.ask("userDataStream.ping", **key)["result"]["listenKey"] == listen_key
        assert line.ask("userDataStream.stop", **key)["result"] == {}
        assert line.ask("userDataStream.ping", **key)["error"]["code"] == -1125


@in_each_dialect
def test_a_session(venue: Venue, dialect: str) -> None:
    assert dialect in DIALECTS
    account = pair(venue, "ed25519")
    with open_line(venue, account) as line, open_line(venue, account) as other:
        assert line.ask("session.status")["result"]["apiKey"] is None
        assert line.result("session.logon")["apiKey"] == account.api_key
        stamp = {"timestamp": venue.now_ms()}
        assert line.ask("order.place", **LIMIT, **stamp)["result"]["status"] == "NEW"
        assert other.ask("account.balance", **stamp)["error"]["code"] == -1102
        assert line.ask("session.logout")["result"]["apiKey"] is None
        assert line.ask("account.balance", **stamp)["error"]["code"] == -1102
        assert len(venue.demo.get("/fapi/v1/openOrders")) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_signs(venue: Venue, kind: str) -> None:
    with open_line(venue, pair(venue, kind)) as line:
        assert line.result("account.balance")[0]["asset"] == "USDT"


def test_a_handshake_weighs_five(venue: Venue) -> None:
    with open_line(venue) as line:
        assert line.ask("session.status")["rateLimits"][0]["count"] == 5 + 2


def test_weights_are_counted_with_those_of_rest(venue: Venue) -> None:
    with open_line(venue) as line:
        ping = venue.wire.send("GET", "/fapi/v1/ping")
        used = int(ping.headers["x-mbx-used-weight-1m"])
        answer = line.ask("depth", symbol="BTCUSDT", limit=5)
        assert answer["rateLimits"][0]["count"] == used + 2
        orders = line.call("order.place", **LIMIT)["rateLimits"][1:]
        assert [(row["intervalNum"], row["interval"], row["count"]) for row in orders] == [
            (10, "SECOND", 1),
            (1, "MINUTE", 1),
        ]
    with open_line(venue, query="?returnRateLimits=false") as line:
        assert "rateLimits" not in line.ask("ticker.price")
        assert "rateLimits" in line.ask("ticker.price", returnRateLimits=True)


def test_a_handshake_that_is_refused(venue: Venue) -> None:
    with pytest.raises(InvalidStatus) as refused, open_line(venue, query="?returnRateLimits=x"):
        pass
    assert refused.value.response.status_code == 400


def test_answers_come_as_they_are_known(venue: Venue) -> None:
    """Many requests at once: each is answered, whatever the order."""
    with open_line(venue) as line:
        count = 200
        for number in range(count):
            params = {**LIMIT, "apiKey": venue.demo.api_key, "timestamp": venue.now_ms()}
            text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
            params["signature"] = venue.demo.sign(text)
            message = {"id": f"n{number}", "method": "order.place", "params": params}
            line.socket.send(json.dumps(message))
        answers = [json.loads(line.socket.recv(timeout=10)) for _ in range(count)]
        assert {answer["id"] for answer in answers} == {f"n{number}" for number in range(count)}
        assert {answer["status"] for answer in answers} == {200}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", -1130),
        ("{", -1130),
        ("[1]", -1130),
        ('{"id":1,"method":"nope"}', -5000),
        ('{"id":1,"method":"order.place"}', -1102),
        ('{"id":1,"method":"order.place","params":[]}', -1130),
        ('{"id":1,"id":1,"method":"depth","params":{"symbol":"BTCUSDT"}}', -1101),
        ('{"method":"depth","params":{"symbol":"BTCUSDT"}}', -1102),
        ('{"id":{},"method":"depth"}', -1130),
        ("[" * 60_000, -1130),
        ('{"id":1,"method":"depth","params":{"symbol":"' + "x" * 60_000 + '"}}', -1130),
    ],
)
def test_bad_requests_do_nothing_and_end_nothing(venue: Venue, text: str, code: int) -> None:
    before = standing(venue)
    with open_line(venue) as line:
        answer = line.send(text)
        assert (answer["status"], answer["error"]["code"]) == (400, code)
        assert line.ask("ticker.price")["status"] == 200
    assert standing(venue) == before
