"""Whatever is sent gets an error of the API, never a 500, and changes nothing."""

import json
import socket
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from tests.contract.standing import standing

from openperp.testing import Account, Answer, Venue

ORDER = "/fapi/v1/order"
BATCH = "/fapi/v1/batchOrders"
LIMIT: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000",
    "quantity": "0.01",
}


@pytest.fixture
def trader(venue_session: Venue) -> Account:
    return venue_session.account("abused")


def assert_refused(venue: Venue, before: dict[str, Any], answer: Answer) -> None:
    assert 400 <= answer.status < 500, answer
    body = answer.json()
    assert isinstance(body["code"], int)
    assert body["code"] < 0
    assert body["msg"]
    assert standing(venue) == before


ORDERS: list[dict[str, Any]] = [
    {"symbol": "NOSUCH"},
    {"symbol": ""},
    {"symbol": None},
    {"symbol": "\u6bd4\u7279\u5e01USDT"},
    {"symbol": "BTCUSDT" * 1000},
    {"side": "HOLD"},
    {"side": None},
    {"type": "MAGIC"},
    {"type": None},
    {"type": "STOP"},
    {"type": "TRAILING_STOP_MARKET", "callbackRate": "99"},
    {"timeInForce": "NEVER"},
    {"price": None},
    {"price": "0"},
    {"price": "-1"},
    {"price": "1e5"},
    {"price": "NaN"},
    {"price": "Infinity"},
    {"price": "0x10"},
    {"price": "50000,5"},
    {"price": "\uff15\uff10\uff10\uff10\uff10"},
    {"price": "9" * 400},
    {"price": "50000." + "0" * 400 + "1"},
    {"price": str(2**64)},
    {"quantity": None},
    {"quantity": "0"},
    {"quantity": "-0.01"},
    {"quantity": "abc"},
    {"quantity": "9" * 30},
    {"quantity": ""},
    {"reduceOnly": "maybe"},
    {"reduceOnly": True},
    {"newClientOrderId": "x" * 37},
    {"newClientOrderId": "a b"},
    {"newClientOrderId": "\u00e9"},
    {"positionSide": "LONG"},
    {"timestamp": "soon"},
    {"timestamp": str(2**70)},
    {"timestamp": "-1"},
    {"timestamp": None},
    {"recvWindow": "-1"},
    {"takeProfitPrice": "1"},
    {"parentOrderId": "1"},
]


@pytest.mark.parametrize("changes", ORDERS, ids=lambda changes: json.dumps(changes)[:40])
def test_an_order_that_makes_no_sense(
    venue_session: Venue, trader: Account, changes: dict[str, Any]
) -> None:
    before = standing(venue_session)
    assert_refused(venue_session, before, trader.send("POST", ORDER, **{**LIMIT, **changes}))


BATCHES: list[Any] = [
    "",
    "[]",
    "{}",
    "null",
    "[",
    "[1]",
    '["x"]',
    "[null]",
    "[" * 5000,
    json.dumps([LIMIT] * 6),
    "[" + "1," * 20_000 + "1]",
]


@pytest.mark.parametrize("text", BATCHES, ids=lambda text: text[:20])
def test_a_batch_that_makes_no_sense(venue_session: Venue, trader: Account, text: str) -> None:
    before = standing(venue_session)
    body = f"batchOrders={quote(text)}&timestamp={venue_session.now_ms()}"
    answer = trader.send_raw("POST", BATCH, "", body)
    if answer.status == 200:  # each element is refused in its place
        assert all(entry["code"] < 0 for entry in answer.json())
    else:
        assert_refused(venue_session, before, answer)


@pytest.mark.parametrize(
    "query",
    [
        "symbol=BTCUSDT&orderIdList=%",
        "symbol=BTCUSDT&orderIdList=%5",
        "symbol=BTCUSDT&orderIdList=%ZZ",
        "symbol=BTCUSDT&orderIdList=%FF%FE",
        "symbol=%00&orderIdList=[1]",
        "symbol=BTCUSDT&orderIdList=[1%00]",
        "orderIdList=[1]",
        "&&&===&",
        "symbol",
        "symbol=BTCUSDT&orderIdList=[1&orderIdList=2]",
        "symbol=BTCUSDT&orderIdList=" + "[" * 1000,
    ],
)
def test_a_query_that_is_no_query(venue_session: Venue, trader: Account, query: str) -> None:
    before = standing(venue_session)
    answer = trader.send_raw("DELETE", BATCH, f"{query}&timestamp={venue_session.now_ms()}")
    assert_refused(venue_session, before, answer)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "x/y"])
@pytest.mark.parametrize("body", [b"\x00\xff\xfe", b"{", b"[1,2]", b'{"symbol":{}}', b"%%%"])
def test_a_body_that_is_no_body(
    venue_session: Venue, trader: Account, kind: str, body: bytes
) -> None:
    before = standing(venue_session)
    headers = {"X-MBX-APIKEY": trader.api_key, "Content-Type": kind}
    answer = venue_session.request("POST", ORDER, headers, body)
    assert_refused(venue_session, before, answer)


def test_a_body_of_ten_megabytes(venue_session: Venue, trader: Account) -> None:
    before = standing(venue_session)
    headers = {"X-MBX-APIKEY": trader.api_key}
    size = 10 * 2**20
    address = urlsplit(venue_session.rest)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        head = f"POST {ORDER} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(head.encode() + b"\r\n")
        reply = connection.recv(65536)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"-1130" in reply
    assert standing(venue_session) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/fapi/v1/ping?unknown=1"),
        ("GET", "/fapi/v1/exchangeInfo?whatever"),
    ],
)
def test_what_is_harmless_is_answered(venue_session: Venue, method: str, path: str) -> None:
    assert venue_session.request(method, path).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("GET", "/fapi/v1/"),
        ("GET", "/fapi/v9/order"),
        ("PATCH", ORDER),
        ("DELETE", "/fapi/v1/ping"),
        ("GET", "/%2e%2e/etc/passwd"),
        ("GET", "/fapi/v1/depth"),
        ("GET", "/fapi/v1/depth?symbol=NOSUCH"),
        ("GET", "/fapi/v1/depth?symbol=BTCUSDT&limit=abc"),
        ("GET", ORDER),
        ("POST", ORDER),
        ("DELETE", BATCH),
    ],
)
def test_what_is_not_there_or_not_signed(venue_session: Venue, method: str, path: str) -> None:
    before = standing(venue_session)
    assert_refused(venue_session, before, venue_session.request(method, path))


def test_bytes_that_are_no_http(venue_session: Venue) -> None:
    address = urlsplit(venue_session.rest)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert venue_session.request("GET", "/fapi/v1/ping").status == 200
