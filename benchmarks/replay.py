"""How fast a venue is back: records replayed from a SQLite journal."""

import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.market import START_MS, opening
from benchmarks.options import Options
from benchmarks.process import data_directory
from benchmarks.report import Section, progress, spread
from benchmarks.workloads import CHUNK, Stream, Workload
from openperp.engine.apply import apply
from openperp.engine.commands import Record
from openperp.engine.state import State
from openperp.history.store import SqliteHistory
from openperp.journal.sqlite import FILE_NAME, SqliteJournal
from openperp.node.recovery import recover

WORKLOAD = Workload("A   10k resting", 10_000)
MILLION = 1_000_000


def run(options: Options) -> Section:
    section = Section(
        f"Replay: SQLite journal of {options.replay_records:,} records, seconds per 1M records",
        ("what", "seconds per 1M"),
    )
    with ExitStack() as stack:
        directory = stack.enter_context(data_directory(options.data))
        history_file = directory / "history.sqlite"
        progress(f"replay: writing {options.replay_records:,} records")
        written = _write(directory, options)
        journal_bytes = (directory / FILE_NAME).stat().st_size
        seconds: dict[str, list[float]] = {"rebuilt": [], "kept": []}
        for number in range(min(3, options.rounds)):
            progress(f"replay: round {number + 1}")
            history_file.unlink(missing_ok=True)
            for values in seconds.values():  # the first finds no history, the second its work
                values.append(_replay(directory, history_file) / written * MILLION)
    for name, text in (("kept", "history up to date"), ("rebuilt", "history lost and rebuilt")):
        section.rows.append((text, spread(seconds[name])))
        section.figures[f"replay.{name}_s_per_1m"] = statistics.median(seconds[name])
    section.figures["replay.journal_bytes_per_record"] = journal_bytes / written
    section.notes.append(
        f"Single commands of workload A at 10k resting; {journal_bytes / written:.0f} bytes of "
        f"journal each; wall clock; a snapshot bounds a real start to far fewer."
    )
    return section


def _write(directory: Path, options: Options) -> int:
    """Fills a journal; the number of records in it."""
    state = State()
    journal = SqliteJournal(directory)
    records = [Record(seq, START_MS, command) for seq, command in enumerate(opening(), start=1)]
    journal.append(records)
    for record in records:
        apply(state, record)
    stream = Stream(WORKLOAD.capped(options.replay_records // 10), state)
    while state.seq < options.replay_records:
        records = stream.records(CHUNK)
        journal.append(records)
        stream.follow([apply(state, record) for record in records])
    journal.close()
    return state.seq


def _replay(directory: Path, history_file: Path) -> float:
    """Wall seconds from opening the journal to a machine with its history on disk."""
    started = time.perf_counter()
    journal = SqliteJournal(directory)
    history = SqliteHistory(history_file, journal.identity)
    recover(journal, history)
    history.flush()
    taken = time.perf_counter() - started
    history.close()
    journal.close()
    return taken
