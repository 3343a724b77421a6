"""A number becomes text here, once.

Prices and quantities come from ticks and lots at the precision of their
instrument, either in their shortest form ("0.01") or padded ("0.010"), as the
dialect has it. Money always has eight decimals. Texts are remembered per value:
an order book has few prices and the same ones come back all day.
"""

from functools import lru_cache
from typing import Final

from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_DECIMALS, divide_nearest

REMEMBERED: Final = 16_384
"""Texts kept per table; a full table is emptied, which costs less than choosing a victim."""

AVERAGE_DECIMALS: Final = 5
"""Fewest decimals to which an average price is rounded."""


def decimal_text(units: int, decimals: int, *, shortest: bool) -> str:
    """`units` x 10^-`decimals` as decimal text, without an exponent.

    >>> decimal_text(10, 3, shortest=False), decimal_text(10, 3, shortest=True)
    ('0.010', '0.01')
    >>> decimal_text(-1_500, 3, shortest=True), decimal_text(0, 1, shortest=False)
    ('-1.5', '0.0')
    """
    if decimals == 0:
        return str(units)
    digits = str(abs(units)).rjust(decimals + 1, "0")
    text = f"{digits[:-decimals]}.{digits[-decimals:]}"
    if shortest:
        text = text.rstrip("0").rstrip(".")
    return f"-{text}" if units < 0 else text


def money_text(amount: int) -> str:
    """Money at its eight decimals, in every dialect.

    >>> money_text(12_345_678_900), money_text(-1)
    ('123.45678900', '-0.00000001')
    """
    return decimal_text(amount, MONEY_DECIMALS, shortest=False)


class DecimalTexts(dict[int, str]):
    """The text of each count of `step` x 10^-`decimals`, remembered up to a bound."""

    __slots__ = ("_decimals", "_shortest", "_step")

    def __init__(self, step: int, decimals: int, *, shortest: bool) -> None:
        super().__init__()
        self._step = step
        self._decimals = decimals
        self._shortest = shortest

    def __missing__(self, count: int) -> str:
        if len(self) >= REMEMBERED:
            self.clear()
        text = decimal_text(count * self._step, self._decimals, shortest=self._shortest)
        self[count] = text
        return text


percent_texts: Final = DecimalTexts(1, 4, shortest=True)
"""Parts per million as percent: 3000 is "0.3"."""


class InstrumentFormat:
    """How the numbers of one instrument read: `price[ticks]` and `quantity[lots]` are texts.

    `unit` is the money of one tick times one lot.
    """

    __slots__ = (
        "_average_decimals",
        "_shortest",
        "_tick_scale",
        "price",
        "quantity",
        "symbol",
        "unit",
    )

    def __init__(
        self,
        symbol: str,
        unit: int,
        price_precision: int,
        tick_units: int,
        quantity_precision: int,
        lot_units: int,
        shortest: bool,
    ) -> None:
        self.symbol = symbol
        self.unit = unit
        self.price = DecimalTexts(tick_units, price_precision, shortest=shortest)
        self.quantity = DecimalTexts(lot_units, quantity_precision, shortest=shortest)
        self._shortest = shortest
        self._average_decimals = max(AVERAGE_DECIMALS, price_precision + 3)
        self._tick_scale = tick_units * int(10 ** (self._average_decimals - price_precision))

    def derived_price(self, numerator: int, denominator: int) -> str:
        """The price of `numerator` / `denominator` ticks; "0" where the denominator is zero.

        Rounded half up to three decimals more than the instrument's prices have,
        and to at least five.
        """
        units = 0
        if denominator:
            units = divide_nearest(numerator * self._tick_scale, denominator)
        return decimal_text(units, self._average_decimals, shortest=self._shortest)

    def entry_price(self, entry_cost: int, lots: int) -> str:
        """Entry price of a position; both arguments are signed alike."""
        return self.derived_price(abs(entry_cost), abs(lots) * self.unit)

    def quote_text(self, value: int) -> str:
        """Quote quantity of `value`, a sum of ticks x lots."""
        return decimal_text(value * self.unit, MONEY_DECIMALS, shortest=self._shortest)


_remembered_format = lru_cache(maxsize=1_024)(InstrumentFormat)


def instrument_format(spec: InstrumentSpec, *, shortest: bool) -> InstrumentFormat:
    """The format of an instrument; one object for all whose tick and lot are the same."""
    return _remembered_format(
        spec.symbol,
        spec.unit,
        spec.price_precision,
        spec.tick_units,
        spec.quantity_precision,
        spec.lot_units,
        shortest,
    )
