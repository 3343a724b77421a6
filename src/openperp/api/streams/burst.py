"""How much may be told at once where the clock has jumped over the ends of many periods."""

from collections.abc import Sequence
from typing import Final

STREAM_BURST: Final = 1_000
"""Closed bars of one stream."""
BURST: Final = 2_500
"""Closed bars of all streams together: whoever hears them all has them waiting, at up to
400 bytes each, and whoever has a mebibyte waiting is taken for one that does not read. It
holds eight hours of all klines of three markets."""


def fair_share(wanted: Sequence[int], total: int = BURST) -> int:
    """The most that each may have, so that all together have no more than `total`.

    Who wants less has all of it, and everybody has one: that is a period which has
    simply ended.

    >>> fair_share([12, 52, 1_000, 1_000], total=1_000)
    468
    >>> fair_share([12, 52]), fair_share([1] * 3_000)
    (52, 1)
    """
    left = total
    for count, want in zip(range(len(wanted), 0, -1), sorted(wanted), strict=True):
        if want * count > left:
            return max(1, left // count)
        left -= want
    return max(wanted, default=0)
