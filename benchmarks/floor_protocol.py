"""The second floor: the same request by hand, with everything of a venue left out.

asyncio.Protocol on uvloop, httptools, an HMAC check, a dict of orders and
msgspec: what a signed batch cancel costs in Python before there is a journal,
an account, a margin, a history or an error message. `PUT /orders?first=N&count=N`
makes orders and is not measured.
"""

import asyncio
import hmac
import json
import sys
import time
from hashlib import sha256
from typing import NamedTuple, cast
from urllib.parse import unquote_to_bytes

import httptools
import msgspec
import uvloop


class Held(NamedTuple):
    ticks: int
    lots: int


class Entry(msgspec.Struct):
    """The fields of a batch-cancel answer."""

    clientOrderId: str  # noqa: N815
    cumQty: str  # noqa: N815
    cumQuote: str  # noqa: N815
    executedQty: str  # noqa: N815
    orderId: int  # noqa: N815
    origQty: str  # noqa: N815
    origType: str  # noqa: N815
    price: str
    reduceOnly: bool  # noqa: N815
    side: str
    positionSide: str  # noqa: N815
    status: str
    stopPrice: str  # noqa: N815
    closePosition: bool  # noqa: N815
    symbol: str
    timeInForce: str  # noqa: N815
    type: str
    updateTime: int  # noqa: N815
    workingType: str  # noqa: N815
    priceProtect: bool  # noqa: N815


class Floor:
    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.orders: dict[int, Held] = {}
        self.encode = msgspec.json.Encoder().encode
        self.decode_ids = msgspec.json.Decoder(list[int]).decode

    def make(self, query: bytes) -> bytes:
        values = _parse(query)
        first, count = int(values[b"first"]), int(values[b"count"])
        for order_id in range(first, first + count):
            self.orders[order_id] = Held(500_000 + order_id % 1_000, 1 + order_id % 20)
        return b"[]"

    def cancel(self, query: bytes) -> bytes:
        signed, _, signature = query.rpartition(b"&signature=")
        expected = hmac.new(self.secret, signed, sha256).hexdigest().encode()
        if not hmac.compare_digest(expected, signature):
            return b'{"code":-1022,"msg":"Signature for this request is not valid."}'
        values = _parse(signed)
        now = int(time.time() * 1_000)
        if abs(now - int(values[b"timestamp"])) > int(values[b"recvWindow"]):
            return b'{"code":-1021,"msg":"Timestamp for this request is outside."}'
        symbol = values[b"symbol"].decode()
        ids = self.decode_ids(values[b"orderIdList"])
        return self.encode([self._entry(order_id, symbol, now) for order_id in ids])

    def _entry(self, order_id: int, symbol: str, now: int) -> Entry:
        held = self.orders.pop(order_id)
        return Entry(
            f"auto_{order_id}",
            "0",
            "0",
            "0",
            order_id,
            _text(held.lots, 3),
            "LIMIT",
            _text(held.ticks, 1),
            False,
            "BUY",
            "BOTH",
            "CANCELED",
            "0",
            False,
            symbol,
            "GTC",
            "LIMIT",
            now,
            "CONTRACT_PRICE",
            False,
        )


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests are answered where they are parsed."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_message_complete(self) -> None:
        query = self.url.partition(b"?")[2]
        answer = self.floor.cancel if self.parser.get_method() == b"DELETE" else self.floor.make
        body = answer(query)
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(body), body)
        )


def _parse(query: bytes) -> dict[bytes, bytes]:
    values = {}
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        values[name] = unquote_to_bytes(value) if b"%" in value else value
    return values


def _text(units: int, decimals: int) -> str:
    """Shortest decimal text of units x 10^-decimals."""
    whole, rest = divmod(units, 10**decimals)
    return f"{whole}.{rest:0{decimals}}".rstrip("0").rstrip(".")


async def serve(secret: bytes) -> None:
    floor = Floor(secret)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(floor), "127.0.0.1", 0)
    print(json.dumps(server.sockets[0].getsockname()[1]), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1].encode()))
