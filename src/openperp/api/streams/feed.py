"""Market streams: what is told to whom, and when, as a pure object."""

from collections.abc import Callable, Iterable

from openperp.api.streams.names import Stream
from openperp.api.view import View
from openperp.engine.events import Applied


class MarketFeed:
    """Hears every record and hands out the payloads of the streams that are watched."""

    def __init__(self, view: View, immediate: Callable[[], bool]) -> None:
        self._view = view
        self._immediate = immediate

    def watch(self, stream: Stream) -> None:
        """The first listener of `stream` has come."""

    def unwatch(self, stream: Stream) -> None:
        """The last listener of `stream` has left."""

    def absorb(self, applied: Applied) -> None:
        """Notes what one record did to what is watched."""

    def collect(self, wall_ms: int) -> Iterable[tuple[str, bytes]]:
        """What is due: names of streams with payloads."""
        return ()

    def next_due_ms(self, wall_ms: int) -> int | None:
        """When `collect` has something again, on the wall clock; None while nothing waits."""
        return None
