"""What stands behind a socket: the streams it hears, or the methods it calls."""

from asyncio import Future, Transport
from functools import partial
from typing import Final

from openperp.api.streams.control import Heard, StreamSession
from openperp.api.streams.targets import MethodPlan, StreamPlan
from openperp.api.ws_api import (
    MethodSession,
    PendingMethod,
    finish_method,
    open_session,
    prepare_method,
    refuse_method,
    refuse_text,
)
from openperp.engine.events import Applied
from openperp.gateway.fanout import Fanout
from openperp.gateway.sockets import Rules, Socket, Sockets, Talk
from openperp.node.node import Node
from openperp.node.refusals import to_api_error

MESSAGES_PER_S: Final = 10
"""Messages, pings and pongs that a stream socket may send in a second."""
PINGS_PER_S: Final = 5
"""Pings and pongs that a socket of the WebSocket API may send; its requests have weights."""

INVALID: Final = 1008
"""The code of a connection that ends because of what was sent over it."""
UNDER_WAY: Final = 64
"""Commands of one socket that may wait for their outcome; nothing more is read meanwhile."""
REQUEST: Final = "a request of the WebSocket API"
"""What the log calls one."""


class StreamTalk:
    """A socket that hears streams."""

    __slots__ = ("_fanout", "_session", "_socket", "frames_per_s")

    texts_count = True

    def __init__(
        self, socket: Socket, session: StreamSession, fanout: Fanout, *, limits_on: bool
    ) -> None:
        self._socket = socket
        self._session = session
        self._fanout = fanout
        self.frames_per_s = MESSAGES_PER_S if limits_on else None

    def begin(self) -> None:
        self._fanout.join(self._socket, self._session.streams, self._session)

    def hear(self, text: bytes) -> None:
        combined = self._session.combined
        heard: Heard = self._session.hear(text)
        self._socket.send(heard.answer)
        for name in heard.left:
            self._fanout.leave(self._socket, name)
        if heard.joined:
            self._fanout.join(self._socket, heard.joined, self._session)
        if combined != self._session.combined:
            self._fanout.join(self._socket, self._session.streams, self._session)
        if heard.ends:
            self._socket.end(INVALID, "Invalid request")

    def leave(self) -> None:
        for name in self._session.streams:
            self._fanout.leave(self._socket, name)


class MethodTalk:
    """A socket that calls methods; each answer goes out when it is known."""

    __slots__ = ("_ip", "_node", "_session", "_socket", "_under_way", "frames_per_s")

    texts_count = False

    def __init__(self, socket: Socket, session: MethodSession, node: Node, ip: str) -> None:
        self._socket = socket
        self._session = session
        self._node = node
        self._ip = ip
        self._under_way = 0
        self.frames_per_s = PINGS_PER_S if node.view.limits_on else None

    def begin(self) -> None:
        """There is nothing to say before the first request."""

    def hear(self, text: bytes) -> None:
        view = self._node.view
        try:
            prepared = prepare_method(text, self._session, view, self._ip)
        except Exception as error:  # noqa: BLE001 - whatever it was, the client hears of it
            refusal = to_api_error(error, REQUEST)
            prepared = refuse_text(text, refusal, self._session, view, self._ip)
        if isinstance(prepared, PendingMethod):
            self._submit(prepared)
        else:
            self._socket.send(prepared)

    def leave(self) -> None:
        """What is under way is carried out; nobody hears of it."""

    def _submit(self, pending: PendingMethod) -> None:
        try:
            promise = self._node.submit(pending.submission)
        except Exception as error:  # noqa: BLE001 - as in `hear`
            self._socket.send(refuse_method(pending, to_api_error(error, REQUEST)))
            return
        self._under_way += 1
        if self._under_way == UNDER_WAY:
            self._socket.pause_reading()
        promise.add_done_callback(partial(self._finish, pending))

    def _finish(self, pending: PendingMethod, promise: "Future[Applied]") -> None:
        carried_out = False
        try:
            applied = promise.result()
            carried_out = True
            answer = finish_method(pending, applied)
        except Exception as error:  # noqa: BLE001 - as in `hear`
            refusal = to_api_error(error, REQUEST, carried_out=carried_out)
            answer = refuse_method(pending, refusal)
        self._socket.send(answer)
        self._under_way -= 1
        if self._under_way == UNDER_WAY - 1:
            self._socket.resume_reading()


class Reception:
    """Takes in the connections that want to be WebSockets."""

    def __init__(self, node: Node, rules: Rules | None = None) -> None:
        self.sockets = Sockets(rules)
        self.fanout = Fanout(node.view)
        self._node = node
        node.listeners.append(self.fanout)

    def admit(
        self, plan: StreamPlan | MethodPlan, transport: Transport, ip: str
    ) -> tuple[Socket, Talk]:
        """A socket for `transport`, and who stands behind it; `Socket.begin` is the next step.

        Raises:
            ApiError: the connection is refused, with the status that HTTP would give.
        """
        node, view = self._node, self._node.view
        socket = Socket(self.sockets, transport)
        if isinstance(plan, MethodPlan):
            return socket, MethodTalk(socket, open_session(plan.query, view, ip), node, ip)
        strict = "streams" in view.strict
        session = StreamSession(plan, self.fanout.resolve, strict=strict)
        return socket, StreamTalk(socket, session, self.fanout, limits_on=view.limits_on)

    async def close(self) -> None:
        """Nothing goes out any more but a farewell; returns when everybody has left."""
        self.fanout.close()
        await self.sockets.close()
