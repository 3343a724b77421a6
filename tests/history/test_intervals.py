"""Periods begin where the calendar says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openperp.history.intervals import DAY, INTERVALS, period_start, shift_period

FIRST, LAST = datetime(1970, 1, 5), datetime(9999, 12, 31)  # noqa: DTZ001  Hypothesis adds it
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


def to_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(moments)
def test_months_weeks_and_days(moment: datetime) -> None:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    time_ms = to_ms(moment)
    assert period_start("1M", time_ms) == to_ms(midnight.replace(day=1))
    assert period_start("1w", time_ms) == to_ms(midnight - timedelta(days=midnight.weekday()))
    assert period_start("1d", time_ms) == to_ms(midnight)
    days = (midnight - datetime(1970, 1, 1, tzinfo=UTC)).days
    assert period_start("3d", time_ms) == to_ms(midnight - timedelta(days=days % 3))


@pytest.mark.parametrize("interval", INTERVALS)
@given(moment=moments, count=st.integers(-3, 50))
def test_periods_join_without_gaps(interval: str, moment: datetime, count: int) -> None:
    start = period_start(interval, to_ms(moment))
    after = shift_period(interval, start, 1)
    assert start <= to_ms(moment) < after
    assert period_start(interval, after) == after
    assert period_start(interval, after - 1) == start
    assert shift_period(interval, shift_period(interval, start, count), -count) == start


def test_the_last_month_that_a_clock_can_show_ends_as_any_other() -> None:
    last = period_start("1M", to_ms(datetime(9999, 12, 31, tzinfo=UTC)))
    assert shift_period("1M", last, 1) == last + 31 * DAY
    assert shift_period("1M", last + 31 * DAY, -1) == last
