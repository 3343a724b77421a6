"""The venue's clock: the wall's, or one that moves only when told to.

Times are milliseconds since the Unix epoch. Venue time never runs backwards.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from time import time_ns

from openperp.api.endpoints.operator import CLOCK_MAX_MS
from openperp.node.errors import ClockError, ConfigError

VIRTUAL_START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z, where a virtual clock starts unless told otherwise."""


def wall_ms() -> int:
    """The machine's own time."""
    return time_ns() // 1_000_000


def parse_instant(text: str) -> int:
    """Milliseconds of an ISO 8601 time; one without an offset is in UTC.

    >>> parse_instant("2026-01-01T00:00:00Z"), parse_instant("2026-01-01")
    (1767225600000, 1767225600000)

    Raises:
        ConfigError: `text` is no such time, or lies before 1970 or after 9999.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"'{text}' is not a time such as 2026-01-01T00:00:00Z") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    milliseconds = round(instant.timestamp() * 1000)
    if milliseconds < 0:
        raise ConfigError(f"'{text}' lies before 1970")
    if milliseconds > CLOCK_MAX_MS:
        raise ConfigError(f"'{text}' lies after the year 9999")
    return milliseconds


def format_instant(milliseconds: int) -> str:
    """ISO 8601 text of a venue time.

    >>> format_instant(1767225600500)
    '2026-01-01T00:00:00.500Z'
    """
    instant = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None)
    return f"{instant.isoformat()}.{milliseconds % 1000:03}Z"


class RealClock:
    """The wall's time, but never before `time_ms`, up to which the venue has already lived."""

    mode = "real"

    def __init__(self, time_ms: int = 0, wall: Callable[[], int] = wall_ms) -> None:
        self.time_ms = time_ms
        self._wall = wall

    def now_ms(self) -> int:
        self.time_ms = max(self.time_ms, self._wall())
        return self.time_ms


class VirtualClock:
    """Stands still at `time_ms`: to move it is to change over to another one."""

    mode = "virtual"

    def __init__(self, time_ms: int = VIRTUAL_START_MS) -> None:
        self.time_ms = time_ms

    def now_ms(self) -> int:
        return self.time_ms

    def moved_to(self, time_ms: int) -> "VirtualClock":
        """Raises: ClockError: `time_ms` lies in the past."""
        if time_ms < self.time_ms:
            raise ClockError(
                f"the clock stands at {format_instant(self.time_ms)} and cannot be set back to "
                f"{format_instant(time_ms)}"
            )
        return VirtualClock(time_ms)


AnyClock = RealClock | VirtualClock


class Clock:
    """The venue's clock, which may change between real and virtual while it runs.

    A change has two steps, because it happens only when it is durable: `plan`
    says which clock it leads to, and `use` changes over to that. `now_ms` is the
    method of whichever clock is in use, so that reading the time costs one call.
    """

    def __init__(self, clock: AnyClock, wall: Callable[[], int] = wall_ms) -> None:
        self._wall = wall
        self.current = clock
        self.now_ms = clock.now_ms
        self.on_change: Callable[[], None] | None = None

    @property
    def mode(self) -> str:
        return self.current.mode

    def plan(
        self,
        clock: AnyClock,
        mode: str | None = None,
        to_ms: int | None = None,
        by_ms: int | None = None,
    ) -> AnyClock:
        """`clock` in another mode, then, if it is virtual, set to `to_ms` or moved by `by_ms`.

        Nothing changes by that.

        Raises:
            ClockError: the time would run backwards, or a real clock would be set.
        """
        if mode is not None and mode != clock.mode:
            clock = self._in_mode(mode, clock.now_ms())
        if to_ms is None and by_ms is None:
            return clock
        if not isinstance(clock, VirtualClock):
            raise ClockError("the real clock cannot be set: change to the virtual clock first")
        return clock.moved_to(clock.time_ms + (by_ms or 0) if to_ms is None else to_ms)

    def use(self, clock: AnyClock) -> None:
        """Changes over to `clock`."""
        self.current = clock
        self.now_ms = clock.now_ms
        if self.on_change is not None:
            self.on_change()

    def _in_mode(self, mode: str, now_ms: int) -> AnyClock:
        if mode == "virtual":
            return VirtualClock(now_ms)
        if self._wall() < now_ms:
            raise ClockError(
                f"venue time is {format_instant(now_ms)}, ahead of the real clock, and time "
                "cannot run backwards"
            )
        return RealClock(now_ms, self._wall)
