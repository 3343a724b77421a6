"""Spans of time as people write them."""

import re
from datetime import timedelta

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"(\d+)(ms|s|m|h|d|w)")


def to_ms(span: str | int | timedelta) -> int:
    """Milliseconds of `span`: a text such as "8h" or "1h30m", milliseconds, or a timedelta.

    >>> to_ms("1h30m"), to_ms(250), to_ms(timedelta(seconds=2))
    (5400000, 250, 2000)

    Raises:
        ValueError: The text is not a span of time.
    """
    if isinstance(span, timedelta):
        return span // timedelta(milliseconds=1)
    if isinstance(span, int):
        return span
    parts = _PART.findall(span)
    if not parts or "".join(number + unit for number, unit in parts) != span:
        raise ValueError(f"{span!r} is not a span of time such as '8h', '1h30m' or '500ms'")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in parts)
