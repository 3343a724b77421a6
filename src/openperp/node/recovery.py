"""From what is on disk to a running state: a snapshot, and the records behind it."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openperp.engine.snapshot import UnreadableSnapshot, load
from openperp.engine.state import State
from openperp.history.base import History, HistoryUnusable
from openperp.history.file import read_position
from openperp.journal.base import Journal, JournalDamaged
from openperp.node.errors import CommandFailed, StartupError
from openperp.node.machine import Machine, failed

log = logging.getLogger(__name__)

PROGRESS_EVERY = 10_000

Progress = Callable[[int, int], None]
"""Called now and then with the records replayed and the records to replay."""


def recover(journal: Journal, history: History, progress: Progress | None = None) -> Machine:
    """The machine as it was when the last record was written; the history catches up.

    Raises:
        JournalDamaged: a record or the snapshot cannot be trusted, or the history has seen
            more records than there are; it names the record.
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


def find_history_fault(journal: Journal, path: Path) -> str:
    """Why a start would refuse the history at `path`, or what it lacks; empty if all is well.

    Changes nothing, and may be asked while only the journal is open.
    """
    if not path.exists():
        return _say_lost(0, journal.pruned_seq) if journal.pruned_seq else ""
    try:
        position = read_position(path, journal.identity)
        _check_not_ahead(journal, position)
    except (HistoryUnusable, JournalDamaged) as error:
        return str(error)
    return _say_lost(position, journal.pruned_seq) if position < journal.pruned_seq else ""


def _load_snapshot(journal: Journal) -> State:
    snapshot = journal.latest_snapshot()
    if snapshot is None:
        return State()
    seq, data = snapshot
    try:
        state = load(data)
    except UnreadableSnapshot as error:
        raise StartupError(f"The state at record {seq} cannot be used: {error}.") from None
    if state.seq != seq:
        raise JournalDamaged(seq, f"the snapshot there holds the state at record {state.seq}")
    return state


def _prepare_history(journal: Journal, history: History, state: State) -> None:
    """Makes sure that the history is one of this journal's past.

    It may be behind, and then absorbs what it missed. One that is ahead has seen
    records that the journal lost. Where a snapshot replaced records that a history
    lacks, the operator took the history away: one that is damaged ends the start.
    """
    _check_not_ahead(journal, history.position)
    if history.position < state.seq:
        log.warning("%s", _say_lost(history.position, state.seq))
    history.add_house_accounts(
        account.account_id for account in state.accounts.values() if account.house
    )
    history.start_from(state)


def _check_not_ahead(journal: Journal, position: int) -> None:
    if position > journal.last_seq:
        raise JournalDamaged(
            journal.last_seq + 1,
            f"the history has seen the records up to {position}, and the journal ends before; put "
            "back the files that belong together, or move the history away to go on without them",
        )


def _say_lost(position: int, pruned_seq: int) -> str:
    return (
        f"Closed orders and fills of the records {position + 1} to {pruned_seq} are lost: the "
        f"history does not have them, and the snapshot at record {pruned_seq} replaced these."
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
