"""Ends of connections that leave the peer its last answer.

A system that closes a connection with bytes nobody read tells the peer to forget
it, the answer included (RFC 9112, 9.6). So the own direction is closed first, and
what still comes is thrown away until the peer is through, or time is up.
"""

from asyncio import AbstractEventLoop, Transport
from collections.abc import Callable
from typing import Final

LINGER_S: Final = 5.0
"""How long a peer may take to stop sending once it has its last answer."""


def linger(transport: Transport, loop: AbstractEventLoop) -> None:
    """Says that nothing more is sent; the caller ignores what comes until the end."""
    if transport.is_closing():
        return
    if transport.can_write_eof():
        transport.write_eof()
    transport.resume_reading()
    loop.call_later(LINGER_S, transport.close)


class LastTransport:
    """What the server writes the last answer of a connection to: `close` waits for the peer."""

    __slots__ = ("_close", "is_closing", "write")

    def __init__(self, transport: Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self._close = close

    def close(self) -> None:
        self._close()
