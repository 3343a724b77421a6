"""The order of everything: each command gets its number and time, is written, then applied.

Commands wait in one queue and go to the journal in groups, one write for a
group. What comes while a group is written, applied and answered shares the next
one: fewer and larger groups cost less than a write that overlaps the answers. A
command is applied only when it is durable and answered only after that, in the
order of the queue.
"""

import logging
from asyncio import AbstractEventLoop, Future, Task, ensure_future, wait
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from openperp.api.endpoint import ClockChange
from openperp.engine.commands import (
    Batch,
    CancelAllOrders,
    CancelOrder,
    Command,
    Pulse,
    Record,
    Resume,
    SetMode,
)
from openperp.engine.events import Applied
from openperp.engine.terms import Mode
from openperp.journal.base import Journal, JournalUncertain
from openperp.node.clock import AnyClock, Clock, VirtualClock
from openperp.node.errors import (
    ClockError,
    CommandFailed,
    Halted,
    JournalFailed,
    OutcomeUnknown,
    QueueFull,
    Stopped,
    Unavailable,
)
from openperp.node.leaps import House, Leap, funded_until, plan_leap
from openperp.node.machine import Machine, failed
from openperp.node.waiting import Group, Promise, Waiting, break_promise, ignore_promise
from openperp.node.worker import Done, Worker

log = logging.getLogger(__name__)

GROUP_LIMIT = 256
"""Records of one group: they are applied in one go, while connections wait."""

QUEUE_LIMIT = 10_000
"""Commands that may wait; cancels may fill the queue once more."""

CLOSE: Final = SetMode(Mode.CANCEL_ONLY)

Before = Callable[[Record], Awaitable[None] | None]
"""Called with a durable record; what it returns is awaited before anything is applied.

`stop` waits for no such pause.
"""
Answering = Callable[[Applied], Awaitable[None] | None]
"""Called with an outcome; what it returns is awaited before this one answer goes out.

An answer is lost where that raises `Unavailable`.
"""


class Sequencer:
    """Takes commands from the loop's thread and promises their outcomes.

    `listeners` see every outcome in order, before its answer. `before_apply` and
    `before_answer` are seams: the first holds the venue, the second one answer.
    `house` acts on the ways of a virtual clock.
    Whatever breaks in one of these is kept as the machine's fault and closes the
    venue to newcomers; the group goes on.
    """

    def __init__(
        self, machine: Machine, journal: Journal, clock: Clock, loop: AbstractEventLoop
    ) -> None:
        self.listeners: list[Callable[[Applied], None]] = []
        self.before_apply: list[Before] = []
        self.before_answer: list[Answering] = []
        self.after_group: Callable[[], None] | None = None
        self.house: House | None = None
        self.failing: str = ""
        self._machine = machine
        self._journal = journal
        self._clock = clock
        self._loop = loop
        self._worker = Worker(loop, "openperp-journal") if journal.blocking else None
        self._next_seq = machine.state.seq + 1
        self._queue: deque[Waiting] = deque()
        self._writing = False
        self._changes = 0
        self._closing: Promise | None = None
        self._broken: set[tuple[str, type[Exception]]] = set()
        self._durable: deque[Group] = deque()
        self._holding: Task[None] | None = None
        self._pause: Future[None] | None = None
        self._idle: Future[None] | None = None
        self._stopped = False
        self._ended = False

    def submit(self, command: Command, clock_change: ClockChange | None = None) -> Promise:
        """Takes one command, which happens at the time to which the clock is changed, if it is.

        The promise breaks with JournalFailed, ClockError, Halted, OutcomeUnknown or
        CommandFailed; the clock moves when the command is durable and not before.

        Raises:
            QueueFull: too many commands wait.
            Stopped: the node is on its way down.
            Halted: the node needs a restart.
        """
        if self._stopped:
            raise Stopped
        if self._machine.halted:
            raise Halted(self._machine.halted)
        queue = self._queue
        if len(queue) >= QUEUE_LIMIT:
            self._shed(command)
        promise: Promise = self._loop.create_future()
        queue.append(Waiting(command, clock_change, promise))
        if clock_change is not None:
            self._changes += 1
            promise.add_done_callback(self._changed)
        if not self._writing:
            self._start_writing()
        return promise

    @property
    def changes_clock(self) -> bool:
        """Whether a change of the clock waits or is under way."""
        return self._changes > 0

    def close_venue(self, seq: int, sentence: str) -> None:
        """Keeps the evidence of a bug and lets people leave and nobody enter.

        The command for that is taken once, past every limit, and waits at the
        head of the queue until it can be written.
        """
        machine = self._machine
        machine.note(seq, sentence)
        if machine.state.mode != Mode.NORMAL or self._closing is not None:
            return
        if machine.halted or self._ended:
            return
        self._closing = self._promise_nobody()
        self._queue.appendleft(Waiting(CLOSE, None, self._closing))
        if not self._writing:
            self._start_writing()

    def run_between_groups(self, job: Callable[[], None], done: Done) -> None:
        """Runs `job` where the journal is written, while nothing else is."""
        if self._worker is not None:
            self._worker.put(job, done)
            return
        error = None
        try:
            job()
        except Exception as caught:  # noqa: BLE001 - as in the worker
            error = caught
        done(error)

    async def stop(self) -> None:
        """Takes nothing more; returns when all that was taken is answered."""
        self._stopped = True
        if self._pause is not None:
            self._pause.cancel()
        while self._busy():
            if self._idle is None:
                self._idle = self._loop.create_future()
            await wait([self._idle])
        self._ended = True
        if self._worker is not None:
            self._worker.stop()

    def _shed(self, command: Command) -> None:
        cancels = command.commands if isinstance(command, Batch) else (command,)
        if len(self._queue) >= 2 * QUEUE_LIMIT or not all(
            isinstance(single, CancelOrder | CancelAllOrders) for single in cancels
        ):
            raise QueueFull

    def _changed(self, _promise: Promise) -> None:
        self._changes -= 1

    def _promise_nobody(self) -> Promise:
        """A promise that nobody waits for."""
        promise: Promise = self._loop.create_future()
        promise.add_done_callback(ignore_promise)
        return promise

    def _busy(self) -> bool:
        return self._writing or self._holding is not None

    def _start_writing(self) -> None:
        self._writing = True
        if self._worker is None:
            self._write()
        else:
            # Later in this turn of the loop more may come that share the write.
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        """Has the next group written."""
        if self._holding is not None and self._is_for_house(self._queue[0]):
            self._writing = False  # The house goes by what those before will have done.
            return
        group = self._gather()
        self._next_seq += len(group.records)
        if self._worker is not None:
            job = partial(self._journal.append, group.records)
            self._worker.put(job, partial(self._written, group))
            return
        error = None
        try:
            self._journal.append(group.records)
        except Exception as caught:  # noqa: BLE001 - whatever it is, nothing was written
            error = caught
        self._written(group, error)

    def _gather(self) -> Group:
        """The head of the queue, numbered and stamped.

        The clock stays as it is until the group is durable, and nothing else is
        stamped before that.
        """
        queue, seq = self._queue, self._next_seq
        clock = self._clock.current
        now_ms = clock.now_ms()
        records: list[Record] = []
        promises: list[Promise] = []
        for _ in range(min(len(queue), GROUP_LIMIT)):
            waiting = queue.popleft()
            command, change, promise, _ = waiting
            if change is not None:
                if records and self._is_for_house(waiting):
                    queue.appendleft(waiting)
                    break
                try:
                    target = self._clock.plan(clock, change.mode, change.to_ms, change.by_ms)
                except ClockError as refusal:
                    break_promise(promise, refusal)
                    continue
                leap, waiting = self._find_leap(waiting, clock, target)
                if leap is not None:
                    return self._gather_leap(records, promises, leap, waiting)
                clock, command = target, waiting.command
                now_ms = clock.now_ms()
            records.append(Record(seq, now_ms, command))
            promises.append(promise)
            seq += 1
        return Group(records, promises, clock)

    def _is_for_house(self, waiting: Waiting) -> bool:
        return self.house is not None and waiting.change is not None

    def _find_leap(
        self, waiting: Waiting, clock: AnyClock, target: AnyClock
    ) -> tuple[Leap | None, Waiting]:
        """The next leap of a way to `target`, if it needs one, and what waits behind that.

        What lies behind the horizon of funding is left to a `Resume`, which skips it.
        """
        if not isinstance(clock, VirtualClock) or not isinstance(waiting.command, Pulse):
            return None, waiting
        from_ms = clock.time_ms
        began_ms = from_ms if waiting.began_ms is None else waiting.began_ms
        leap = self._plan_leap(began_ms, from_ms, target.now_ms())
        if leap is None:
            skips = from_ms >= funded_until(began_ms)
            return None, waiting._replace(command=Resume()) if skips else waiting
        change = waiting.change
        if isinstance(target, VirtualClock):
            change = ClockChange(to_ms=target.time_ms)
        return leap, waiting._replace(change=change, began_ms=began_ms)

    def _plan_leap(self, began_ms: int, from_ms: int, to_ms: int) -> Leap | None:
        state = self._machine.state
        try:
            return plan_leap(state, self.house, began_ms, from_ms, to_ms)
        except Exception as error:
            if self.house is None:
                raise
            self.house = None
            self._contain(state.seq, f"the house behind record {state.seq}", error)
            return plan_leap(state, None, began_ms, from_ms, to_ms)

    def _gather_leap(
        self, records: list[Record], promises: list[Promise], leap: Leap, rest: Waiting
    ) -> Group:
        """What was gathered, and the leap behind it."""
        for command in leap.commands:
            records.append(Record(self._next_seq + len(records), leap.end_ms, command))
            promises.append(self._promise_nobody())
        return Group(records, promises, VirtualClock(leap.end_ms), rest)

    def _written(self, group: Group, error: Exception | None) -> None:
        if error is not None:
            # Nothing is in flight behind this group, so its numbers are free again.
            self._next_seq -= len(group.records)
            if isinstance(error, JournalUncertain):
                self._machine.halt(str(error))
            others_wait = bool(self._queue)
            self._refuse(group, error)
            if others_wait:
                self._next_group()
            else:
                # The closing command may be back in the queue: it goes with the next one.
                self._writing = False
        else:
            if group.clock is not self._clock.current:
                self._clock.use(group.clock)
            self._deliver(group)
            if group.rest is not None:
                self._go_on(group.rest)
            # Only now, so that a listener's own command waits its turn.
            self._next_group()
        self._rest()

    def _go_on(self, rest: Waiting) -> None:
        """The next leap is before all that waits, unless the node stops."""
        if self._stopped:
            break_promise(
                rest.promise, OutcomeUnknown("The venue stopped while its clock was moved.")
            )
        else:
            self._queue.appendleft(rest)

    def _next_group(self) -> None:
        if self._machine.halted:
            self._refuse_waiting()
        if self._queue:
            # A turn later: those who just got their answer may have sent more.
            self._loop.call_soon(self._write)
        else:
            self._writing = False

    def _refuse_waiting(self) -> None:
        """Nothing of what waits can happen any more."""
        for waiting in self._queue:
            break_promise(waiting.promise, Halted(self._machine.halted))
        self._queue.clear()

    def _refuse(self, group: Group, error: Exception) -> None:
        """Nothing of this group happened. The next one is tried again all the same."""
        sentence = str(error) or type(error).__name__
        if self.failing != sentence:
            log.error("The journal cannot be written; nothing is accepted: %s", sentence)
        self.failing = sentence
        promises = group.promises if group.rest is None else [*group.promises, group.rest.promise]
        for promise in promises:
            if isinstance(error, JournalUncertain):
                break_promise(promise, OutcomeUnknown(sentence))
            elif promise is self._closing:
                self._queue.appendleft(Waiting(CLOSE, None, promise))
            else:
                break_promise(promise, JournalFailed(sentence))

    def _deliver(self, group: Group) -> None:
        if self.failing and not self._machine.halted:
            log.warning("The journal can be written again")
            self.failing = ""
        if self._holding is None and not self.before_apply and not self.before_answer:
            for record, promise in zip(group.records, group.promises, strict=True):
                applied = self._apply(record, promise)
                if applied is not None and not promise.done():
                    promise.set_result(applied)
            self._end_group()
            return
        self._durable.append(group)
        if self._holding is None:
            self._holding = self._loop.create_task(self._deliver_held())

    def _apply(self, record: Record, promise: Promise) -> Applied | None:
        if promise is self._closing:
            self._closing = None
        try:
            applied = self._machine.apply(record)
        except CommandFailed as failure:
            break_promise(promise, failure)
            self._tell(failed(record))
            return None
        except OutcomeUnknown as halt:
            break_promise(promise, halt)
            return None
        self._tell(applied)
        return applied

    def _tell(self, applied: Applied) -> None:
        for listener in self.listeners:
            try:
                listener(applied)
            except Exception as error:  # noqa: BLE001 - a bug of ours, kept as evidence
                self._contain(applied.seq, f"a listener of record {applied.seq}", error)

    def _end_group(self) -> None:
        if self.after_group is None:
            return
        try:
            self.after_group()
        except Exception as error:  # noqa: BLE001 - as above
            seq = self._machine.state.seq
            self._contain(seq, f"the work after record {seq}", error)

    def _contain(self, seq: int, where: str, error: Exception) -> None:
        """Something beside the engine broke: the state is sound, but a record was missed."""
        kind = type(error)
        if (str(error), kind) not in self._broken:
            # What breaks on every record from here on is told once.
            self._broken.add((str(error), kind))
            log.critical("%s broke; the venue accepts cancels only", where, exc_info=error)
        self.close_venue(seq, f"{kind.__name__} in {where}")

    async def _deliver_held(self) -> None:
        """Delivers while seams are in use; groups that get durable meanwhile queue up."""
        while self._durable:
            group = self._durable.popleft()
            for record, promise in zip(group.records, group.promises, strict=True):
                for before in self.before_apply:
                    await self._hold(before, record)
                applied = self._apply(record, promise)
                if applied is not None:
                    self._answer_through_seams(applied, promise)
            self._end_group()
        self._holding = None
        if not self._writing:
            self._writing = True
            self._next_group()
        self._rest()

    async def _hold(self, before: Before, record: Record) -> None:
        try:
            pause = before(record)
            if pause is None:
                return
            self._pause = ensure_future(pause, loop=self._loop)
            if self._stopped:
                self._pause.cancel()
            await wait([self._pause])
            if not self._pause.cancelled():
                self._pause.result()
        except Exception as error:  # noqa: BLE001 - as above
            self._contain(record.seq, f"a seam before record {record.seq}", error)
        finally:
            self._pause = None

    def _rest(self) -> None:
        if self._idle is not None and not self._busy():
            self._idle.set_result(None)
            self._idle = None

    def _answer_through_seams(self, applied: Applied, promise: Promise) -> None:
        pauses: list[Awaitable[None]] = []
        for hook in self.before_answer:
            try:
                pause = hook(applied)
            except Exception as error:  # noqa: BLE001 - as above
                self._contain(applied.seq, f"a seam behind record {applied.seq}", error)
            else:
                if pause is not None:
                    pauses.append(pause)
        if pauses:
            task = self._loop.create_task(self._answer_after(pauses, applied, promise))
            promise.add_done_callback(lambda _: task.cancel())
        elif not promise.done():
            promise.set_result(applied)

    async def _answer_after(
        self, pauses: list[Awaitable[None]], applied: Applied, promise: Promise
    ) -> None:
        try:
            for pause in pauses:
                await pause
        except Unavailable as loss:
            break_promise(promise, loss)
            return
        except Exception as error:  # noqa: BLE001 - as above
            self._contain(applied.seq, f"a seam behind record {applied.seq}", error)
        if not promise.done():
            promise.set_result(applied)
