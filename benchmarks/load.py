"""A cheap load generator: prepared requests over keep-alive connections, each in turn.

Every connection sends its next request when its answer is whole. Nothing is
built or checked while the clock runs; answers are kept and looked at after.
"""

import hmac
import random
import selectors
import socket
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from benchmarks.process import Server

PATH = "/fapi/v1/batchOrders"
SYMBOL = "BTCUSDT"
BATCH = 10


class Outcome(NamedTuple):
    """CPU ns of the server per request, and requests per second by the wall clock."""

    cpu_ns: float
    per_second: float


class Order(msgspec.Struct):
    """What is read of an order in an answer."""

    orderId: int = 0  # noqa: N815
    status: str = ""


_decode_orders = msgspec.json.Decoder(list[Order]).decode


class Connection:
    """A socket with its remaining requests and the answers so far."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = iter(requests)
        self.answers: list[bytes] = []
        self.partial = b""

    def send_next(self) -> bool:
        request = next(self.requests, None)
        if request is None:
            return False
        self.socket.sendall(request)
        return True

    def receive(self) -> bool:
        """Reads what is there; whether an answer became whole."""
        data = self.socket.recv(65_536)
        if not data:
            raise SystemExit("the server closed a connection")
        if self.partial:
            data = self.partial + data
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 or len(data) < end + _content_length(data, end):
            self.partial = data
            return False
        self.partial = b""
        self.answers.append(data)
        return True

    def body(self, answer: bytes) -> bytes:
        """The JSON of an answer that is no refusal."""
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"the server answered {answer.decode(errors='replace')}")
        return body


def _content_length(data: bytes, end: int) -> int:
    start = data.find(b"content-length: ", 0, end)
    return int(data[start + 16 : data.find(b"\r", start)])


def measure(
    server: Server,
    requests: Sequence[bytes],
    connections: int,
    kind: type[Connection] = Connection,
) -> tuple[Outcome, list[bytes]]:
    """Sends every request; what it cost the server, and the answers' bodies."""
    cpu, wall = server.settled_cpu_ns(), time.perf_counter()
    bodies = send_all(server, requests, connections, kind)
    wall = time.perf_counter() - wall
    cpu = server.settled_cpu_ns() - cpu
    return Outcome(cpu / len(requests), len(requests) / wall), bodies


def send_all(
    server: Server,
    requests: Sequence[bytes],
    connections: int,
    kind: type[Connection] = Connection,
) -> list[bytes]:
    """Sends every request and returns the answers' bodies."""
    group = [
        kind(server.port, requests[number::connections])
        for number in range(min(connections, len(requests)))
    ]
    selector = selectors.DefaultSelector()
    for connection in group:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    active = sum(connection.send_next() for connection in group)
    while active:
        for key, _ in selector.select():
            connection = key.data
            if connection.receive() and not connection.send_next():
                active -= 1
    selector.close()
    for connection in group:
        connection.socket.close()
    return [connection.body(answer) for connection in group for answer in connection.answers]


def request_bytes(method: str, path: str, api_key: str) -> bytes:
    length = "" if method == "DELETE" else "Content-Length: 0\r\n"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-MBX-APIKEY: {api_key}\r\n"
    return f"{head}{length}\r\n".encode()


def signed_query(query: str, api_secret: str) -> str:
    """`query` with time and signature, good for a minute."""
    signed = f"{query}&recvWindow=60000&timestamp={time.time_ns() // 1_000_000}"
    signature = hmac.new(api_secret.encode(), signed.encode(), sha256).hexdigest()
    return f"{signed}&signature={signature}"


def cancel_query(ids: Sequence[int]) -> str:
    return f"symbol={SYMBOL}&orderIdList={quote(str(list(ids)).replace(' ', ''))}"


def place_query(first: int, count: int) -> str:
    """Small buy orders well below the market, which a modest account can afford."""
    orders = [
        {
            "symbol": SYMBOL,
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.001",
            "price": f"{50_100 + number % 1_000 * 0.1:.1f}",
        }
        for number in range(first, first + count)
    ]
    return "batchOrders=" + quote(msgspec.json.encode(orders).decode())


def cancel_requests(ids: Sequence[int], api_key: str, api_secret: str) -> list[bytes]:
    """Signed batch cancels of ten neighbours each, in random order.

    Orders that are cancelled together were mostly placed together.
    """
    requests = [
        request_bytes(
            "DELETE",
            f"{PATH}?{signed_query(cancel_query(ids[start : start + BATCH]), api_secret)}",
            api_key,
        )
        for start in range(0, len(ids), BATCH)
    ]
    random.Random(1).shuffle(requests)
    return requests


def place_orders(server: Server, count: int, connections: int) -> list[int]:
    """Places `count` orders, five at a time; their ids."""
    requests = [
        request_bytes(
            "POST",
            f"{PATH}?{signed_query(place_query(first, 5), server.api_secret)}",
            server.api_key,
        )
        for first in range(0, count, 5)
    ]
    bodies = send_all(server, requests, connections)
    ids = [order.orderId for body in bodies for order in _decode_orders(body)]
    if not all(ids):
        raise SystemExit(f"an order was refused: {bodies[0].decode()}")
    return ids


def check_canceled(bodies: Sequence[bytes]) -> None:
    for body in bodies:
        orders = _decode_orders(body)
        if len(orders) != BATCH or any(order.status != "CANCELED" for order in orders):
            raise SystemExit(f"not every order was cancelled: {body.decode()}")
