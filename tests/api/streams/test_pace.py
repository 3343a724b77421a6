"""When the feed speaks: update speeds on the wall clock, at once under a virtual clock."""

from typing import Any

import pytest
from tests.api.offline import START_MS
from tests.api.streams.listening import Listening

from openperp.engine.commands import PlaceOrder
from openperp.engine.terms import OrderType, Side


@pytest.fixture
def real() -> Listening:
    return Listening(immediate=False)


@pytest.fixture
def virtual() -> Listening:
    return Listening(immediate=True)


def rest(venue: Listening, ticks: int, symbol: str = "BTCUSDT") -> None:
    alice = venue.state.account_ids["alice"]
    venue.apply(PlaceOrder(alice, symbol, Side.BUY, OrderType.LIMIT, 100, ticks))


def times(messages: list[dict[str, Any]]) -> list[int]:
    """Venue times of messages, counted from the start of the venue."""
    return [message["E"] - START_MS for message in messages]


@pytest.mark.parametrize(
    ("name", "pace_ms"),
    [("btcusdt@depth@100ms", 100), ("btcusdt@depth", 250), ("btcusdt@depth@500ms", 500)],
)
def test_changes_are_told_at_once_and_then_at_the_pace_of_the_stream(
    real: Listening, name: str, pace_ms: int
) -> None:
    heard = real.hear(name)
    real.elapse(10_000)
    assert real.due_in_ms() is None
    rest(real, 590_000)
    assert real.due_in_ms() == 0
    real.collect()
    for number in range(20):
        real.elapse(30)
        rest(real, 590_010 + 10 * number)
        real.collect()
    real.elapse(1_000)
    found = [time - 10_000 for time in times(heard)]
    assert found == list(range(0, found[-1] + 1, pace_ms))
    assert 600 <= found[-1] <= 600 + pace_ms


def test_a_quiet_stream_does_not_catch_up_on_the_pace_it_missed(real: Listening) -> None:
    heard = real.hear("btcusdt@depth@100ms")
    for pause in (0, 130, 10, 10):
        real.elapse(pause)
        rest(real, 590_000 + len(heard) * 10)
        real.collect()
    real.elapse(500)
    assert times(heard) == [0, 130, 230]


def test_a_virtual_clock_tells_each_group_at_once(virtual: Listening) -> None:
    heard = virtual.hear("btcusdt@depth@500ms")
    for number in range(3):
        rest(virtual, 590_000 + number)
        virtual.collect()
    assert times(heard) == [0, 0, 0]
    assert virtual.due_in_ms() is None


def test_best_prices_wait_for_no_pace(real: Listening) -> None:
    heard = real.hear("btcusdt@bookTicker")
    real.collect()
    rest(real, 590_000)
    rest(real, 580_000)
    rest(real, 590_010)
    assert real.due_in_ms() == 0
    real.collect()
    assert [message["b"] for message in heard] == ["0", "59000", "59001"]


@pytest.mark.parametrize("immediate", [False, True])
@pytest.mark.parametrize(
    ("name", "pace_ms"),
    [
        ("btcusdt@markPrice", 3_000),
        ("btcusdt@markPrice@1s", 1_000),
        ("!bookTicker", 5_000),
        ("usdtusd@assetIndex", 1_000),
    ],
)
def test_a_steady_stream_keeps_its_beat(immediate: bool, name: str, pace_ms: int) -> None:
    venue = Listening(immediate=immediate)
    heard = venue.hear(name)
    venue.elapse(3 * pace_ms)
    per_beat = len(venue.state.markets) if name == "!bookTicker" else 1
    beats = [beat * pace_ms for beat in range(4) for _ in range(per_beat)]
    assert times(heard) == beats
    assert venue.due_in_ms() == pace_ms


def test_a_beat_stays_where_it_began_when_the_timer_is_late(real: Listening) -> None:
    heard = real.hear("btcusdt@markPrice@1s")
    real.collect()
    for late_ms in (1_007, 993, 1_000):
        real.now_ms += late_ms
        real.wall_ms += late_ms
        real.collect()
    assert times(heard) == [0, 1_007, 2_000, 3_000]


def test_a_beat_that_was_slept_through_is_told_once(real: Listening) -> None:
    heard = real.hear("btcusdt@markPrice@1s")
    real.collect()
    real.wall_ms += 60_000
    real.collect()
    assert real.collect() == 0
    assert len(heard) == 2


def test_a_late_listener_of_another_stream_does_not_move_the_beat(real: Listening) -> None:
    first = real.hear("btcusdt@markPrice@1s")
    real.elapse(400)
    second = real.hear("ethusdt@markPrice@1s")
    real.elapse(1_600)
    assert times(first) == [0, 1_000, 2_000]
    assert times(second) == [400, 1_000, 2_000]


def test_a_wall_clock_that_is_set_back_silences_nobody(real: Listening) -> None:
    changes = real.hear("btcusdt@depth@100ms")
    prices = real.hear("btcusdt@markPrice@1s")
    rest(real, 590_000)
    real.collect()
    real.wall_ms -= 3_600_000
    rest(real, 590_010)
    assert real.due_in_ms() == 0
    real.collect()
    assert (len(changes), len(prices)) == (2, 2)


def test_nobody_listens_and_nothing_is_due(real: Listening) -> None:
    rest(real, 590_000)
    assert real.due_in_ms() is None
    assert real.collect() == 0
    heard = real.hear("btcusdt@markPrice")
    real.leave("btcusdt@markPrice", heard.append)
    assert real.due_in_ms() is None
    assert real.collect() == 0


def test_other_markets_are_not_heard(real: Listening) -> None:
    heard = real.hear("btcusdt@depth")
    rest(real, 290_000, "ETHUSDT")
    assert real.due_in_ms() is None or real.collect() == 0
    assert heard == []
