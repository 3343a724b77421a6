"""Integer arithmetic of the venue: ticks, lots and money.

A price is a count of ticks, a quantity a count of lots, and money a count of
10^-8 of the quote asset. No float and no Decimal enters the engine; every
division here names its rounding.
"""

from typing import Final

MONEY_DECIMALS: Final = 8
"""Decimal places of money: one unit is 10^-8 of the quote asset."""

MONEY_ONE: Final = 10**MONEY_DECIMALS
"""One whole unit of the quote asset, in money."""

PPM: Final = 1_000_000
"""Rates (fees, margins, callbacks) are integers in parts per million."""

NOTIONAL_LIMIT: Final = 2**62
"""Bound of ticks x lots x unit: below it a compiled integer stays unboxed."""

STAKES_LIMIT: Final = 2**61
"""Bound of all that is at stake in a venue, in money: about 23 thousand million of the quote
asset. A quarter of what 64 bits hold: there is room for sums on the way."""


def divide_up(numerator: int, denominator: int) -> int:
    """Quotient rounded towards plus infinity; the denominator is positive.

    >>> divide_up(7, 2), divide_up(8, 2)
    (4, 4)
    """
    return -(-numerator // denominator)


def divide_to_zero(numerator: int, denominator: int) -> int:
    """Quotient rounded towards zero; the denominator is positive.

    >>> divide_to_zero(7, 2), divide_to_zero(-7, 2)
    (3, -3)
    """
    if numerator >= 0:
        return numerator // denominator
    return -(-numerator // denominator)


def divide_nearest(numerator: int, denominator: int) -> int:
    """Quotient rounded to nearest, halves up; the denominator is positive.

    >>> divide_nearest(7, 2), divide_nearest(-7, 2), divide_nearest(5, 3)
    (4, -3, 2)
    """
    return (2 * numerator + denominator) // (2 * denominator)
