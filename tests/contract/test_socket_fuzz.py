"""Whatever sockets are sent while a venue liquidates: a documented answer, and peace for others."""

import json
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.contract.test_operator_fuzz import VALUES as OPERATOR_VALUES
from tests.contract.test_ws_api import ALGO, LIMIT, Line, open_line
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from openperp.api.errors import MESSAGES
from openperp.testing import Account, Venue, VenueError

ROUNDS = 400
"""Requests of the WebSocket API, or messages to streams, in each test."""

VALUES = [each for each in OPERATOR_VALUES if len(str(each)) < 10_000]
"""A message has at most 64 KiB."""

LATER_MS = 1_767_225_600_000 + 7 * 86_400_000
STOP = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "algoType": "CONDITIONAL"}
METHODS: list[tuple[str, dict[str, Any]]] = [
    ("order.place", LIMIT),
    ("order.place", {**LIMIT, "timeInForce": "GTD", "goodTillDate": LATER_MS}),
    ("order.place", {**LIMIT, "selfTradePreventionMode": "EXPIRE_BOTH", "price": "60000"}),
    ("order.place", {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.1"}),
    ("order.place", {**LIMIT, "price": None, "priceMatch": "QUEUE_5"}),
    ("order.place", {**LIMIT, "reduceOnly": "true", "side": "SELL", "price": "70000"}),
    ("order.place", {**LIMIT, "takeProfitPrice": "66000", "stopLossPrice": "45000"}),
    ("order.modify", {"symbol": "BTCUSDT", "orderId": 1, "side": "BUY", "price": "50001"}),
    ("order.modify", {**LIMIT, "orderId": 5, "priceMatch": "OPPONENT"}),
    ("order.cancel", {"symbol": "BTCUSDT", "orderId": 1}),
    ("order.cancel", {"symbol": "BTCUSDT", "origClientOrderId": "autoclose-1"}),
    ("order.status", {"symbol": "BTCUSDT", "orderId": 1, "origClientOrderId": "mine"}),
    ("algoOrder.place", ALGO),
    ("algoOrder.place", {**STOP, "type": "TRAILING_STOP_MARKET", "callbackRate": "1"}),
    ("algoOrder.place", {**STOP, "type": "TAKE_PROFIT", "triggerPrice": "66000", "price": "66100"}),
    ("algoOrder.place", {**STOP, "type": "STOP_MARKET", "triggerPrice": "50000", "quantity": None}),
    ("algoOrder.cancel", {"algoId": 1, "clientAlgoId": "mine"}),
    ("account.balance", {}),
    ("v2/account.balance", {}),
    ("account.status", {"recvWindow": 5000}),
    ("v2/account.status", {"recvWindow": 5000}),
    ("account.position", {"symbol": "BTCUSDT"}),
    ("v2/account.position", {"symbol": "BTCUSDT"}),
    ("depth", {"symbol": "BTCUSDT", "limit": 5}),
    ("ticker.price", {"symbol": "BTCUSDT"}),
    ("userDataStream.start", {}),
    ("userDataStream.ping", {}),
    ("session.status", {}),
]
STREAMS = [
    *("!forceOrder@arr", "btcusdt@forceOrder", "BTCUSDT@FORCEORDER", "@forceOrder", "!@arr"),
    *("btcusdt@depth5@100ms", "btcusdt@depth", "!markPrice@arr@1s", "btcusdt@markPrice@1s"),
    *("!assetIndex@arr", "usdcusd@assetIndex", "btcusdt@kline_1m", "!contractInfo", "!ticker@arr"),
    *("x" * 128, "x" * 129, "\u017f@forceOrder", "btcu\u017fdt@forceOrder", "\ud800", "a\x00b"),
]
CONTROLS = ["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"]
DEEP = b'{"id":1,"method":"order.place","params":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001
TEXTS = [
    *(b"", b" ", b"null", b"[]", b'""', b"{", b"{}", b"1e999", b"[" * 60_000, DEEP),
    *(b'{"id":1,"id":2,"method":"order.place","method":"ping","params":{}}',),
    *(b'{"id":{"a":[]},"method":"SUBSCRIBE","params":["!forceOrder@arr"]}',),
    *(b'{"id":' + b"9" * 5_000 + b',"method":"account.status","params":{}}',),
    *(b'{"method":"SUBSCRIBE","params":["btcusdt@forceOrder","!forceOrder@arr"]}',),
    *(b'{"method":"\\ud800","params":null,"id":"\\ud800"}', b"x" * 60_000, "\u00e9".encode()),
]
FRAMES = [
    *(b"\x81", b"\x81\xfe", b"\x81\x85abcd", b"\x81\xff" + b"\x7f" * 8, b"\x01\x81aaaab" * 5),
    *(
        b"\x80\x80aaaa",
        b"\x89\xfe\x00\x7faaaa",
        b"\x88\x81aaaax",
        b"\xf1\x80aaaa",
        b"\x81\x05hello",
    ),
    *(b"\x81\x82aaaa\xff\xfe", b"\x82\x80aaaa", b"\x01\x80aaaa" * 70, b"\x81\x80aaaa" * 3),
]
HANDSHAKE = (
    "GET {} HTTP/1.1\r\nHost: venue\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Market:
    """An operator who does not stand still, and those who pay for it."""

    def __init__(self, venue: Venue, chance: random.Random) -> None:
        self.venue = venue
        self.chance = chance
        self.names = [f"trader{number}" for number in range(4)]
        for name in self.names:
            venue.account(name, deposit="1000")
        venue.operator.post("insurance", amount="100")

    @property
    def accounts(self) -> list[Account]:
        return [self.venue.account(name) for name in self.names]

    def turn(self) -> None:
        """One thing that an operator may do, or a trade that makes a liquidation likely."""
        self.chance.choice([self._trade, self._trade, self._move, self._wait, self._feed])()
        if self.chance.random() < 0.02:
            self.venue.reset()

    def _trade(self) -> None:
        buyer, seller = self.chance.sample(self.accounts, 2)
        order = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.2"}
        for account, side in ((seller, "SELL"), (buyer, "BUY")):
            with suppress(VenueError):
                account.post("/fapi/v1/order", **order, side=side, price="60000")

    def _move(self) -> None:
        self.venue.price("BTCUSDT", str(self.chance.choice([54_000, 58_000, 60_000, 66_000])))

    def _wait(self) -> None:
        self.venue.advance(self.chance.choice(["1s", "10m", "8h"]))

    def _feed(self) -> None:
        name = self.chance.choice(self.names)
        self.venue.operator.post(f"accounts/{name}/deposit", asset="USDT", amount="1000")


def spoiled(fields: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The fields, each time with some that are no good."""
    changed = {name: value for name, value in fields.items() if value is not None}
    for name in chance.sample(sorted(fields), min(len(fields), chance.randint(0, 2))):
        changed[name] = chance.choice(VALUES)
    if chance.random() < 0.1:
        changed[chance.choice(["wat", "", "SYMBOL", "x" * 200, "\u017fymbol"])] = chance.choice(
            VALUES
        )
    return changed


def check_answer(answer: dict[str, Any], said: object) -> None:
    """A result, or a refusal by a code that the reference lists."""
    if "result" in answer and answer["status"] == 200:
        return
    assert 400 <= answer["status"] < 500, (said, answer)
    assert answer["error"]["code"] in MESSAGES, (said, answer)
    assert answer["error"]["msg"], (said, answer)


def ask_spoiled(line: Line, chance: random.Random) -> None:
    if chance.random() < 0.15:
        text = chance.choice(TEXTS)
        check_answer(line.send(text.decode()), text[:300])
        return
    method, fields = chance.choice(METHODS)
    changed = spoiled(fields, chance)
    try:
        answer = line.call(method, **changed)
    except UnicodeEncodeError:  # what is no text has no signature, and is not read for its id
        answer = line.send(json.dumps({"id": 1, "method": method, "params": changed}))
    check_answer(answer, (method, changed))


def said_goodbye(end: ConnectionClosed) -> tuple[int, str]:
    """The code and the reason with which a socket was ended by the venue."""
    return (end.rcvd.code, end.rcvd.reason) if end.rcvd is not None else (0, "")


@pytest.mark.venue(limits=False)
@pytest.mark.parametrize("dialect", ["ztdx", "binance"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_request_has_its_answer(seed: int, dialect: str) -> None:
    chance = random.Random(seed)
    with Venue(limits=False, dialect=dialect) as venue, ExitStack() as stack:
        market = Market(venue, chance)
        ears = connect(f"{venue.ws}/stream?streams=!forceOrder@arr", compression=None)
        witness = stack.enter_context(ears)
        lines = [stack.enter_context(open_line(venue, each)) for each in market.accounts]
        for _ in range(ROUNDS):
            market.turn()
            ask_spoiled(chance.choice(lines), chance)
        assert venue.status()["invariants"] == "ok"
        assert liquidations_heard(witness) > 5


def liquidations_heard(witness: ClientConnection) -> int:
    """How many a socket was told of that is still subscribed to them, and to nothing else."""
    witness.send('{"method":"LIST_SUBSCRIPTIONS","id":"at the end"}')
    heard = 0
    while True:
        message = json.loads(witness.recv(timeout=10))
        if message.get("id") == "at the end":
            assert message["result"] == ["!forceOrder@arr"]
            return heard
        assert message["data"]["e"] == "forceOrder"
        heard += 1


def controls(chance: random.Random, keys: list[str]) -> Iterator[bytes]:
    for number in range(ROUNDS):
        if chance.random() < 0.05:
            yield chance.choice(TEXTS)
            continue
        names = chance.choices([*STREAMS, *keys], k=chance.choice([0, 1, 1, 3, 30]))
        message: dict[str, Any] = {
            "id": number,
            "method": chance.choice(CONTROLS[:2] * 3 + CONTROLS),
            "params": names,
        }
        if chance.random() < 0.3:
            message[chance.choice(["id", "method", "params"])] = chance.choice(VALUES)
        yield json.dumps(message).encode()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_message_to_a_stream_has_its_answer(seed: int) -> None:
    chance = random.Random(seed)
    with Venue(limits=False) as venue, ExitStack() as stack:
        market = Market(venue, chance)
        ears = connect(f"{venue.ws}/stream?streams=!forceOrder@arr", compression=None)
        witness = stack.enter_context(ears)
        keys = [each.post("/fapi/v1/listenKey")["listenKey"] for each in market.accounts]
        talker = stack.enter_context(connect(f"{venue.ws}/ws", compression=None))
        ends = set()
        for text in controls(chance, keys):
            market.turn()
            try:
                talker.send(text.decode())
                check_control(answer_of(talker), text)
            except ConnectionClosed as end:
                ends.add(said_goodbye(end))
                talker = stack.enter_context(connect(f"{venue.ws}/ws", compression=None))
        assert ends == {(1008, "Invalid request")}
        assert venue.status()["invariants"] == "ok"
        assert liquidations_heard(witness) > 5


def answer_of(talker: ClientConnection) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(talker.recv(timeout=10), parse_int=float)
        if "result" in message or "error" in message:
            return message


def check_control(answer: dict[str, Any], said: bytes) -> None:
    if "error" in answer:
        assert answer["error"]["code"] in {0, 1, 2, 3}, (said, answer)
        assert answer["error"]["msg"], (said, answer)


@pytest.mark.parametrize("path", ["/ws/!forceOrder@arr", "/ws-fapi/v1"])
def test_broken_frames_end_their_own_socket_only(
    path: str, venue: Venue, place: Callable[..., dict[str, Any]]
) -> None:
    chance = random.Random(path)
    address = urlsplit(venue.rest)
    assert address.hostname is not None
    assert address.port is not None
    with connect(f"{venue.ws}/stream?streams=!forceOrder@arr", compression=None) as witness:
        for frame in FRAMES * 3:
            with socket.create_connection((address.hostname, address.port), timeout=10) as peer:
                peer.sendall(HANDSHAKE.format(path).encode())
                assert peer.recv(65_536).startswith(b"HTTP/1.1 101 ")
                peer.sendall(frame)
                if chance.random() < 0.5:
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65_536):
                        pass
        assert place(venue.demo)["status"] == "NEW"
        assert liquidations_heard(witness) == 0
