"""Statistics are stored when they differ from those before; between rows the last one holds."""

import sqlite3
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from openperp.history.intervals import INTERVALS
from openperp.history.keys import decode_statistics
from openperp.history.market import Statistics

_SELECT: Final = "SELECT CAST(record AS BLOB) FROM statistics WHERE series = ?"


class SampleSource:
    """Rows that are not written yet, rows of `series` in the file (where it has one).

    `present` is what holds from its own time on.
    """

    def __init__(
        self,
        unwritten: Mapping[int, Statistics],
        present: Statistics,
        reader: sqlite3.Connection,
        series: int | None,
    ) -> None:
        self._unwritten = unwritten
        self._times = sorted(unwritten)
        self._present = present
        self._reader = reader
        self._series = series

    def find_first(self) -> int:
        """When the first row was counted."""
        first = min([self._present.time_ms, *self._times])
        stored = self._select(" ORDER BY time_ms LIMIT 1")
        return first if stored is None else min(first, stored.time_ms)

    def find(self, time_ms: int) -> Statistics | None:
        """What held at `time_ms`."""
        if time_ms >= self._present.time_ms:
            return self._present
        at = bisect_right(self._times, time_ms)
        if at:
            return self._unwritten[self._times[at - 1]]
        return self._select(" AND time_ms <= ? ORDER BY time_ms DESC LIMIT 1", time_ms)

    def _select(self, where: str, *values: int) -> Statistics | None:
        if self._series is None:
            return None
        row = self._reader.execute(_SELECT + where, (self._series, *values)).fetchone()
        return None if row is None else decode_statistics(row[0])


def list_samples(
    source: SampleSource,
    period: str,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
    latest_ms: int,
) -> list[Statistics]:
    """A row for each beginning of a period in the span, of more than `limit` as all lists do."""
    length = INTERVALS[period]
    assert length is not None
    first = source.find_first()
    if start_ms is not None:
        first = max(first, start_ms)
    first += -first % length
    last = latest_ms if end_ms is None else min(latest_ms, end_ms)
    last -= last % length
    if start_ms is None:
        first = max(first, last - (limit - 1) * length)
    else:
        last = min(last, first + (limit - 1) * length)
    rows = [(time_ms, source.find(time_ms)) for time_ms in range(first, last + 1, length)]
    return [replace(row, time_ms=time_ms) for time_ms, row in rows if row is not None]
