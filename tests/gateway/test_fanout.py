"""Who hears what: forms, listen keys, slow readers, and what happens by itself."""

import asyncio
import json
import ssl
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
    signed,
)
from tests.gateway.test_server import write_certificate

from openperp.api import listen_keys
from openperp.api.streams.burst import BURST
from openperp.bootstrap import Venue
from openperp.gateway import fanout
from openperp.gateway.sockets import SLOW_READER_BYTES, text_frame
from openperp.history.base import HistoryUnusable
from openperp.history.intervals import INTERVALS

TRADES = "btcusdt@trade"


def publish(venue: Venue, payload: bytes, name: str = TRADES) -> None:
    venue.server.reception.fanout.publish(name, payload)


async def hear(socket: Any) -> Any:
    return json.loads(await socket.recv())


async def open_key(client: Client, venue: Venue) -> str:
    """The listen key of the demo account."""
    reply = await client.ask(*signed(venue, "POST", "listenKey", "a=b"))
    key: str = reply.json["listenKey"]
    return key


async def set_leverage(client: Client, venue: Venue, leverage: int) -> None:
    """Something that the demo account hears of, as ACCOUNT_CONFIG_UPDATE."""
    query = f"symbol=BTCUSDT&leverage={leverage}"
    assert (await client.ask(*signed(venue, "POST", "leverage", query))).status == 200


def leverage_of(event: Any) -> int:
    assert event["e"] == "ACCOUNT_CONFIG_UPDATE"
    leverage: int = event["ac"]["l"]
    return leverage


def test_each_listener_gets_its_form() -> None:
    async def test(venue: Venue) -> None:
        async with (
            connect(venue, f"/ws/{TRADES}") as raw,
            connect(venue, f"/stream?streams={TRADES}/ethusdt@trade") as combined,
            connect(venue, "/ws/ethusdt@trade") as other,
        ):
            publish(venue, b'{"n":1}')
            publish(venue, b'{"n":2}', "ethusdt@trade")
            assert await hear(raw) == {"n": 1}
            assert await hear(combined) == {"stream": TRADES, "data": {"n": 1}}
            assert await hear(combined) == {"stream": "ethusdt@trade", "data": {"n": 2}}
            assert await hear(other) == {"n": 2}

    serve(test)


def test_what_is_heard_follows_what_is_asked() -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, "/ws") as socket:
            publish(venue, b"1")
            assert await ask(socket, "SUBSCRIBE", TRADES, "!contractInfo") is None
            publish(venue, b"2")
            assert await hear(socket) == 2
            assert await ask(socket, "SET_PROPERTY", "combined", True) is None
            publish(venue, b"3")
            assert await hear(socket) == {"stream": TRADES, "data": 3}
            assert await ask(socket, "SUBSCRIBE", TRADES) is None
            assert await ask(socket, "SET_PROPERTY", "combined", False) is None
            publish(venue, b"4")
            assert await hear(socket) == 4
            assert await ask(socket, "UNSUBSCRIBE", TRADES) is None
            publish(venue, b"5")
            assert await ask(socket, "LIST_SUBSCRIPTIONS") == ["!contractInfo"]
        while venue.server.connections:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert venue.server.reception.fanout.streams == 0

    serve(test)


def test_a_stream_speaks_when_it_is_asked_for_again_once_its_market_exists() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        async with connect(venue, "/ws/xrpusdt@trade") as socket:
            terms = {"symbol": "XRPUSDT", "price": "2", "tick": "0.001", "lot": "1"}
            made = await client.ask(
                "POST",
                "/operator/v1/instruments",
                json.dumps(terms).encode(),
                headers=operator(venue),
            )
            assert made.status == 200, made.body
            publish(venue, b"1", "xrpusdt@trade")
            assert await ask(socket, "SUBSCRIBE", "xrpusdt@trade") is None
            publish(venue, b"2", "xrpusdt@trade")
            assert await hear(socket) == 2
        client.close()

    serve(test)


def test_any_case_of_a_symbol_is_the_stream_in_lower_case() -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, "/stream?streams=BTCUSDT@trade") as socket:
            publish(venue, b"1")
            assert await hear(socket) == {"stream": TRADES, "data": 1}

    serve(test)


def test_a_payload_is_framed_once_for_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    framed: list[bytes] = []

    def spy(text: bytes) -> bytes:
        framed.append(text)
        return text_frame(text)

    monkeypatch.setattr(fanout, "text_frame", spy)

    async def test(venue: Venue) -> None:
        listeners = [await open_raw(venue, f"/ws/{TRADES}") for _ in range(20)]
        listeners += [await open_raw(venue, f"/stream?streams={TRADES}") for _ in range(20)]
        publish(venue, b"[7]")
        heard = [await receive_frame(client) for client in listeners]
        combined = b'{"stream":"btcusdt@trade","data":[7]}'
        assert heard == [(1, b"[7]")] * 20 + [(1, combined)] * 20
        assert framed == [b"[7]", combined]
        for client in listeners:
            client.close()

    serve(test)


def test_a_jump_of_the_clock_cuts_nobody_off() -> None:
    async def test(venue: Venue) -> None:
        symbols, intervals = ("btcusdt", "ethusdt", "solusdt"), [*INTERVALS][1:]
        names = [f"{symbol}@kline_{name}" for symbol in symbols for name in intervals]
        client = await Client.to(venue)
        async with connect(venue, f"/stream?streams={'/'.join(names)}", max_queue=None) as socket:
            greetings = {(await hear(socket))["stream"] for _ in names}
            assert greetings == {*names}
            socket.transport.pause_reading()
            body = b'{"advance_ms":5184000000}'
            reply = await client.ask("POST", "/operator/v1/clock", body, headers=operator(venue))
            assert reply.status == 200
            socket.transport.resume_reading()
            closed = [await hear(socket) for _ in range(BURST - len(names))]
            assert all(message["data"]["k"]["x"] for message in closed)
            assert len(venue.server.reception.sockets.open) == 1
        client.close()

    serve(test)


@pytest.mark.parametrize("secure", [False, True])
def test_a_slow_reader_is_cut_off_and_costs_nobody_else(secure: bool, tmp_path: Path) -> None:
    payload = json.dumps("x" * 50_000).encode()
    options: dict[str, Any] = {}
    venue = make()
    if secure:
        certificate, key = write_certificate(tmp_path)
        venue = make(tls_cert=str(certificate), tls_key=str(key))
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        options = {"ssl": context}

    async def test(venue: Venue) -> None:
        # Its reader stops at twice this limit, and with it the system's buffers fill.
        slow = await open_raw(venue, f"/ws/{TRADES}", limit=4096, **options)
        quick = await open_raw(venue, f"/ws/{TRADES}", **options)
        open_sockets = venue.server.reception.sockets.open
        waiting = 0
        for number in range(2_000):
            publish(venue, payload)
            assert await receive_frame(quick) == (1, payload), number
            if len(open_sockets) == 1:
                break
            waiting = max(waiting, *(socket.waiting for socket in open_sockets))
        else:
            pytest.fail("a reader that does not read was kept")
        assert SLOW_READER_BYTES / 2 < waiting <= SLOW_READER_BYTES
        publish(venue, b"1")
        assert await receive_frame(quick) == (1, b"1")
        slow.writer.transport.abort()
        quick.close()

    serve(test, venue)


SHAPES = [
    ("/private/ws?listenKey=KEY", None, False),
    ("/private/stream?listenKey=KEY", None, True),
    ("/private/ws?listenKey=KEY&events=ACCOUNT_CONFIG_UPDATE/SOMETHING_NEW", None, False),
    ("/ws?listenKey=KEY", None, False),
    ("/ws/KEY", None, False),
    ("/private/ws/KEY", None, False),
    ("/stream?streams=KEY", None, True),
    ("/ws", "KEY", False),
    ("/private/stream", "KEY", True),
]


@pytest.mark.parametrize(("target", "subscribe", "combined"), SHAPES)
def test_every_way_of_bringing_a_listen_key(
    target: str, subscribe: str | None, combined: bool
) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        key = await open_key(client, venue)
        async with connect(venue, target.replace("KEY", key)) as socket:
            if subscribe:
                assert await ask(socket, "SUBSCRIBE", key) is None
            assert await ask(socket, "LIST_SUBSCRIPTIONS") == [key]
            await set_leverage(client, venue, 7)
            event = await hear(socket)
            if combined:
                assert event.keys() == {"stream", "data"}
                assert event["stream"] == key
                event = event["data"]
            assert leverage_of(event) == 7
        client.close()

    serve(test)


def test_a_filter_lets_nothing_else_through() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        key = await open_key(client, venue)
        target = f"/private/stream?listenKey={key}&events=ORDER_TRADE_UPDATE/ALGO_ORDER_UPDATE"
        async with connect(venue, target) as socket:
            await ask(socket, "GET_PROPERTY", "combined")
            await set_leverage(client, venue, 7)
            order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=50000"
            assert (await client.ask(*signed(venue, "POST", "order", order))).status == 200
            assert (await hear(socket))["data"]["e"] == "ORDER_TRADE_UPDATE"
        client.close()

    serve(test)


def test_keys_of_nobody_are_silent_and_keys_of_others_tell_of_them_alone() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        key = await open_key(client, venue)
        made = await client.ask(
            "POST", "/operator/v1/accounts", b'{"name":"bob"}', headers=operator(venue)
        )
        headers = {"X-MBX-APIKEY": made.json["api_key"]}
        others = (await client.ask("POST", "/fapi/v1/listenKey", headers=headers)).json
        async with (
            connect(venue, f"/ws/{others['listenKey']}") as bob,
            connect(venue, f"/ws/{'n' * 64}") as nobody,
            connect(venue, f"/ws/{key}") as demo,
        ):
            await ask(demo, "LIST_SUBSCRIPTIONS")
            await set_leverage(client, venue, 9)
            assert leverage_of(await hear(demo)) == 9
            # Their next message is the answer to their own question.
            assert await ask(bob, "GET_PROPERTY", "combined") is False
            assert await ask(nobody, "GET_PROPERTY", "combined") is False
        client.close()

    serve(test)


def test_a_key_that_is_closed_is_silent() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        key = await open_key(client, venue)
        async with connect(venue, f"/ws/{key}") as socket:
            await ask(socket, "LIST_SUBSCRIPTIONS")
            closed = await client.ask(*signed(venue, "DELETE", "listenKey", "a=b"))
            assert closed.json == {}
            await set_leverage(client, venue, 9)
            fresh = await open_key(client, venue)
            assert fresh != key
            await set_leverage(client, venue, 8)
            assert await ask(socket, "SUBSCRIBE", fresh) is None
            await set_leverage(client, venue, 7)
            assert leverage_of(await hear(socket)) == 7
        client.close()

    serve(test)


def test_a_key_that_runs_out_says_so() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        key = await open_key(client, venue)
        async with connect(venue, f"/stream?listenKey={key}&events=TRADE_LITE") as socket:
            await ask(socket, "GET_PROPERTY", "combined")
            moved = b'{"advance_ms":3600000}'
            await client.ask("POST", "/operator/v1/clock", moved, headers=operator(venue))
            event = await hear(socket)
            assert event["stream"] == key
            assert event["data"] == {
                "e": "listenKeyExpired",
                "E": venue.node.now_ms(),
                "listenKey": key,
            }
            assert venue.server.reception.fanout.streams == 0
        client.close()

    serve(test)


def test_a_real_clock_needs_nobody_to_move_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen_keys, "LISTEN_KEY_MS", 200)

    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        key = await open_key(client, venue)
        async with connect(venue, f"/stream?streams=btcusdt@markPrice@1s/{key}") as socket:
            told = {(await hear(socket))["data"]["e"] for _ in range(2)}
            assert told == {"listenKeyExpired", "markPriceUpdate"}
        client.close()

    serve(test, make(clock="real"))


def test_a_market_stream_follows_the_book() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        async with connect(venue, "/public/ws/btcusdt@bookTicker") as socket:
            order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=50000"
            await client.ask(*signed(venue, "POST", "order", order))
            while (event := await hear(socket))["b"] != "50000":
                assert (event["e"], event["s"]) == ("bookTicker", "BTCUSDT")
        client.close()

    serve(test)


def test_a_history_that_cannot_be_read_makes_a_stream_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise HistoryUnusable("The history cannot be read: disk I/O error.")

    async def test(venue: Venue) -> None:
        monkeypatch.setattr(type(venue.node.view.history.market), "list_agg_trades", broken)
        async with connect(venue, f"/ws/btcusdt@aggTrade/{TRADES}") as socket:
            assert await ask(socket, "LIST_SUBSCRIPTIONS") == ["btcusdt@aggTrade", TRADES]
            publish(venue, b"1")
            assert await hear(socket) == 1
        while venue.server.connections:  # noqa: ASYNC110
            await asyncio.sleep(0)

    serve(test)


def test_strict_streams_refuse_what_does_not_exist() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        for target in ("/ws/nonsense", f"/ws/{'n' * 64}", "/stream?streams=BTCUSDT@trade"):
            reply = await client.ask("GET", target, headers=HANDSHAKE)
            assert (reply.status, reply.code) == (400, -1130)
            client.close()
            client = await Client.to(venue)
        async with connect(venue, f"/market/ws/1/{TRADES}") as socket:
            await socket.send('{"method":"SUBSCRIBE","params":["nonsense"],"id":1}')
            assert (await hear(socket))["error"]["msg"] == "Invalid request: invalid stream"
            assert await ask(socket, "LIST_SUBSCRIPTIONS") == [TRADES]
        client.close()

    serve(test, make(strict=["streams"]))


def test_the_last_events_come_before_the_end() -> None:
    venue = make()

    async def live() -> None:
        await venue.server.start()
        client = await Client.to(venue)
        key = await open_key(client, venue)
        socket = await open_raw(venue, f"/ws/{key}")
        asking = asyncio.create_task(set_leverage(client, venue, 7))
        while venue.node.view.state.seq == 8:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await venue.server.stop()
        await asking
        assert leverage_of(json.loads((await receive_frame(socket))[1])) == 7
        assert await close_code(socket) == 1001
        client.close()
        socket.close()

    asyncio.run(live())
