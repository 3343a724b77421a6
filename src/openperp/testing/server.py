"""A venue on a thread of its own, with an event loop of its own."""

import asyncio
import threading
from concurrent.futures import Future
from pathlib import Path

import uvloop

from openperp.bootstrap import build
from openperp.gateway.server import Server
from openperp.journal.sqlite import SqliteJournal
from openperp.node.config import Config
from openperp.node.credentials import Access

STOP_TIMEOUT_S = 30.0


class BackgroundServer:
    """Started when constructed; `port` and `access` say where and with which keys.

    Raises:
        StartupError: The venue cannot start.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stopping = asyncio.Event()
        started: Future[tuple[asyncio.AbstractEventLoop, Server]] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="venue", daemon=True
        )
        self._thread.start()
        try:
            self._loop, self._server = started.result()
        except BaseException:
            self._thread.join()
            raise

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def access(self) -> Access:
        return self._server.node.access

    def save_journal(self, directory: Path) -> None:
        """Copies a journal in memory to a file in `directory`."""
        asyncio.run_coroutine_threadsafe(self._copy(directory), self._loop).result()

    def close(self) -> None:
        """Stops the venue and its thread; may be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self, started: "Future[tuple[asyncio.AbstractEventLoop, Server]]") -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: "Future[tuple[asyncio.AbstractEventLoop, Server]]") -> None:
        try:
            server = build(self._config).server
            await server.start()
        except BaseException as error:  # noqa: BLE001  the thread that waits has to hear of any
            started.set_exception(error)
            return
        started.set_result((asyncio.get_running_loop(), server))
        await self._stopping.wait()
        await server.stop()

    async def _copy(self, directory: Path) -> None:
        source = self._server.node.journal
        target = SqliteJournal(directory)
        try:
            records = list(source.read(0))
            for start in range(0, len(records), 1000):
                target.append(records[start : start + 1000])
        finally:
            target.close()
