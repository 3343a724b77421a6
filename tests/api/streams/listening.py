"""A venue without sockets whose market streams have listeners."""

from collections.abc import Callable
from typing import Any

import msgspec
from tests.api.offline import WALL_MS, OfflineVenue

from openperp.api.streams.feed import MarketFeed
from openperp.api.streams.names import Stream, parse
from openperp.engine.commands import Command
from openperp.engine.events import Applied

Listener = Callable[[dict[str, Any]], None]


class Listening(OfflineVenue):
    """Whatever happens goes to the feed; `collect` hands its messages to the listeners.

    `immediate` is what the feed is told of the clock; `elapse` moves both clocks.
    """

    feed: MarketFeed | None = None

    def __init__(self, dialect: str = "ztdx", *, immediate: bool = True, **settings: Any) -> None:
        super().__init__(dialect, **settings)
        self.immediate = immediate
        self.feed = MarketFeed(self.view, lambda: self.immediate)
        self.listeners: dict[str, list[Listener]] = {}

    def apply(self, command: Command) -> Applied:
        applied = super().apply(command)
        if self.feed is not None:
            self.feed.absorb(applied)
        return applied

    def stream(self, name: str) -> Stream:
        stream = parse(name, self.state)
        assert stream is not None, name
        return stream

    def join(self, name: str, listener: Listener) -> None:
        assert self.feed is not None
        listeners = self.listeners.setdefault(name, [])
        if not listeners:
            self.feed.watch(self.stream(name))
        listeners.append(listener)

    def leave(self, name: str, listener: Listener) -> None:
        assert self.feed is not None
        self.listeners[name].remove(listener)
        if not self.listeners[name]:
            self.feed.unwatch(self.stream(name))

    def hear(self, name: str) -> list[Any]:
        """A list to which every message of a stream is added from now on."""
        heard: list[Any] = []
        self.join(name, heard.append)
        return heard

    def collect(self) -> int:
        """Delivers what is due; how many messages that was."""
        assert self.feed is not None
        count = 0
        for name, payload in self.feed.collect(self.wall_ms):
            count += 1
            for listener in self.listeners[name]:
                listener(msgspec.json.decode(payload))
        return count

    def due_in_ms(self) -> int | None:
        """How long until the feed wants to be asked again."""
        assert self.feed is not None
        due_ms = self.feed.next_due_ms(self.wall_ms)
        return None if due_ms is None else due_ms - self.wall_ms

    def elapse(self, by_ms: int) -> None:
        """Time goes by, on both clocks, and the feed is asked just when it wants to be."""
        end_ms = self.wall_ms + by_ms
        while True:
            wait_ms = self.due_in_ms()
            if wait_ms is None or self.wall_ms + wait_ms > end_ms:
                break
            assert wait_ms >= 0
            self.wall_ms += wait_ms
            self.now_ms += wait_ms
            before = self.wall_ms, self.now_ms
            self.collect()
            later = self.due_in_ms()
            assert later is None or later > 0, f"due again at once at {before}"
        self.now_ms += end_ms - self.wall_ms
        self.wall_ms = end_ms


__all__ = ["WALL_MS", "Listening"]
