"""One HTTP connection, with bounds on what a slow or endless client can hold."""

import asyncio
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request line with its headers."""

_MALFORMED: Final = b'{"code":-1100,"msg":"Illegal characters found in a parameter."}'
_HEAD_TOO_LONG: Final = b'{"code":-1130,"msg":"Data sent for parameter \'header\' is not valid."}'


class Connection(HttpToolsProtocol):
    """uvicorn's connection; what it cannot read it answers in JSON and closes.

    `unparsed` counts bytes that came since the last whole head, so a head that
    never ends is noticed.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.unparsed = 0
        self._seen: RequestResponseCycle | None = None
        self._seen_before = False

    def data_received(self, data: bytes) -> None:
        self.unparsed += len(data)
        super().data_received(data)
        if self.unparsed > HEAD_LIMIT and not self.transport.is_closing():
            self._close_with(b"HTTP/1.1 431 Request Header Fields Too Large", _HEAD_TOO_LONG)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.unparsed = 0

    def on_body(self, body: bytes) -> None:
        self.unparsed = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's own words
        self._close_with(b"HTTP/1.1 400 Bad Request", _MALFORMED)

    def _unsupported_upgrade_warning(self) -> None:
        """The client is answered; uvicorn's advice to install something would mislead."""

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

    def _close_with(self, status: bytes, body: bytes) -> None:
        head = b"%s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % (
            status,
            len(body),
        )
        self.transport.write(head + b"connection: close\r\n\r\n" + body)
        self.transport.close()
