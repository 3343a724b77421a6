"""One running venue: a machine, its journal and history, a clock, and the order of commands."""

import asyncio
import logging
from asyncio import Future, Task
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from typing import Any, Protocol

from openperp.api.dialect import DEFAULT_DIALECT, DIALECTS
from openperp.api.endpoint import Submission
from openperp.api.view import View
from openperp.engine.commands import Batch, Pulse
from openperp.engine.events import Applied
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.invariants import InvariantViolation, check, conservation_gap
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import dump
from openperp.history.base import History, HistoryUnusable
from openperp.journal.base import Journal, JournalError
from openperp.node.clock import Clock, wall_ms
from openperp.node.config import Config
from openperp.node.credentials import Access
from openperp.node.errors import StartupError, Unavailable
from openperp.node.instruments import change_terms, check_same_grid, describe, specify
from openperp.node.keyring import KeyRing, Sealer
from openperp.node.leaps import House
from openperp.node.machine import Machine
from openperp.node.opening import check_dialect, plan_opening
from openperp.node.sequencer import Sequencer
from openperp.node.timers import Timers

log = logging.getLogger(__name__)

SNAPSHOT_EVERY = 1_000_000
"""Commands between two snapshots, those in a batch counted one by one.

A command takes about 60 bytes in the journal, so this also bounds its size:
the records of a busy demo market are pruned before they reach 100 MB.
"""

CHECK_EVERY = 4_096
"""Records between two checks that no money has appeared or vanished."""


class Listener(Protocol):
    """Hears every outcome in order, and when a group of them is through."""

    def absorb(self, applied: Applied, /) -> None: ...

    def flush(self) -> None: ...


Player = Callable[["Node"], Coroutine[None, None, None]]
"""A companion that acts on a running node, such as the demo market."""


class Node:
    """Built from its parts; `start` opens the venue and `stop` leaves it whole on disk.

    `players` run from the end of `start` to the beginning of `stop`, and `house` acts when
    a virtual clock is moved; `listeners` hear what happens, after the history did, and
    take no part in it.
    """

    sequencer: Sequencer
    _timers: Timers

    def __init__(
        self,
        config: Config,
        machine: Machine,
        journal: Journal,
        history: History,
        clock: Clock,
        sealer: Sealer,
        access: Access,
    ) -> None:
        """Raises: StartupError: the configuration or the master key does not fit the journal."""
        self.players: list[Player] = []
        self.house: House | None = None
        self.listeners: list[Listener] = []
        self.access = access
        self.journal = journal
        self.machine = machine
        self._config = config
        self._history = history
        self._clock = clock
        self._sealer = sealer
        self._tasks: list[Task[None]] = []
        self._weight = 0
        self._checked_seq = self._snapshot_seq = machine.state.seq
        check_dialect(machine.state, config)
        self.view = self._build_view()
        clock.on_change = self._show_clock

    def _build_view(self) -> View:
        config, state = self._config, self.machine.state
        keys = KeyRing(state.keys, self._sealer)
        keys.check()
        return View(
            state=state,
            history=self._history,
            keys=keys,
            dialect=DIALECTS[state.dialect or config.dialect or DEFAULT_DIALECT],
            now_ms=self._clock.now_ms,
            wall_ms=wall_ms,
            mint=self._sealer.mint,
            specify=self._specify,
            operator_token=self.access.operator_token,
            find_fault=self._find_fault,
            market=config.market,
            clock_mode=self._clock.mode,
            strict=frozenset(config.strict),
            explain=config.explain,
            limits_on=config.limits,
        )

    async def start(self) -> None:
        """Opens the venue; where that fails everything is closed again.

        Raises:
            StartupError: the engine refuses what the configuration asks for.
        """
        loop = asyncio.get_running_loop()
        self.sequencer = Sequencer(self.machine, self.journal, self._clock, loop)
        self.sequencer.listeners += [self._history.absorb, self._weigh]
        self.sequencer.listeners += [listener.absorb for listener in self.listeners]
        self.sequencer.after_group = self._after_group
        self.sequencer.house = self.house
        self._timers = Timers(self.machine.state, self._clock, self.sequencer.submit, loop)
        try:
            await self._open()
            await self._catch_up()
        except BaseException:
            self._timers.stop()
            await self.sequencer.stop()
            self.close()
            raise
        self._timers.arm()
        self._tasks = [loop.create_task(player(self)) for player in self.players]
        for task in self._tasks:
            task.add_done_callback(_report_end)

    async def stop(self) -> None:
        """Answers what was taken, then leaves history, snapshot and journal on disk."""
        for task in self._tasks:
            task.cancel()
        self._timers.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sequencer.stop()
        self.close()

    def close(self) -> None:
        """The end of `stop`; alone, the end of a node that never started.

        A disk that fails costs the snapshot or a tidy end, never an answered
        command. Anything else is a bug and comes through once all is closed.
        """
        try:
            with ExitStack() as closing:
                closing.callback(_close, self.journal.close, "journal")
                closing.callback(_close, self._history.close, "history")
                self._save_last_snapshot()
        except (JournalError, HistoryUnusable, OSError) as error:
            log.error(  # noqa: TRY400 - a sentence for the operator, who can do without the trace
                "The last snapshot was not written; the next start replays more records: %s", error
            )

    def _save_last_snapshot(self) -> None:
        self._history.flush()
        if self.machine.state.seq > self._snapshot_seq and self._is_sound():
            self.journal.save_snapshot(self.machine.state.seq, dump(self.machine.state))

    def submit(self, submission: Submission) -> Future[Applied]:
        """Takes a command, and the change of the clock that goes with it.

        The promise breaks with ClockError where the clock refuses; nothing was done.

        Raises:
            Unavailable: the command is not taken; nothing was done.
        """
        return self.sequencer.submit(submission.command, submission.clock)

    def now_ms(self) -> int:
        """Venue time, whichever clock it comes from."""
        return self._clock.now_ms()

    def goes_by_itself(self) -> bool:
        """Whether time passes without being told to, and is not about to stand still."""
        return self._clock.mode == "real" and not self.sequencer.changes_clock

    def _show_clock(self) -> None:
        self.view.clock_mode = self._clock.mode
        self.view.now_ms = self._clock.now_ms

    async def _open(self) -> None:
        """Journals what the configuration asks for and the venue does not have yet."""
        demo = self.access.sealed(self._sealer)
        commands = plan_opening(self.view.state, self._config, demo, self._clock.now_ms())
        try:
            promises = [self.sequencer.submit(command) for command in commands]
            outcomes = await asyncio.gather(*promises)
        except Unavailable as error:
            raise StartupError(f"The journal cannot be written: {error}.") from error
        for applied in outcomes:
            if isinstance(applied.reply, Reject):
                detail = ", ".join(f"{key} {value}" for key, value in applied.reply.detail.items())
                what = type(applied.command).__name__
                raise StartupError(f"The venue refuses its configuration: {what}: {detail}")

    async def _catch_up(self) -> None:
        """Lets happen what came due while nobody was there, before anybody can ask."""
        state, now_ms = self.machine.state, self._clock.now_ms()
        overdue = 0 < state.due_ms <= now_ms
        sampled = any(market.formula for market in state.markets.values())
        try:
            if overdue or (sampled and state.time_ms < now_ms):
                await self.sequencer.submit(Pulse())
            if self.house is not None:
                await self.house.open()
        except Unavailable as error:
            raise StartupError(f"The journal cannot be written: {error}.") from error

    def _specify(self, symbol: str, table: Mapping[str, Any]) -> tuple[InstrumentSpec, int]:
        """What a table of the configuration file, or of the operator, makes of an instrument.

        Raises:
            ConfigError: a ValueError that names the fault.
        """
        market = self.machine.state.markets.get(symbol)
        old = None if market is None else describe(market.spec, market.initial_ticks)
        instrument = specify(symbol, change_terms(symbol, table, old))
        if market is not None:
            check_same_grid(market.spec, instrument.spec)
        return instrument.spec, instrument.index_ticks

    def _find_fault(self) -> str:
        """Why the venue has halted, the first bug that was seen, or why nothing can be written."""
        if self.machine.halted:
            return f"the venue needs a restart: {self.machine.halted}"
        fault = self.machine.fault
        if fault is not None:
            return f"{fault.sentence}; see it again with: openperp verify {self._config.data}"
        return self.sequencer.failing or self._history.failing

    def _weigh(self, applied: Applied) -> None:
        command = applied.command
        self._weight += len(command.commands) if type(command) is Batch else 1

    def _after_group(self) -> None:
        self._timers.arm()
        for listener in self.listeners:
            listener.flush()
        seq = self.machine.state.seq
        if seq - self._checked_seq >= CHECK_EVERY:
            self._checked_seq = seq
            self._check_conservation()
        if self._weight >= SNAPSHOT_EVERY:
            self._weight = 0
            if self.machine.fault is None and not self.machine.halted:
                self._save_snapshot()

    def _check_conservation(self) -> None:
        gap = conservation_gap(self.machine.state)
        if gap and self.machine.fault is None:
            self._report(f"money is not conserved: {gap} x 10^-8 too much")

    def _report(self, sentence: str) -> None:
        """A law is broken: keep the evidence, let people leave and nobody enter."""
        seq = self.machine.state.seq
        log.critical(
            "%s at record %d; the venue accepts cancels only. See it again with: "
            "openperp verify %s",
            sentence,
            seq,
            self._config.data,
        )
        self.sequencer.close_venue(seq, sentence)

    def _save_snapshot(self) -> None:
        """Takes the state as it is now; the worker writes it behind the group under way."""
        seq, data = self.machine.state.seq, dump(self.machine.state)

        def job() -> None:
            # The snapshot prunes records, so what derives from them must be safe first.
            self._history.flush()
            self.journal.save_snapshot(seq, data)

        def done(error: Exception | None) -> None:
            if error is None:
                self._snapshot_seq = seq
            else:
                log.error("The snapshot at record %d was not written: %s", seq, error)

        self.sequencer.run_between_groups(job, done)

    def _is_sound(self) -> bool:
        """Whether the state may replace its records: with a bug in it they are the evidence."""
        if self.machine.fault is not None or self.machine.halted:
            return False
        try:
            check(self.machine.state)
        except InvariantViolation as violation:
            log.critical(
                "%s; no snapshot is written. See it again with: openperp verify %s",
                violation,
                self._config.data,
            )
            return False
        return True


def _close(close: Callable[[], None], what: str) -> None:
    try:
        close()
    except (JournalError, HistoryUnusable, OSError) as error:
        log.error("The %s was not closed tidily: %s", what, error)  # noqa: TRY400 - as above


def _report_end(task: Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("A companion of the venue broke and is gone", exc_info=task.exception())
