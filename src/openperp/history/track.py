"""The bars of one price in one market while they grow; nothing here knows the store."""

from collections import deque
from typing import Final

from msgspec.structs import replace

from openperp.history.intervals import DAY, INTERVALS, MINUTE, SECOND, period_start
from openperp.history.market import Bar, BarKind
from openperp.history.market_rows import MarketRows

LONGER: Final = tuple(name for name in INTERVALS if name not in ("1s", "1m"))
"""The intervals whose bars are made of minutes."""


def flat(open_ms: int, ticks: int) -> Bar:
    """A period in which the price stood still."""
    return Bar(open_ms, ticks, ticks, ticks, ticks)


def merge(first: Bar, second: Bar) -> Bar:
    """Both parts of a period as one."""
    return Bar(
        first.open_ms,
        first.open,
        max(first.high, second.high),
        min(first.low, second.low),
        second.close,
        first.lots + second.lots,
        first.value + second.value,
        first.trades + second.trades,
        first.taker_buy_lots + second.taker_buy_lots,
        first.taker_buy_value + second.taker_buy_value,
        first.first_id or second.first_id,
        second.last_id or first.last_id,
    )


class Track:
    """Bars of one kind: `open` is the minute (or second) under way.

    A longer bar is what its closed minutes add up to, in `sums`, and the open minute. Rows
    are made when a minute ends, so that a trade costs one bar and not one per interval.
    `closed` keeps the minutes of the last 24 hours where a rolling day is wanted.
    """

    __slots__ = (
        "_length",
        "_rolling",
        "base",
        "closed",
        "kind",
        "longer",
        "open",
        "sealed",
        "sums",
        "symbol",
    )

    def __init__(self, symbol: str, kind: BarKind, base: str, *, rolling: bool = False) -> None:
        self.symbol = symbol
        self.kind = kind
        self.open: Bar | None = None
        self.sealed: Bar | None = None
        """The open minute as the file has it, or will have it."""
        self.sums: dict[str, Bar] = {}
        self.closed: deque[Bar] = deque()
        self._rolling = rolling
        self.base = base
        self._length = SECOND if base == "1s" else MINUTE
        self.longer = LONGER if base == "1m" else ()

    def set_price(self, price: int, time_ms: int, rows: MarketRows, counted: int = 1) -> None:
        """The price is `price` from `time_ms` on; until then it was what it was."""
        bar = self.open
        open_ms = time_ms - time_ms % self._length
        if bar is None:
            bar = flat(open_ms, price)
        elif bar.open_ms != open_ms:
            before = bar.close
            self._close(bar, rows)
            self._carry(before, open_ms, rows)
            bar = flat(open_ms, price if time_ms == open_ms else before)
        self.open = Bar(
            open_ms,
            bar.open,
            max(bar.high, price),
            min(bar.low, price),
            price,
            bar.lots,
            bar.value,
            bar.trades + counted,
            bar.taker_buy_lots,
            bar.taker_buy_value,
            bar.first_id,
            bar.last_id,
        )

    def trade(
        self, ticks: int, lots: int, trade_id: int, taker_buys: bool, time_ms: int, rows: MarketRows
    ) -> None:
        bar = self.open
        open_ms = time_ms - time_ms % self._length
        if bar is None or bar.open_ms != open_ms:
            if bar is not None:
                self._close(bar, rows)
            bar = flat(open_ms, ticks)
        value = ticks * lots
        high, low = bar.high, bar.low
        self.open = Bar(
            open_ms,
            bar.open,
            ticks if ticks > high else high,
            ticks if ticks < low else low,
            ticks,
            bar.lots + lots,
            bar.value + value,
            bar.trades + 1,
            bar.taker_buy_lots + lots if taker_buys else bar.taker_buy_lots,
            bar.taker_buy_value + value if taker_buys else bar.taker_buy_value,
            bar.first_id or trade_id,
            trade_id,
        )

    def current(self, interval: str) -> Bar | None:
        """The bar of the period in which the open minute lies, as far as it has come."""
        bar = self.open
        if bar is None or interval == self.base:
            return bar
        start = period_start(interval, bar.open_ms)
        total = self.sums.get(interval)
        if total is not None and total.open_ms == start:
            return merge(total, bar)
        return replace(bar, open_ms=start)

    def seal(self, rows: MarketRows) -> None:
        """Puts what is under way where a restart finds it."""
        bar = self.open
        if bar is not self.sealed and bar is not None:
            self.sealed = bar
            bars = rows.bars.setdefault((self.symbol, self.kind), {})
            bars.setdefault(self.base, {})[bar.open_ms] = bar

    def _close(self, bar: Bar, rows: MarketRows) -> None:
        rows.add_bar(self.symbol, self.kind, self.base, bar)
        for interval in self.longer:
            total = self.current(interval)
            assert total is not None
            self.sums[interval] = total
            rows.add_bar(self.symbol, self.kind, interval, total)
        if self._rolling:
            self.closed.append(bar)
            while self.closed[0].open_ms < bar.open_ms - DAY:
                self.closed.popleft()

    def _carry(self, price: int, open_ms: int, rows: MarketRows) -> None:
        """Periods that began before `open_ms`, and had nothing yet, began at `price`."""
        for interval in self.longer:
            start = period_start(interval, open_ms)
            total = self.sums.get(interval)
            if start < open_ms and (total is None or total.open_ms != start):
                self.sums[interval] = flat(start, price)
                rows.add_bar(self.symbol, self.kind, interval, self.sums[interval])
