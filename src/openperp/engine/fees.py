"""Fee tiers: the part of an instrument's fees that an account pays.

Source: the public table of Binance's VIP levels for USDT futures, whose maker and
taker fees are 0.0200 % and 0.0500 % at level 0 and 0.0000 % and 0.0170 % at level 9.
"""

from typing import Final

from openperp.engine.numbers import divide_up

MAKER_SHARES: Final = (1000, 800, 700, 600, 500, 400, 300, 200, 100, 0)
TAKER_SHARES: Final = (1000, 800, 700, 640, 600, 540, 500, 440, 400, 340)
"""By tier: how much of the fee of tier 0 is left, in thousandths."""

HIGHEST_TIER: Final = len(TAKER_SHARES) - 1


def tier_rates(rate_ppm: int, shares: tuple[int, ...]) -> list[int]:
    """The rate of each tier in parts per million, rounded up, from that of tier 0.

    >>> tier_rates(500, TAKER_SHARES)
    [500, 400, 350, 320, 300, 270, 250, 220, 200, 170]
    """
    return [divide_up(rate_ppm * share, 1000) for share in shares]
