"""A served venue and a client that sends exactly the bytes it is told to."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import uvloop
from websockets.asyncio.client import connect as ws_connect

from openperp.bootstrap import Venue, build
from openperp.node.config import load_config

Test = Callable[[Venue], Awaitable[None]]


PATIENCE_S = 60
"""A test that waits for longer waits for something that does not come."""


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> int:
        code: int = self.json["code"]
        return code

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, venue: Venue, **options: Any) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", venue.server.port, **options))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self, method: str = "GET") -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip("\r\n").split("\r\n")
        headers = dict(row.lower().split(": ", 1) for row in rest)
        length = 0 if method == "HEAD" else int(headers.get("content-length", 0))
        return Reply(int(line.split()[1]), headers, await self.reader.readexactly(length))

    async def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        head = f"{method} {target} HTTP/1.1\r\nHost: venue\r\n"
        head += "".join(f"{name}: {text}\r\n" for name, text in (headers or {}).items())
        if body is not None:
            head += f"Content-Length: {len(body)}\r\n"
        await self.send(head.encode() + b"\r\n" + (body or b""))
        return await self.receive(method)

    async def is_closed(self) -> bool:
        """Waits until the server says something or goes, and tells whether it went."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.close()


def make(**flags: Any) -> Venue:
    options = {"market": "quiet", "clock": "virtual", "ephemeral": True, "port": 0, **flags}
    return build(load_config(**options))


def serve(test: Test, venue: Venue | None = None) -> None:
    """Runs `test` against a served venue."""
    served = make() if venue is None else venue

    async def live() -> None:
        await served.server.start()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await test(served)
        finally:
            await served.server.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live())


def operator(venue: Venue) -> dict[str, str]:
    return {"Authorization": f"Bearer {venue.node.access.operator_token}"}


def signed(
    venue: Venue, method: str, path: str, query: str
) -> tuple[str, str, None, dict[str, str]]:
    """What `Client.ask` takes to make a request of the demo account."""
    account = venue.node.access.account
    text = f"{query}&timestamp={venue.node.now_ms()}"
    signature = hmac.new(account.api_secret.encode(), text.encode(), "sha256").hexdigest()
    target = f"/fapi/v1/{path}?{text}&signature={signature}"
    return method, target, None, {"X-MBX-APIKEY": account.api_key}


KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def connect(venue: Venue, target: str, **options: Any) -> Any:
    """A WebSocket client that somebody else wrote."""
    return ws_connect(f"ws://127.0.0.1:{venue.server.port}{target}", proxy=None, **options)


async def open_raw(venue: Venue, target: str, **options: Any) -> Client:
    """A WebSocket whose frames are the test's own."""
    client = await Client.to(venue, **options)
    assert (await client.ask("GET", target, headers=HANDSHAKE)).status == 101
    return client


async def receive_frame(client: Client) -> tuple[int, bytes]:
    """Opcode and payload of the next frame of the server; none of them is masked."""
    first, length = await client.reader.readexactly(2)
    assert length < 128, "a server does not mask"
    if length > 125:
        length = int.from_bytes(await client.reader.readexactly(2 if length == 126 else 8))
    return first & 15, await client.reader.readexactly(length)


async def close_code(client: Client) -> int:
    """The code with which the server ends the connection, whatever else it says before."""
    while True:
        opcode, payload = await receive_frame(client)
        if opcode == 8:
            return int.from_bytes(payload[:2])


async def ask(socket: Any, method: str, *params: Any) -> Any:
    """Sends a request of a stream socket, and returns the result."""
    await socket.send(json.dumps({"method": method, "params": list(params), "id": 1}))
    answer = json.loads(await socket.recv())
    assert answer["id"] == 1
    return answer["result"]
