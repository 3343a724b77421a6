"""Periods of bars: how long they are and where they begin, in milliseconds of UTC."""

from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

INTERVALS: Final[dict[str, int | None]] = {
    "1s": SECOND,
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "4h": 4 * HOUR,
    "6h": 6 * HOUR,
    "8h": 8 * HOUR,
    "12h": 12 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "1w": 7 * DAY,
    "1M": None,
}
"""Lengths by name. Months have none: they begin on the first of each, at midnight."""

MONDAY: Final = 4 * DAY
"""The epoch was a Thursday, and weeks begin on Mondays; all other periods count from it."""


def period_start(interval: str, time_ms: int) -> int:
    """When the period began in which `time_ms` lies.

    >>> period_start("3m", 200_000), period_start("1w", 3 * DAY), period_start("1M", 40 * DAY)
    (180000, -259200000, 2678400000)
    """
    length = INTERVALS[interval]
    if length is None:
        return shift_month(time_ms, 0)
    if interval == "1w":
        return time_ms - (time_ms - MONDAY) % length
    return time_ms - time_ms % length


def shift_period(interval: str, open_ms: int, count: int) -> int:
    """The beginning of the period `count` periods after the one that begins at `open_ms`."""
    length = INTERVALS[interval]
    return shift_month(open_ms, count) if length is None else open_ms + count * length


def shift_month(time_ms: int, count: int) -> int:
    """The beginning of the month `count` months after the one of `time_ms`."""
    return _month_start(_month(time_ms) + count) * DAY


# The API asks too, and nothing it reaches may reach a clock, so the calendar is counted here:
# in years from March on, which have their leap day last.

_DAYS_BEFORE_EPOCH: Final = 719_468
"""Days from 1 March of year 0 to the epoch."""


def _month(time_ms: int) -> int:
    """Months since year 0.

    >>> _month(0), _month(951_782_400_000), _month(951_868_800_000)
    (23640, 24001, 24002)
    """
    era, day = divmod(time_ms // DAY + _DAYS_BEFORE_EPOCH, 146_097)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    return (era * 400 + year) * 12 + (5 * day + 2) // 153 + 2


def _month_start(month: int) -> int:
    """Days from the epoch to the first of a month, which is counted from year 0."""
    year, in_year = divmod(month - 2, 12)
    leap_days = year // 4 - year // 100 + year // 400
    return 365 * year + leap_days + (153 * in_year + 2) // 5 - _DAYS_BEFORE_EPOCH
