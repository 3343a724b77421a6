"""What the history recalls of the market, told in examples of one market."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.history.test_store import WriterHeld
from tests.node.desk import OPENING

from openperp.engine.assets import AssetSpec
from openperp.engine.commands import (
    Batch,
    ChangeMargin,
    Command,
    CreateAccount,
    DefineAsset,
    DefineInstrument,
    Deposit,
    PlaceOrder,
    Pulse,
    Record,
    Reset,
    SetMarginType,
    SetMultiAssets,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import Applied, TradeExecuted
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import State
from openperp.engine.terms import OrderType, PositionSide, Side
from openperp.history import store
from openperp.history.intervals import DAY, HOUR, MINUTE
from openperp.history.market import (
    AggTrade,
    Bar,
    BarKind,
    IncomeKind,
    MarginChange,
    Statistics,
    Trade,
)
from openperp.history.store import SqliteHistory
from openperp.node.machine import Machine

START = 1_767_225_600_000
"""Thursday, the first of January 2026."""
FIRST = 600_000
"""Ticks at which the market opens."""


class Market:
    """An engine and a history behind it; time stands still unless told."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.machine = Machine(State())
        self.history = SqliteHistory(path)
        self.now = START
        for command in OPENING:
            self.do(command)
        for name in ("bob", "carol"):
            self.do(CreateAccount(name, 10**14))
        self.do(CreateAccount("house", 10**15, house=True))

    def do(self, command: Command, after: int = 0) -> Any:
        self.now += after
        applied = self.machine.apply(Record(self.machine.state.seq + 1, self.now, command))
        self.history.absorb(applied)
        return applied.reply

    def order(self, account: int, side: Side, ticks: int, lots: int) -> Any:
        return self.do(
            PlaceOrder(account, "BTCUSDT", side, OrderType.LIMIT, lots=lots, ticks=ticks)
        )

    def trade(self, ticks: int, lots: int, taker: Side = Side.BUY, after: int = 0) -> None:
        """Between alice, the maker, and bob."""
        self.now += after
        self.order(1, Side(-taker), ticks, lots)
        self.order(2, taker, ticks, lots)

    def restart(self) -> None:
        if self.path is not None:
            self.history.close()
            self.history = SqliteHistory(self.path)
            house = [each.account_id for each in self.machine.state.accounts.values() if each.house]
            self.history.add_house_accounts(house)

    def bars(self, interval: str = "1m", kind: BarKind = BarKind.LAST, **span: Any) -> list[Bar]:
        return self.history.market.list_bars("BTCUSDT", kind, interval, now_ms=self.now, **span)


@pytest.fixture(params=["memory", "unwritten", "written", "restarted"])
def market(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Market]:
    path = None if request.param == "memory" else tmp_path / "history.sqlite"
    market = Market(path)
    settled = {"written": market.history.flush, "restarted": market.restart}
    market.settle = settled.get(request.param, lambda: None)  # type: ignore[attr-defined]
    yield market
    market.history.close()


Settle = Callable[[], None]


@pytest.fixture
def settle(market: Market) -> Settle:
    return market.settle  # type: ignore[attr-defined, no-any-return]


class TestTrades:
    def test_each_trade_is_there_with_the_house_taking_part(
        self, market: Market, settle: Settle
    ) -> None:
        market.trade(600_100, 10)
        market.order(4, Side.SELL, 600_200, 5)
        market.now += 7
        market.order(2, Side.BUY, 600_200, 5)
        settle()
        trades = [
            Trade(1, 600_100, 10, START, False),
            Trade(2, 600_200, 5, START + 7, False),
        ]
        assert market.history.market.list_trades("BTCUSDT") == trades
        assert market.history.market.list_trades("BTCUSDT", limit=1) == trades[1:]
        assert market.history.market.list_trades("BTCUSDT", from_id=1, limit=1) == trades[:1]
        assert market.history.market.list_trades("BTCUSDT", start_ms=START + 1) == trades[1:]
        assert market.history.market.list_trades("BTCUSDT", end_ms=START + 1) == trades[:1]
        assert market.history.market.list_trades("ETHUSDT") == []
        assert market.history.market.list_trades("NONE", from_id=1) == []

    def test_successive_trades_of_a_record_at_one_price_are_one(
        self, market: Market, settle: Settle
    ) -> None:
        for ticks, lots in ((600_100, 1), (600_100, 2), (600_300, 3)):
            market.order(1, Side.SELL, ticks, lots)
        market.order(2, Side.BUY, 600_300, 5)
        settle()
        market.order(2, Side.BUY, 600_300, 1)
        rows = [
            AggTrade(1, 600_100, 3, 1, 2, START, False),
            AggTrade(2, 600_300, 2, 3, 3, START, False),
            AggTrade(3, 600_300, 1, 4, 4, START, False),
        ]
        assert market.history.market.list_agg_trades("BTCUSDT") == rows
        assert market.history.market.list_agg_trades("BTCUSDT", from_id=2, limit=1) == rows[1:2]
        assert market.history.market.list_agg_trades("BTCUSDT", limit=2) == rows[1:]


class TestBars:
    def test_a_market_begins_with_its_first_price(self, market: Market, settle: Settle) -> None:
        settle()
        for kind in (BarKind.LAST, BarKind.INDEX, BarKind.MARK):
            (bar,) = market.bars("1h", kind)
            assert (bar.open_ms, bar.open, bar.high, bar.low, bar.close) == (START, *[FIRST] * 4)
            assert bar.lots == bar.value == 0
        assert market.bars("1m", BarKind.PREMIUM) == [Bar(START, 0, 0, 0, 0, trades=1)]

    def test_trades_of_a_minute_make_a_bar(self, market: Market, settle: Settle) -> None:
        market.trade(600_300, 10, Side.BUY, after=MINUTE + 1_000)
        market.trade(599_000, 5, Side.SELL)
        settle()
        market.trade(600_200, 2, Side.BUY, after=58_999)
        assert market.bars()[1] == Bar(
            START + MINUTE,
            600_300,
            600_300,
            599_000,
            600_200,
            17,
            600_300 * 10 + 599_000 * 5 + 600_200 * 2,
            3,
            12,
            600_300 * 10 + 600_200 * 2,
            1,
            3,
        )
        assert market.bars()[1].open_ms == market.now - market.now % MINUTE

    def test_minutes_without_a_trade_stand_at_the_close_before_them(
        self, market: Market, settle: Settle
    ) -> None:
        market.trade(600_300, 10)
        market.trade(600_500, 10, after=3 * MINUTE)
        settle()
        market.now += 2 * MINUTE
        closes = [(bar.open_ms - START, bar.close, bar.lots) for bar in market.bars()]
        assert closes == [
            (0, 600_300, 10),
            (MINUTE, 600_300, 0),
            (2 * MINUTE, 600_300, 0),
            (3 * MINUTE, 600_500, 10),
            (4 * MINUTE, 600_500, 0),
            (5 * MINUTE, 600_500, 0),
        ]
        assert [bar.trades for bar in market.bars(filled=False)] == [1, 1]
        assert market.bars(limit=1) == [Bar(START + 5 * MINUTE, *[600_500] * 4)]
        assert market.bars("1h", limit=1)[0].lots == 20

    @pytest.mark.parametrize(
        ("span", "minutes"),
        [
            ({}, range(10)),
            ({"limit": 3}, (7, 8, 9)),
            ({"start_ms": START + 1}, range(1, 10)),
            ({"start_ms": START + 2 * MINUTE, "limit": 2}, (2, 3)),
            ({"end_ms": START + 4 * MINUTE - 1, "limit": 2}, (2, 3)),
            ({"start_ms": START + 2 * MINUTE, "end_ms": START + 4 * MINUTE}, (2, 3, 4)),
            ({"start_ms": START + HOUR}, ()),
            ({"end_ms": START - 1}, ()),
            ({"start_ms": -(10**18), "end_ms": 10**18, "limit": 1}, (0,)),
            ({"start_ms": 10**18}, ()),
            ({"end_ms": -(10**18)}, ()),
            ({"start_ms": START + 3 * MINUTE, "end_ms": START + 2 * MINUTE}, ()),
        ],
    )
    def test_a_span_of_bars(
        self, market: Market, settle: Settle, span: dict[str, Any], minutes: Any
    ) -> None:
        market.trade(600_300, 10, after=4 * MINUTE)
        settle()
        market.now += 5 * MINUTE
        found = [(bar.open_ms - START) // MINUTE for bar in market.bars(**span)]
        assert found == list(minutes)

    def test_a_price_that_is_set_holds_until_the_next(self, market: Market, settle: Settle) -> None:
        market.do(SetPrice("BTCUSDT", 610_000, moves_last=True), after=90_000)
        settle()
        market.do(SetPrice("BTCUSDT", 605_000, moves_last=True), after=30_000)
        for kind in (BarKind.LAST, BarKind.INDEX, BarKind.MARK):
            prices = [(bar.open, bar.high, bar.low, bar.close) for bar in market.bars("1m", kind)]
            assert prices == [
                (FIRST, FIRST, FIRST, FIRST),
                (FIRST, 610_000, FIRST, 610_000),
                (605_000, 605_000, 605_000, 605_000),
            ]
            (hour,) = market.bars("1h", kind)
            assert (hour.open, hour.high, hour.low, hour.close) == (
                FIRST,
                610_000,
                FIRST,
                605_000,
            )
        assert market.bars("1m", filled=False) == []
        assert [bar.trades for bar in market.bars("1m", BarKind.INDEX)] == [1, 1, 1]

    def test_an_hour_begins_where_the_price_stood(self, market: Market, settle: Settle) -> None:
        market.do(SetPrice("BTCUSDT", 610_000), after=HOUR + 5 * MINUTE)
        settle()
        hour = market.bars("1h", BarKind.INDEX)[-1]
        assert (hour.open, hour.high, hour.low, hour.close) == (FIRST, 610_000, FIRST, 610_000)

    @pytest.mark.parametrize(
        ("interval", "after", "opens"),
        [
            ("3d", 40 * DAY, START + 39 * DAY),
            ("1w", 5 * DAY, START + 4 * DAY),
            ("1M", 40 * DAY, START + 31 * DAY),
            ("8h", 9 * HOUR, START + 8 * HOUR),
        ],
    )
    def test_long_periods_begin_where_the_calendar_says(
        self, market: Market, settle: Settle, interval: str, after: int, opens: int
    ) -> None:
        market.trade(600_300, 1, after=after)
        settle()
        (bar,) = market.bars(interval, limit=1)
        assert (bar.open_ms, bar.lots) == (opens, 1)

    def test_seconds_are_there_for_the_last_price_alone(
        self, market: Market, settle: Settle
    ) -> None:
        market.trade(600_300, 1, after=1_500)
        market.trade(600_400, 2, after=300)
        settle()
        market.trade(600_500, 3, after=2_000)
        bars = market.bars("1s", filled=False)
        assert [(bar.open_ms - START, bar.lots) for bar in bars] == [(1_000, 3), (3_000, 3)]
        assert len(market.bars("1s")) == 4
        assert market.bars("1s", BarKind.MARK) == []


class TestRollingDay:
    def test_what_is_older_than_a_day_is_left_behind(self, market: Market, settle: Settle) -> None:
        market.trade(629_000, 10)
        market.trade(600_100, 1, after=5 * MINUTE)
        market.trade(600_300, 2, after=5 * MINUTE)
        settle()
        market.now = START + DAY + 3 * MINUTE
        market.trade(600_200, 4, Side.SELL)
        day = market.history.market.rolling_day("BTCUSDT", market.now)
        assert day == Bar(
            START + 3 * MINUTE,
            600_100,
            600_300,
            600_100,
            600_200,
            7,
            600_100 + 600_300 * 2 + 600_200 * 4,
            3,
            3,
            600_100 + 600_300 * 2,
            2,
            4,
        )
        later = market.history.market.rolling_day("BTCUSDT", market.now + DAY)
        assert (later.lots, later.trades) == (4, 1)
        later = market.history.market.rolling_day("BTCUSDT", market.now + DAY + MINUTE)
        assert later == Bar(START + 2 * DAY + 4 * MINUTE - DAY, *[600_200] * 4)

    def test_a_market_that_is_not_has_zeros(self, market: Market) -> None:
        assert market.history.market.rolling_day("NONE", market.now).close == 0


class TestIncome:
    def test_transfers_fees_and_profits_are_rows(self, market: Market, settle: Settle) -> None:
        market.trade(600_000, 100)
        settle()
        market.trade(601_000, 100, Side.SELL)
        market.do(Deposit("bob", "USDT", 5), after=1)
        settle()
        market.do(Withdraw("bob", "USDT", 3))
        rows = market.history.market.list_income(2, "")
        kinds = [row.kind.name for row in rows]
        assert kinds == ["TRANSFER", "COMMISSION", "REALIZED_PNL", "COMMISSION", *["TRANSFER"] * 2]
        assert sum(row.amount for row in rows) == market.machine.state.accounts[2].wallet
        assert [row.trade_id for row in rows] == [0, 1, 2, 2, 0, 0]
        assert [row.symbol for row in rows] == ["", *["BTCUSDT"] * 3, "", ""]
        ids = [row.tran_id for row in rows]
        assert ids == sorted(set(ids))
        (profit,) = market.history.market.list_income(2, "", kind=IncomeKind.REALIZED_PNL)
        assert profit.amount == 100 * 1_000 * market.machine.state.markets["BTCUSDT"].unit
        assert market.history.market.list_income(2, "BTCUSDT") == rows[1:4]
        assert market.history.market.list_income(2, "", limit=2) == rows[-2:]
        assert market.history.market.list_income(2, "", start_ms=START, limit=2) == rows[:2]
        assert market.history.market.list_income(2, "", start_ms=START + 1) == rows[-2:]
        assert market.history.market.list_income(4, "") == []


class TestAssets:
    def test_an_exchange_is_two_rows_and_a_wallet(self, market: Market, settle: Settle) -> None:
        market.do(DefineAsset(AssetSpec("BTC", 60_000 * MONEY_ONE)))
        market.do(Deposit("bob", "BTC", MONEY_ONE))
        market.do(SetMultiAssets(2, True))
        settle()
        market.do(Withdraw("bob", "USDT", market.machine.state.accounts[2].wallet))
        market.trade(600_000, 100)
        market.trade(600_000, 100, Side.SELL)
        settle()
        rows = market.history.market.list_income(2, "", kind=IncomeKind.AUTO_EXCHANGE)
        state = market.machine.state
        assert [(row.asset, row.amount > 0) for row in rows] == [("BTC", False), ("USDT", True)]
        assert len({row.tran_id for row in rows}) == 2
        every = market.history.market.list_income(2, "")
        for asset, balance in (
            ("USDT", state.accounts[2].wallet),
            ("BTC", state.accounts[2].balances["BTC"]),
        ):
            assert sum(row.amount for row in every if row.asset == asset) == balance

    def test_what_is_ranked_by_wallets_knows_nothing_of_other_assets(
        self, market: Market, settle: Settle
    ) -> None:
        market.do(DefineAsset(AssetSpec("BTC", 60_000 * MONEY_ONE)))
        market.trade(600_000, 100)
        market.do(Deposit("bob", "USDT", 10**13))
        market.do(Deposit("alice", "BTC", 10**15))
        market.do(Pulse(), after=300_000)
        settle()
        (row,) = market.history.market.list_statistics("BTCUSDT", "5m")[-1:]
        assert (row.top_long_accounts, row.top_short_accounts) == (1, 0)


class TestMarginChanges:
    def test_what_was_added_and_taken_is_there_and_the_house_has_none(
        self, market: Market, settle: Settle
    ) -> None:
        for account in (2, 4):
            market.do(SetMarginType(account, "BTCUSDT", True))
        market.trade(600_000, 100)
        market.order(3, Side.SELL, 600_000, 10)
        market.order(4, Side.BUY, 600_000, 10)
        for account in (2, 4):
            market.do(ChangeMargin(account, "BTCUSDT", 700))
        settle()
        market.do(ChangeMargin(2, "BTCUSDT", 300, True), after=5)
        settle()
        market.do(ChangeMargin(2, "BTCUSDT", 2**61))  # refused

        def tell(account: int, symbol: str, **wanted: Any) -> list[MarginChange]:
            return market.history.market.list_margin_changes(account, symbol, **wanted)

        added, taken = tell(2, "BTCUSDT")
        side = PositionSide.BOTH
        assert added == MarginChange(2, "BTCUSDT", side, 700, START, added.change_id)
        assert taken == MarginChange(2, "BTCUSDT", side, -300, START + 5, added.change_id + 1)
        assert tell(2, "BTCUSDT", removals=True) == [taken]
        assert tell(2, "BTCUSDT", removals=False) == [added]
        assert tell(2, "BTCUSDT", limit=1) == [taken]
        assert tell(2, "BTCUSDT", start_ms=START + 1) == [taken]
        assert tell(2, "BTCUSDT", end_ms=START + 4) == [added]
        assert tell(2, "ETHUSDT") == tell(1, "BTCUSDT") == tell(4, "BTCUSDT") == []
        market.do(Reset())
        settle()
        assert tell(2, "BTCUSDT") == []


class TestStatistics:
    def test_who_holds_what_every_five_minutes(self, market: Market, settle: Settle) -> None:
        """Carol has paid the least in fees, so she is the fifth that has most."""
        market.trade(600_000, 100)
        market.order(4, Side.SELL, 600_000, 7)
        market.order(3, Side.BUY, 600_000, 7)
        settle()
        market.do(Pulse(), after=16 * MINUTE)
        rows = market.history.market.list_statistics("BTCUSDT", "5m")
        row = Statistics(START + 5 * MINUTE, 107, 107 * FIRST, 2, 1, 1, 0, 7, 0)
        times = [START + minutes * MINUTE for minutes in (5, 10, 15)]
        assert [each.time_ms for each in rows] == times
        assert rows[0] == row
        assert {each.open_interest_lots for each in rows} == {107}
        market.trade(600_000, 50, Side.SELL)
        settle()
        later = market.now + 6 * MINUTE
        rows = market.history.market.list_statistics("BTCUSDT", "5m", now_ms=later)
        assert [each.open_interest_lots for each in rows] == [107, 107, 107, 57]
        half = market.history.market.list_statistics("BTCUSDT", "15m", now_ms=later)
        assert [each.time_ms for each in half] == [START + 15 * MINUTE]
        assert (
            market.history.market.list_statistics("BTCUSDT", "5m", limit=2, now_ms=later)
            == rows[-2:]
        )
        first = market.history.market.list_statistics("BTCUSDT", "5m", start_ms=START, limit=2)
        assert first == rows[:2]
        assert market.history.market.list_statistics("NONE", "5m", now_ms=later) == []

    def test_a_position_that_is_closed_is_counted_no_more(
        self, market: Market, settle: Settle
    ) -> None:
        market.trade(600_000, 100)
        settle()
        market.trade(600_000, 100, Side.SELL)
        settle()
        (row,) = market.history.market.list_statistics(
            "BTCUSDT", "5m", now_ms=market.now + 5 * MINUTE
        )
        assert row == Statistics(START + 5 * MINUTE, *[0] * 8)


class TestReset:
    def test_everything_begins_anew_at_the_first_price(
        self, market: Market, settle: Settle
    ) -> None:
        market.trade(650_000, 100)
        market.do(SetPrice("BTCUSDT", 610_000), after=10 * MINUTE)
        settle()
        market.do(Reset(), after=90_000)
        settle()
        assert market.history.market.list_trades("BTCUSDT") == []
        assert market.history.market.list_trades("BTCUSDT", from_id=1) == []
        assert market.history.market.list_agg_trades("BTCUSDT", from_id=1) == []
        assert market.history.market.list_income(2, "") == []
        opened = market.now - market.now % MINUTE
        assert market.bars() == [Bar(opened, *[FIRST] * 4)]
        rows = market.history.market.list_statistics(
            "BTCUSDT", "5m", now_ms=market.now + 5 * MINUTE
        )
        assert rows == [Statistics(START + 15 * MINUTE, *[0] * 8)]
        market.trade(600_000, 1)
        assert [trade.trade_id for trade in market.history.market.list_trades("BTCUSDT")] == [1]
        assert [row.tran_id for row in market.history.market.list_income(2, "")] == [2]


def test_instruments_of_one_batch_have_each_their_price(tmp_path: Path) -> None:
    market = Market(tmp_path / "history.sqlite")
    with closing(market.history):
        (define,) = [each for each in OPENING if isinstance(each, DefineInstrument)]
        others = [
            DefineInstrument(msgspec.structs.replace(define.spec, symbol=symbol), ticks)
            for symbol, ticks in (("AUSDT", 500_000), ("BUSDT", 400_000))
        ]
        market.do(Batch(tuple(others)))
        for symbol, ticks in (("AUSDT", 500_000), ("BUSDT", 400_000)):
            assert market.history.market.rolling_day(symbol, market.now).close == ticks


def test_rows_on_their_way_to_the_file_are_read(tmp_path: Path) -> None:
    market = Market(tmp_path / "history.sqlite")
    with closing(market.history) as history:
        market.trade(600_100, 1)
        market.history.flush()
        held = WriterHeld(history)
        market.trade(600_200, 2, after=MINUTE)
        flusher = held.flush()
        market.trade(600_300, 3, after=1_000)
        market.trade(600_400, 4, after=MINUTE)
        assert [trade.lots for trade in history.market.list_trades("BTCUSDT", from_id=1)] == [
            1,
            2,
            3,
            4,
        ]
        assert [trade.lots for trade in history.market.list_agg_trades("BTCUSDT", from_id=2)] == [
            2,
            3,
            4,
        ]
        expected = [(1, 600_100), (5, 600_300), (4, 600_400)]
        assert [(bar.lots, bar.close) for bar in market.bars()] == expected
        held.release()
        flusher.join()
        assert [(bar.lots, bar.close) for bar in market.bars()] == expected


def test_the_market_alone_is_written_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "IDLE_SECONDS", 0.001)
    market = Market(tmp_path / "history.sqlite")
    with closing(market.history) as history:
        market.order(4, Side.SELL, 600_000, 5)
        market.order(4, Side.BUY, 600_000, 5)
        with history._changed:
            assert history._changed.wait_for(
                lambda: (
                    not len(history._sources.layers[0].rows) and len(history._sources.layers) == 1
                ),
                10,
            )
        (position,) = history._connection.query("SELECT position FROM market")
        assert position == (market.machine.state.seq,)


def test_values_beyond_64_bits_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with closing(SqliteHistory(path)) as history:
        for seq in range(1, 12):
            trade = TradeExecuted("BTCUSDT", seq, 2**31, 2**30, True)
            history.absorb(Applied(seq, START + seq * MINUTE, Pulse(), None, (trade,)))
    with closing(SqliteHistory(path)) as history:
        now = START + 12 * MINUTE
        (bar,) = history.market.list_bars("BTCUSDT", BarKind.LAST, "1h", now_ms=now)
        assert bar.value == 11 * 2**61
        assert history.market.rolling_day("BTCUSDT", now).value == 11 * 2**61


def test_a_second_definition_moves_no_price(tmp_path: Path) -> None:
    """It says where the market begins after a reset."""
    market = Market(tmp_path / "history.sqlite")
    with closing(market.history) as history:
        (define,) = [each for each in OPENING if isinstance(each, DefineInstrument)]
        market.do(DefineInstrument(define.spec, 700_000))
        assert history.market.rolling_day("BTCUSDT", market.now).close == FIRST
        market.do(Reset())
        assert history.market.rolling_day("BTCUSDT", market.now).close == 700_000
