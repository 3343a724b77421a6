"""WebSockets on the wire: handshakes, frames, and how long a connection lasts."""

import asyncio
import json
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.desk import (
    HANDSHAKE,
    Client,
    ask,
    close_code,
    connect,
    make,
    open_raw,
    operator,
    receive_frame,
    serve,
)
from tests.gateway.test_server import write_certificate
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as ws_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from openperp.bootstrap import Venue
from openperp.gateway.connection import HEAD_LIMIT
from openperp.gateway.server import KEEP_ALIVE_S
from openperp.gateway.sockets import FRAGMENTS_LIMIT, MESSAGE_LIMIT, Rules
from openperp.gateway.talks import MESSAGES_PER_S

LIST = b'{"method":"LIST_SUBSCRIPTIONS","id":1}'


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def text(data: bytes) -> bytes:
    return frame(Opcode.TEXT, data)


async def closed(socket: ClientConnection) -> int:
    """Reads to the end; the code of the end."""
    with suppress(ConnectionClosed):
        async for _ in socket:
            pass
    assert socket.close_code is not None
    return socket.close_code


def patient(rules: Rules, **flags: bool) -> Venue:
    venue = make(**flags)
    venue.server.reception.sockets.rules = rules
    return venue


@pytest.mark.parametrize("prefix", ["", "/public", "/market", "/private"])
@pytest.mark.parametrize(
    ("target", "combined", "names"),
    [
        ("/ws", False, []),
        ("/ws/0", False, []),
        ("/ws/btcusdt@depth", False, ["btcusdt@depth"]),
        ("/ws/btcusdt@depth/ethusdt@trade", False, ["btcusdt@depth", "ethusdt@trade"]),
        ("/ws?listenKey=nobodys", False, ["nobodys"]),
        ("/stream", True, []),
        ("/stream?streams=", True, []),
        ("/stream?streams=btcusdt@depth/nonsense", True, ["btcusdt@depth", "nonsense"]),
    ],
)
def test_every_shape_of_an_address(
    prefix: str, target: str, combined: bool, names: list[str]
) -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, prefix + target) as socket:
            assert await ask(socket, "LIST_SUBSCRIPTIONS") == names
            assert await ask(socket, "GET_PROPERTY", "combined") is combined

    serve(test)


@pytest.mark.parametrize("target", ["/nowhere", "/public", "/wss", "/other/ws", "/ws-fapi/v2"])
def test_other_addresses_are_refused_before_the_handshake(target: str) -> None:
    async def test(venue: Venue) -> None:
        with pytest.raises(InvalidStatus) as caught:
            await connect(venue, target)
        assert caught.value.response.status_code == 404
        body = caught.value.response.body or b""
        assert json.loads(body) == {"code": -5000, "msg": f"Path {target}, Method GET is invalid"}

    serve(test)


@pytest.mark.parametrize("target", ["/ws", "/market/stream?streams=a@trade", "/ws-fapi/v1"])
def test_without_the_offer_it_is_only_an_address(target: str) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        reply = await client.ask("GET", target)
        assert (reply.status, reply.code, reply.headers["upgrade"]) == (426, -5000, "websocket")
        assert (await client.ask("POST", target, b"")).status == 404
        client.close()

    serve(test)


@pytest.mark.parametrize(
    "change",
    [
        {"Sec-WebSocket-Key": ""},
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Key": "AAAA"},
        {"Sec-WebSocket-Version": "12"},
        {"Sec-WebSocket-Version": "\xff"},
    ],
)
def test_a_handshake_that_is_none(change: dict[str, str]) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        reply = await client.ask("GET", "/ws", headers={**HANDSHAKE, **change})
        (name,) = change
        assert (reply.status, reply.code) == (400, -1130)
        assert f"'{name}'" in reply.json["msg"]
        assert await client.is_closed()
        client.close()

    serve(test)


def test_nothing_is_compressed_and_any_host_or_origin_will_do() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        offers = {
            "Sec-WebSocket-Extensions": "permessage-deflate",
            "Sec-WebSocket-Protocol": "chat",
            "Origin": "https://elsewhere.example",
            "Host": "elsewhere.example",
        }
        reply = await client.ask("GET", "/ws", headers={**HANDSHAKE, **offers})
        assert reply.status == 101
        assert reply.headers["sec-websocket-accept"] == "s3pplmbitxaq9kygzzhzrbk+xoo="
        assert "sec-websocket-extensions" not in reply.headers
        assert "sec-websocket-protocol" not in reply.headers
        client.close()

    serve(test)


def test_a_connection_may_ask_first_and_open_a_socket_then() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        assert (await client.ask("GET", "/fapi/v1/ping")).status == 200
        assert (await client.ask("GET", "/ws", headers=HANDSHAKE)).status == 101
        await client.send(text(LIST))
        assert await receive_frame(client) == (1, b'{"result":[],"id":1}')
        client.close()

    serve(test)


def test_what_follows_the_handshake_at_once_is_read_as_frames() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        head = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
        await client.send(f"GET /ws HTTP/1.1\r\n{head}\r\n".encode() + text(LIST))
        assert (await client.receive()).status == 101
        assert await receive_frame(client) == (1, b'{"result":[],"id":1}')
        client.close()

    serve(test)


def test_a_socket_is_not_opened_behind_an_unanswered_request() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        token = operator(venue)["Authorization"]
        head = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
        await client.send(
            f"POST /operator/v1/reset HTTP/1.1\r\nAuthorization: {token}\r\n\r\n"
            f"GET /ws HTTP/1.1\r\n{head}\r\n".encode()
        )
        assert [(await client.receive()).status for _ in range(2)] == [200, 400]
        assert await client.is_closed()
        client.close()

    serve(test)


def test_a_socket_behind_an_answer_is_not_closed_as_an_idle_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        head = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
        loop = asyncio.get_running_loop()
        timers: list[asyncio.TimerHandle] = []
        call_later = loop.call_later

        def note(delay: float, *rest: Any) -> asyncio.TimerHandle:
            timer = call_later(delay, *rest)
            if delay == KEEP_ALIVE_S:
                timers.append(timer)
            return timer

        monkeypatch.setattr(loop, "call_later", note)
        await client.send(
            f"GET /fapi/v1/ping HTTP/1.1\r\n\r\nGET /ws HTTP/1.1\r\n{head}\r\n".encode()
        )
        assert [(await client.receive()).status for _ in range(2)] == [200, 101]
        assert timers
        assert all(timer.cancelled() for timer in timers)
        client.close()

    serve(test)


def test_an_address_may_name_as_many_streams_as_fit() -> None:
    async def test(venue: Venue) -> None:
        names = [f"s{number:04}@trade" for number in range(1024)]
        client = await Client.to(venue)
        reply = await client.ask("GET", f"/stream?streams={'/'.join(names)}", headers=HANDSHAKE)
        assert reply.status == 101
        client.close()
        client = await Client.to(venue)
        target = f"/stream?streams={'/'.join(names)}/one@trade"
        reply = await client.ask("GET", target, headers=HANDSHAKE)
        assert (reply.status, reply.code) == (400, -1130)
        client.close()
        client = await Client.to(venue)
        target = "/stream?streams=" + "a" * HEAD_LIMIT
        assert (await client.ask("GET", target, headers=HANDSHAKE)).status == 431
        client.close()

    serve(test)


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_messages_may_come_in_fragments_and_pieces(step: int) -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, "/ws")
        data = (
            frame(Opcode.TEXT, LIST[:5], fin=False)
            + frame(Opcode.PING, b"between")
            + frame(Opcode.CONT, LIST[5:9], fin=False)
            + frame(Opcode.CONT, LIST[9:])
        )
        for start in range(0, len(data), step):
            await client.send(data[start : start + step])
        frames = {await receive_frame(client), await receive_frame(client)}
        assert frames == {(10, b"between"), (1, b'{"result":[],"id":1}')}
        client.close()

    serve(test)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(Opcode.BINARY, LIST), 1003),
        (text(b'{"id":"\xff"}'), 1007),
        (text(b" " * (MESSAGE_LIMIT + 1)), 1009),
        (
            frame(Opcode.TEXT, b" " * MESSAGE_LIMIT, fin=False) + frame(Opcode.CONT, b"  "),
            1009,
        ),
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff1234", 1009),
        (Frame(Opcode.TEXT, LIST).serialize(mask=False), 1002),
        (frame(Opcode.CONT, LIST), 1002),
        (frame(Opcode.TEXT, LIST, fin=False) + text(LIST), 1002),
        (b"\xc1\x80aaaa", 1002),
        (b"\x83\x80aaaa", 1002),
        (b"\x89\xfe\x00\x7eaaaa" + b"a" * 126, 1002),
        (b"\x09\x80aaaa", 1002),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
        (frame(Opcode.CLOSE, b"\x03\xe8"), 1000),
        (frame(Opcode.CLOSE, b"\x0b\xb8bye"), 3000),
        (frame(Opcode.CLOSE, b"\x01"), 1002),
    ],
)
def test_frames_that_end_a_connection(data: bytes, code: int) -> None:
    async def test(venue: Venue) -> None:
        other = await open_raw(venue, "/ws")
        client = await open_raw(venue, "/ws/btcusdt@trade")
        await client.send(data)
        assert await close_code(client) == code
        assert await client.is_closed()
        assert venue.server.connections == 1
        await other.send(text(LIST))
        assert await receive_frame(other) == (1, b'{"result":[],"id":1}')
        client.close()
        other.close()

    serve(test, patient(Rules(close_s=0.05)))


def test_a_message_at_the_limit_is_read() -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, "/ws")
        await client.send(text(LIST + b" " * (MESSAGE_LIMIT - len(LIST))))
        assert await receive_frame(client) == (1, b'{"result":[],"id":1}')
        client.close()

    serve(test)


@pytest.mark.parametrize("target", ["/ws", "/ws-fapi/v1"])
@pytest.mark.parametrize("limits", [True, False])
def test_a_message_has_so_many_fragments_and_no_more(target: str, limits: bool) -> None:
    """Empty ones too; on a stream socket even fewer while its frames are counted."""

    async def test(venue: Venue) -> None:
        client = await open_raw(venue, target)
        first, more = frame(Opcode.TEXT, b"", fin=False), frame(Opcode.CONT, b"", fin=False)
        whole = first + more * (FRAGMENTS_LIMIT - 2) + frame(Opcode.CONT, LIST)
        if target != "/ws" or not limits:
            await client.send(whole)
            assert (await receive_frame(client))[0] == 1
        await client.send(first + more * (FRAGMENTS_LIMIT - 1))
        assert await close_code(client) == 1008
        client.close()

    serve(test, make(limits=limits))


def test_what_is_no_json_is_answered_and_ends_the_connection() -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, "/ws") as socket:
            await socket.send("hello")
            answer = json.loads(await socket.recv())
            assert answer["error"]["code"] == 3
            assert await closed(socket) == 1008

    serve(test)


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (text(LIST), text(LIST)),
        (frame(Opcode.PING, b""), frame(Opcode.PING, b"")),
        (frame(Opcode.PONG, b""), frame(Opcode.PONG, b"")),
        (frame(Opcode.TEXT, b"", fin=False), frame(Opcode.CONT, b"", fin=False)),
    ],
)
def test_more_frames_than_a_second_takes(first: bytes, more: bytes) -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, "/ws/btcusdt@trade")
        await client.send(first + more * (MESSAGES_PER_S - 1))
        async with connect(venue, "/ws") as socket:
            await ask(socket, "LIST_SUBSCRIPTIONS")
        assert venue.server.connections == 1
        await client.send(more)
        assert await close_code(client) == 1008
        client.close()

    serve(test)


def test_without_limits_there_is_none_of_messages() -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, "/ws") as socket:
            for _ in range(10 * MESSAGES_PER_S):
                assert await ask(socket, "LIST_SUBSCRIPTIONS") == []

    serve(test, make(limits=False))


def test_a_flood_of_pings_costs_only_its_sender() -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, "/ws")
        with suppress(ConnectionError):
            while True:  # nothing is read here, so the pongs pile up
                await client.send(frame(Opcode.PING, b"p" * 125) * 1_000)
        assert venue.server.connections == 0
        client.close()

    serve(test, make(limits=False))


def test_pings_are_answered_and_asked() -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, "/ws")
        for _ in range(15):
            opcode, token = await receive_frame(client)
            assert opcode == 9
            await client.send(frame(Opcode.PONG, token))
        assert venue.server.connections == 1
        client.close()

    serve(test, patient(Rules(ping_s=0.05, pong_s=0.5), limits=False))


@pytest.mark.parametrize("answer", [b"", frame(Opcode.PONG, b"unasked")])
def test_no_pong_for_too_long(answer: bytes) -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, "/ws")
        opcodes = []
        while True:
            opcode, payload = await receive_frame(client)
            opcodes.append(opcode)
            if opcode == 8:
                break
            await client.send(answer)
        assert int.from_bytes(payload[:2]) == 1008
        assert payload[2:] == b"Pong timeout"
        assert opcodes.count(9) >= 2
        client.close()

    serve(test, patient(Rules(ping_s=0.02, pong_s=0.1)))


def test_a_connection_does_not_live_for_ever() -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, "/ws/btcusdt@trade") as socket:
            assert await closed(socket) == 1001

    serve(test, patient(Rules(ping_s=0.01, life_s=0.1)))


def test_a_peer_that_does_not_agree_to_an_end_is_cut_off() -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, "/ws")
        await client.send(text(b"no json"))
        await receive_frame(client)
        assert await close_code(client) == 1008
        assert await client.is_closed()
        client.close()

    serve(test, patient(Rules(close_s=0.01)))


def test_everybody_is_told_when_the_venue_stops() -> None:
    venue = make()

    async def live() -> None:
        await venue.server.start()
        targets = ("/ws", "/stream?streams=btcusdt@depth", "/ws-fapi/v1")
        sockets = [await connect(venue, target) for target in targets]
        silent = await open_raw(venue, "/ws/btcusdt@trade")
        await venue.server.stop()
        assert [await closed(socket) for socket in sockets] == [1001] * 3
        assert await close_code(silent) == 1001
        assert venue.server.connections == 0
        silent.close()

    asyncio.run(live())


def test_a_peer_that_vanishes_leaves_nothing_behind() -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, "/stream?streams=btcusdt@trade")
        assert venue.server.connections == 1
        client.writer.transport.abort()
        while venue.server.connections:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert venue.server.reception.fanout.streams == 0

    serve(test)


def test_over_tls(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)

    async def test(venue: Venue) -> None:
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        address = f"wss://127.0.0.1:{venue.server.port}/private/stream"
        async with ws_connect(address, ssl=context, proxy=None) as socket:
            assert await ask(socket, "SUBSCRIBE", "btcusdt@trade") is None
            venue.server.reception.fanout.publish("btcusdt@trade", b"{}")
            assert json.loads(await socket.recv()) == {"stream": "btcusdt@trade", "data": {}}

    serve(test, make(tls_cert=str(certificate), tls_key=str(key)))
