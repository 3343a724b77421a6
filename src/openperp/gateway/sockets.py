"""WebSockets: RFC 6455 around whoever listens, with bounds on what a peer can hold.

The rules of frames are those of the `websockets` library, without its I/O and
without extensions: nothing is compressed, so that one frame serves everybody.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol, cast

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # Where no wheel with compiled parts fits.
    from websockets.utils import apply_mask

from openperp.api.errors import ApiError

MESSAGE_LIMIT: Final = 64 * 1024
"""Bytes of a message from a peer, all its fragments together; a longer one ends the connection."""

FRAGMENTS_LIMIT: Final = 64
"""Frames of a message; a frame may be empty, and be held all the same."""

SLOW_READER_BYTES: Final = 1024 * 1024
"""What may wait for a peer that does not read, besides what the system holds."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How long a connection may last, in seconds of the wall.

    A ping goes out every `ping_s`; a connection ends when for `pong_s` no pong
    came that answers one, and after `life_s` in any case. `close_s` is how long
    the other side may take to agree to an end.
    """

    ping_s: float = 180.0
    pong_s: float = 600.0
    life_s: float = 86_400.0
    close_s: float = 1.0


class Talk(Protocol):
    """Who stands behind a socket."""

    texts_count: bool
    """Whether texts, too, count towards `frames_per_s`, each by its frames; pings and pongs do."""
    frames_per_s: int | None

    def begin(self) -> None:
        """The connection is open."""
        ...

    def hear(self, text: bytes) -> None:
        """One whole message, valid UTF-8."""
        ...

    def leave(self) -> None:
        """Nothing more can be sent. Called once."""
        ...


class Sockets:
    """All open sockets of a server."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.open: set[Socket] = set()
        self._emptied: asyncio.Event | None = None

    def forget(self, socket: "Socket") -> None:
        self.open.discard(socket)
        if not self.open and self._emptied is not None:
            self._emptied.set()

    async def close(self) -> None:
        """Tells everybody that the server goes; returns when all are gone."""
        if not self.open:
            return
        self._emptied = asyncio.Event()
        for socket in list(self.open):
            socket.end(CloseCode.GOING_AWAY, "the venue stops")
        await self._emptied.wait()


class Socket(asyncio.Protocol):
    """One connection after its handshake. `write` takes whole frames."""

    __slots__ = (
        "_began",
        "_count",
        "_ended",
        "_held",
        "_loop",
        "_messages",
        "_paused",
        "_ping_at",
        "_pong_at",
        "_protocol",
        "_second",
        "_sockets",
        "_talk",
        "_timer",
        "_token",
        "_transport",
        "write",
    )

    def __init__(self, sockets: Sockets, transport: asyncio.Transport) -> None:
        self._sockets = sockets
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self.write = transport.write
        self._protocol = ServerProtocol(state=OPEN, max_size=MESSAGE_LIMIT)
        self._talk: Talk | None = None
        self._messages: list[bytes] = []
        self._ended = False
        self._paused = False
        self._held: list[Event] = []
        self._began = self._pong_at = self._second = self._loop.time()
        self._ping_at = self._began + sockets.rules.ping_s
        self._token = b"%d" % int(self._began * 1_000)
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, talk: Talk) -> None:
        """Takes the transport over, for `talk`."""
        self._talk = talk
        self._transport.set_write_buffer_limits(high=SLOW_READER_BYTES)
        self._transport.set_protocol(self)
        self._sockets.open.add(self)
        self._wait()
        talk.begin()

    @property
    def waiting(self) -> int:
        """Bytes that the peer has not taken yet, besides what the system holds."""
        return self._transport.get_write_buffer_size()

    def send(self, text: bytes) -> None:
        """Sends one text to this peer alone."""
        if not self._ended:
            self.write(text_frame(text))

    def end(self, code: int, reason: str) -> None:
        """Says goodbye; what still comes is ignored."""
        if self._ended:
            return
        self._protocol.send_close(code, reason)
        self._flush()
        self._stop_talk()

    def pause_reading(self) -> None:
        """Takes nothing more until `resume_reading`: the peer asks faster than it is answered."""
        self._paused = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._paused = False
        held, self._held = self._held, []
        self._take_events(held)
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if not (self._ended or self._paused or self._messages or self._protocol.reader.buffer):
            text = read_text(data)
            if text is not None:
                self._take_text(text)
                return
        self._protocol.receive_data(data)
        self._take_events(self._protocol.events_received())

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._transport.close()

    def pause_writing(self) -> None:
        """More waits for this peer than may: it is gone before the next write."""
        self._transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self._stop_talk()
        if self._timer is not None:
            self._timer.cancel()
        self._sockets.forget(self)

    def _take_events(self, events: list[Event]) -> None:
        for number, event in enumerate(events):
            if self._ended:
                break
            if self._paused:
                self._held += events[number:]
                break
            self._take(cast("Frame", event))
        self._flush()
        if self._protocol.close_expected():
            self._stop_talk()

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.CLOSE:
            return
        if opcode is Opcode.PING or opcode is Opcode.PONG:
            self._charge()
            if opcode is Opcode.PONG and bytes(frame.data) == self._token:
                self._pong_at = self._loop.time()
            return
        if opcode is Opcode.BINARY:
            self.end(CloseCode.UNSUPPORTED_DATA, "messages are text")
            return
        self._messages.append(bytes(frame.data))
        if frame.fin:
            text, self._messages = b"".join(self._messages), []
            self._take_text(text)
        elif len(self._messages) == FRAGMENTS_LIMIT:
            self.end(CloseCode.POLICY_VIOLATION, "a message of too many fragments")
        else:
            self._charge_text()

    def _take_text(self, text: bytes) -> None:
        talk = self._talk
        if talk is None:
            return
        self._charge_text()
        try:
            text.decode()
        except UnicodeDecodeError:
            self.end(CloseCode.INVALID_DATA, "a message must be UTF-8")
        if not self._ended:
            talk.hear(text)

    def _charge_text(self) -> None:
        if self._talk is not None and self._talk.texts_count:
            self._charge()

    def _charge(self) -> None:
        """Counts what came in this second."""
        now = self._loop.time()
        if now - self._second >= 1:
            self._second, self._count = now, 0
        self._count += 1
        limit = None if self._talk is None else self._talk.frames_per_s
        if limit is not None and self._count > limit:
            self.end(CloseCode.POLICY_VIOLATION, "Too many requests")

    def _flush(self) -> None:
        """Writes what the protocol has to say by itself: pongs, closing frames, the end."""
        for data in self._protocol.data_to_send():
            if data:
                self.write(data)
            else:
                self._transport.close()

    def _stop_talk(self) -> None:
        """From here on there is only the closing handshake, and not for long."""
        if self._ended:
            return
        self._ended = True
        self._messages = []
        self._held = []
        if self._talk is not None:
            self._talk.leave()
            self._talk = None
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._sockets.rules.close_s, self._transport.abort)

    def _wait(self) -> None:
        rules = self._sockets.rules
        due = min(self._ping_at, self._pong_at + rules.pong_s, self._began + rules.life_s)
        self._timer = self._loop.call_at(due, self._check_life)

    def _check_life(self) -> None:
        rules, now = self._sockets.rules, self._loop.time()
        if now >= self._began + rules.life_s:
            self.end(CloseCode.GOING_AWAY, "the life of a connection is over")
            return
        if now >= self._pong_at + rules.pong_s:
            self.end(CloseCode.POLICY_VIOLATION, "Pong timeout")
            return
        if now >= self._ping_at:
            self._ping_at = now + rules.ping_s
            self._protocol.send_ping(self._token)
            self._flush()
        self._wait()


def read_text(data: bytes) -> bytes | None:
    """The text in data that is one whole text frame of a client, and nothing else.

    Most data is, and is taken without a call of the library, which is to judge
    whatever else comes: fragments, parts of frames and several at once, other
    opcodes, reserved bits, lengths in a wrong form.
    """
    size = len(data) - 6
    if not 0 <= size < 65_538 or data[0] != 0x81:
        return None
    if size < 126:
        return _unmask(data, 2) if data[1] == 0x80 | size else None
    size -= 2
    if size < 126 or data[1] != 0xFE or int.from_bytes(data[2:4], "big") != size:
        return None
    return _unmask(data, 4)


def _unmask(data: bytes, start: int) -> bytes:
    """What follows the four bytes at `start`, under their mask."""
    return apply_mask(data[start + 4 :], data[start : start + 4])


def text_frame(text: bytes) -> bytes:
    """A whole text message as a server sends it: two bytes, its length, the text."""
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), text)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), text)


def answer_handshake(path: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The bytes that accept a handshake; Host and Origin may be anything.

    Raises:
        ApiError: -1130 with the header that is missing or wrong.
    """
    texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    request = Request(path, Headers(texts))
    protocol = ServerProtocol()
    response = protocol.accept(request)
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        error = protocol.handshake_exc
        name = error.name if isinstance(error, InvalidHeader) else "header"
        raise ApiError(-1130, name, status=response.status_code, explain=str(error))
    return response.serialize()
