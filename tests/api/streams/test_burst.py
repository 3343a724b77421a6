"""A clock that jumps ends many periods of many klines at once."""

from typing import Any

import msgspec
import pytest
from tests.api.offline import START_MS
from tests.api.streams.listening import Listening

from openperp.api.streams.burst import BURST, STREAM_BURST, fair_share
from openperp.engine.commands import Pulse
from openperp.gateway.sockets import SLOW_READER_BYTES
from openperp.history.intervals import DAY, HOUR, INTERVALS, shift_period

SYMBOLS = ("btcusdt", "ethusdt", "solusdt")


def jump(desk: Listening, by_ms: int) -> None:
    desk.now_ms += by_ms
    desk.apply(Pulse())
    desk.collect()


def all_klines(desk: Listening) -> dict[str, list[Any]]:
    names = [f"{symbol}@kline_{name}" for symbol in SYMBOLS for name in INTERVALS if name != "1s"]
    heard = {name: desk.hear(name) for name in names}
    desk.collect()
    for messages in heard.values():
        messages.clear()
    return heard


@pytest.mark.parametrize("immediate", [True, False])
def test_all_klines_of_eight_hours_are_told(immediate: bool) -> None:
    desk = Listening(immediate=immediate)
    heard = all_klines(desk)
    desk.wall_ms += 1_000
    jump(desk, 8 * HOUR)
    for name, messages in heard.items():
        length = INTERVALS[name.partition("_")[2]] or 31 * DAY
        assert len(messages) == 8 * HOUR // length, name


@pytest.mark.parametrize("days", [30, 365, 36_500])
def test_what_all_klines_tell_at_once_is_less_than_a_reader_may_have_waiting(days: int) -> None:
    desk = Listening()
    heard = all_klines(desk)
    jump(desk, days * DAY)
    everything = [message for messages in heard.values() for message in messages]
    assert BURST - len(heard) < len(everything) <= BURST
    envelopes = 50 * len(everything)
    assert envelopes + sum(map(len, map(msgspec.json.encode, everything))) < SLOW_READER_BYTES


def test_of_a_year_the_newest_are_told_and_of_long_periods_all() -> None:
    desk = Listening()
    heard = all_klines(desk)
    jump(desk, 365 * DAY)
    counts = {name: len(messages) for name, messages in heard.items()}
    assert counts["ethusdt@kline_1M"] == 12
    assert counts["btcusdt@kline_1w"] == 52
    assert (
        counts["btcusdt@kline_1m"]
        == counts["solusdt@kline_1d"]
        == fair_share([12, 52, 121, 365, *[1_000] * 11] * 3)
    )
    for name, messages in heard.items():
        interval = name.partition("_")[2]
        opened = [message["k"]["t"] for message in messages]
        assert opened == [shift_period(interval, opened[0], n) for n in range(len(opened))]
        assert shift_period(interval, opened[-1], 1) <= START_MS + 365 * DAY
        assert shift_period(interval, opened[-1], 2) > START_MS + 365 * DAY


def test_a_share_is_of_one_jump() -> None:
    desk = Listening()
    heard = all_klines(desk)
    jump(desk, 365 * DAY)
    for messages in heard.values():
        messages.clear()
    jump(desk, 8 * HOUR)
    assert len(heard["btcusdt@kline_1m"]) == 480


def test_a_single_stream_has_a_bound_of_its_own() -> None:
    desk = Listening()
    heard = desk.hear("btcusdt@kline_1m")
    desk.collect()
    jump(desk, DAY)
    assert len(heard) == 1 + STREAM_BURST


def test_a_period_that_ends_is_told_to_however_many() -> None:
    assert fair_share([1] * (BURST + 1)) == 1
