"""The market's past after restarts: from records, from a snapshot, in files of earlier versions."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.node import test_recovery
from tests.node.desk import OPENING

from openperp.engine.commands import (
    AmendOrder,
    CancelOrder,
    ChangeMargin,
    Command,
    CreateAccount,
    PlaceOrder,
    Record,
    Reset,
    SetMarginType,
)
from openperp.engine.terms import OrderType, Side
from openperp.history.base import HistoryUnusable
from openperp.history.intervals import INTERVALS, MINUTE
from openperp.history.market import BarKind
from openperp.history.store import SqliteHistory
from openperp.journal.sqlite import SqliteJournal
from openperp.node.recovery import find_history_fault, recover

MARKET_TABLES = (
    "market",
    "instruments",
    "wallets",
    "holdings",
    "trades",
    "agg_trades",
    "income",
    "bars",
    "statistics",
)


STEP_MS = 7_000
END_MS = 90 * MINUTE


def play(seed: int, count: int = 400, *, amends: bool = True) -> list[Command]:
    """A seeded life of one market and two accounts; half of the cancels amend one order instead."""
    commands: list[Command] = [*OPENING, CreateAccount("bob", 10**12)]
    kept = PlaceOrder(1, "BTCUSDT", Side.BUY, OrderType.LIMIT, 60, 590_000, client_id="kept")
    for number, command in enumerate(test_recovery.play(seed, count)[len(OPENING) + 1 :]):
        if isinstance(command, PlaceOrder) and number % 2:
            command = msgspec.structs.replace(command, account=2)
        if isinstance(command, CancelOrder) and amends and number % 2:
            ticks = 590_000 - number % 50
            command = AmendOrder(1, "BTCUSDT", Side.BUY, 60, ticks, client_id="kept")
        commands.append(kept if amends and number % 40 == 0 else command)
    return commands


def tell(history: SqliteHistory, now_ms: int = END_MS) -> dict[str, Any]:
    """Everything that can be asked of a market, and all amendments in it."""
    told: dict[str, Any] = {
        f"{kind.name} {interval}": history.market.list_bars(
            "BTCUSDT", kind, interval, now_ms=now_ms
        )
        for kind in BarKind
        for interval in INTERVALS
    }
    told["trades"] = history.market.list_trades("BTCUSDT", from_id=0)
    told["recent"] = history.market.list_trades("BTCUSDT")
    told["agg trades"] = history.market.list_agg_trades("BTCUSDT", from_id=0, limit=10_000)
    told["day"] = history.market.rolling_day("BTCUSDT", now_ms)
    told["income"] = history.market.list_income(1, "", limit=10_000)
    told["amendments"] = [
        row for of in (1, 2) for row in history.list_amendments(of, "", limit=999)
    ]
    told["statistics"] = history.market.list_statistics("BTCUSDT", "5m", now_ms=now_ms)
    return told


def make_fifth_format(path: Path) -> None:
    """What a file held before anybody was liquidated."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE forced_orders")
        connection.execute("DROP TABLE margin_steps")
        connection.execute("PRAGMA user_version = 5")


def make_third_format(path: Path) -> None:
    """What a file held before there was isolated margin."""
    make_fifth_format(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE fundings")
        connection.execute("DROP TABLE margin_changes")
        connection.execute("PRAGMA user_version = 3")


def make_second_format(path: Path) -> None:
    """What a file held before there were amendments."""
    make_third_format(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE amendments")
        connection.execute("PRAGMA user_version = 2")


def make_first_format(path: Path) -> None:
    """What a file of 0.1.0 holds."""
    make_second_format(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table in MARKET_TABLES:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM owners WHERE account = 0 OR symbol = ''")
        connection.execute("PRAGMA user_version = 1")


class Life(test_recovery.Life):
    """Time passes with each record."""

    def live(self, commands: list[Command]) -> None:
        start = self.machine.state.seq + 1
        records = [Record(seq, seq * STEP_MS, each) for seq, each in enumerate(commands, start)]
        self.journal.append(records)
        for record in records:
            self.applied.append(self.machine.apply(record))
            self.history.absorb(self.applied[-1])


class Venue:
    """A journal and a history side by side, with a life of one market in them."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "history.sqlite"
        self.journal = SqliteJournal(directory)
        self.life = Life(self.journal, SqliteHistory(self.path, self.journal.identity))

    def close(self) -> None:
        self.life.history.close()
        self.journal.close()

    def open(self) -> SqliteHistory:
        """A start: the history catches up with the journal."""
        self.life.history.close()
        history = SqliteHistory(self.path, self.journal.identity, self.journal.pruned_seq)
        self.life.history = history
        self.life.machine = recover(self.journal, history)
        return history


def test_any_restart_leads_to_the_same_past(tmp_path: Path) -> None:
    commands = play(7, 600)
    with closing(Venue(tmp_path)) as venue:
        for part in range(0, 600, 100):
            venue.life.live(commands[part : part + 100])
            if part == 200:
                venue.life.snapshot()
            venue.open()
        expected = tell(venue.life.history)
        assert expected["trades"]
        assert len(expected["income"]) > 100
        assert len(expected["amendments"]) > 5
        assert len({row.open_interest_lots for row in expected["statistics"]}) > 5
        replayed = SqliteHistory(None)
        for applied in venue.life.applied:
            replayed.absorb(applied)
        assert tell(replayed) == expected
        replayed.close()


def test_a_crash_at_any_moment_costs_nothing(tmp_path: Path) -> None:
    """A copy of the files is what a crash leaves; the records behind it come again."""
    commands = play(8, 400)
    with closing(Venue(tmp_path)) as venue:
        venue.life.live(commands)
        expected = tell(venue.life.history)
        for cut in (50, 150, 399):
            history = SqliteHistory(tmp_path / f"{cut}.sqlite")
            for applied in venue.life.applied[:cut]:
                history.absorb(applied)
            history.flush()
            for applied in venue.life.applied[cut : cut + 20]:
                history.absorb(applied)
            for suffix in ("", "-wal"):
                shutil.copy(
                    tmp_path / f"{cut}.sqlite{suffix}", tmp_path / f"{cut}-copy.sqlite{suffix}"
                )
            history.close()
            with closing(SqliteHistory(tmp_path / f"{cut}-copy.sqlite")) as copy:
                assert (copy.position, copy.discarded) == (cut, "")
                for applied in venue.life.applied:
                    copy.absorb(applied)
                assert tell(copy) == expected


def test_a_file_of_the_first_version_takes_in_what_the_journal_has(tmp_path: Path) -> None:
    with closing(Venue(tmp_path)) as venue:
        venue.life.live(play(9, amends=False))
        expected = tell(venue.life.history)
        closed = venue.life.closed_orders()
        venue.life.history.close()
        make_first_format(venue.path)
        assert find_history_fault(venue.journal, venue.path) == ""
        history = venue.open()
        assert history.discarded == ""
        assert venue.life.closed_orders() == closed
        assert tell(history) == expected
        assert tell(venue.open()) == expected


def test_a_file_of_the_first_version_outlives_a_journal_that_was_pruned(tmp_path: Path) -> None:
    commands = play(10, amends=False)
    with closing(Venue(tmp_path)) as venue:
        venue.life.live(commands[:300])
        before = tell(venue.life.history)
        venue.life.snapshot()
        venue.life.live(commands[300:])
        closed = venue.life.closed_orders()
        whole = tell(venue.life.history)
        venue.life.history.close()
        make_first_format(venue.path)
        history = venue.open()
        assert venue.life.closed_orders() == closed
        told = tell(history)
        known = {trade.trade_id for trade in before["trades"]}
        assert told["trades"] == [t for t in whole["trades"] if t.trade_id not in known]
        assert told["day"].close == whole["day"].close
        since = told["statistics"][0].time_ms
        assert told["statistics"] == [row for row in whole["statistics"] if row.time_ms >= since]
        assert tell(venue.open()) == told


def test_a_file_without_amendments_is_carried_on_with_all_that_is_in_it(tmp_path: Path) -> None:
    with closing(Venue(tmp_path)) as venue:
        venue.life.live(play(10, amends=False))
        expected = tell(venue.life.history)
        closed = venue.life.closed_orders()
        venue.life.snapshot()
        venue.life.history.close()
        make_second_format(venue.path)
        assert find_history_fault(venue.journal, venue.path) == ""
        history = venue.open()
        assert history.discarded == ""
        assert (tell(history), venue.life.closed_orders()) == (expected, closed)
        venue.life.live(play(10)[len(OPENING) + 1 :])
        whole = tell(history)
        assert whole["amendments"]
        assert tell(venue.open()) == whole


def test_a_file_without_isolated_margin_is_carried_on(tmp_path: Path) -> None:
    with closing(Venue(tmp_path)) as venue:
        venue.life.live(play(10))
        expected = tell(venue.life.history)
        venue.life.snapshot()
        venue.life.history.close()
        make_third_format(venue.path)
        assert find_history_fault(venue.journal, venue.path) == ""
        history = venue.open()
        assert (history.discarded, tell(history)) == ("", expected)
        orders = [
            PlaceOrder(account, "BTCUSDT", side, OrderType.LIMIT, 60, 600_000)
            for account, side in ((1, Side.BUY), (2, Side.SELL))
        ]
        change = ChangeMargin(1, "BTCUSDT", 5)
        venue.life.live([Reset(), SetMarginType(1, "BTCUSDT", True), *orders, change])
        (row,) = venue.life.history.market.list_margin_changes(1, "BTCUSDT")
        assert row.amount == 5
        assert venue.open().market.list_margin_changes(1, "BTCUSDT") == [row]


def test_a_position_ahead_of_that_of_orders_counts_nothing_twice(tmp_path: Path) -> None:
    with closing(Venue(tmp_path)) as venue:
        venue.life.live(play(11))
        expected = tell(venue.life.history)
        venue.life.history.close()
        with closing(sqlite3.connect(venue.path, isolation_level=None)) as connection:
            connection.execute("UPDATE history SET position = 100")
        assert tell(venue.open()) == expected


def test_a_market_that_is_behind_its_orders_catches_up(tmp_path: Path) -> None:
    with closing(Venue(tmp_path)) as venue:
        commands = play(12)
        venue.life.live([*commands[:200], Reset(), *commands[200:]])
        expected = tell(venue.life.history)
        closed = venue.life.closed_orders()
        venue.life.history.close()
        with closing(sqlite3.connect(venue.path, isolation_level=None)) as connection:
            for table in MARKET_TABLES:
                connection.execute(f"DELETE FROM {table}")
            connection.execute("INSERT INTO market VALUES (0, 0, 1)")
        history = venue.open()
        assert tell(history) == expected
        assert venue.life.closed_orders() == closed


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE market SET time_ms = 'text'",
        "DELETE FROM market",
        "UPDATE bars SET record = 'text'",
        "UPDATE bars SET record = CAST(x'ff' AS TEXT)",
        "UPDATE trades SET record = x'c1'",
        "UPDATE agg_trades SET record = x'00'",
        "UPDATE instruments SET initial_ticks = 'text'",
        "UPDATE wallets SET balance = 'text'",
        "UPDATE holdings SET lots = 'text'",
        "UPDATE holdings SET symbol = CAST(x'ff' AS TEXT)",
        "UPDATE statistics SET record = x'00'",
    ],
)
def test_damaged_rows_of_the_market_are_noticed_at_the_start(tmp_path: Path, change: str) -> None:
    with closing(Venue(tmp_path)) as venue:
        venue.life.live(play(13, 300))
        expected = tell(venue.life.history)
        venue.life.history.close()
        with closing(sqlite3.connect(venue.path, isolation_level=None)) as connection:
            connection.execute(change)
            assert connection.total_changes, "nothing was there to damage"
        with pytest.raises(HistoryUnusable, match="cannot be used"):
            SqliteHistory(venue.path, venue.journal.identity, needed_seq=1)
        history = SqliteHistory(venue.path, venue.journal.identity)
        assert history.discarded
        for applied in venue.life.applied:
            history.absorb(applied)
        assert tell(history) == expected
        history.close()
