"""The order of everything: each command gets its number and time, is written, then applied.

Commands wait in one queue and go to the journal in groups, one write for a
group. While one group is being written the one before is applied. A command
is applied only when it is durable and answered only after that, in the order
of the queue.
"""

import logging
from asyncio import AbstractEventLoop, Future, Task
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from openperp.engine.commands import Batch, CancelAllOrders, CancelOrder, Command, Record, SetMode
from openperp.engine.events import Applied
from openperp.engine.terms import Mode
from openperp.journal.base import Journal
from openperp.node.clock import Clock
from openperp.node.errors import CommandFailed, JournalFailed, QueueFull, Stopped, Unavailable
from openperp.node.machine import Machine, failed
from openperp.node.worker import Done, Worker

log = logging.getLogger(__name__)

GROUP_LIMIT = 256
"""Records of one group: they are applied in one go, while connections wait."""

QUEUE_LIMIT = 10_000
"""Commands that may wait; cancels may fill the queue once more."""

Promise = Future[Applied]
Before = Callable[[Record], Awaitable[None] | None]
"""Called with a durable record; what it returns is awaited before anything is applied."""
Answering = Callable[[Applied], Awaitable[None] | None]
"""Called with an outcome; what it returns is awaited before this one answer goes out.

An answer is lost where that raises `Unavailable`.
"""


class Sequencer:
    """Takes commands from the loop's thread and promises their outcomes.

    `listeners` see every outcome in order, before its answer. `before_apply` and
    `before_answer` are seams: the first holds the venue, the second one answer.
    """

    def __init__(
        self, machine: Machine, journal: Journal, clock: Clock, loop: AbstractEventLoop
    ) -> None:
        self.listeners: list[Callable[[Applied], None]] = []
        self.before_apply: list[Before] = []
        self.before_answer: list[Answering] = []
        self.after_group: Callable[[], None] | None = None
        self.failing: str = ""
        self._machine = machine
        self._journal = journal
        self._clock = clock
        self._loop = loop
        self._worker = Worker(loop, "openperp-journal") if journal.blocking else None
        self._next_seq = machine.state.seq + 1
        self._queue: deque[tuple[Command, int, Promise]] = deque()
        self._writing = False
        self._durable: deque[tuple[Sequence[Record], Sequence[Promise]]] = deque()
        self._holding: Task[None] | None = None
        self._idle: Future[None] | None = None
        self._stopped = False

    def submit(self, command: Command) -> Promise:
        """Takes one command.

        The promise breaks with JournalFailed or CommandFailed.

        Raises:
            QueueFull: too many commands wait.
            Stopped: the node is on its way down.
        """
        if self._stopped:
            raise Stopped
        queue = self._queue
        if len(queue) >= QUEUE_LIMIT:
            self._shed(command)
        promise: Promise = self._loop.create_future()
        queue.append((command, self._clock.now_ms(), promise))
        if not self._writing:
            self._writing = True
            if self._worker is None:
                self._write()
            else:
                # Later in this turn of the loop more may come that share the write.
                self._loop.call_soon(self._write)
        return promise

    def run_between_groups(self, job: Callable[[], None], done: Done) -> None:
        """Runs `job` where the journal is written, while nothing else is."""
        if self._worker is not None:
            self._worker.put(job, done)
            return
        job()
        done(None)

    async def stop(self) -> None:
        """Takes nothing more; returns when all that was taken is answered."""
        self._stopped = True
        if self._busy():
            self._idle = self._loop.create_future()
            await self._idle
        if self._worker is not None:
            self._worker.stop()

    def _shed(self, command: Command) -> None:
        cancels = command.commands if isinstance(command, Batch) else (command,)
        if len(self._queue) >= 2 * QUEUE_LIMIT or not all(
            isinstance(single, CancelOrder | CancelAllOrders) for single in cancels
        ):
            raise QueueFull

    def _busy(self) -> bool:
        return self._writing or self._holding is not None

    def _write(self) -> None:
        """Numbers the next group and has it written."""
        queue = self._queue
        count = min(len(queue), GROUP_LIMIT)
        records: list[Record] = []
        promises: list[Promise] = []
        for seq in range(self._next_seq, self._next_seq + count):
            command, time_ms, promise = queue.popleft()
            records.append(Record(seq, time_ms, command))
            promises.append(promise)
        self._next_seq += count
        if self._worker is not None:
            job = partial(self._journal.append, records)
            self._worker.put(job, partial(self._written, records, promises))
            return
        error = None
        try:
            self._journal.append(records)
        except Exception as caught:  # noqa: BLE001 - whatever it is, nothing was written
            error = caught
        self._written(records, promises, error)

    def _written(
        self, records: Sequence[Record], promises: Sequence[Promise], error: Exception | None
    ) -> None:
        if error is not None:
            # Nothing is in flight behind this group, so its numbers are free again.
            self._next_seq -= len(records)
        if self._worker is not None:
            self._next_group()
        if error is not None:
            self._refuse(promises, error)
        else:
            self._deliver(records, promises)
        if self._worker is None:
            # Only now, so that a listener's own command waits its turn.
            self._next_group()
        self._rest()

    def _next_group(self) -> None:
        if not self._queue:
            self._writing = False
        elif self._worker is not None:
            self._write()
        else:
            self._loop.call_soon(self._write)

    def _refuse(self, promises: Sequence[Promise], error: Exception) -> None:
        """Nothing of this group happened. The next one is tried again all the same."""
        sentence = str(error) or type(error).__name__
        if self.failing != sentence:
            log.error("The journal cannot be written; nothing is accepted: %s", sentence)
        self.failing = sentence
        for promise in promises:
            if not promise.done():
                promise.set_exception(JournalFailed(sentence))

    def _deliver(self, records: Sequence[Record], promises: Sequence[Promise]) -> None:
        if self.failing:
            log.warning("The journal can be written again")
            self.failing = ""
        if self._holding is None and not self.before_apply and not self.before_answer:
            for record, promise in zip(records, promises, strict=True):
                applied = self._apply(record, promise)
                if applied is not None and not promise.done():
                    promise.set_result(applied)
            if self.after_group is not None:
                self.after_group()
            return
        self._durable.append((records, promises))
        if self._holding is None:
            self._holding = self._loop.create_task(self._deliver_held())

    def _apply(self, record: Record, promise: Promise) -> Applied | None:
        try:
            applied = self._machine.apply(record)
        except CommandFailed as failure:
            if not promise.done():
                promise.set_exception(failure)
            self._tell(failed(record))
            return None
        self._tell(applied)
        return applied

    def _tell(self, applied: Applied) -> None:
        for listener in self.listeners:
            try:
                listener(applied)
            except Exception as error:  # noqa: BLE001 - a bug of ours, kept as evidence
                self._contain(applied.seq, error)

    def _contain(self, seq: int, error: Exception) -> None:
        """A listener broke: the state is sound, but someone has missed a record."""
        log.critical(
            "A listener broke on record %d; the venue accepts cancels only", seq, exc_info=error
        )
        self._machine.note(seq, f"{type(error).__name__} in a listener of record {seq}")
        self.submit(SetMode(Mode.CANCEL_ONLY))

    async def _deliver_held(self) -> None:
        """Delivers while seams are in use; groups that get durable meanwhile queue up."""
        while self._durable:
            records, promises = self._durable.popleft()
            for record, promise in zip(records, promises, strict=True):
                for before in self.before_apply:
                    pause = before(record)
                    if pause is not None:
                        await pause
                applied = self._apply(record, promise)
                if applied is not None:
                    self._answer_through_seams(applied, promise)
            if self.after_group is not None:
                self.after_group()
        self._holding = None
        self._rest()

    def _rest(self) -> None:
        if self._idle is not None and not self._busy():
            self._idle.set_result(None)
            self._idle = None

    def _answer_through_seams(self, applied: Applied, promise: Promise) -> None:
        pauses = [pause for hook in self.before_answer if (pause := hook(applied)) is not None]
        if pauses:
            task = self._loop.create_task(_answer_after(pauses, applied, promise))
            promise.add_done_callback(lambda _: task.cancel())
        elif not promise.done():
            promise.set_result(applied)


async def _answer_after(pauses: list[Awaitable[None]], applied: Applied, promise: Promise) -> None:
    try:
        for pause in pauses:
            await pause
    except Unavailable as loss:
        promise.set_exception(loss)
    else:
        promise.set_result(applied)
