"""Bytes become requests and answers become bytes, whatever is sent."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.gateway.desk import Client, make, operator, serve, signed

from openperp.api.dispatch import ROUTES
from openperp.bootstrap import Venue
from openperp.engine import apply as engine
from openperp.engine.commands import Pulse, Record
from openperp.gateway.connection import HEAD_LIMIT
from openperp.gateway.http import BODY_LIMIT
from openperp.history.base import HistoryUnusable
from openperp.history.store import SqliteHistory
from openperp.journal.memory import MemoryJournal
from openperp.node import sequencer


def chunked(parts: Sequence[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_one_connection_carries_many_requests() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        for used in range(1, 4):
            reply = await client.ask("GET", "/fapi/v1/ping")
            assert (reply.status, reply.body) == (200, b"{}")
            assert reply.headers["x-mbx-used-weight-1m"] == str(used)
            assert reply.headers["content-type"] == "application/json"
            assert "server" not in reply.headers
        client.close()

    serve(test)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        targets = (b"/fapi/v1/ping", b"/nowhere", b"/fapi/v1/time")
        await client.send(
            b"".join(b"GET %b HTTP/1.1\r\nHost: venue\r\n\r\n" % target for target in targets)
        )
        assert [(await client.receive()).status for _ in targets] == [200, 404, 200]
        client.close()

    serve(test)


def test_answers_keep_their_order_around_a_command_and_in_a_crowd() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        ping = b"GET /fapi/v1/ping HTTP/1.1\r\n\r\n"
        token = operator(venue)["Authorization"].encode()
        reset = b"POST /operator/v1/reset HTTP/1.1\r\nAuthorization: %b\r\n" % token
        crowd = 2_000
        await client.send(ping + reset + b"Content-Length: 0\r\n\r\n" + ping * crowd)
        bodies = [(await client.receive()).body for _ in range(2 + crowd)]
        assert bodies[1] != b"{}"
        assert bodies[:1] + bodies[2:] == [b"{}"] * (1 + crowd)
        client.close()

    serve(test)


def test_a_client_that_takes_no_answers_gets_no_more() -> None:
    async def test(venue: Venue) -> None:
        client, other = await Client.to(venue, limit=1024), await Client.to(venue)
        request = b"GET /fapi/v1/exchangeInfo HTTP/1.1\r\n\r\n"
        count = 2_000
        client.writer.write(request * count)
        used = 0
        for _ in range(50):
            reply = await other.ask("GET", "/fapi/v1/ping")
            used = int(reply.headers["x-mbx-used-weight-1m"])
        assert used < 50 + count / 2
        for _ in range(count):
            assert (await client.receive()).status == 200
        client.close()
        other.close()

    serve(test, make(limits=False))


def test_the_root_is_a_page() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        for _ in range(2):
            page = await client.ask("GET", "/")
            assert page.status == 200
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert b"openperp doctor" in page.body
        client.close()

    serve(test)


@pytest.mark.parametrize("target", ["/", "/fapi/v1/time"])
def test_head_is_get_without_the_body(target: str) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        whole = await client.ask("GET", target)
        head = await client.ask("HEAD", target)
        assert head.status == 200
        assert head.headers["content-length"] == str(len(whole.body))
        assert (await client.ask("GET", "/fapi/v1/ping")).body == b"{}"
        client.close()

    serve(test)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", "GET HEAD"),
        ("/openapi.json", "GET HEAD"),
        ("/ws", "GET HEAD"),
        ("/fapi/v1/time", "GET HEAD"),
        ("/fapi/v1/order", "GET HEAD POST PUT DELETE"),
        ("/fapi/v1/leverage", "POST"),
        ("/fapi/v1/multiAssetsMargin", "GET HEAD POST"),
        ("/operator/v1/accounts/demo/deposit", "POST"),
    ],
)
def test_options_names_the_methods_of_a_path(path: str, methods: str) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        reply = await client.ask("OPTIONS", path)
        assert (reply.status, reply.body) == (204, b"")
        allowed = reply.headers["allow"].upper().split(", ")
        assert {*allowed} == {*methods.split(), "OPTIONS"}
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            refusal = await client.ask(method, path)
            assert (refusal.status in {404, 405}) == (method not in allowed), method
            if refusal.status == 405:
                assert refusal.headers["allow"] == reply.headers["allow"]
        client.close()

    serve(test)


@pytest.mark.parametrize("path", ["/nowhere", "*", "/operator/v1/accounts/demo/nothing"])
def test_options_of_what_there_is_not(path: str) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        assert (await client.ask("OPTIONS", path)).code == -5000
        client.close()

    serve(test)


@pytest.mark.parametrize("method", ["PATCH", "POST", "TRACE"])
def test_other_methods_are_refused_as_json(method: str) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        reply = await client.ask(method, "/fapi/v1/ping")
        assert (reply.status, reply.code) == (405, -5000)
        client.close()

    serve(test)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_a_body_may_come_in_chunks_and_late(pieces: int) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        body = b'{"symbol":"BTCUSDT","price":"61000"}'
        parts = [body[i : i + pieces] for i in range(0, len(body), pieces)]
        head = "POST /operator/v1/price HTTP/1.1\r\nHost: venue\r\nTransfer-Encoding: chunked\r\n"
        head += "".join(f"{name}: {text}\r\n" for name, text in operator(venue).items())
        await client.send(head.encode() + b"\r\n")
        await asyncio.sleep(0)
        for byte in chunked(parts):
            await client.send(bytes([byte]))
        assert (await client.receive()).json["index"] == "61000"
        client.close()

    serve(test)


def test_a_body_at_the_limit_is_read_and_one_beyond_it_is_not() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        reply = await client.ask("POST", "/fapi/v1/order", b"a=" + b"x" * (BODY_LIMIT - 2))
        assert reply.status != 413
        for size in (BODY_LIMIT + 1, 10 * BODY_LIMIT):
            reply = await client.ask("POST", "/fapi/v1/order", b"x" * size)
            assert (reply.status, reply.code) == (413, -1130)
            assert reply.json["msg"] == "Data sent for parameter 'body' is not valid."
        assert (await client.ask("GET", "/fapi/v1/ping")).status == 200
        client.close()

    serve(test)


def test_an_endless_chunked_body_is_refused_and_not_kept() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        await client.send(
            b"POST /fapi/v1/order HTTP/1.1\r\nHost: venue\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        part = b"%x\r\n%b\r\n" % (65536, b"x" * 65536)
        for _ in range(BODY_LIMIT // 65536 + 1):
            await client.send(part)
        reply = await client.receive()
        assert (reply.status, reply.code) == (413, -1130)
        await client.send(part * 4 + b"0\r\n\r\n")
        assert (await client.ask("GET", "/fapi/v1/ping")).status == 200
        client.close()

    serve(test)


def test_an_announced_giant_is_refused_before_it_comes() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        for length in ("99999999999999999999", "2000000"):
            await client.send(
                f"POST /fapi/v1/order HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode()
            )
            reply = await client.receive()
            assert reply.status in (400, 413)
            client.close()
            client = await Client.to(venue)
        client.close()

    serve(test)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"hello\r\n\r\n",
        b"GET /fapi/v1/ping HTTP/9.9\r\n\r\n",
        b"GET /fapi/v1/p ing HTTP/1.1\r\n\r\n",
        b"GET /fapi/v1/ping HTTP/1.1\r\nNo colon\r\n\r\n",
        b"POST /fapi/v1/order HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /fapi/v1/order HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /fapi/v1/pi\xc3\xa9ng HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_not_http_is_answered_in_json_and_closed(request_bytes: bytes) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        await client.send(request_bytes)
        reply = await client.receive()
        assert (reply.status, reply.code) == (400, -1100)
        assert "is not http/1.1" in reply.headers["x-explain"]
        assert await client.is_closed()
        client.close()

    serve(test)


@pytest.mark.parametrize(
    "target",
    [
        b"/fapi/v1/depth?symbol=%zz",
        b"/fapi/v1/depth?symbol=\xff\xfe",
        b"/fapi/v1/depth?symbol=%00%ff",
        b"/fapi/v1/depth?" + b"a=1&" * 10_000,
        b"/fapi/v1/depth?symbol=BTCUSDT&limit=" + b"9" * 400,
        b"/%ff%fe",
        b"/fapi/v1/../../etc/passwd",
        b"//",
        b"*",
        b"/operator/v1/accounts/%2f/deposit",
        b"/fapi/v1/batchOrders?orderIdList=[" + b"1," * 20_000 + b"1]",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE"])
def test_odd_targets_get_a_code_and_never_a_500(method: bytes, target: bytes) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        await client.send(b"%b %b HTTP/1.1\r\nHost: venue\r\n\r\n" % (method, target))
        reply = await client.receive()
        assert 400 <= reply.status < 500
        assert reply.code < 0
        assert venue.node.view.state.seq == 8
        client.close()

    serve(test)


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /" + b"a" * HEAD_LIMIT,
        b"GET / HTTP/1.1\r\nx: " + b"a" * HEAD_LIMIT,
        b"GET / HTTP/1.1\r\n" + b"x: a\r\n" * (HEAD_LIMIT // 6),
    ],
)
def test_a_head_without_end_is_cut_off(endless: bytes) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        for start in range(0, len(endless), 16_384):
            await client.send(endless[start : start + 16_384])
        reply = await client.receive()
        assert (reply.status, reply.code) == (431, -1130)
        assert "65536 bytes" in reply.headers["x-explain"]
        client.close()

    serve(test)


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind() -> None:
    async def test(venue: Venue) -> None:
        for data in (b"", b"GET / HT", b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"):
            client = await Client.to(venue)
            await client.send(data)
            while not venue.server.connections:  # noqa: ASYNC110
                await asyncio.sleep(0)
            client.writer.transport.abort()
            while venue.server.connections:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert venue.node.view.state.seq == 8

    serve(test)


@pytest.mark.parametrize(
    "data",
    [b"", b"GET / HT", b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"],
)
def test_a_client_that_stops_in_the_middle_is_dropped_at_the_second_look(data: bytes) -> None:
    async def test(venue: Venue) -> None:
        client, idle = await Client.to(venue), await Client.to(venue)
        await idle.ask("GET", "/fapi/v1/ping")
        await client.send(data)
        await idle.ask("GET", "/fapi/v1/ping")
        venue.server.close_stuck()
        await idle.ask("GET", "/fapi/v1/ping")
        venue.server.close_stuck()
        assert await client.is_closed()
        assert (await idle.ask("GET", "/fapi/v1/ping")).status == 200
        client.close()
        idle.close()

    serve(test)


class FullJournal(MemoryJournal):
    """A disk that has no room while `full`."""

    full = False

    def append(self, records: Sequence[Record]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().append(records)


def test_a_full_disk_does_nothing_and_says_so() -> None:
    venue = make()
    journal = venue.node.journal = FullJournal()

    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        body = b'{"symbol":"BTCUSDT","price":"61000"}'
        journal.full = True
        reply = await client.ask("POST", "/operator/v1/price", body, headers=operator(venue))
        assert (reply.status, reply.code) == (503, -1001)
        assert "nothing was done" in reply.headers["x-explain"]
        assert venue.node.view.state.seq == 8
        journal.full = False
        reply = await client.ask("POST", "/operator/v1/price", body, headers=operator(venue))
        assert reply.json["index"] == "61000"
        client.close()

    serve(test, venue)


def test_a_full_queue_throttles(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(venue: Venue) -> None:
        monkeypatch.setattr(sequencer, "QUEUE_LIMIT", 0)
        client = await Client.to(venue)
        reply = await client.ask("POST", "/operator/v1/reset", headers=operator(venue))
        assert (reply.status, reply.code) == (503, -1008)
        client.close()

    serve(test)


def test_a_broken_engine_is_an_unknown_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted_bug(_step: object, _command: object) -> None:
        raise ZeroDivisionError

    async def test(venue: Venue) -> None:
        monkeypatch.setitem(engine.HANDLERS, Pulse, planted_bug)
        client = await Client.to(venue)
        reply = await client.ask(
            "POST", "/operator/v1/clock", b'{"advance_ms":1}', headers=operator(venue)
        )
        assert (reply.status, reply.code) == (503, -1000)
        assert "outcome unknown" in reply.headers["x-explain"]
        status = await client.ask("GET", "/operator/v1/status", headers=operator(venue))
        assert status.json["mode"] == "cancel_only"
        client.close()

    serve(test)


def test_a_clock_that_cannot_change_is_a_refusal() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        ahead = b'{"set_ms":9999999999999}'
        assert (
            await client.ask("POST", "/operator/v1/clock", ahead, headers=operator(venue))
        ).status == 200
        reply = await client.ask(
            "POST", "/operator/v1/clock", b'{"mode":"real"}', headers=operator(venue)
        )
        assert (reply.status, reply.code) == (400, -1130)
        assert "ahead of the real clock" in reply.json["msg"]
        client.close()

    serve(test)


def test_a_bug_in_an_endpoint_is_a_json_500(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted_bug(_call: object, _params: object) -> None:
        raise ZeroDivisionError

    async def test(venue: Venue) -> None:
        monkeypatch.setattr(ROUTES["/fapi/v1/ping"]["GET"], "handle", planted_bug)
        client = await Client.to(venue)
        reply = await client.ask("GET", "/fapi/v1/ping")
        assert (reply.status, reply.code) == (500, -1000)
        assert "please report it" in reply.headers["x-explain"]
        assert (await client.ask("GET", "/fapi/v1/time")).status == 200
        client.close()

    serve(test)


def test_without_explanations_there_are_none_here_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted_bug(_call: object, _params: object) -> None:
        raise ZeroDivisionError

    async def test(venue: Venue) -> None:
        monkeypatch.setattr(ROUTES["/fapi/v1/ping"]["GET"], "handle", planted_bug)
        client = await Client.to(venue)
        replies = [await client.ask("GET", "/fapi/v1/ping")]
        await client.send(b"hello\r\n\r\n")
        replies.append(await client.receive())
        assert [reply.status for reply in replies] == [500, 400]
        assert not any("x-explain" in reply.headers for reply in replies)
        client.close()

    serve(test, make(explain=False))


OFFERS = ["Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n"]
OFFERS += ["Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"]


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.parametrize("step", [1, 50, 10_000])
def test_an_offer_of_another_protocol_is_passed_over(
    offer: str, in_chunks: bool, step: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        body = b'{"symbol":"BTCUSDT","price":"61000"}'
        head = "POST /operator/v1/price HTTP/1.1\r\nHost: venue\r\n" + offer
        head += "".join(f"{name}: {text}\r\n" for name, text in operator(venue).items())
        framing = "Transfer-Encoding: chunked" if in_chunks else f"Content-Length: {len(body)}"
        request = f"{head}{framing}\r\n\r\n".encode() + (chunked([body]) if in_chunks else body)
        ping = f"GET /fapi/v1/ping HTTP/1.1\r\n{offer}\r\n".encode()
        data = request + ping + request + ping
        for start in range(0, len(data), step):
            await client.send(data[start : start + step])
        replies = [await client.receive() for _ in range(4)]
        assert [reply.json.get("index") for reply in replies] == ["61000", None, "61000", None]
        assert [reply.status for reply in replies] == [200] * 4
        client.close()

    serve(test)
    assert not caplog.records


def test_very_many_offers_at_once_are_answered() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        ping = f"GET /fapi/v1/ping HTTP/1.1\r\n{OFFERS[0]}\r\n".encode()
        await client.send(ping * 1_500)
        for _ in range(1_500):
            assert (await client.receive()).status == 200
        client.close()

    serve(test)


def test_a_tunnel_is_refused() -> None:
    async def test(venue: Venue) -> None:
        for target in (b"venue:80", b"/"):
            client = await Client.to(venue)
            await client.send(b"CONNECT %b HTTP/1.1\r\nHost: venue\r\n\r\nhello" % target)
            reply = await client.receive()
            assert 400 <= reply.status < 500
            client.close()

    serve(test)


@pytest.mark.parametrize(
    "garbage",
    [b"\0garbage\r\n\r\n", b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)
@pytest.mark.parametrize("step", [1, 10_000])
def test_what_came_whole_is_answered_before_garbage_is_refused(garbage: bytes, step: int) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        body = b'{"name":"alice"}'
        head = "POST /operator/v1/accounts HTTP/1.1\r\nHost: venue\r\n"
        head += "".join(f"{name}: {text}\r\n" for name, text in operator(venue).items())
        head += f"Content-Length: {len(body)}\r\n\r\n"
        data = head.encode() + body + b"GET /fapi/v1/ping HTTP/1.1\r\n\r\n" + garbage
        for start in range(0, len(data), step):
            await client.send(data[start : start + step])
        replies = [await client.receive() for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 400]
        assert replies[0].json["name"] == "alice"
        assert await client.is_closed()
        client.close()

    serve(test)


def test_a_length_may_have_zeros_in_front() -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue)
        head = "POST /operator/v1/accounts HTTP/1.1\r\nHost: venue\r\n"
        head += "".join(f"{name}: {text}\r\n" for name, text in operator(venue).items())
        await client.send(
            head.encode() + b'Content-Length: 0000000000000016\r\n\r\n{"name":"alice"}'
        )
        assert (await client.receive()).json["name"] == "alice"
        client.close()

    serve(test)


def test_a_history_that_cannot_be_read_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise HistoryUnusable("The history cannot be read: disk I/O error.")

    async def test(venue: Venue) -> None:
        for name in ("find_order", "find_order_by_client_id", "list_orders", "list_fills"):
            monkeypatch.setattr(SqliteHistory, name, broken)
        client = await Client.to(venue)
        reply = await client.ask(*signed(venue, "GET", "order", "symbol=BTCUSDT&orderId=7"))
        assert (reply.status, reply.code) == (503, -1001)
        assert "nothing was done: the history cannot be read" in reply.headers["x-explain"]
        cancel = signed(venue, "DELETE", "batchOrders", "symbol=BTCUSDT&orderIdList=%5B7%5D")
        reply = await client.ask(*cancel)
        assert (reply.status, reply.code) == (503, -1007)
        assert reply.json["msg"].endswith("execution status unknown.")
        assert "the command was carried out" in reply.headers["x-explain"]
        assert venue.node.view.state.seq == 9
        client.close()

    serve(test)


def test_who_leaves_with_answers_unread_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def test(venue: Venue) -> None:
        client = await Client.to(venue, limit=1024)
        await client.send(b"GET /fapi/v1/exchangeInfo HTTP/1.1\r\nHost: venue\r\n\r\n" * 2_000)
        other = await Client.to(venue)
        for _ in range(50):
            assert (await other.ask("GET", "/fapi/v1/time")).status == 200
        client.writer.transport.abort()
        for _ in range(50):
            assert (await other.ask("GET", "/fapi/v1/time")).status == 200
        other.close()

    serve(test)
    assert not caplog.records
