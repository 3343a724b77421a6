"""The journal in a SQLite file: one durable write for each group of records."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from openperp.engine.commands import Record
from openperp.journal.base import JournalDamaged, JournalUncertain, JournalUnusable
from openperp.journal.directory import lock_directory
from openperp.journal.record import LINK_SIZE, Frame, frame, unframe
from openperp.journal.schema import (
    abandon_file,
    close_file,
    mark_open,
    open_file,
    write_again,
)

FILE_NAME: Final = "journal.sqlite"
INSERT_ROWS: Final = 128
"""Records in one statement, at most."""
READ_ROWS: Final = 1_024
"""Records fetched at a time."""
KEPT_ROWS: Final = 20_000
"""Records younger than a snapshot, at most, that are put back rather than left in place."""
PART_BYTES: Final = 64 * 2**20
"""Bytes of a snapshot in one row: SQLite takes up to 10^9, and copies each one whole."""

# A damaged row may hold text, which Python would fail to decode; as bytes it fails its checksum.
_READ_STATEMENT: Final = """
SELECT seq, CAST(payload AS BLOB), CAST(link AS BLOB) FROM records
WHERE seq > ? ORDER BY seq LIMIT ?
"""


class SqliteJournal:
    """The journal of one data directory, which it holds for this process alone.

    `append` and `save_snapshot` wait for the disk, so they belong in a worker
    thread; any thread will do, one at a time. Each call into SQLite gives up the
    interpreter's lock and has to get it back, which costs dearly beside a busy
    event loop: hence one statement for a whole group, where it fits.
    """

    blocking: Final = True

    def __init__(self, directory: Path) -> None:
        """Opens the journal in `directory`, made if need be.

        Raises DataDirectoryBusy, JournalDamaged or JournalUnusable.
        """
        with ExitStack() as undo:
            self._lock = lock_directory(directory)
            undo.callback(self._lock.release)
            with _translated_errors():
                self._connection = open_file(directory / FILE_NAME)
                with ExitStack() as opening:
                    opening.callback(abandon_file, self._connection)
                    self._load_head()
                    opening.pop_all()
                undo.callback(close_file, self._connection)
                mark_open(self._connection)
            undo.pop_all()
        self._open = True

    def _load_head(self) -> None:
        head = self._connection.execute("SELECT * FROM journal").fetchone()
        if head is None:
            raise JournalDamaged(0, "its first row is missing")
        if [type(value) for value in head] != [str, int, bytes] or head[1] < 0:
            raise JournalDamaged(0, "its first row is not readable")
        self.identity: str = head[0]
        self._pruned_seq: int = head[1]
        self._pruned_link: bytes = head[2]
        youngest = self._connection.execute(
            "SELECT seq, CAST(link AS BLOB) FROM records ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        self._last_seq: int = self._pruned_seq
        self._last_link: bytes = self._pruned_link
        if youngest is not None:
            self._last_seq, self._last_link = youngest
            if self._last_seq <= self._pruned_seq:
                raise JournalDamaged(self._last_seq, "the record is older than the snapshot")

    @property
    def last_seq(self) -> int:
        return self._last_seq

    @property
    def pruned_seq(self) -> int:
        return self._pruned_seq

    def append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        frames = frame(records, self._last_link)
        assert frames[0][0] == self._last_seq + 1, "records must follow on the youngest one"
        assert frames[-1][0] == self._last_seq + len(frames), "records must have no gaps"
        with _translated_errors(self._last_seq + 1):
            try:
                self._insert(frames)
            except sqlite3.Error as error:
                if _is_nothing_written(error) or not self._is_there(frames[-1][0], error):
                    raise
        self._last_seq, _, self._last_link = frames[-1]

    def _insert(self, frames: list[Frame]) -> None:
        if len(frames) <= INSERT_ROWS:
            self._insert_rows(frames)
            return
        with self._transaction():
            for start in range(0, len(frames), INSERT_ROWS):
                self._insert_rows(frames[start : start + INSERT_ROWS])

    def _insert_rows(self, frames: list[Frame]) -> None:
        values: list[int | bytearray] = []
        for seq, payload, link in frames:
            # For bytes, sqlite3 would look for an adapter, at the price of encoding a record.
            values += (seq, bytearray(payload), bytearray(link))
        self._connection.execute(_insert_statement(len(frames)), values)

    def _is_there(self, last_seq: int, error: sqlite3.Error) -> bool:
        """Whether a group whose write failed is stored after all, for certain.

        Where a disk refuses to sync, SQLite may have written the whole group before
        and would find it after a crash, though it says here that it is not there. The
        next write goes to the same place in the log; once that one is synced, what
        SQLite says is what a crash leaves.
        """
        try:
            write_again(self._connection)
            (found,) = self._connection.execute("SELECT max(seq) FROM records").fetchone()
        except sqlite3.Error as again:
            raise JournalUncertain(f"The journal cannot be written: {error}, {again}.") from error
        if found == last_seq:
            return True
        if (self._pruned_seq if found is None else found) != self._last_seq:
            raise JournalUncertain(f"The journal ends at record {found}: {error}.") from error
        return False

    def read(self, after_seq: int) -> Iterator[Record]:
        with _translated_errors(after_seq):
            previous = self._find_link(after_seq)
        return unframe(self._frames(after_seq), after_seq, previous)

    def _frames(self, after_seq: int) -> Iterator[Frame]:
        """Rows in pages: a reader that pauses keeps no transaction open."""
        while True:
            with _translated_errors(after_seq + 1):
                page: list[Frame] = self._connection.execute(
                    _READ_STATEMENT,
                    (after_seq, READ_ROWS),
                ).fetchall()
            if not page:
                return
            yield from page
            after_seq = page[-1][0]

    def _find_link(self, seq: int) -> bytes:
        """The link of record `seq`, which is the last pruned one or a younger one."""
        assert self._pruned_seq <= seq <= self._last_seq
        if seq == self._pruned_seq:
            return self._pruned_link
        if seq == self._last_seq:
            return self._last_link
        row = self._connection.execute(
            "SELECT CAST(link AS BLOB) FROM records WHERE seq = ?", (seq,)
        ).fetchone()
        if row is None:
            raise JournalDamaged(seq, "the record is missing")
        link: bytes = row[0]
        return link

    def save_snapshot(self, seq: int, data: bytes) -> None:
        with _translated_errors(seq):
            link = self._find_link(seq)
            view = memoryview(data)
            parts = [view[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]
            with self._transaction():
                self._replace_snapshot(seq, link, parts, _checksum(seq, link, data))
                self._prune(seq, link)
        self._pruned_seq, self._pruned_link = seq, link

    def _replace_snapshot(
        self, seq: int, link: bytes, parts: list[memoryview], checksum: bytes
    ) -> None:
        execute = self._connection.execute
        execute("DELETE FROM snapshots")
        execute("DELETE FROM snapshot_parts")
        execute("INSERT INTO snapshots VALUES (?, ?, ?, ?)", (seq, link, len(parts), checksum))
        for number, part in enumerate(parts):
            execute("INSERT INTO snapshot_parts VALUES (?, ?, ?)", (seq, number, part))

    def _prune(self, seq: int, link: bytes) -> None:
        """Gives the pages of pruned records to records to come: the file stays at its peak.

        SQLite drops all rows of a table far faster than most of them, so the few
        that stay are put back.
        """
        execute = self._connection.execute
        if self._last_seq - seq <= KEPT_ROWS:
            kept = execute("SELECT * FROM records WHERE seq > ?", (seq,)).fetchall()
            execute("DELETE FROM records")
            self._connection.executemany("INSERT INTO records VALUES (?, ?, ?)", kept)
        else:
            execute("DELETE FROM records WHERE seq <= ?", (seq,))
        execute("UPDATE journal SET pruned_seq = ?, pruned_link = ?", (seq, link))

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        with _translated_errors(self._pruned_seq):
            row = self._connection.execute(
                "SELECT seq, CAST(link AS BLOB), parts, CAST(checksum AS BLOB) FROM snapshots"
            ).fetchone()
            if row is None and self._pruned_seq == 0:
                return None
            if row is None or row[0] != self._pruned_seq:
                raise JournalDamaged(self._pruned_seq, "the snapshot after it is missing")
            seq, link, parts, checksum = row
            data = self._read_parts(seq, parts)
            if link != self._pruned_link or checksum != _checksum(seq, link, data):
                raise JournalDamaged(seq, "the snapshot after it does not match its checksum")
        return seq, data

    def _read_parts(self, seq: int, count: int) -> bytes:
        rows = self._connection.execute(
            "SELECT CAST(data AS BLOB) FROM snapshot_parts WHERE seq = ? ORDER BY part", (seq,)
        ).fetchall()
        if len(rows) != count:
            raise JournalDamaged(seq, "a part of the snapshot after it is missing")
        return b"".join(row[0] for row in rows)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            with _translated_errors():
                close_file(self._connection)
        finally:
            self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _is_nothing_written(error: sqlite3.Error) -> bool:
    """Whether a write failed before its end was in the log, the only part that counts."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR)
    return code & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_READONLY}


@lru_cache(maxsize=INSERT_ROWS)
def _insert_statement(rows: int) -> str:
    return f"INSERT INTO records VALUES {', '.join(['(?, ?, ?)'] * rows)}"  # noqa: S608


def _checksum(seq: int, link: bytes, data: bytes) -> bytes:
    checksum = blake2b(seq.to_bytes(8), digest_size=LINK_SIZE)
    checksum.update(link)
    checksum.update(data)
    return checksum.digest()


@contextmanager
def _translated_errors(seq: int = 0) -> Iterator[None]:
    """Says in the journal's own terms what SQLite found wrong at record `seq`."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if isinstance(error, OSError) or code in _OUT_OF_REACH:
            why = f"The journal cannot be read or written: {error}."
            raise JournalUnusable(why) from error
        raise JournalDamaged(seq, str(error)) from error
    except UnicodeDecodeError as error:
        # Also what Python makes of SQLite's own message when a name in the file is broken.
        raise JournalDamaged(seq, "a text in the file is not readable") from error


_OUT_OF_REACH: Final = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_TOOBIG,
}
"""What SQLite says when the disk, and not the file, is the trouble."""
