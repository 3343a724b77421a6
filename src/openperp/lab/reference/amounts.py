"""Decimals that are exact, and the ways in which rules round."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
)

ZERO = Decimal(0)
ONE = Decimal(1)
MILLION = Decimal(1_000_000)
CENT = Decimal("0.00000001")
"""The smallest amount of money."""

EXACT = Context(prec=80, traps=[Inexact, InvalidOperation, DivisionByZero])
"""Arithmetic in which a lost digit is an error: what rounds says so."""

_UP = Context(prec=80, rounding=ROUND_CEILING)
_TO_ZERO = Context(prec=80, rounding=ROUND_DOWN)
_DOWN = Context(prec=80, rounding=ROUND_FLOOR)


def money_up(amount: Decimal, divisor: Decimal) -> Decimal:
    """`amount / divisor`, rounded up to the smallest amount of money.

    >>> money_up(Decimal(10), Decimal(3))
    Decimal('3.33333334')
    """
    return _UP.quantize(_UP.divide(amount, divisor), CENT)


def money_to_zero(amount: Decimal, divisor: Decimal) -> Decimal:
    """`amount / divisor`, rounded towards zero to the smallest amount of money.

    >>> money_to_zero(Decimal(-10), Decimal(3))
    Decimal('-3.33333333')
    """
    return _TO_ZERO.quantize(_TO_ZERO.divide(amount, divisor), CENT)


def money_down(amount: Decimal, divisor: Decimal) -> Decimal:
    """`amount / divisor`, rounded down to the smallest amount of money.

    >>> money_down(Decimal(-10), Decimal(3))
    Decimal('-3.33333334')
    """
    return _DOWN.quantize(_DOWN.divide(amount, divisor), CENT)


def nearest(amount: Decimal, divisor: Decimal, step: Decimal) -> Decimal:
    """`amount / divisor`, rounded to the nearest multiple of `step`, halves up.

    >>> nearest(Decimal(10), Decimal(4), Decimal(1)), nearest(Decimal(-10), Decimal(4), Decimal(1))
    (Decimal('3'), Decimal('-2'))
    """
    steps = _DOWN.divide(2 * amount + step * divisor, 2 * step * divisor)
    return _DOWN.to_integral_value(steps) * step


def whole_up(amount: Decimal, divisor: Decimal) -> Decimal:
    """`amount / divisor`, rounded up to a whole number."""
    return _UP.to_integral_value(_UP.divide(amount, divisor))


def whole_down(amount: Decimal, divisor: Decimal) -> Decimal:
    """`amount / divisor`, rounded down to a whole number."""
    return _DOWN.to_integral_value(_DOWN.divide(amount, divisor))


def to_money(units: int) -> Decimal:
    """Money as commands carry it, in units of 10^-8."""
    return Decimal(units).scaleb(-8)


def from_money(amount: Decimal) -> int:
    return int(EXACT.to_integral_exact(amount.scaleb(8)))


def ratio(ppm: int) -> Decimal:
    """A rate that is given in parts per million."""
    return ppm / MILLION
