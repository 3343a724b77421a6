"""One HTTP connection, with bounds on what a slow or endless client can hold."""

from asyncio import Transport
from functools import partial
from http import HTTPStatus
from typing import Any, Final, NamedTuple, cast
from urllib.parse import unquote

import httptools
import msgspec
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from openperp.api.addresses import plain_address
from openperp.api.dispatch import Answer
from openperp.api.errors import ApiError
from openperp.api.explain import header_value
from openperp.api.streams.targets import MethodPlan, StreamPlan, read_target
from openperp.gateway.http import Gateway
from openperp.gateway.lingering import LastTransport, linger
from openperp.gateway.sockets import answer_handshake
from openperp.gateway.talks import Reception

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request line with its headers."""


class Refusal(NamedTuple):
    """The last answer on a connection."""

    status: bytes
    body: bytes
    explain: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


_MALFORMED: Final = Refusal(
    b"400 Bad Request",
    b'{"code":-1100,"msg":"Illegal characters found in a parameter."}',
    b"what was sent is not HTTP/1.1, or not the part of it that was due",
)
_HEAD_TOO_LONG: Final = Refusal(
    b"431 Request Header Fields Too Large",
    b'{"code":-1130,"msg":"Data sent for parameter \'header\' is not valid."}',
    b"a request line with its headers may have %d bytes" % HEAD_LIMIT,
)


class Connection(HttpToolsProtocol):
    """uvicorn's connection; what it cannot read it answers in JSON and closes.

    Where the path leads to a WebSocket the connection becomes one. Any other offer
    to go on in another protocol is passed over, as HTTP allows, and the request
    answered. `unparsed` counts bytes that came since the last whole head,
    so a head that never ends is noticed. Once `_over`, nothing is heard any more.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        reception: Reception,
        gateway: Gateway,
    ) -> None:
        super().__init__(config, server_state, app_state)
        self.unparsed = 0
        self._reception = reception
        self._gateway = gateway
        self._explains = gateway.explains
        self._upgrading = False
        self._over = False
        self._active: RequestResponseCycle | None = None
        self._last: Refusal | None = None
        self._whole: RequestResponseCycle | None = None
        self._seen: RequestResponseCycle | None = None
        self._seen_before = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            ip, port = self.client
            self.client = plain_address(ip), port

    def connection_lost(self, exc: Exception | None) -> None:
        active = self._active
        if active is not None and not active.response_complete:
            active.disconnected = True  # uvicorn tells the request that came last, and no other
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._over or self._last is not None:
            return
        self.unparsed += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._meet_offers(memoryview(data)[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._end_with(_MALFORMED)
        if self.unparsed > HEAD_LIMIT and not self._over:
            self._end_with(_HEAD_TOO_LONG)

    def _meet_offers(self, rest: memoryview) -> None:
        """Becomes a WebSocket, or reads the head again without the offer, and then the rest."""
        try:
            while self._upgrading:
                self._upgrading = False
                if self.unparsed - len(rest) > HEAD_LIMIT:
                    self._end_with(_HEAD_TOO_LONG)
                    return
                plan = self._find_plan()
                if plan is not None:
                    self._become_socket(plan, bytes(rest))
                    return
                self._read_head_again()
                try:
                    self.parser.feed_data(rest)
                except httptools.HttpParserUpgrade as upgrade:
                    rest = rest[upgrade.args[0] :]
                else:
                    return
        except httptools.HttpParserError:
            pass
        # A request to be a tunnel, or bytes that are none of HTTP's.
        self._end_with(_MALFORMED)

    def _find_plan(self) -> StreamPlan | MethodPlan | None:
        """What a WebSocket was asked for, where that is what was asked for."""
        offered = any(n == b"upgrade" and v.lower() == b"websocket" for n, v in self.headers)
        if not offered or self.parser.get_method() != b"GET":
            return None
        try:
            url = httptools.parse_url(self.url)
        except httptools.HttpParserInvalidURLError:
            return None
        return read_target(unquote(url.path.decode("latin-1")), url.query or b"")

    def _become_socket(self, plan: StreamPlan | MethodPlan, rest: bytes) -> None:
        self.unparsed = 0
        self._unset_keepalive_if_required()
        if not self._is_answered():
            self._end_with(_MALFORMED)  # a client has to wait for its answers first
            return
        try:
            accepted = answer_handshake(self.url.decode("latin-1"), self.headers)
            ip = self.client[0] if self.client else ""
            socket, talk = self._reception.admit(plan, self.transport, ip)
        except ApiError as error:
            self._end_with(_refusal(error))
            return
        self.connections.discard(self)
        self.transport.write(accepted)
        socket.begin(talk)
        if rest:
            socket.data_received(rest)

    def _read_head_again(self) -> None:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                kept = [token for token in tokens if token.lower() != b"upgrade"]
                lines.append(b"connection: " + b", ".join(kept))
            elif name != b"upgrade":
                lines.append(name + b": " + value)
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn has it: bytes behind the last request do not spoil its answer.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join([*lines, b"", b""]))

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._upgrading = True
            return
        super().on_headers_complete()
        self.unparsed = 0

    def on_body(self, body: bytes) -> None:
        self.unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._upgrading:
            return
        self.cycle.more_body = False  # also of a request that was answered before its end
        super().on_message_complete()
        cycle, self._whole = self._whole, None
        if cycle is not None:
            reply = partial(self._reply, cycle)
            self._gateway.answer_whole(cycle.scope, bytes(cycle.body), reply)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._active = cycle
        self._unset_keepalive_if_required()  # set where the request before it was answered at once
        if self._is_short(cycle):
            self._whole = cycle
            return
        if not cycle.keep_alive:
            cycle.transport = cast("Transport", LastTransport(self.transport, self._end))
        super()._start_asgi_task(cycle, app)

    def _is_short(self, cycle: RequestResponseCycle) -> bool:
        """Whether to wait for the whole request, which then needs no task.

        A long body needs one, for its end may never come. So does a request that is whole
        already: it waited for the one before it, and each answer would start the next.
        A client that does not take its answers has to wait until there is room again, and
        the last answer of a connection ends it.
        """
        if not cycle.more_body or not cycle.keep_alive:
            return False
        if self.flow.write_paused or cycle.waiting_for_100_continue:
            return False
        for name, value in self.headers:
            if name == b"transfer-encoding" or (name == b"content-length" and len(value) > 4):
                return False
        return True

    def _reply(self, cycle: RequestResponseCycle, answer: Answer) -> None:
        """What `RequestResponseCycle.send` does with both parts of an answer, in one write."""
        if cycle.disconnected or self._over or self.transport.is_closing():
            return
        cycle.response_started = cycle.response_complete = True
        lines = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *answer.headers):
            lines += (name, b": ", value, b"\r\n")
        if answer.status != 204:
            lines.append(b"content-length: %d\r\n" % len(answer.body))
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        if cycle.scope["method"] != "HEAD":
            lines.append(answer.body)
        self.transport.write(b"".join(lines))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._over:
            self._unset_keepalive_if_required()
        if self._last is not None and self._is_answered():
            self._write_last(self._last)

    def shutdown(self) -> None:
        if self._over:
            self.transport.close()
        else:
            super().shutdown()

    def close_if_stuck(self) -> None:
        """Closes a connection that waits for the same bytes as at the call before."""
        cycle: RequestResponseCycle | None = self.cycle
        waiting = (
            cycle is None
            or cycle.more_body
            or self.unparsed > 0
            or self.transport.get_write_buffer_size() > 0
        )
        if waiting and self._seen_before and cycle is self._seen:
            self.transport.abort()
        self._seen, self._seen_before = cycle, waiting

    def _end_with(self, refusal: Refusal) -> None:
        """Refuses what came last, when all that came whole before it is answered."""
        self._last = refusal
        if self.pipeline and self.pipeline[0][0].more_body:
            self.pipeline.popleft()
        if self._is_answered() or (self._active is not None and self._active.more_body):
            self._write_last(refusal)

    def _is_answered(self) -> bool:
        return not self.pipeline and (self._active is None or self._active.response_complete)

    def _write_last(self, refusal: Refusal) -> None:
        if self._over or self.transport.is_closing():
            return
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % (
            refusal.status,
            len(refusal.body),
        )
        for header in refusal.headers:
            head += b"%b: %b\r\n" % header
        if self._explains:
            head += b"x-explain: %b\r\n" % refusal.explain
        self.transport.write(head + b"connection: close\r\n\r\n" + refusal.body)
        self._end()

    def _end(self) -> None:
        """Leaves the peer its last answer; a request that did not come whole is dropped."""
        self._over = True
        self._unset_keepalive_if_required()
        if self._active is not None and not self._active.response_complete:
            self._active.disconnected = True
            self._active.message_event.set()
        linger(self.transport, self.loop)


def _refusal(error: ApiError) -> Refusal:
    status = HTTPStatus(error.status)
    return Refusal(
        b"%d %b" % (status, status.phrase.encode()),
        msgspec.json.encode({"code": error.code, "msg": error.msg}),
        header_value(error.explain or error.msg),
        error.headers,
    )
