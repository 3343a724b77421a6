"""A history file that cannot be carried on is put aside, and the venue starts all the same."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openperp.engine.events import OrderCanceled, OrderFilled
from openperp.engine.records import OrderRecord
from openperp.engine.terms import OrderStatus
from openperp.history import client_ids
from openperp.history.base import HistoryUnusable
from openperp.history.file import FORMAT, read_position
from openperp.history.store import SqliteHistory


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def write(path: Path, make: Any, count: int = 50) -> None:
    """One record for each order, in two transactions."""
    with closing(SqliteHistory(path, "journal")) as history:
        for order_id in range(1, count + 1):
            filled = make.order(order_id, status=OrderStatus.FILLED)
            fill = make.fill(order_id, order_id=order_id)
            history.absorb(make.applied(order_id, OrderFilled(filled, fill)))
            if order_id == count // 2:
                history.flush()


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def reopen(path: Path, identity: str = "journal") -> tuple[int, str]:
    """Position and the reason of a start anew; what is absorbed then is there."""
    with closing(SqliteHistory(path, identity)) as history:
        return history.position, history.discarded


def test_a_whole_file_is_carried_on(path: Path, make: Any) -> None:
    write(path, make)
    assert reopen(path) == (50, "")
    assert not path.with_name("history.sqlite.unusable").exists()


def test_a_file_of_another_journal_is_put_aside(path: Path, make: Any) -> None:
    write(path, make)
    assert reopen(path, "other") == (0, "it belongs to another journal")
    assert path.with_name("history.sqlite.unusable").exists()
    assert reopen(path, "other") == (0, "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (f"PRAGMA user_version = {FORMAT + 1}", "it is no history of this version of openperp"),
        ("PRAGMA application_id = 7", "it is no history of this version of openperp"),
        ("DROP TABLE fills", "its tables are not as they were made"),
        ("DROP INDEX fills_by_order", "its tables are not as they were made"),
        ("DELETE FROM history", "its first row is not readable"),
        ("UPDATE history SET position = 'text'", "its first row is not readable"),
        ("UPDATE history SET identity = CAST(x'ff' AS TEXT)", "Could not decode to UTF-8"),
        ("UPDATE owners SET symbol = x'00'", "its rows are not readable"),
        ("UPDATE owners SET symbol = CAST(x'42ff' AS TEXT)", "its rows are not readable"),
        ("UPDATE owners SET owner = 7", "its rows are not readable"),
        ("UPDATE client_tail SET entries = x'00'", "its rows are not readable"),
    ],
)
def test_a_changed_file_is_put_aside(path: Path, make: Any, change: str, reason: str) -> None:
    write(path, make)
    edit(path, change)
    position, discarded = reopen(path)
    assert position == 0
    assert reason in discarded


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (f"PRAGMA user_version = {FORMAT + 1}", "it is no history of this version of openperp"),
        ("DROP TABLE fills", "its tables are not as they were made"),
        ("UPDATE history SET identity = 'other'", "it belongs to another journal"),
        ("UPDATE history SET position = 29", "it ends at record 29"),
    ],
)
def test_the_only_copy_is_refused_and_left_in_place(
    path: Path, make: Any, change: str, reason: str
) -> None:
    write(path, make)
    edit(path, change)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(HistoryUnusable) as caught:
            SqliteHistory(path, "journal", needed_seq=30)
        sentence = str(caught.value)
        assert f"history.sqlite cannot be used ({reason}), and the journal" in sentence
        assert "records up to 30 to rebuild it from" in sentence
        assert path.read_bytes() == before
    path.rename(path.with_name("away"))
    with closing(SqliteHistory(path, "journal", needed_seq=30)) as history:
        assert (history.position, history.discarded) == (0, "")
    with closing(SqliteHistory(path, "journal", needed_seq=30)) as history:
        assert history.position == 0


def test_a_history_with_all_that_the_journal_forgot_is_carried_on(path: Path, make: Any) -> None:
    write(path, make)
    with closing(SqliteHistory(path, "journal", needed_seq=50)) as history:
        assert (history.position, history.discarded) == (50, "")


def test_nothing_that_was_put_aside_is_lost(path: Path, make: Any) -> None:
    for number in range(1, 4):
        write(path, make)
        assert reopen(path, f"other {number}")[0] == 0
        path.unlink()
    names = {f"history.sqlite.unusable{suffix}" for suffix in ("", "-2", "-3")}
    assert names <= {each.name for each in path.parent.iterdir()}
    for name in names:
        assert read_position(path.with_name(name), "journal") == 50


def test_a_position_is_read_without_a_change(path: Path, make: Any) -> None:
    with pytest.raises(HistoryUnusable, match="unable to open"):
        read_position(path, "journal")
    assert not path.exists()
    write(path, make)
    before = path.read_bytes()
    assert read_position(path, "journal") == 50
    with pytest.raises(HistoryUnusable, match="belongs to another journal"):
        read_position(path, "other")
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"garbage", b"garbage" * 10_000])
def test_a_file_that_is_no_database_is_put_aside(path: Path, make: Any, content: bytes) -> None:
    path.write_bytes(content)
    position, discarded = reopen(path)
    assert position == 0
    assert discarded
    write(path, make)
    assert reopen(path) == (50, "")


def test_a_truncated_file_is_put_aside(path: Path, make: Any) -> None:
    write(path, make)
    path.write_bytes(path.read_bytes()[:-5_000])
    assert reopen(path)[0] == 0


def test_a_file_is_put_aside_with_its_log(path: Path, make: Any) -> None:
    with closing(SqliteHistory(path, "journal")) as history:
        history.absorb(make.applied(1, OrderCanceled(make.order(1))))
        history.flush()
        log = path.with_name("history.sqlite-wal").read_bytes()
    path.write_bytes(b"")
    path.with_name("history.sqlite-wal").write_bytes(log)
    assert reopen(path, "other")[0] == 0
    with closing(SqliteHistory(path, "other")) as history:
        assert history.discarded == ""
        assert history.list_orders(1, "") == []


def test_a_log_without_its_file_does_not_come_back(path: Path, make: Any) -> None:
    with closing(SqliteHistory(path, "journal")) as history:
        history.absorb(make.applied(1, OrderCanceled(make.order(1))))
        history.flush()
        log = path.with_name("history.sqlite-wal").read_bytes()
    path.unlink()
    path.with_name("history.sqlite-wal").write_bytes(log)
    assert reopen(path) == (0, "")


def test_a_position_behind_the_rows_is_made_whole_by_replay(path: Path, make: Any) -> None:
    write(path, make)
    edit(path, "UPDATE history SET position = 10")
    write(path, make)
    with closing(SqliteHistory(path, "journal")) as history:
        assert history.position == 50
        assert len(history.list_orders(1, "")) == len(history.list_fills(1, "")) == 50
        assert history.find_order_by_client_id(1, "", "client-30", None) is not None


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnusable, match=r"^The history .* cannot be opened: .*\.$"):
        SqliteHistory(tmp_path / "nowhere" / "history.sqlite")


@pytest.mark.parametrize("record", ["x'c1'", "'text'", "CAST(x'ff' AS TEXT)"])
def test_a_damaged_row_is_one_sentence(path: Path, make: Any, record: str) -> None:
    write(path, make)
    edit(path, f"UPDATE orders SET record = {record}")
    with closing(SqliteHistory(path, "journal")) as history:
        with pytest.raises(HistoryUnusable, match=r"^The history cannot be read: .*\.$"):
            history.find_order(1, "BTCUSDT", 1)
        with pytest.raises(HistoryUnusable, match=r"^The history cannot be read: .*\.$"):
            history.list_orders(1, "BTCUSDT")


@pytest.mark.parametrize("entries", ["x'00'", "'text'"])
def test_a_damaged_block_is_one_sentence(
    path: Path, make: Any, monkeypatch: pytest.MonkeyPatch, entries: str
) -> None:
    monkeypatch.setattr(client_ids, "BLOCK_ENTRIES", 10)
    write(path, make)
    edit(path, f"UPDATE client_blocks SET entries = {entries}")
    with (
        closing(SqliteHistory(path, "journal")) as history,
        pytest.raises(HistoryUnusable, match="its list of client ids is damaged"),
    ):
        history.find_order_by_client_id(1, "BTCUSDT", "client-1", None)


def test_a_flipped_byte_anywhere_stops_no_start(path: Path, make: Any) -> None:
    """Rows have no checksum of their own: what is wrong inside one may be read."""
    write(path, make)
    whole = path.read_bytes()
    chance = random.Random(5)
    for _ in range(300):
        changed = bytearray(whole)
        changed[chance.randrange(len(whole))] ^= chance.randint(1, 255)
        path.write_bytes(changed)
        with closing(SqliteHistory(path, "journal")) as history:
            try:
                found: list[OrderRecord] = history.list_orders(1, "BTCUSDT")
                history.find_order_by_client_id(1, "BTCUSDT", "client-1", None)
            except HistoryUnusable as error:
                found = []
                sentence = str(error)
                if "\n" in sentence:
                    pytest.fail(sentence)
            if history.discarded:
                assert found == []
