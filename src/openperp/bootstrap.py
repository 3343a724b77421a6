"""From a configuration to a venue: the only module that knows concrete things."""

import logging
import secrets
from asyncio import Future, sleep
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from openperp.engine.commands import Command
from openperp.engine.events import Applied
from openperp.engine.state import State
from openperp.gateway.http import Gateway
from openperp.gateway.server import Server
from openperp.history.base import History, HistoryUnusable
from openperp.history.store import SqliteHistory
from openperp.journal.base import Journal, JournalError
from openperp.journal.memory import MemoryJournal
from openperp.journal.sqlite import SqliteJournal
from openperp.lab.demo import DemoMarket
from openperp.node.clock import Clock, RealClock, VirtualClock, format_instant, wall_ms
from openperp.node.config import Config
from openperp.node.credentials import Access, make_access, open_access
from openperp.node.errors import StartupError, Unavailable
from openperp.node.keyring import MASTER_KEY_SIZE, Sealer, open_master_key
from openperp.node.listen_key_file import ListenKeyFile
from openperp.node.node import Node
from openperp.node.recovery import Progress, recover

log = logging.getLogger(__name__)

HISTORY_FILE = "history.sqlite"
RETRY_S = 1.0
"""How long the demo market rests when the venue takes no commands."""


class Venue(NamedTuple):
    """A venue that is recovered but not started; `server.start` and `server.stop` run it.

    `app` is the ASGI application, for those who bring a server of their own.
    """

    node: Node
    app: Gateway
    server: Server


def build(config: Config, progress: Progress | None = None) -> Venue:
    """Opens what is on disk and brings it back to life.

    Raises:
        StartupError: one sentence that says why the venue cannot start.
    """
    with _as_startup_errors(config), ExitStack() as opened:
        journal = _open_journal(config)
        opened.callback(journal.close)
        history = _open_history(config, journal)
        opened.callback(history.close)
        machine = recover(journal, history, progress)
        sealer, access = _open_keys(config, machine.state)
        clock = _make_clock(config, machine.state)
        node = Node(config, machine, journal, history, clock, sealer, access)
        if not config.ephemeral:
            ListenKeyFile(config.data, journal.identity).serve(node.view)
        opened.pop_all()
    if config.market == "demo":
        _populate(node, config.seed)
    app = Gateway(node)
    return Venue(node, app, Server(node, app, config.host, config.port, config.tls))


@contextmanager
def _as_startup_errors(config: Config) -> Iterator[None]:
    try:
        yield
    except (JournalError, HistoryUnusable) as error:
        raise StartupError(str(error)) from error
    except OSError as error:
        reason = error.strerror or error
        raise StartupError(f"The data directory {config.data} cannot be used: {reason}.") from error


def _open_journal(config: Config) -> Journal:
    return MemoryJournal() if config.ephemeral else SqliteJournal(config.data)


def _open_history(config: Config, journal: Journal) -> History:
    if config.ephemeral:
        return SqliteHistory(None)
    history = SqliteHistory(config.data / HISTORY_FILE, journal.identity, journal.pruned_seq)
    if history.discarded:
        log.warning("The history is rebuilt: %s", history.discarded)
    return history


def _open_keys(config: Config, state: State) -> tuple[Sealer, Access]:
    if config.ephemeral:
        return Sealer(secrets.token_bytes(MASTER_KEY_SIZE)), make_access()
    master_key = open_master_key(config.data, may_create=not state.keys)
    return Sealer(master_key), open_access(config.data)


def _make_clock(config: Config, state: State) -> Clock:
    """Venue time goes on where it stood: while the venue is down no time passes for it."""
    if config.clock == "virtual":
        return Clock(VirtualClock(state.time_ms or config.clock_start_ms))
    if state.time_ms > wall_ms():
        log.warning(
            "The venue stands at %s, ahead of the real clock: its time stands still until then",
            format_instant(state.time_ms),
        )
    return Clock(RealClock(state.time_ms))


def _populate(node: Node, seed: int) -> None:
    """Lets the house of the demo market live in a venue."""

    def submit(command: Command) -> Future[Applied]:
        return node.sequencer.submit(command)

    market = DemoMarket(submit, node.view.state, seed, node.now_ms, goes=node.goes_by_itself)

    async def play(_node: Node) -> None:
        while True:
            try:
                await market.run()
            except Unavailable as error:
                log.warning("The demo market rests: %s", str(error) or type(error).__name__)
                await sleep(RETRY_S)

    node.house = market
    node.players.append(play)
