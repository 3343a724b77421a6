"""The node behind a port: uvicorn's HTTP on uvloop, started and stopped by whoever owns the loop.

No signal handlers here: a process installs its own, and a test runs a server in
a thread.
"""

import asyncio
import errno
import socket
import ssl
import time
from email.utils import formatdate
from pathlib import Path
from typing import Final

import uvicorn
from uvicorn.server import ServerState

from openperp.gateway.connection import Connection
from openperp.gateway.http import Gateway
from openperp.gateway.talks import Reception
from openperp.node.errors import StartupError
from openperp.node.node import Node

BACKLOG: Final = 2048
KEEP_ALIVE_S: Final = 75
STUCK_S: Final = 30
"""A client that sends or takes nothing for this long, in the middle of a request, is dropped."""
GRACE_S: Final = 5
"""How long requests under way may take when the server stops."""


class Server:
    """Serves one node on one address; `port` is the real one once started."""

    def __init__(
        self,
        node: Node,
        app: Gateway,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self.node = node
        self._app = app
        self.host = host
        self.port = port
        self._tls = tls
        self.reception = Reception(node)
        self._state = ServerState()
        self._listener: asyncio.Server | None = None
        self._housekeeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Claims the port, then starts the node, then answers.

        Raises:
            StartupError: the port cannot be had, a certificate cannot be read, or
                the node cannot start.
        """
        try:
            tls = None if self._tls is None else _tls_context(*self._tls)
            listening = _listen(self.host, self.port)
        except StartupError:
            self.node.close()
            raise
        self.port = listening.getsockname()[1]
        try:
            await self.node.start()
            self._listener = await self._serve(listening, tls)
        except BaseException:
            listening.close()
            raise
        self._housekeeping = asyncio.get_running_loop().create_task(self._keep_house())

    async def stop(self) -> None:
        """Takes no new requests, finishes those under way, stops the node, says goodbye."""
        if self._listener is not None:
            self._listener.close()
        if self._housekeeping is not None:
            self._housekeeping.cancel()
        await self._drain()
        await self.node.stop()
        await self.reception.close()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._state.connections) + len(self.reception.sockets.open)

    async def _serve(self, listening: socket.socket, tls: ssl.SSLContext | None) -> asyncio.Server:
        config = uvicorn.Config(
            self._app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        config.load()
        self._tick()
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: Connection(config, self._state, {}, self.reception, self._app),
            sock=listening,
            ssl=tls,
            backlog=BACKLOG,
        )

    async def _keep_house(self) -> None:
        seconds = 0
        while True:
            await asyncio.sleep(1)
            self._tick()
            seconds += 1
            if seconds % STUCK_S == 0:
                self.close_stuck()

    def _tick(self) -> None:
        date = formatdate(time.time(), usegmt=True).encode()
        self._state.default_headers = [(b"date", date)]

    def close_stuck(self) -> None:
        for connection in list(self._state.connections):
            if isinstance(connection, Connection):
                connection.close_if_stuck()

    async def _drain(self) -> None:
        """Lets idle connections go at once, and the others when they have their answer."""
        for connection in list(self._state.connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE_S
        while self._state.connections and loop.time() < deadline:  # noqa: ASYNC110 - uvicorn's set
            await asyncio.sleep(0.005)
        for connection in list(self._state.connections):
            connection.transport.abort()
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)


def check_address(host: str, port: int, tls: tuple[Path, Path] | None = None) -> None:
    """Whether a server could start there, for those who want to know before they open anything.

    Raises:
        StartupError: the port cannot be had or a certificate cannot be read.
    """
    if tls is not None:
        _tls_context(*tls)
    _bind(host, port).close()


def _listen(host: str, port: int) -> socket.socket:
    listening = _bind(host, port)
    try:
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise StartupError(_bind_sentence(host, port, error)) from None
    listening.setblocking(False)
    return listening


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise StartupError(f"host {host} cannot be found") from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise StartupError(_bind_sentence(host, port, error)) from None
    return bound


def _bind_sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use: choose another one with --port, or 0 for a free one"
    return f"port {port} on {host} cannot be had: {error.strerror}"


def _tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise StartupError(
            f"the certificate {certificate} with the key {key} cannot be used: "
            f"{error.strerror or error}"
        ) from None
    return context
