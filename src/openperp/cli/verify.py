"""`openperp verify`: does a journal hold what was written, and does it replay?"""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from openperp.bootstrap import HISTORY_FILE
from openperp.cli.output import Refused, print_json
from openperp.cli.show import describe
from openperp.engine.commands import Record
from openperp.engine.events import Applied
from openperp.engine.invariants import InvariantViolation, check
from openperp.engine.snapshot import UnreadableSnapshot, digest, load
from openperp.engine.state import State
from openperp.journal.base import JournalDamaged, JournalError
from openperp.journal.sqlite import FILE_NAME, SqliteJournal
from openperp.node.errors import CommandFailed
from openperp.node.machine import Machine
from openperp.node.recovery import find_history_fault

CHECK_EVERY = 10_000
"""Records between two full checks; a violation is then searched record by record."""


class _Broken(Exception):
    """The journal does not hold: the first record that shows it, and why."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq = seq


class _Replay:
    """A journal on its way through the engine, with its last records at hand."""

    def __init__(self, journal: SqliteJournal, shown: int) -> None:
        self.state = State()
        self._journal = journal
        self._last: deque[tuple[Record, Applied | None]] = deque(maxlen=shown)

    def run(self) -> None:
        """From the snapshot on, checking now and then; after a violation record by record.

        Raises:
            _Broken: a record does not hold.
            JournalError: the journal is damaged or cannot be read.
            UnreadableSnapshot: the snapshot is of another release.
        """
        start = self._start()
        try:
            self._replay(_with_progress(self._journal, start), CHECK_EVERY)
        except InvariantViolation:
            self._replay(self._journal.read(self._start()), 1)

    def lines(self) -> list[str]:
        """The last records, as far as it came."""
        return [describe(record, applied, self.state) for record, applied in self._last]

    def _start(self) -> int:
        self._last.clear()
        snapshot = self._journal.latest_snapshot()
        self.state = State() if snapshot is None else load(snapshot[1])
        return 0 if snapshot is None else snapshot[0]

    def _replay(self, records: Iterable[Record], stride: int) -> None:
        machine = Machine(self.state)
        self._check(stride)
        for record in records:
            try:
                self._last.append((record, machine.apply(record)))
            except CommandFailed as failure:
                self._last.append((record, None))
                why = f"the engine breaks on it: {failure.__cause__!r}."
                raise _Broken(record.seq, why) from None
            if record.seq % stride == 0:
                self._check(stride)
        self._check(stride)

    def _check(self, stride: int) -> None:
        try:
            check(self.state)
        except InvariantViolation as violation:
            if stride == 1:
                raise _Broken(self.state.seq, f"{violation}.") from None
            raise


@click.command(epilog="Example: openperp verify ~/.local/share/openperp --show 5")
@click.argument("data", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--show",
    metavar="[N]",
    type=click.IntRange(min=0),
    is_flag=False,
    flag_value=20,
    default=0,
    help="Print the last N records first, one a line; 20 without N.",
)
@click.option("--json", "as_json", is_flag=True, help="Put the records of --show into the JSON.")
def verify(data: Path, show: int, as_json: bool) -> None:
    """Check the journal in the data directory DIR, and replay it.

    Prints {"seq":...,"digest":"...","invariants":"ok"}: the last record, the
    hash of the state after it, and that every law of the venue holds. Exits
    with 1 and the number of the first bad record where something does not hold,
    and with 2 where DIR holds no journal or a venue is running on it.

    A snapshot, which a clean stop writes, takes the place of the records before
    it: of those there is nothing to show.
    """
    if not (data / FILE_NAME).is_file():
        raise Refused(f"{data} holds no journal: there is no {FILE_NAME} in it.")
    lines: list[str] = []
    try:
        state = _replay(data, show, lines)
    except (_Broken, JournalDamaged) as broken:
        _print({"seq": broken.seq, "error": str(broken)}, lines, as_json)
        click.echo(f"Record {broken.seq}: {broken}" if broken.seq else str(broken), err=True)
        sys.exit(1)
    except (JournalError, UnreadableSnapshot) as error:
        raise Refused(str(error)) from None
    if show and not lines:
        click.echo(
            f"No records to show: the snapshot at record {state.seq} took their place.", err=True
        )
    _print({"seq": state.seq, "digest": digest(state), "invariants": "ok"}, lines, as_json)


def _replay(data: Path, shown: int, lines: list[str]) -> State:
    """The state at the end; `lines` gets the last records, also where that is not reached."""
    journal = SqliteJournal(data)
    replay = _Replay(journal, shown)
    try:
        replay.run()
        fault = find_history_fault(journal, data / HISTORY_FILE)
        if fault:
            click.echo(f"The journal holds, but not the history beside it: {fault}", err=True)
    finally:
        lines += replay.lines()
        journal.close()
    return replay.state


def _print(outcome: dict[str, object], lines: list[str], as_json: bool) -> None:
    if lines and as_json:
        print_json({**outcome, "records": lines})
        return
    for line in lines:
        print(line)
    print_json(outcome)


def _with_progress(journal: SqliteJournal, start: int) -> Iterator[Record]:
    """The records behind `start`; a person at a terminal sees how far it is."""
    count = journal.last_seq - start
    hidden = not sys.stderr.isatty()
    records = journal.read(start)
    with click.progressbar(
        records, length=count, label="Replaying", file=sys.stderr, hidden=hidden
    ) as bar:
        yield from bar
