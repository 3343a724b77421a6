"""Snapshot and records make the state that was; the history catches up or says what is lost."""

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from tests.crashes import dies
from tests.node.desk import OPENING

from openperp.engine import apply as engine
from openperp.engine.commands import (
    CancelOrder,
    Command,
    Deposit,
    PlaceOrder,
    Pulse,
    Record,
    SetLeverage,
    SetPrice,
)
from openperp.engine.events import Applied, OrderCanceled, OrderExpired, OrderFilled
from openperp.engine.invariants import check
from openperp.engine.snapshot import digest, dump
from openperp.engine.state import State
from openperp.engine.terms import Mode, OrderStatus, OrderType, Side
from openperp.history.store import SqliteHistory
from openperp.journal.base import JournalDamaged
from openperp.journal.sqlite import FILE_NAME, SqliteJournal
from openperp.node.machine import Machine
from openperp.node.recovery import find_history_fault, recover

COUNT = 400


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SqliteHistory]:
    opened = SqliteHistory(tmp_path / "history.sqlite")
    yield opened
    opened.close()


def play(seed: int, count: int = COUNT) -> list[Command]:
    """A seeded life of one market: places, trades, triggers, cancels, refusals."""
    random = Random(seed)
    commands: list[Command] = list(OPENING)
    while len(commands) < count:
        side = random.choice(list(Side))
        ticks = 600_000 + random.randint(-200, 200)
        lots = random.randint(1, 50)
        choices: list[Command] = [
            PlaceOrder(1, "BTCUSDT", side, OrderType.LIMIT, lots=lots, ticks=ticks),
            PlaceOrder(1, "BTCUSDT", side, OrderType.MARKET, lots=lots),
            PlaceOrder(
                1,
                "BTCUSDT",
                side,
                OrderType.STOP_MARKET,
                lots=lots,
                trigger_ticks=600_000 + side * random.randint(1, 300),
            ),
            CancelOrder(1, "BTCUSDT", random.randint(1, count)),
            SetPrice("BTCUSDT", ticks, moves_last=True),
            SetLeverage(1, "BTCUSDT", random.randint(1, 20)),
            Deposit("alice", "USDT", 10**8),
            Deposit("nobody", "USDT", 1),
        ]
        commands.append(random.choice(choices))
    return commands


class Life:
    """A machine that writes each record to a journal before it applies it."""

    def __init__(self, journal: SqliteJournal, history: SqliteHistory) -> None:
        self.machine = Machine(State())
        self.journal = journal
        self.history = history
        self.applied: list[Applied] = []

    def live(self, commands: list[Command]) -> None:
        start = self.machine.state.seq + 1
        records = [Record(seq, seq * 10, command) for seq, command in enumerate(commands, start)]
        self.journal.append(records)
        for record in records:
            self.applied.append(self.machine.apply(record))
            self.history.absorb(self.applied[-1])

    def snapshot(self) -> None:
        self.history.flush()
        self.journal.save_snapshot(self.machine.state.seq, dump(self.machine.state))

    def closed_orders(self) -> list[int]:
        return [order.order_id for order in self.history.list_orders(1, "", limit=10_000)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_full_replay_and_snapshot_with_tail_give_the_live_state(
    seed: int, journal: SqliteJournal, history: SqliteHistory
) -> None:
    commands = play(seed)
    life = Life(journal, history)
    life.live(commands[: COUNT // 2])
    life.live(commands[COUNT // 2 :])
    check(life.machine.state)
    expected = digest(life.machine.state)
    assert life.closed_orders()

    replayed = recover(journal, SqliteHistory(None))
    assert digest(replayed.state) == expected

    other = Life(journal, history)
    other.machine = Machine(State())
    for record in list(journal.read(0))[: COUNT // 2]:
        other.machine.apply(record)
    journal.save_snapshot(COUNT // 2, dump(other.machine.state))
    resumed = recover(journal, SqliteHistory(None))
    assert digest(resumed.state) == expected
    check(resumed.state)


def test_a_history_that_is_behind_catches_up(
    journal: SqliteJournal, history: SqliteHistory
) -> None:
    life = Life(journal, history)
    life.live(play(1))
    fresh = SqliteHistory(None)
    recover(journal, fresh)
    assert fresh.position == COUNT
    assert fresh.list_orders(1, "", limit=10_000) == history.list_orders(1, "", limit=10_000)
    assert fresh.list_fills(1, "", limit=10_000) == history.list_fills(1, "", limit=10_000)
    fresh.close()


def test_a_history_with_everything_is_left_as_it_is(
    journal: SqliteJournal, history: SqliteHistory
) -> None:
    life = Life(journal, history)
    life.live(play(1))
    closed = life.closed_orders()
    recover(journal, history)
    assert life.closed_orders() == closed


def test_a_history_that_is_ahead_shows_that_the_journal_lost_records(
    tmp_path: Path, journal: SqliteJournal
) -> None:
    life = Life(journal, SqliteHistory(None, journal.identity))
    life.live(play(1, 100))
    shorter = Life(SqliteJournal(tmp_path / "shorter"), life.history)
    shorter.journal.append(list(journal.read(0))[:60])
    with pytest.raises(JournalDamaged, match="has seen the records up to 100, and the") as caught:
        recover(shorter.journal, life.history)
    assert caught.value.seq == 61
    shorter.journal.close()
    life.history.close()


def test_a_snapshot_of_another_moment_is_damage(
    journal: SqliteJournal, history: SqliteHistory
) -> None:
    life = Life(journal, history)
    life.live(play(1, 100))
    journal.save_snapshot(99, dump(life.machine.state))
    with pytest.raises(JournalDamaged, match="holds the state at record 100"):
        recover(journal, history)


def test_what_is_wrong_with_a_history_is_told_without_opening_it(
    tmp_path: Path, journal: SqliteJournal
) -> None:
    path = tmp_path / "derived.sqlite"
    assert find_history_fault(journal, path) == ""
    life = Life(journal, SqliteHistory(path, journal.identity))
    life.live(play(1, 100))
    life.snapshot()
    assert find_history_fault(journal, path) == ""
    life.history.close()
    assert find_history_fault(journal, path) == ""
    path.rename(tmp_path / "away.sqlite")
    assert "records 1 to 100 are lost" in find_history_fault(journal, path)
    path.write_bytes(b"garbage" * 1_000)
    assert "cannot be used" in find_history_fault(journal, path)


def test_what_a_history_lost_behind_a_snapshot_is_said(
    journal: SqliteJournal, history: SqliteHistory, caplog: pytest.LogCaptureFixture
) -> None:
    life = Life(journal, history)
    life.live(play(1, 100))
    life.snapshot()
    life.live([Pulse()])
    fresh = SqliteHistory(None)
    with caplog.at_level(logging.WARNING):
        machine = recover(journal, fresh)
    assert "records 1 to 100 are lost" in caplog.text
    assert (fresh.position, machine.state.seq) == (101, 101)
    fresh.close()


def test_a_damaged_record_is_named(tmp_path: Path, history: SqliteHistory) -> None:
    journal = SqliteJournal(tmp_path)
    Life(journal, history).live(play(1, 50))
    journal.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE records SET payload = x'00' WHERE seq = 33")
    connection.close()
    journal = SqliteJournal(tmp_path)
    with pytest.raises(JournalDamaged) as caught:
        recover(journal, SqliteHistory(None))
    assert caught.value.seq == 33
    journal.close()


def test_a_record_that_broke_the_engine_breaks_it_again_in_the_same_way(
    journal: SqliteJournal, history: SqliteHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted_bug(_step: object, _command: object) -> None:
        raise ZeroDivisionError

    life = Life(journal, history)
    life.live(list(OPENING))
    journal.append([Record(4, 40, Pulse()), Record(5, 50, Deposit("alice", "USDT", 1))])
    monkeypatch.setitem(engine.HANDLERS, Pulse, planted_bug)
    fresh = SqliteHistory(None)
    machine = recover(journal, fresh)
    assert machine.fault is not None
    assert (machine.fault.seq, machine.fault.sentence) == (
        4,
        "ZeroDivisionError while applying record 4",
    )
    assert machine.state.mode == Mode.CANCEL_ONLY
    assert (machine.state.seq, machine.state.time_ms, fresh.position) == (5, 50, 5)
    again = recover(journal, fresh)
    assert digest(again.state) == digest(machine.state)
    fresh.close()


def test_progress_is_told_for_a_long_replay(
    journal: SqliteJournal, history: SqliteHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openperp.node.recovery.PROGRESS_EVERY", 40)
    Life(journal, history).live(play(1, 100))
    told: list[tuple[int, int]] = []
    recover(journal, history, lambda done, total: told.append((done, total)))
    assert told == [(40, 100), (80, 100), (100, 100)]


def test_a_crash_behind_any_statement_leaves_journal_and_history_in_step(tmp_path: Path) -> None:
    commands = play(4, 90)
    reference = Life(SqliteJournal(tmp_path / "reference"), SqliteHistory(None))
    reference.live(commands)
    durable = tmp_path / "durable"

    def live() -> None:
        life = open_life()
        for start in range(0, 90, 30):
            life.live(commands[start : start + 30])
            durable.write_text(str(start + 30))
            life.snapshot()
        life.history.close()
        life.journal.close()

    def open_life() -> Life:
        journal = SqliteJournal(tmp_path / "data")
        path = tmp_path / "data" / "history.sqlite"
        return Life(journal, SqliteHistory(path, journal.identity, journal.pruned_seq))

    died, calls, seen = True, 0, ""
    while died:
        calls += 1
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        durable.write_text("0")
        died = dies(calls, live)
        life = open_life()
        machine = recover(life.journal, life.history)
        seq = machine.state.seq
        assert seq >= int(durable.read_text())
        assert life.history.discarded == ""
        closed = [
            event.order.order_id
            for applied in reference.applied[:seq]
            for event in applied.events
            if isinstance(event, OrderCanceled | OrderExpired)
            or (isinstance(event, OrderFilled) and event.order.status == OrderStatus.FILLED)
        ]
        assert life.closed_orders() == sorted(closed)
        seen = digest(machine.state)
        life.history.close()
        life.journal.close()
    assert seen == digest(reference.machine.state)
    assert calls > 40
    reference.history.close()
    reference.journal.close()
