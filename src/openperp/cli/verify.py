"""`openperp verify`: does a journal hold what was written, and does it replay?"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from openperp.cli.output import Refused, print_json
from openperp.engine.commands import Record
from openperp.engine.invariants import InvariantViolation, check
from openperp.engine.snapshot import UnreadableSnapshot, digest, load
from openperp.engine.state import State
from openperp.journal.base import JournalDamaged, JournalError
from openperp.journal.sqlite import FILE_NAME, SqliteJournal
from openperp.node.errors import CommandFailed
from openperp.node.machine import Machine

CHECK_EVERY = 10_000
"""Records between two full checks; a violation is then searched record by record."""


class _Broken(Exception):
    """The journal does not hold: the first record that shows it, and why."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq = seq


@click.command(epilog="Example: openperp verify ~/.local/share/openperp")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, which it does anyway.")
def verify(data: Path, as_json: bool) -> None:  # noqa: ARG001  every verb takes --json
    """Check the journal in the data directory DATA, and replay it.

    Prints {"seq":...,"digest":"...","invariants":"ok"}: the last record, the
    hash of the state after it, and that every law of the venue holds. Exits
    with 1 and the number of the first bad record where something does not hold,
    and with 2 where DATA holds no journal or a venue is running on it.
    """
    if not (data / FILE_NAME).is_file():
        raise Refused(f"{data} holds no journal: there is no {FILE_NAME} in it.")
    try:
        journal = SqliteJournal(data)
        try:
            state = _verify(journal)
        finally:
            journal.close()
    except _Broken as broken:
        _report(broken.seq, str(broken))
    except JournalDamaged as damaged:
        _report(damaged.seq, str(damaged))
    except (JournalError, UnreadableSnapshot) as error:
        raise Refused(str(error)) from None
    else:
        print_json({"seq": state.seq, "digest": digest(state), "invariants": "ok"})


def _report(seq: int, why: str) -> None:
    print_json({"seq": seq, "error": why})
    click.echo(f"Record {seq}: {why}" if seq else why, err=True)
    sys.exit(1)


def _verify(journal: SqliteJournal) -> State:
    """Replays from the snapshot on, checking now and then; returns the state at the end."""
    start, state = _start(journal)
    try:
        return _replay(state, _with_progress(journal, start), CHECK_EVERY)
    except InvariantViolation:
        _, state = _start(journal)
        return _replay(state, journal.read(start), 1)


def _start(journal: SqliteJournal) -> tuple[int, State]:
    snapshot = journal.latest_snapshot()
    if snapshot is None:
        return 0, State()
    return snapshot[0], load(snapshot[1])


def _replay(state: State, records: Iterable[Record], stride: int) -> State:
    machine = Machine(state)
    _check(state, stride)
    for record in records:
        try:
            machine.apply(record)
        except CommandFailed as failure:
            raise _Broken(record.seq, f"the engine breaks on it: {failure.__cause__!r}.") from None
        if record.seq % stride == 0:
            _check(state, stride)
    _check(state, stride)
    return state


def _check(state: State, stride: int) -> None:
    try:
        check(state)
    except InvariantViolation as violation:
        if stride == 1:
            raise _Broken(state.seq, f"{violation}.") from None
        raise


def _with_progress(journal: SqliteJournal, start: int) -> Iterator[Record]:
    """The records behind `start`; a person at a terminal sees how far it is."""
    count = journal.last_seq - start
    hidden = not sys.stderr.isatty()
    records = journal.read(start)
    with click.progressbar(
        records, length=count, label="Replaying", file=sys.stderr, hidden=hidden
    ) as bar:
        yield from bar
