"""What every journal keeps, whatever it is made of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openperp.engine.commands import Batch, CancelOrder, Pulse, Record
from openperp.journal.base import Journal
from openperp.journal.memory import MemoryJournal
from openperp.journal.sqlite import SqliteJournal


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    journal: Journal = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path)
    yield journal
    journal.close()


def numbered(count: int, first: int = 1) -> list[Record]:
    return [
        Record(seq, 1_000 + seq, Batch((CancelOrder(1, "BTCUSDT", seq), Pulse())))
        for seq in range(first, first + count)
    ]


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert journal.last_seq == 0
    assert list(journal.read(0)) == []
    assert journal.latest_snapshot() is None


@pytest.mark.parametrize("sizes", [[1], [3, 1, 2], [128], [129, 1], [300, 300]])
def test_groups_of_any_size_are_read_back_in_order(journal: Journal, sizes: list[int]) -> None:
    for size in sizes:
        journal.append(numbered(size, first=journal.last_seq + 1))
    assert journal.last_seq == sum(sizes)
    assert list(journal.read(0)) == numbered(sum(sizes))


def test_an_empty_group_changes_nothing(journal: Journal) -> None:
    journal.append([])
    assert journal.last_seq == 0


@pytest.mark.parametrize("after", [0, 1, 1_023, 1_024, 2_499, 2_500])
def test_reading_begins_behind_any_record(journal: Journal, after: int) -> None:
    journal.append(numbered(2_500))
    assert list(journal.read(after)) == numbered(2_500 - after, first=after + 1)


def test_a_reader_that_pauses_is_no_obstacle(journal: Journal) -> None:
    journal.append(numbered(3_000))
    reader = journal.read(0)
    first = next(reader)
    journal.append(numbered(1, first=3_001))
    assert [first, *reader][:3_000] == numbered(3_000)
    assert journal.last_seq == 3_001


@pytest.mark.parametrize("first", [1, 3, 4])
def test_a_group_must_follow_on_the_last_record(journal: Journal, first: int) -> None:
    journal.append(numbered(1))
    with pytest.raises(AssertionError):
        journal.append(numbered(2, first=first))
    assert list(journal.read(0)) == numbered(1)


def test_a_group_with_a_gap_is_refused_whole(journal: Journal) -> None:
    with pytest.raises(AssertionError):
        journal.append([*numbered(2), *numbered(1, first=4)])
    assert list(journal.read(0)) == []


@pytest.mark.parametrize("seq", [1, 7, 10])
def test_a_snapshot_takes_the_place_of_the_records_in_it(journal: Journal, seq: int) -> None:
    journal.append(numbered(10))
    journal.save_snapshot(seq, b"state")
    assert journal.latest_snapshot() == (seq, b"state")
    assert list(journal.read(seq)) == numbered(10 - seq, first=seq + 1)
    assert journal.last_seq == 10
    with pytest.raises(AssertionError):
        journal.read(seq - 1)


def test_records_and_snapshots_go_on_behind_a_snapshot(journal: Journal) -> None:
    journal.append(numbered(10))
    journal.save_snapshot(10, b"one")
    journal.append(numbered(5, first=11))
    assert list(journal.read(10)) == numbered(5, first=11)
    journal.save_snapshot(12, b"two")
    assert journal.latest_snapshot() == (12, b"two")
    assert list(journal.read(12)) == numbered(3, first=13)


def test_a_snapshot_may_be_taken_anew_and_may_be_empty(journal: Journal) -> None:
    journal.append(numbered(2))
    journal.save_snapshot(2, b"one")
    journal.save_snapshot(2, b"")
    assert journal.latest_snapshot() == (2, b"")


def test_a_snapshot_of_nothing_is_possible(journal: Journal) -> None:
    journal.save_snapshot(0, b"nothing")
    assert journal.latest_snapshot() == (0, b"nothing")
    journal.append(numbered(1))
    assert list(journal.read(0)) == numbered(1)


def test_closing_twice_is_harmless(journal: Journal) -> None:
    journal.close()
    journal.close()
