"""Spans of time as lists take them: both ends inclusive, zero where one is not given."""

from typing import Final

from openperp.api.errors import ApiError

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


def check_span(start_ms: int, end_ms: int, *, days_max: int = 0) -> None:
    """Refuses a span that ends before it starts (-1023) or is longer than it may be (-4165)."""
    if start_ms and end_ms:
        check_ends(start_ms, end_ms, days_max=days_max)


def check_ends(start_ms: int, end_ms: int, *, days_max: int = 0) -> None:
    """The same where both ends must be given, and zero is the epoch."""
    if start_ms > end_ms:
        raise ApiError(-1023, explain=f"startTime {start_ms} is after endTime {end_ms}")
    if days_max and end_ms - start_ms > days_max * DAY_MS:
        raise ApiError(-4165, days_max, explain=f"{end_ms - start_ms} ms apart")
