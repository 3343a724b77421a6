"""The history's SQLite file: how it is made, recognised, tuned and thrown away."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

import msgspec

from openperp.history.base import HistoryUnusable
from openperp.history.restore import restore

APPLICATION_ID: Final = 0x6F70_4831
"""Marks the file as ours, in the place that SQLite keeps for this."""

FIRST_TABLES: Final = """
CREATE TABLE history (identity TEXT NOT NULL, position INTEGER NOT NULL);
CREATE TABLE owners (owner INTEGER PRIMARY KEY, account INTEGER NOT NULL, symbol TEXT NOT NULL);
CREATE TABLE orders (key INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE fills (key INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX fills_by_order ON fills (order_id);
CREATE TABLE client_tail (part INTEGER PRIMARY KEY, entries BLOB NOT NULL);
CREATE TABLE client_blocks (bucket_block INTEGER PRIMARY KEY, entries BLOB NOT NULL);
"""
"""An owner is an account on a symbol. A key is the owner's number over 40 bits of id, so that
a table is sorted by account, symbol and id, and its one B-tree serves both look-ups and lists.
"""

MARKET_TABLES: Final = """
CREATE TABLE market (position INTEGER NOT NULL, time_ms INTEGER NOT NULL,
    next_tran_id INTEGER NOT NULL);
CREATE TABLE instruments (symbol TEXT PRIMARY KEY, initial_ticks INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE wallets (account INTEGER PRIMARY KEY, balance INTEGER NOT NULL,
    first_deposit INTEGER NOT NULL);
CREATE TABLE holdings (account INTEGER NOT NULL, symbol TEXT NOT NULL, side INTEGER NOT NULL,
    lots INTEGER NOT NULL, PRIMARY KEY (account, symbol, side)) WITHOUT ROWID;
CREATE TABLE trades (key INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE agg_trades (key INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE income (key INTEGER PRIMARY KEY, kind INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX income_by_kind ON income (kind);
CREATE TABLE bars (series INTEGER NOT NULL, open_ms INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (series, open_ms)) WITHOUT ROWID;
CREATE TABLE statistics (series INTEGER NOT NULL, time_ms INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (series, time_ms)) WITHOUT ROWID;
"""
"""The market's past, with a position of its own: a file of the first format has none of it, and
takes in what the journal still has. Owners of trades, bars and statistics have the account 0."""

AMENDMENT_TABLES: Final = """
CREATE TABLE amendments (key INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX amendments_by_order ON amendments (order_id);
"""
"""Amendments, under the position of the orders: a file of an earlier format begins with none."""

MARGIN_TABLES: Final = """
CREATE TABLE margin_changes (key INTEGER PRIMARY KEY, removes INTEGER NOT NULL,
    record BLOB NOT NULL);
CREATE INDEX margin_changes_by_kind ON margin_changes (removes);
"""
"""Changes of isolated margin, under the position of the market: before there were none."""

FUNDING_TABLES: Final = """
CREATE TABLE fundings (key INTEGER PRIMARY KEY, record BLOB NOT NULL);
"""
"""Fundings that were settled; their ids are the hours since the Unix epoch."""

FORCED_TABLES: Final = """
CREATE TABLE forced_orders (key INTEGER PRIMARY KEY, origin INTEGER NOT NULL,
    record BLOB NOT NULL);
CREATE INDEX forced_orders_by_origin ON forced_orders (origin);
CREATE TABLE margin_steps (key INTEGER PRIMARY KEY, record BLOB NOT NULL);
"""
"""Orders that the venue placed against their accounts, once more, and why it did: before there
were none."""

TABLES: Final = (
    FIRST_TABLES,
    MARKET_TABLES,
    AMENDMENT_TABLES,
    MARGIN_TABLES,
    FUNDING_TABLES,
    FORCED_TABLES,
)
"""What each format added to the one before it."""
FORMAT: Final = len(TABLES)
"""Version of the tables and of the rows in them. Files of earlier formats get the tables that
they lack; any other is rebuilt from the journal, or refused where that has forgotten too much."""
MARKET_FORMAT: Final = 2
"""The first one with the market's past."""

FIRST_MARKET: Final = "INSERT INTO market VALUES (0, 0, 1);"

UNREADABLE: Final = """
SELECT (SELECT count(*) FROM owners WHERE typeof(account) <> 'integer'
        OR typeof(symbol) <> 'text' OR symbol GLOB '*[^A-Z0-9]*')
    + (SELECT count(*) FROM client_tail WHERE typeof(entries) <> 'blob' OR length(entries) % 12)
    + (SELECT count(*) <> ifnull(max(owner), 0) FROM owners)
"""
"""Counts what would break while it is loaded."""

CHECKPOINT_PAGES: Final = 8_192
"""Pages of log (32 MiB) after which SQLite copies them into the file: a page that was
written many times is copied once."""


class Unfit(Exception):
    """Why a file cannot be carried on."""


class Connection:
    """A connection that several threads share, a statement at a time.

    In memory the writer and the readers have but one, and a reader must not wait
    for a whole transaction.
    """

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self.lock = Lock()
        """Held by whoever uses `raw` itself."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        with self.lock:
            self.raw.execute(statement, values)

    def execute_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with self.lock:
            self.raw.executemany(statement, rows)

    def query(self, statement: str) -> list[Any]:
        with self.lock:
            return self.raw.execute(statement).fetchall()

    def roll_back(self) -> None:
        with self.lock:
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK")

    def close(self) -> None:
        with self.lock:
            self.raw.close()


def open_file(path: Path, identity: str, needed_seq: int = 0) -> tuple[sqlite3.Connection, str]:
    """The writer's connection, and why an earlier file had to go (empty if none had).

    That file is put aside under the name `<name>.unusable`, if replay gives back
    what is in it. Raises HistoryUnusable where it does not, because the records up to
    `needed_seq` are gone, and where the place cannot be read or written.
    """
    reason = ""
    try:
        if path.exists():
            try:
                return _open_existing(path, identity, needed_seq), ""
            except (Unfit, sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if is_out_of_reach(error):
                    raise
                reason = str(error)
                if needed_seq:
                    raise HistoryUnusable(_only_copy(path, reason, needed_seq)) from error
                put_aside(path)
        return create(str(path), identity), reason
    except (OSError, sqlite3.OperationalError) as error:
        raise HistoryUnusable(f"The history {path} cannot be opened: {error}.") from error


def _only_copy(path: Path, reason: str, needed_seq: int) -> str:
    return (
        f"The history {path} cannot be used ({reason}), and the journal no longer has the records "
        f"up to {needed_seq} to rebuild it from: run the version that wrote it, put a whole copy "
        "in its place, or move it away to go on without the closed orders and fills in it."
    )


def read_position(path: Path, identity: str) -> int:
    """The last record in the history at `path`; changes nothing.

    Raises HistoryUnusable where there is none that can be carried on.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            fault = _find_fault(connection, identity, 0)
            if not fault:
                return int(connection.execute("SELECT position FROM history").fetchone()[0])
    except (sqlite3.Error, UnicodeDecodeError) as error:
        fault = str(error)
    raise HistoryUnusable(f"The history {path} cannot be used: {fault}.")


def _open_existing(path: Path, identity: str, needed_seq: int) -> sqlite3.Connection:
    connection = connect(str(path))
    try:
        fault = _find_fault(connection, identity, needed_seq)
        if fault:
            raise Unfit(fault)  # noqa: TRY301
        _tune(connection)
        format = _format(connection)
        if format < FORMAT:
            connection.executescript(f"BEGIN; {_additions(format)} COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _find_fault(connection: sqlite3.Connection, identity: str, needed_seq: int) -> str:
    """Why the file cannot be carried on; empty if it can."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    format = _format(connection)
    if application_id != APPLICATION_ID or not 0 < format <= FORMAT:
        return "it is no history of this version of openperp"
    tables = {
        bytes(row[0])
        for row in connection.execute(
            "SELECT CAST(sql AS BLOB) FROM sqlite_master WHERE sql IS NOT NULL"
        )
    }
    expected = "".join(TABLES[:format])
    if tables != {part.strip().encode() for part in expected.split(";")} - {b""}:
        return "its tables are not as they were made"
    rows = connection.execute("SELECT identity, position FROM history").fetchall()
    if len(rows) != 1 or not isinstance(rows[0][1], int):
        return "its first row is not readable"
    if rows[0][0] != identity:
        return "it belongs to another journal"
    if 0 < rows[0][1] < needed_seq:
        return f"it ends at record {rows[0][1]}"
    if connection.execute(UNREADABLE).fetchone() != (0,):
        return "its rows are not readable"
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        return "the file does not hold together"
    if format >= MARKET_FORMAT and not _is_market_readable(connection):
        return "its rows of the market are not readable"
    return ""


def _format(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _is_market_readable(connection: sqlite3.Connection) -> bool:
    try:
        restore(connection)
    except (msgspec.MsgspecError, ValueError, ArithmeticError):
        return False
    return True


def _additions(format: int) -> str:
    """Statements that bring a file of `format` up to date; zero is a file without tables."""
    first_market = FIRST_MARKET if format < MARKET_FORMAT else ""
    return f"{' '.join(TABLES[format:])} {first_market} PRAGMA user_version = {FORMAT};"


def create(path: str, identity: str) -> sqlite3.Connection:
    """A new history; ":memory:" makes one that lives as long as its connection."""
    connection = connect(path)
    try:
        _tune(connection)
        connection.executescript(
            f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; {_additions(0)} COMMIT;"
        )
        connection.execute("INSERT INTO history VALUES (?, 0)", (identity,))
    except BaseException:
        connection.close()
        raise
    return connection


def is_out_of_reach(error: Exception) -> bool:
    """Whether the file could not be got at, as against being wrong inside."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR


def put_aside(path: Path) -> None:
    """Renames the file together with its log; what was put aside before stays."""
    name = path.name + ".unusable"
    taken = 1
    while path.with_name(name).exists():
        taken += 1
        name = f"{path.name}.unusable-{taken}"
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    log = path.with_name(path.name + "-wal")
    if log.exists():
        log.replace(path.with_name(name + "-wal"))
    path.replace(path.with_name(name))


def connect(path: str) -> sqlite3.Connection:
    """A connection for any thread, one at a time."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _tune(connection: sqlite3.Connection) -> None:
    """No sync at a commit: what a crash takes, replay gives back; `flush` syncs."""
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768;"
        f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
        f"PRAGMA journal_size_limit = {4 * CHECKPOINT_PAGES * 4096};"
    )
