"""The journal's SQLite file: how it is made, recognised and tuned."""

import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from openperp.journal.base import JournalDamaged, JournalUnusable
from openperp.journal.log import check_log
from openperp.journal.record import FIRST_LINK

APPLICATION_ID: Final = 0x6F70_4A31
"""Marks the file as ours, in the place that SQLite keeps for this."""

FORMAT: Final = 1
"""Version of the tables below, kept as SQLite's `user_version`."""

OPEN: Final = 0x1_0000
"""Added to the format in the file while the journal is open: then there is a log."""

_SQLITE: Final = b"SQLite format 3\0"
_USER_VERSION: Final = slice(60, 64)
"""Where a SQLite file has its `user_version`, whatever its log says."""

TABLES: Final = """
CREATE TABLE journal (
    identity TEXT NOT NULL, pruned_seq INTEGER NOT NULL, pruned_link BLOB NOT NULL);
CREATE TABLE records (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL, link BLOB NOT NULL);
CREATE TABLE snapshots (
    seq INTEGER PRIMARY KEY, link BLOB NOT NULL, parts INTEGER NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE snapshot_parts (
    seq INTEGER NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX snapshot_parts_by_seq ON snapshot_parts (seq, part);
"""
"""`journal` has one row: the last record that a snapshot replaced, and its link."""

CHECKPOINT_PAGES: Final = 4_096
"""Pages of log (16 MiB) after which SQLite copies them into the file."""


def open_file(path: Path) -> sqlite3.Connection:
    """The journal at `path`, made if there is none.

    Raises JournalDamaged where the file is broken and JournalUnusable where it
    is not a journal of a format known here.
    """
    if not path.exists():
        log = path.with_name(path.name + "-wal")
        if log.exists():
            raise JournalDamaged(0, f"the file {path} is missing, and its log {log} is not")
        _create(path)
    check_log(path, expected=_is_marked_open(path))
    connection = _connect(path)
    try:
        _recognise(connection, path)
    except BaseException:
        connection.close()
        raise
    try:
        _tune(connection)
        _check_structure(connection)
    except BaseException:
        abandon_file(connection)
        raise
    return connection


def mark_open(connection: sqlite3.Connection) -> None:
    """Sets the mark where it stays when the log is lost, as soon as the log is durable."""
    write_again(connection)
    connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()


def write_again(connection: sqlite3.Connection) -> None:
    """A write that changes nothing in an open journal.

    It takes the place of a write that failed, so that no crash brings that one back.
    """
    connection.execute(f"PRAGMA user_version = {FORMAT | OPEN}")


def close_file(connection: sqlite3.Connection) -> None:
    """Takes the mark away, then lets SQLite copy the log into the file and remove it."""
    unmark = f"PRAGMA user_version = {FORMAT}"
    try:
        try:
            connection.execute(unmark)
        except sqlite3.OperationalError:
            # On a full disk there is room in the log once it is copied.
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            connection.execute(unmark)
    finally:
        connection.close()


def abandon_file(connection: sqlite3.Connection) -> None:
    """Closes a journal whose opening failed, as cleanly as it can be.

    SQLite copies the log into the file when it closes, so the mark must go first,
    or the next start would miss a log that is not missing.
    """
    with suppress(sqlite3.Error):
        close_file(connection)


def _is_marked_open(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(100)
    marked = int.from_bytes(head[_USER_VERSION]) == FORMAT | OPEN
    return marked and head.startswith(_SQLITE)


def _create(path: Path) -> None:
    """Makes the file whole before it gets its name: an empty one is damage, never a start."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    connection = _connect(draft)
    try:
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
            f"BEGIN; {TABLES} COMMIT;"
        )
        connection.execute(
            "INSERT INTO journal VALUES (?, 0, ?)", (secrets.token_hex(16), FIRST_LINK)
        )
    finally:
        connection.close()
    draft.replace(path)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (format,) = connection.execute("PRAGMA user_version").fetchone()
    if path.stat().st_size == 0:
        raise JournalDamaged(0, f"the file {path} is empty")
    if application_id != APPLICATION_ID:
        raise JournalUnusable(f"The file {path} is not an openperp journal.")
    if format & ~OPEN != FORMAT:
        raise JournalUnusable(
            f"The journal {path} has format {format}, and this version of openperp reads {FORMAT}."
        )


def _tune(connection: sqlite3.Connection) -> None:
    """Durable at each commit, on every platform; the log is cut back when it is copied."""
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;"
        f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
        f"PRAGMA journal_size_limit = {4 * CHECKPOINT_PAGES * 4096};"
    )


def _check_structure(connection: sqlite3.Connection) -> None:
    """Finds what could hide the youngest records: changed tables, pages in disarray."""
    tables = {
        statement
        for (statement,) in connection.execute("SELECT CAST(sql AS BLOB) FROM sqlite_master")
    }
    if tables != {part.strip().encode() for part in TABLES.split(";")} - {b""}:
        raise JournalDamaged(0, "its tables are not as they were made")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise JournalDamaged(0, f"the file does not hold together ({_first_line(verdict)})")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[-1].rstrip(".")
