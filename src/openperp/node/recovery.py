"""From what is on disk to a running state: a snapshot, and the records behind it."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from openperp.engine.snapshot import UnreadableSnapshot, load
from openperp.engine.state import State
from openperp.history.base import History
from openperp.journal.base import Journal
from openperp.node.errors import CommandFailed, StartupError
from openperp.node.machine import Machine, failed

log = logging.getLogger(__name__)

PROGRESS_EVERY = 10_000

Progress = Callable[[int, int], None]
"""Called now and then with the records replayed and the records to replay."""


def recover(journal: Journal, history: History, progress: Progress | None = None) -> Machine:
    """The machine as it was when the last record was written; the history catches up.

    Raises:
        JournalDamaged: a record or the snapshot cannot be trusted; it names the record.
        StartupError: the snapshot is of another release.
    """
    machine = Machine(_load_snapshot(journal))
    start = machine.state.seq
    _prepare_history(journal, history, machine.state)
    total = journal.last_seq - start
    with _without_garbage_collection():
        for record in journal.read(start):
            try:
                applied = machine.apply(record)
            except CommandFailed:
                applied = failed(record)
            history.absorb(applied)
            if progress is not None and (record.seq - start) % PROGRESS_EVERY == 0:
                progress(record.seq - start, total)
    if progress is not None and total >= PROGRESS_EVERY:
        progress(total, total)
    return machine


def _load_snapshot(journal: Journal) -> State:
    snapshot = journal.latest_snapshot()
    if snapshot is None:
        return State()
    try:
        return load(snapshot[1])
    except UnreadableSnapshot as error:
        raise StartupError(f"The state at record {snapshot[0]} cannot be used: {error}.") from None


def _prepare_history(journal: Journal, history: History, state: State) -> None:
    """Makes the history one of this journal's past.

    It may be behind, and then absorbs what it missed. One that is ahead belongs
    to another journal and starts over. What it missed before the snapshot is
    lost: those records are gone.
    """
    if history.position > journal.last_seq:
        log.warning(
            "The history is at record %d but the journal ends at %d: the history is rebuilt",
            history.position,
            journal.last_seq,
        )
        history.reset()
    if history.position < state.seq:
        log.warning(
            "Closed orders and fills of the records %d to %d are lost: the history did not have "
            "them, and the snapshot at record %d replaced those records",
            history.position + 1,
            state.seq,
            state.seq,
        )
    history.add_house_accounts(
        account.account_id for account in state.accounts.values() if account.house
    )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A replay makes objects to keep, not garbage; afterwards they need no looking at."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
