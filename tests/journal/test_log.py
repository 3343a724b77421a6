"""SQLite's log: what a crash leaves is a shorter journal, and anything else is damage."""

import os
import random
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
from tests.crashes import dies

from openperp.engine.commands import Batch, CancelOrder, Record
from openperp.journal.base import JournalDamaged, JournalUnusable
from openperp.journal.log import FRAME_HEADER_BYTES, HEADER_BYTES, Log
from openperp.journal.sqlite import FILE_NAME, SqliteJournal

GROUPS = 30
FRAME_BYTES = FRAME_HEADER_BYTES + 4096
LOG_NAME = FILE_NAME + "-wal"


def group(first: int, count: int = 40) -> list[Record]:
    cancels = Batch(tuple(CancelOrder(1, "BTCUSDT", number) for number in range(10)))
    return [Record(seq, seq, cancels) for seq in range(first, first + count)]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a journal of 30 groups that is being written, as kill -9 leaves them."""
    directory = tmp_path_factory.mktemp("live")
    with closing(SqliteJournal(directory / "journal")) as journal:
        for _ in range(GROUPS):
            journal.append(group(journal.last_seq + 1))
        copy(directory / "journal", directory / "copy")
    return directory / "copy"


def copy(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("lock", "*-shm"))
    return target


def count_records(directory: Path) -> int:
    with closing(SqliteJournal(directory)) as journal:
        return len(list(journal.read(0)))


def ends_of_groups(log: bytes) -> list[int]:
    """Where the groups end, the mark of the start left out."""
    places = range(HEADER_BYTES, len(log), FRAME_BYTES)
    ends = [at + FRAME_BYTES for at in places if struct.unpack_from(">I", log, at + 4)[0]]
    return ends[-GROUPS:]


def test_a_log_that_is_cut_anywhere_is_a_shorter_journal(live: Path, tmp_path: Path) -> None:
    whole = (live / LOG_NAME).read_bytes()
    ends = ends_of_groups(whole)
    chance = random.Random(3)
    cuts = [chance.randint(HEADER_BYTES, len(whole)) for _ in range(40)]
    for cut in [HEADER_BYTES, len(whole), *ends[:3], *cuts]:
        directory = copy(live, tmp_path / "cut")
        os.truncate(directory / LOG_NAME, cut)
        assert count_records(directory) == 40 * sum(end <= cut for end in ends)
        assert count_records(directory) == 40 * sum(end <= cut for end in ends)


def test_a_byte_changed_in_front_of_the_last_groups_is_damage(live: Path, tmp_path: Path) -> None:
    whole = (live / LOG_NAME).read_bytes()
    safe = ends_of_groups(whole)[-3]
    chance = random.Random(4)
    for place in [0, 8, 17, 31, 40, *[chance.randrange(safe) for _ in range(60)]]:
        changed = bytearray(whole)
        changed[place] ^= chance.randint(1, 255)
        directory = copy(live, tmp_path / "changed")
        (directory / LOG_NAME).write_bytes(changed)
        with pytest.raises(JournalDamaged, match=r"damaged") as caught:
            SqliteJournal(directory)
        assert "\n" not in str(caught.value)
        # The evidence stays as it was found.
        assert (directory / LOG_NAME).read_bytes() == changed


def test_any_part_of_the_last_group_may_be_missing(live: Path, tmp_path: Path) -> None:
    """What a power cut leaves of a write that was not yet synced, in sectors."""
    whole = (live / LOG_NAME).read_bytes()
    start = ends_of_groups(whole)[-2]
    chance = random.Random(5)
    for _ in range(40):
        torn = bytearray(whole)
        for sector in range(start // 512 + 1, len(whole) // 512):
            if chance.random() < 0.3:
                torn[sector * 512 : sector * 512 + 512] = bytes(512)
        directory = copy(live, tmp_path / "torn")
        (directory / LOG_NAME).write_bytes(torn)
        assert count_records(directory) in {40 * (GROUPS - 1), 40 * GROUPS}


@pytest.mark.parametrize("size", [None, 0, 20])
def test_a_lost_log_is_damage(live: Path, tmp_path: Path, size: int | None) -> None:
    directory = copy(live, tmp_path / "lost")
    if size is None:
        (directory / LOG_NAME).unlink()
    else:
        os.truncate(directory / LOG_NAME, size)
    with pytest.raises(JournalDamaged, match="is missing or has lost its beginning"):
        SqliteJournal(directory)


def test_a_journal_that_was_closed_needs_no_log(tmp_path: Path) -> None:
    for _ in range(2):
        with closing(SqliteJournal(tmp_path)) as journal:
            journal.append(group(journal.last_seq + 1))
        assert not (tmp_path / LOG_NAME).exists()
    assert count_records(tmp_path) == 80


def test_a_refused_start_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path)) as journal:
        journal.append(group(1))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("DELETE FROM journal")
        connection.commit()
    for _ in range(2):
        with pytest.raises(JournalDamaged, match="its first row is missing"):
            SqliteJournal(tmp_path)


def test_a_start_that_fails_after_a_crash_takes_the_mark_with_the_log(
    live: Path, tmp_path: Path
) -> None:
    spoiled = copy(live, tmp_path / "spoiled")
    with closing(sqlite3.connect(spoiled / FILE_NAME)) as connection:
        connection.execute("DELETE FROM journal")
        connection.commit()
        directory = copy(spoiled, tmp_path / "copy")
    for _ in range(2):
        with pytest.raises(JournalDamaged, match="its first row is missing"):
            SqliteJournal(directory)


def test_what_a_failed_write_leaves_behind_is_no_damage(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "live")) as journal:
        journal.append(group(1))
        pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
        journal._connection.execute("PRAGMA cache_size = 10")
        journal._connection.execute(f"PRAGMA max_page_count = {pages + 200}")
        for _ in range(2):
            with pytest.raises(JournalUnusable, match="full"):
                journal.append(group(journal.last_seq + 1, 4_000))
            journal._connection.execute("PRAGMA shrink_memory")
            journal.append(group(journal.last_seq + 1, 3))
            directory = copy(tmp_path / "live", tmp_path / "copy")
            log = Log((directory / LOG_NAME).read_bytes())
            stale = [frame for frame in range(1, log.count) if not log._follows(frame)]
            assert stale
            assert log.count > stale[0] + 1
            assert log._follows(stale[0] + 1)
            assert count_records(directory) == journal.last_seq


def test_sums_are_those_of_sqlite(live: Path) -> None:
    log = Log((live / LOG_NAME).read_bytes())
    assert log.has_header
    assert log.count > GROUPS
    assert log.find_damage() is None


def test_a_crash_behind_any_statement_loses_nothing_durable(tmp_path: Path) -> None:
    durable = tmp_path / "durable"

    def live() -> None:
        with closing(SqliteJournal(tmp_path / "data")) as journal:
            for number in range(3):
                journal.append(group(journal.last_seq + 1, 150))
                durable.write_text(str(journal.last_seq))
                if number:
                    journal.save_snapshot(journal.last_seq - 75, b"state" * 10_000)

    died, calls = True, 0
    while died:
        calls += 1
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        durable.write_text("0")
        died = dies(calls, live)
        with closing(SqliteJournal(tmp_path / "data")) as journal:
            assert journal.last_seq >= int(durable.read_text())
            assert journal.last_seq % 150 == 0
            snapshot = journal.latest_snapshot()
            start = snapshot[0] if snapshot else 0
            assert [each.seq for each in journal.read(start)] == list(
                range(start + 1, journal.last_seq + 1)
            )
    assert calls > 40
