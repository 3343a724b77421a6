"""Numbers as text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.desk import BTC, ETH

from openperp.api.wire.numbers import (
    REMEMBERED,
    DecimalTexts,
    decimal_text,
    instrument_format,
    money_text,
    percent_texts,
)
from openperp.engine.numbers import MONEY_ONE


@pytest.mark.parametrize(
    ("units", "decimals", "shortest", "padded"),
    [
        (0, 3, "0", "0.000"),
        (10, 3, "0.01", "0.010"),
        (10_000, 3, "10", "10.000"),
        (12_345, 3, "12.345", "12.345"),
        (-5, 3, "-0.005", "-0.005"),
        (-1_000, 3, "-1", "-1.000"),
        (600, 0, "600", "600"),
        (10**30, 8, "1" + "0" * 22, "1" + "0" * 22 + ".00000000"),
    ],
)
def test_decimal_text(units: int, decimals: int, shortest: str, padded: str) -> None:
    assert decimal_text(units, decimals, shortest=True) == shortest
    assert decimal_text(units, decimals, shortest=False) == padded


@given(st.integers(-(10**25), 10**25), st.integers(0, 12))
def test_text_says_exactly_the_number(units: int, decimals: int) -> None:
    padded = decimal_text(units, decimals, shortest=False)
    shortest = decimal_text(units, decimals, shortest=True)
    assert Decimal(padded) == Decimal(shortest) == Decimal(units).scaleb(-decimals)
    assert len(padded.partition(".")[2]) == decimals
    assert "." not in shortest or shortest[-1] not in "0."
    assert set(padded + shortest) <= set("-.0123456789")


def test_money_has_eight_decimals() -> None:
    assert money_text(10_000 * MONEY_ONE) == "10000.00000000"
    assert money_text(-1) == "-0.00000001"
    assert money_text(0) == "0.00000000"


def test_percent() -> None:
    assert [percent_texts[ppm] for ppm in (3_000, 10_000, 125_000, 1)] == [
        "0.3",
        "1",
        "12.5",
        "0.0001",
    ]


def test_a_full_table_starts_over() -> None:
    texts = DecimalTexts(5, 1, shortest=True)
    for count in range(REMEMBERED + 10):
        assert texts[count] == decimal_text(count * 5, 1, shortest=True)
    assert len(texts) == 10


@pytest.mark.parametrize(
    ("shortest", "price", "quantity", "quote"),
    [(True, "60000", "0.01", "600"), (False, "60000.0", "0.010", "600.00000000")],
)
def test_instrument_format(shortest: bool, price: str, quantity: str, quote: str) -> None:
    text = instrument_format(BTC, shortest=shortest)
    assert text is instrument_format(BTC, shortest=shortest)
    assert text is not instrument_format(ETH, shortest=shortest)
    assert (text.price[600_000], text.quantity[10]) == (price, quantity)
    assert text.quote_text(600_000 * 10) == quote


@pytest.mark.parametrize(
    ("value", "lots", "shortest", "padded"),
    [
        (0, 0, "0", "0.00000"),
        (600_000 * 10, 10, "60000", "60000.00000"),
        (600_001 * 3, 3, "60000.1", "60000.10000"),
        (1, 3, "0.03333", "0.03333"),  # a third of a tick of 0.1, rounded down
        (2, 3, "0.06667", "0.06667"),  # two thirds, rounded up
        (15, 2 * 10**5, "0.00001", "0.00001"),  # 0.0000075 rounds up
        (1, 2 * 10**4, "0.00001", "0.00001"),  # exactly half rounds up
    ],
)
def test_an_average_price_is_rounded_half_up(
    value: int, lots: int, shortest: str, padded: str
) -> None:
    assert instrument_format(BTC, shortest=True).derived_price(value, lots) == shortest
    assert instrument_format(BTC, shortest=False).derived_price(value, lots) == padded


def test_entry_price_of_a_short_position() -> None:
    text = instrument_format(BTC, shortest=True)
    assert text.entry_price(-600 * MONEY_ONE, -10) == "60000"
    assert text.entry_price(0, 0) == "0"
