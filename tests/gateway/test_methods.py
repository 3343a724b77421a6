"""The WebSocket API over a real socket: requests under way, and what can go wrong with them."""

import asyncio
import json
from typing import Any

import pytest
from tests.gateway.desk import (
    HANDSHAKE,
    Client,
    close_code,
    connect,
    make,
    open_raw,
    operator,
    serve,
)
from tests.gateway.test_http import FullJournal
from tests.gateway.test_sockets import frame
from websockets.frames import Opcode

from openperp.api.dispatch import METHODS
from openperp.bootstrap import Venue
from openperp.gateway.talks import PINGS_PER_S, UNDER_WAY
from openperp.history.base import HistoryUnusable
from openperp.history.store import SqliteHistory
from openperp.node import sequencer
from openperp.testing.account import Account
from openperp.testing.http import Wire

TARGET = "/ws-fapi/v1?returnRateLimits=false"


def request(venue: Venue, method: str, request_id: Any = 1, **params: Any) -> str:
    """A request of the demo account, signed over its sorted parameters."""
    keys = venue.node.access.account
    account = Account(Wire(""), "demo", keys.api_key, keys.api_secret, venue.node.now_ms)
    params |= {"apiKey": keys.api_key, "timestamp": venue.node.now_ms()}
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    params["signature"] = account.sign(text)
    return json.dumps({"id": request_id, "method": method, "params": params})


def order(venue: Venue, request_id: Any = 1, **changes: Any) -> str:
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    fields |= {"quantity": "0.01", "price": "50000", **changes}
    return request(venue, "order.place", request_id, **fields)


async def hear(socket: Any) -> Any:
    return json.loads(await socket.recv())


def test_an_order_is_placed_found_and_cancelled() -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, TARGET) as socket:
            await socket.send(order(venue, "a"))
            placed = await hear(socket)
            assert (placed["id"], placed["status"]) == ("a", 200)
            number = placed["result"]["orderId"]
            for method, status in (("order.status", "NEW"), ("order.cancel", "CANCELED")):
                await socket.send(request(venue, method, symbol="BTCUSDT", orderId=number))
                assert (await hear(socket))["result"]["status"] == status

    serve(test)


def test_a_refusal_is_an_answer_and_the_connection_goes_on() -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, TARGET) as socket:
            for text, code in (
                ("hello", -1130),
                ('{"id":1,"method":"order.fly"}', -5000),
                (order(venue, price="0"), -4013),
                (order(venue, quantity="100000"), None),
            ):
                await socket.send(text)
                answer = await hear(socket)
                assert answer["status"] >= 400
                assert code in {None, answer["error"]["code"]}
            await socket.send('{"id":2,"method":"session.status"}')
            assert (await hear(socket))["status"] == 200

    serve(test)


def test_more_requests_than_may_be_under_way_are_all_answered() -> None:
    async def test(venue: Venue) -> None:
        async with connect(venue, TARGET) as socket:
            for number in range(3 * UNDER_WAY):
                await socket.send(order(venue, number))
            answers = [await hear(socket) for _ in range(3 * UNDER_WAY)]
            assert [answer["id"] for answer in answers] == list(range(3 * UNDER_WAY))
            assert {answer["status"] for answer in answers} == {200}

    serve(test, make(limits=False))


def test_nothing_more_is_read_while_too_much_is_under_way() -> None:
    async def test(venue: Venue) -> None:
        release = asyncio.Event()

        async def pause() -> None:
            await release.wait()

        venue.node.sequencer.before_apply.append(lambda _: pause())
        async with connect(venue, TARGET) as socket, connect(venue, TARGET) as other:
            for number in range(UNDER_WAY):
                await socket.send(order(venue, number))
            await socket.send('{"id":"late","method":"session.status"}')
            await other.send('{"id":"now","method":"session.status"}')
            assert (await hear(other))["id"] == "now"
            release.set()
            ids = [(await hear(socket))["id"] for _ in range(UNDER_WAY + 1)]
            assert ids[0] == 0, "only when one is answered there is room for another"
            assert set(ids) == {*range(UNDER_WAY), "late"}

    serve(test, make(limits=False))


def test_what_the_node_does_not_take_is_said_as_on_http(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = make()
    journal = venue.node.journal = FullJournal()

    async def test(venue: Venue) -> None:
        async with connect(venue, TARGET) as socket:
            monkeypatch.setattr(sequencer, "QUEUE_LIMIT", 0)
            await socket.send(order(venue))
            answer = await hear(socket)
            assert (answer["status"], answer["error"]["code"]) == (503, -1008)
            monkeypatch.undo()
            journal.full = True
            await socket.send(order(venue))
            answer = await hear(socket)
            assert (answer["status"], answer["error"]["code"]) == (503, -1001)
            journal.full = False
            await socket.send(order(venue))
            assert (await hear(socket))["status"] == 200

    serve(test, venue)


def test_a_history_that_cannot_be_read_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise HistoryUnusable("The history cannot be read: disk I/O error.")

    async def test(venue: Venue) -> None:
        for name in ("find_order", "find_order_by_client_id"):
            monkeypatch.setattr(SqliteHistory, name, broken)
        async with connect(venue, TARGET) as socket:
            await socket.send(request(venue, "order.status", 5, symbol="BTCUSDT", orderId=7))
            answer = await hear(socket)
            assert (answer["id"], answer["status"], answer["error"]["code"]) == (5, 503, -1001)

    serve(test)


def test_a_bug_is_answered_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def planted_bug(*_arguments: object) -> None:
        raise ZeroDivisionError

    async def test(venue: Venue) -> None:
        async with connect(venue, TARGET) as socket:
            monkeypatch.setattr(METHODS["order.status"], "handle", planted_bug)
            await socket.send(request(venue, "order.status", 5, symbol="BTCUSDT", orderId=7))
            answer = await hear(socket)
            assert (answer["id"], answer["status"], answer["error"]["code"]) == (5, 500, -1000)
            monkeypatch.setattr(venue.node, "submit", planted_bug)
            await socket.send(order(venue))
            answer = await hear(socket)
            assert (answer["status"], answer["error"]["code"]) == (500, -1000)
            monkeypatch.undo()
            await socket.send(order(venue))
            assert (await hear(socket))["status"] == 200

    serve(test)
    assert caplog.text.count("A bug") == 2


def test_who_leaves_before_the_answer_leaves_an_order() -> None:
    async def test(venue: Venue) -> None:
        release = asyncio.Event()

        async def pause() -> None:
            await release.wait()

        venue.node.sequencer.before_answer.append(lambda _: pause())
        socket = await connect(venue, TARGET)
        await socket.send(order(venue))
        while not venue.node.view.state.orders:  # noqa: ASYNC110
            await asyncio.sleep(0)
        socket.transport.abort()
        while venue.server.connections:  # noqa: ASYNC110
            await asyncio.sleep(0)
        release.set()
        client = await Client.to(venue)
        status = await client.ask("GET", "/operator/v1/status", headers=operator(venue))
        assert (status.json["open_orders"], status.json["invariants"]) == (1, "ok")
        client.close()

    serve(test)


def test_requests_are_not_counted_by_the_second_but_pings_are() -> None:
    async def test(venue: Venue) -> None:
        client = await open_raw(venue, TARGET)
        await client.send(
            frame(Opcode.TEXT, b'{"id":1,"method":"session.status"}') * 5 * PINGS_PER_S
        )
        await client.send(frame(Opcode.PING, b"") * (PINGS_PER_S + 1))
        assert await close_code(client) == 1008
        client.close()

    serve(test)


def test_a_handshake_has_a_weight_and_can_be_one_too_many() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        before = await client.ask("GET", "/fapi/v1/ping")
        async with connect(venue, TARGET):
            after = await client.ask("GET", "/fapi/v1/ping")
        used = "x-mbx-used-weight-1m"
        assert int(after.headers[used]) - int(before.headers[used]) == 5 + 1
        venue.node.view.limits.charge_ip("127.0.0.1", 2400, venue.node.now_ms(), enforced=False)
        reply = await client.ask("GET", TARGET, headers=HANDSHAKE)
        assert (reply.status, reply.code) == (429, -1003)
        assert int(reply.headers["retry-after"]) > 0
        client.close()

    serve(test)
