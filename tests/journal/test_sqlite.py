"""What the journal in a file keeps across restarts, and how it says what is wrong."""

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openperp.engine.commands import Batch, CancelOrder, Record
from openperp.journal import sqlite
from openperp.journal.base import (
    DataDirectoryBusy,
    JournalDamaged,
    JournalError,
    JournalUncertain,
    JournalUnusable,
)
from openperp.journal.sqlite import FILE_NAME, SqliteJournal


def numbered(count: int, first: int = 1) -> list[Record]:
    return [
        Record(seq, 1_000 + seq, Batch(tuple(CancelOrder(1, "BTCUSDT", seq) for _ in range(10))))
        for seq in range(first, first + count)
    ]


def write(directory: Path, count: int, snapshot: int | None = None) -> None:
    with closing(SqliteJournal(directory)) as journal:
        journal.append(numbered(count))
        if snapshot is not None:
            journal.save_snapshot(snapshot, b"state" * 1_000)


def edit(directory: Path, *statements: str) -> None:
    with closing(sqlite3.connect(directory / FILE_NAME, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def flipped(column: str) -> str:
    """SQL for the bytes of a column with another first byte."""
    first = f"CASE hex(substr({column}, 1, 1)) WHEN '00' THEN x'01' ELSE x'00' END"
    return f"CAST(({first}) || substr({column}, 2) AS BLOB)"


def read_all(directory: Path) -> tuple[tuple[int, bytes] | None, list[Record]]:
    """The snapshot and all records behind it, as a start reads them."""
    with closing(SqliteJournal(directory)) as journal:
        snapshot = journal.latest_snapshot()
        return snapshot, list(journal.read(snapshot[0] if snapshot else 0))


def refuse(directory: Path, kind: type[JournalError] = JournalDamaged) -> str:
    """The one sentence that a start ends with."""
    with pytest.raises(kind) as caught:
        read_all(directory)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def find_damage(directory: Path) -> int:
    """The record that a start ends with."""
    with pytest.raises(JournalDamaged) as caught:
        read_all(directory)
    return caught.value.seq


class TestRestart:
    def test_everything_is_found_again(self, tmp_path: Path) -> None:
        write(tmp_path, 300)
        assert read_all(tmp_path) == (None, numbered(300))

    def test_the_chain_goes_on_after_a_restart(self, tmp_path: Path) -> None:
        write(tmp_path, 3)
        with closing(SqliteJournal(tmp_path)) as journal:
            journal.append(numbered(2, first=4))
        assert read_all(tmp_path) == (None, numbered(5))

    @pytest.mark.parametrize("seq", [40, 299, 300])
    def test_the_chain_goes_on_across_pruning(self, tmp_path: Path, seq: int) -> None:
        write(tmp_path, 300, snapshot=seq)
        with closing(SqliteJournal(tmp_path)) as journal:
            assert journal.last_seq == 300
            journal.append(numbered(2, first=301))
        state = b"state" * 1_000
        assert read_all(tmp_path) == ((seq, state), numbered(302 - seq, first=seq + 1))

    def test_pruning_far_behind_the_end_leaves_the_rest_in_place(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "KEPT_ROWS", 10)
        write(tmp_path, 300, snapshot=40)
        assert read_all(tmp_path)[1] == numbered(260, first=41)

    def test_what_was_appended_is_on_disk_without_a_close(self, tmp_path: Path) -> None:
        """A copy of the files is what a power cut leaves."""
        with closing(SqliteJournal(tmp_path / "live")) as journal:
            journal.append(numbered(5))
            shutil.copytree(tmp_path / "live", tmp_path / "copy")
        assert read_all(tmp_path / "copy") == (None, numbered(5))

    def test_the_identity_stays_and_is_its_own(self, tmp_path: Path) -> None:
        def identity(name: str) -> str:
            with closing(SqliteJournal(tmp_path / name)) as journal:
                return journal.identity

        assert identity("one") == identity("one") != identity("two")

    def test_a_large_snapshot_is_stored_in_parts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "PART_BYTES", 1_000)
        data = random.Random(1).randbytes(10_500)
        with closing(SqliteJournal(tmp_path)) as journal:
            journal.append(numbered(1))
            journal.save_snapshot(1, data)
        assert read_all(tmp_path) == ((1, data), [])

    def test_pages_of_pruned_records_are_used_again(self, tmp_path: Path) -> None:
        sizes = []
        with closing(SqliteJournal(tmp_path)) as journal:
            for _ in range(4):
                journal.append(numbered(2_000, first=journal.last_seq + 1))
                journal.save_snapshot(journal.last_seq, bytes(100_000))
                journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                sizes.append((tmp_path / FILE_NAME).stat().st_size)
        assert sizes[-1] <= sizes[0] * 1.2

    def test_any_thread_may_use_it_in_turn(self, tmp_path: Path) -> None:
        with closing(SqliteJournal(tmp_path)) as journal, ThreadPoolExecutor(1) as worker:
            worker.submit(journal.append, numbered(2)).result()
            assert list(journal.read(0)) == numbered(2)


class TestDirectory:
    def test_it_serves_one_journal_at_a_time(self, tmp_path: Path) -> None:
        with closing(SqliteJournal(tmp_path)):
            error = refuse(tmp_path, DataDirectoryBusy)
        holder = f"process {os.getpid()}" if Path("/proc/locks").exists() else "another process"
        assert error == (
            f"The data directory {tmp_path} is in use by {holder}: "
            "stop that first, or choose another directory."
        )
        assert read_all(tmp_path) == (None, [])

    def test_it_is_made_and_private(self, tmp_path: Path) -> None:
        write(tmp_path / "a" / "b", 1)
        assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700

    def test_a_refused_file_leaves_it_free(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).write_bytes(b"garbage")
        refuse(tmp_path)
        (tmp_path / FILE_NAME).unlink()
        assert read_all(tmp_path) == (None, [])

    def test_a_place_that_cannot_be_one(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        error = refuse(tmp_path / "file" / "data", JournalUnusable)
        assert "cannot be used: Not a directory" in error


class TestForeignFiles:
    def test_another_database(self, tmp_path: Path) -> None:
        edit(tmp_path, "CREATE TABLE journal (something TEXT)")
        assert "is not an openperp journal" in refuse(tmp_path, JournalUnusable)

    def test_a_newer_format(self, tmp_path: Path) -> None:
        write(tmp_path, 1)
        edit(tmp_path, "PRAGMA user_version = 2")
        assert "has format 2, and this version of openperp reads 1" in refuse(
            tmp_path, JournalUnusable
        )

    def test_a_directory_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).mkdir()
        refuse(tmp_path, JournalUnusable)


class TestDamage:
    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).write_bytes(b"")
        assert "is empty" in refuse(tmp_path)

    def test_garbage(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).write_bytes(b"garbage" * 10_000)
        assert refuse(tmp_path) == "The journal is damaged: file is not a database."

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
    def test_a_truncated_file(self, tmp_path: Path, share: float) -> None:
        write(tmp_path, 300)
        whole = (tmp_path / FILE_NAME).read_bytes()
        (tmp_path / FILE_NAME).write_bytes(whole[: int(len(whole) * share)])
        refuse(tmp_path)

    def test_a_log_without_its_file(self, tmp_path: Path) -> None:
        with closing(SqliteJournal(tmp_path / "live")) as journal:
            journal.append(numbered(5))
            shutil.copytree(tmp_path / "live", tmp_path / "copy")
        (tmp_path / "copy" / FILE_NAME).unlink()
        assert "is missing, and its log" in refuse(tmp_path / "copy")

    @pytest.mark.parametrize("column", ["payload", "link"])
    def test_text_in_place_of_bytes(self, tmp_path: Path, column: str) -> None:
        write(tmp_path, 9)
        edit(tmp_path, f"UPDATE records SET {column} = CAST(x'61ff62' AS TEXT) WHERE seq = 4")
        assert find_damage(tmp_path) == 4

    @pytest.mark.parametrize("column", ["payload", "link"])
    def test_a_changed_record(self, tmp_path: Path, column: str) -> None:
        write(tmp_path, 9)
        edit(tmp_path, f"UPDATE records SET {column} = {flipped(column)} WHERE seq = 4")
        assert find_damage(tmp_path) == 4

    def test_a_missing_record(self, tmp_path: Path) -> None:
        write(tmp_path, 9)
        edit(tmp_path, "DELETE FROM records WHERE seq = 4")
        assert refuse(tmp_path) == "The journal is damaged at record 4: the record is missing."

    def test_a_missing_record_behind_a_snapshot(self, tmp_path: Path) -> None:
        write(tmp_path, 9, snapshot=3)
        edit(tmp_path, "DELETE FROM records WHERE seq = 4")
        assert find_damage(tmp_path) == 4

    def test_a_missing_record_where_reading_begins(self, tmp_path: Path) -> None:
        write(tmp_path, 9)
        edit(tmp_path, "DELETE FROM records WHERE seq = 4")
        with closing(SqliteJournal(tmp_path)) as journal, pytest.raises(JournalDamaged) as caught:
            journal.read(4)
        assert caught.value.seq == 4

    @pytest.mark.parametrize("count", [9, 5], ids=["records behind it", "nothing behind it"])
    def test_a_missing_snapshot(self, tmp_path: Path, count: int) -> None:
        write(tmp_path, count, snapshot=5)
        edit(tmp_path, "DELETE FROM snapshots")
        assert "at record 5: the snapshot after it is missing" in refuse(tmp_path)

    def test_a_missing_part_of_a_snapshot(self, tmp_path: Path) -> None:
        write(tmp_path, 5, snapshot=5)
        edit(tmp_path, "DELETE FROM snapshot_parts")
        assert "at record 5: a part of the snapshot after it is missing" in refuse(tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            f"UPDATE snapshot_parts SET data = {flipped('data')}",
            "UPDATE snapshots SET checksum = x'00'",
            f"UPDATE snapshots SET link = {flipped('link')}",
            f"UPDATE journal SET pruned_link = {flipped('pruned_link')}",
            "UPDATE snapshots SET seq = 4",
            "UPDATE snapshot_parts SET data = 'text'",
            "UPDATE snapshots SET link = 'text'",
        ],
    )
    def test_a_changed_snapshot(self, tmp_path: Path, change: str) -> None:
        write(tmp_path, 5, snapshot=5)
        edit(tmp_path, change)
        assert find_damage(tmp_path) == 5

    @pytest.mark.parametrize(
        "change",
        [
            "DELETE FROM journal",
            "UPDATE journal SET pruned_seq = 'text'",
            "UPDATE journal SET pruned_link = 7",
            "DROP TABLE records",
            "DROP TABLE snapshots",
        ],
    )
    def test_a_broken_frame(self, tmp_path: Path, change: str) -> None:
        write(tmp_path, 9)
        edit(tmp_path, change)
        refuse(tmp_path)

    def test_a_flipped_byte_anywhere_is_found_or_harmless(self, tmp_path: Path) -> None:
        write(tmp_path / "whole", 40, snapshot=10)
        expected = read_all(tmp_path / "whole")
        whole = (tmp_path / "whole" / FILE_NAME).read_bytes()
        chance = random.Random(5)
        found = 0
        (tmp_path / "changed").mkdir()
        for _ in range(300):
            changed = bytearray(whole)
            changed[chance.randrange(len(whole))] ^= chance.randint(1, 255)
            (tmp_path / "changed" / FILE_NAME).write_bytes(changed)
            try:
                outcome: object = read_all(tmp_path / "changed")
            except JournalError as error:
                outcome = error
            if isinstance(outcome, JournalError):
                assert "\n" not in str(outcome)
                found += 1
            else:
                assert outcome == expected
        assert found > 50


class DoubtfulConnection:
    """A connection whose writes of records fail, before they are made or after."""

    def __init__(self, raw: sqlite3.Connection, *, written: bool, stays: bool = False) -> None:
        self._raw = raw
        self._written = written
        self._stays = stays
        self.failing = True

    def execute(self, statement: str, *values: Any) -> Any:
        if not self.failing or not (self._stays or statement.startswith(("INSERT", "COMMIT"))):
            return self._raw.execute(statement, *values)
        if self._written:
            self._raw.execute(statement, *values)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class TestDoubtfulWrite:
    """What a disk says of its failures and what it then has are two things."""

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Iterator[SqliteJournal]:
        with closing(SqliteJournal(tmp_path)) as journal:
            journal.append(numbered(3))
            yield journal

    def test_a_group_that_is_there_after_all_counts(
        self, journal: SqliteJournal, tmp_path: Path
    ) -> None:
        raw = journal._connection
        journal._connection = DoubtfulConnection(raw, written=True)  # type: ignore[assignment]
        journal.append(numbered(2, first=4))
        journal._connection = raw
        assert journal.last_seq == 5
        journal.append(numbered(1, first=6))
        journal.close()
        assert read_all(tmp_path) == (None, numbered(6))

    @pytest.mark.parametrize("count", [2, 300])
    def test_a_group_that_is_not_there_is_gone_for_good(
        self, journal: SqliteJournal, tmp_path: Path, count: int
    ) -> None:
        raw = journal._connection
        journal._connection = DoubtfulConnection(raw, written=False)  # type: ignore[assignment]
        with pytest.raises(JournalUnusable, match="disk I/O error"):
            journal.append(numbered(count, first=4))
        journal._connection = raw
        assert journal.last_seq == 3
        journal.append(numbered(1, first=4))
        journal.close()
        assert read_all(tmp_path) == (None, numbered(4))

    @pytest.mark.parametrize("written", [False, True])
    def test_a_disk_that_goes_on_failing_leaves_the_outcome_open(
        self, journal: SqliteJournal, written: bool
    ) -> None:
        raw = journal._connection
        broken = DoubtfulConnection(raw, written=written, stays=True)
        journal._connection = broken  # type: ignore[assignment]
        with pytest.raises(JournalUncertain, match=r"disk I/O error\.$"):
            journal.append(numbered(2, first=4))
        broken.failing = False


class TestFullDisk:
    def test_a_group_that_does_not_fit_is_refused_whole_and_the_rest_stands(
        self, tmp_path: Path
    ) -> None:
        with closing(SqliteJournal(tmp_path)) as journal:
            journal.append(numbered(300))
            pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
            journal._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
            with pytest.raises(JournalUnusable, match="full"):
                journal.append(numbered(300, first=301))
            with pytest.raises(JournalUnusable, match="full"):
                journal.save_snapshot(300, bytes(1_000_000))
            journal._connection.execute("PRAGMA max_page_count = 1000000")
            assert journal.last_seq == 300
            journal.append(numbered(2, first=301))
        assert read_all(tmp_path) == (None, numbered(302))
