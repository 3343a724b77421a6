"""Questions about the market's past: answered from memory, from unwritten rows, from the file."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock
from typing import TypeVar

from openperp.history.bars import BarSource, Window
from openperp.history.intervals import period_start
from openperp.history.keys import MARKET_ACCOUNT, bar_series, funding_id
from openperp.history.market import (
    STEPS_KEPT,
    AggTrade,
    Bar,
    BarKind,
    Funding,
    Income,
    IncomeKind,
    MarginChange,
    MarginStep,
    Statistics,
    Trade,
)
from openperp.history.market_rows import MarketRows
from openperp.history.market_tables import (
    AGG_TRADES,
    FUNDINGS,
    INCOME,
    MARGIN_CHANGES,
    MARGIN_STEPS,
    TRADES,
)
from openperp.history.memory import MarketMemory, Memory
from openperp.history.sources import Sources
from openperp.history.span import Span
from openperp.history.statistics import SampleSource, list_samples
from openperp.history.tables import Table
from openperp.history.track import flat

Row = TypeVar("Row", Trade, AggTrade, Income, MarginChange, MarginStep, Funding)


class MarketReads:
    """Reads of the market's past; `lock` is that under which `memory` and layers change."""

    def __init__(self, sources: Sources, memory: Memory, lock: Lock) -> None:
        self._sources = sources
        self._memory = memory
        self._lock = lock

    def list_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Trade]:
        span = Span(MARKET_ACCOUNT, symbol, from_id, None, start_ms, end_ms, limit, None)
        recent = self._find_recent(span, lambda market: market.trades)
        if recent is not None:
            return recent
        return self._list(
            TRADES, span, lambda rows: [(t.trade_id, t) for t in rows.trades.get(symbol, ())]
        )

    def list_agg_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[AggTrade]:
        span = Span(MARKET_ACCOUNT, symbol, from_id, None, start_ms, end_ms, limit, None)
        recent = self._find_recent(span, lambda market: market.agg_trades)
        if recent is not None:
            return recent
        return self._list(
            AGG_TRADES, span, lambda rows: [(t.agg_id, t) for t in rows.agg_trades.get(symbol, ())]
        )

    def list_income(
        self,
        account: int,
        symbol: str,
        *,
        kind: IncomeKind | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[Income]:
        def pick(rows: MarketRows) -> Iterator[tuple[int, Income]]:
            for row in rows.income:
                if (
                    row.account == account
                    and (not symbol or row.symbol == symbol)
                    and (kind is None or row.kind == kind)
                ):
                    yield row.tran_id, row

        span = Span(account, symbol, None, None, start_ms, end_ms, limit, None)
        return self._list(INCOME, span, pick, kind)

    def list_margin_changes(
        self,
        account: int,
        symbol: str,
        *,
        removals: bool | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[MarginChange]:
        def pick(rows: MarketRows) -> Iterator[tuple[int, MarginChange]]:
            for row in rows.margin_changes:
                if (row.account, row.symbol) == (account, symbol) and (
                    removals is None or removals == (row.amount < 0)
                ):
                    yield row.change_id, row

        span = Span(account, symbol, None, None, start_ms, end_ms, limit, None)
        return self._list(MARGIN_CHANGES, span, pick, removals)

    def list_margin_steps(self, account: int, *, limit: int = 500) -> list[MarginStep]:
        def pick(rows: MarketRows) -> Iterator[tuple[int, MarginStep]]:
            for step in rows.margin_steps:
                if step.account == account:
                    yield step.step_id, step

        span = Span(account, "", None, None, None, None, min(limit, STEPS_KEPT), None)
        return self._list(MARGIN_STEPS, span, pick)

    def list_fundings(
        self,
        symbol: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[Funding]:
        with self._lock:
            symbols = [symbol] if symbol else list(self._memory.markets)
        found: list[Funding] = []
        for each in symbols:
            span = Span(MARKET_ACCOUNT, each, None, None, start_ms, end_ms, limit, None)
            found += self._list(FUNDINGS, span, partial(_pick_fundings, each))
        found.sort(key=lambda funding: funding.time_ms)
        return found[:limit] if start_ms is not None else found[max(0, len(found) - limit) :]

    def list_bars(
        self,
        symbol: str,
        kind: BarKind,
        interval: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
        now_ms: int,
        filled: bool = True,
    ) -> list[Bar]:
        with self._lock:
            market = self._memory.markets.get(symbol)
            track = None if market is None else market.find_track(kind, interval)
            current = None if track is None else track.current(interval)
            if current is None:
                return []
            latest_ms = max(period_start(interval, now_ms), current.open_ms)
            newest = start_ms is None and (end_ms is None or end_ms >= latest_ms)
            if limit == 1 and filled and newest:
                at_rest = current.open_ms < latest_ms
                return [flat(latest_ms, current.close) if at_rest else current]
            layers, all_there = self._find_unwritten()
            unwritten: dict[int, Bar] = {}
            for rows in layers:
                unwritten.update(rows.bars.get((symbol, kind), {}).get(interval, {}))
        unwritten[current.open_ms] = current
        window = Window(interval, start_ms, end_ms, limit, latest_ms)
        with self._sources.reading() as reader:
            owner = None if all_there else self._sources.writer.owners.find_number(symbol)
            series = None if owner is None else bar_series(owner, kind, interval)
            return window.read(BarSource(unwritten, reader, series), filled)

    def rolling_day(self, symbol: str, now_ms: int) -> Bar:
        with self._lock:
            return self._memory.find_day(symbol, now_ms)

    def list_statistics(
        self,
        symbol: str,
        period: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 30,
        now_ms: int | None = None,
    ) -> list[Statistics]:
        with self._lock:
            memory = self._memory
            if symbol not in memory.markets:
                return []
            layers, all_there = self._find_unwritten()
            unwritten: dict[int, Statistics] = {}
            for rows in layers:
                unwritten.update(rows.statistics.get(symbol, {}))
            latest_ms = max(memory.time_ms, now_ms or 0)
            present = memory.count_now(symbol)
        with self._sources.reading() as reader:
            owner = None if all_there else self._sources.writer.owners.find_number(symbol)
            source = SampleSource(unwritten, present, reader, owner)
            return list_samples(source, period, start_ms, end_ms, limit, latest_ms)

    def _find_recent(
        self, span: Span, choose: Callable[[MarketMemory], deque[Row]]
    ) -> list[Row] | None:
        """The newest rows of what `choose` takes, where these are wanted and at hand."""
        if span.from_id is not None or span.start_ms is not None or span.end_ms is not None:
            return None
        with self._lock:
            market = self._memory.markets.get(span.symbol)
            if market is None:
                return None
            recent = choose(market)
            if len(recent) == recent.maxlen and len(recent) < span.limit:
                return None
            return list(recent)[max(0, len(recent) - span.limit) :]

    def _find_unwritten(self) -> tuple[list[MarketRows], bool]:
        """Rows that may not be in the file, oldest first, and whether none there is older.

        Called under the lock.
        """
        newest_first: list[MarketRows] = []
        for layer in self._sources.layers:
            newest_first.append(layer.rows.market)
            if layer.rows.market.cleared:
                break
        return newest_first[::-1], newest_first[-1].cleared

    def _list(
        self,
        table: Table[Row],
        span: Span,
        pick: Callable[[MarketRows], Iterable[tuple[int, Row]]],
        sought: int | None = None,
    ) -> list[Row]:
        """Rows of the span, from those that `pick` finds unwritten and from the file."""

        def admit(rows: MarketRows) -> Iterator[tuple[int, Row]]:
            for row_id, row in pick(rows):
                if span.admits(span.account, span.symbol, row_id, row.time_ms):
                    yield row_id, row

        unwritten = [layer.rows.market for layer in self._sources.layers]
        return self._sources.list(table, span, unwritten, admit, sought)


def _pick_fundings(symbol: str, rows: MarketRows) -> Iterator[tuple[int, Funding]]:
    for funding in rows.fundings:
        if funding.symbol == symbol:
            yield funding_id(funding), funding
