import pytest
from tests.node.desk import change

from openperp.node.clock import Clock, RealClock, VirtualClock, format_instant, parse_instant
from openperp.node.errors import ClockError


class Wall:
    """A wall clock that stands where it is put."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


def test_a_real_clock_follows_the_wall_but_never_runs_backwards() -> None:
    wall = Wall(1_000)
    clock = RealClock(wall=wall)
    assert clock.now_ms() == 1_000
    wall.now_ms = 900
    assert clock.now_ms() == 1_000
    wall.now_ms = 1_001
    assert clock.now_ms() == 1_001


def test_a_real_clock_waits_where_the_venue_already_was() -> None:
    assert RealClock(5_000, Wall(1_000)).now_ms() == 5_000


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock = Clock(VirtualClock(100))
    assert (clock.mode, clock.now_ms()) == ("virtual", 100)
    change(clock, by_ms=50)
    assert clock.now_ms() == 150
    change(clock, to_ms=150)
    assert clock.now_ms() == 150


@pytest.mark.parametrize(("to_ms", "by_ms"), [(99, None), (None, -1)])
def test_setting_a_virtual_clock_back_is_refused(to_ms: int | None, by_ms: int | None) -> None:
    clock = Clock(VirtualClock(100))
    with pytest.raises(ClockError, match="cannot be set back"):
        change(clock, to_ms=to_ms, by_ms=by_ms)
    assert clock.now_ms() == 100


def test_a_real_clock_cannot_be_set() -> None:
    clock = Clock(RealClock(wall=Wall(100)))
    with pytest.raises(ClockError, match="change to the virtual clock first"):
        change(clock, by_ms=1)
    assert clock.now_ms() == 100


def test_switching_keeps_the_time() -> None:
    wall = Wall(100)
    clock = Clock(RealClock(wall=wall), wall)
    change(clock, mode="virtual")
    wall.now_ms = 200
    assert (clock.mode, clock.now_ms()) == ("virtual", 100)
    change(clock, mode="real")
    assert (clock.mode, clock.now_ms()) == ("real", 200)


def test_a_switch_and_a_move_happen_together_or_not_at_all() -> None:
    wall = Wall(100)
    clock = Clock(RealClock(wall=wall), wall)
    with pytest.raises(ClockError):
        change(clock, mode="virtual", to_ms=50)
    assert clock.mode == "real"
    change(clock, mode="virtual", to_ms=500)
    assert (clock.mode, clock.now_ms()) == ("virtual", 500)


def test_a_venue_ahead_of_the_wall_cannot_go_back_to_it() -> None:
    clock = Clock(VirtualClock(500), Wall(100))
    with pytest.raises(ClockError, match="ahead of the real clock"):
        change(clock, mode="real")
    assert clock.mode == "virtual"


def test_instants() -> None:
    assert parse_instant("2026-01-01T02:00:00+02:00") == 1_767_225_600_000
    assert format_instant(parse_instant("2026-01-01T00:00:00.250Z")) == "2026-01-01T00:00:00.250Z"
