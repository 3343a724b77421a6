"""Bars of one price and interval: where they are, which are wanted, and what is between them."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from openperp.history.base import HistoryUnusable
from openperp.history.intervals import period_start, shift_period
from openperp.history.keys import decode_bar
from openperp.history.market import Bar
from openperp.history.track import flat

_SELECT: Final = "SELECT open_ms, CAST(record AS BLOB) FROM bars WHERE series = ?"


class BarSource:
    """Stored bars: those that are not written yet, and those of `series` in the file.

    Without a series all bars are in `unwritten`, which holds the bar under way too.
    """

    def __init__(
        self, unwritten: Mapping[int, Bar], reader: sqlite3.Connection, series: int | None
    ) -> None:
        self._unwritten = unwritten
        self._reader = reader
        self._series = series

    def find_first(self) -> int:
        """When the first bar opens."""
        first = min(self._unwritten)
        for open_ms, _ in self._select(" ORDER BY open_ms LIMIT 1"):
            first = min(first, open_ms)
        return first

    def read(self, first_ms: int, last_ms: int) -> dict[int, Bar]:
        """The bars that open from `first_ms` to `last_ms`, by opening."""
        where = " AND open_ms BETWEEN ? AND ?"
        return {
            **dict(self._select(where, first_ms, last_ms)),
            **{each: bar for each, bar in self._unwritten.items() if first_ms <= each <= last_ms},
        }

    def find_before(self, open_ms: int) -> Bar | None:
        """The last bar that opens before `open_ms`."""
        where = " AND open_ms < ? ORDER BY open_ms DESC LIMIT 1"
        found = dict(self._select(where, open_ms))
        earlier = [each for each in self._unwritten if each < open_ms]
        if earlier:
            found[max(earlier)] = self._unwritten[max(earlier)]
        return found[max(found)] if found else None

    def list_counted(self, first_ms: int, last_ms: int, limit: int, newest: bool) -> list[Bar]:
        """Up to `limit` bars with something counted, the newest or the oldest of the span."""
        found = {
            open_ms: bar
            for open_ms, bar in self._unwritten.items()
            if first_ms <= open_ms <= last_ms and bar.trades
        }
        where = f" AND open_ms BETWEEN ? AND ? ORDER BY open_ms {'DESC' if newest else 'ASC'}"
        taken = 0
        for open_ms, bar in self._select(where, first_ms, last_ms):
            if bar.trades and open_ms not in self._unwritten:
                found[open_ms] = bar
                taken += 1
                if taken == limit:
                    break
        keys = sorted(found)
        keys = keys[max(0, len(keys) - limit) :] if newest else keys[:limit]
        return [found[key] for key in keys]

    def _select(self, where: str, *values: int) -> Iterator[tuple[int, Bar]]:
        if self._series is None:
            return
        for open_ms, record in self._reader.execute(_SELECT + where, (self._series, *values)):
            yield open_ms, decode_bar(record)


class Window(NamedTuple):
    """Which bars are wanted; the last possible one opens at `latest_ms`."""

    interval: str
    start_ms: int | None
    end_ms: int | None
    limit: int
    latest_ms: int

    def read(self, source: BarSource, filled: bool) -> list[Bar]:
        first_ms = source.find_first()
        last_ms = self.latest_ms
        if self.end_ms is not None and self.end_ms < last_ms:
            last_ms = period_start(self.interval, max(self.end_ms, first_ms - 1))
        if self.start_ms is not None and self.start_ms > first_ms:
            first_ms = period_start(self.interval, min(self.start_ms, last_ms + 1))
            if first_ms < self.start_ms:
                first_ms = shift_period(self.interval, first_ms, 1)
        if not filled:
            return source.list_counted(first_ms, last_ms, self.limit, self.start_ms is None)
        if self.start_ms is None:
            first_ms = max(first_ms, shift_period(self.interval, last_ms, 1 - self.limit))
        else:
            last_ms = min(last_ms, shift_period(self.interval, first_ms, self.limit - 1))
        return self._fill(source, first_ms, last_ms)

    def _fill(self, source: BarSource, first_ms: int, last_ms: int) -> list[Bar]:
        """Every bar of the span; periods without one stand at the close before them."""
        if last_ms < first_ms:
            return []
        found = source.read(first_ms, last_ms)
        before = None if first_ms in found else source.find_before(first_ms)
        bars: list[Bar] = []
        open_ms = first_ms
        while open_ms <= last_ms:
            bar = found.get(open_ms)
            if bar is None:
                if before is None:
                    raise HistoryUnusable("The history cannot be read: its bars are damaged.")
                bar = flat(open_ms, before.close)
            bars.append(bar)
            before = bar
            open_ms = shift_period(self.interval, open_ms, 1)
        return bars
