"""The last 24 hours of a market as texts."""

import pytest
from tests.api.offline import OfflineVenue

from openperp.api.wire.numbers import instrument_format
from openperp.api.wire.rolling_day import RollingDay, rolling_day
from openperp.history.market import Bar

DAY = Bar(
    0, open=600_000, high=612_000, low=596_005, close=597_000, lots=400, value=239_200_000, trades=3
)


def texts(day: Bar, *, shortest: bool) -> RollingDay:
    spec = OfflineVenue().state.markets["BTCUSDT"].spec
    return rolling_day(day, instrument_format(spec, shortest=shortest))


def test_a_day_in_the_shortest_form() -> None:
    assert texts(DAY, shortest=True) == RollingDay(
        open="60000",
        high="61200",
        low="59600.5",
        close="59700",
        change="-300",
        change_percent="-0.500",
        average="59800",
        volume="0.4",
        quote_volume="23920",
    )


def test_a_day_at_the_precision_of_the_instrument() -> None:
    day = texts(DAY, shortest=False)
    assert (day.close, day.change, day.average) == ("59700.00", "-300.00", "59800.00000")
    assert (day.volume, day.quote_volume) == ("0.400", "23920.00000000")


def test_a_day_without_a_trade() -> None:
    day = texts(Bar(0, 600_000, 600_000, 600_000, 600_000), shortest=True)
    assert (day.change, day.change_percent, day.average) == ("0", "0.000", "0")
    assert (day.volume, day.quote_volume) == ("0", "0")


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [(3, 4, "33.333"), (3, 5, "66.667"), (200_000, 200_001, "0.001"), (0, 0, "0.000")],
)
def test_the_percent_of_a_change(before: int, after: int, percent: str) -> None:
    assert texts(Bar(0, before, after, before, after), shortest=True).change_percent == percent
