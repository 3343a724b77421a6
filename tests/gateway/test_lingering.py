"""The last answer of a connection arrives, however much the client still sends."""

import asyncio
import json
import socket
from http.client import HTTPResponse

import pytest
from tests.gateway.desk import Client, make, serve

from openperp.bootstrap import Venue
from openperp.gateway import lingering
from openperp.gateway.http import BODY_LIMIT

PORTION = b"%x\r\n%b\r\n" % (65536, b"x" * 65536)
ORDER = b"POST /fapi/v1/order HTTP/1.1\r\nHost: venue\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n%b" % (3 * BODY_LIMIT, b"x" * (3 * BODY_LIMIT))
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n" + PORTION * 48

LAST = {
    "no end of a head": (b"GET / HTTP/1.1\r\nx: " + b"a" * BODY_LIMIT, 431, -1130),
    "nothing of HTTP": (b"\x16\x03\x01\r\n\r\n" + b"b" * BODY_LIMIT, 400, -1100),
    "a body and goodbye": (ORDER + b"Connection: close\r\n" + LENGTH, 413, -1130),
    "a body of HTTP/1.0": (ORDER.replace(b"1.1", b"1.0") + LENGTH, 413, -1130),
    "chunks and goodbye": (ORDER + b"Connection: close\r\n" + CHUNKS + b"0\r\n\r\n", 413, -1130),
    "a broken chunk": (ORDER + CHUNKS[:200_000] + b"\r\nzz\r\n" + CHUNKS, 400, -1100),
}


def send_whole_then_read(port: int, data: bytes) -> tuple[int, int]:
    """As most clients do; status and code of the one answer, after which nothing comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        response = HTTPResponse(connection)
        response.begin()
        code: int = json.loads(response.read())["code"]
        assert connection.recv(1) == b""
        return response.status, code


@pytest.mark.parametrize("kind", LAST)
def test_the_last_answer_arrives_though_more_was_sent(kind: str) -> None:
    data, status, code = LAST[kind]

    async def test(venue: Venue) -> None:
        port = venue.server.port
        for _ in range(5):
            told = await asyncio.to_thread(send_whole_then_read, port, data)
            assert told == (status, code)

    serve(test)


def test_a_client_that_never_ends_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_S", 0.05)

    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        await client.send(b"hello\r\n\r\n")
        assert (await client.receive()).status == 400
        ended = False
        while not ended:
            try:
                await client.send(b"x" * 65536)
            except ConnectionError:
                ended = True
        client.close()

    serve(test)


def test_nobody_lingers_when_the_server_stops() -> None:
    venue = make()

    async def live() -> None:
        await venue.server.start()
        client = await Client.to(venue)
        await client.send(b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert (await client.receive()).status == 400
        async with asyncio.timeout(lingering.LINGER_S / 2):
            await venue.server.stop()
        client.close()

    asyncio.run(live())


def test_a_connection_is_kept_after_a_body_that_was_too_long() -> None:
    async def test(venue: Venue) -> None:
        client, other = await Client.to(venue), await Client.to(venue)
        assert (await client.ask("POST", "/x", b"x" * 2 * BODY_LIMIT)).status == 413
        for _ in range(3):
            assert (await other.ask("GET", "/fapi/v1/ping")).status == 200
            venue.server.close_stuck()
        assert (await client.ask("GET", "/fapi/v1/ping")).status == 200
        client.close()
        other.close()

    serve(test)
