"""How often streams speak: a beat is all channels of one pace."""

from openperp.api.streams.channel import Channel


class Beat:
    """The channels that may speak every `pace_ms` of wall time, or at once where that is 0.

    Steady ones speak on each beat. The others speak when they were woken: the
    first time at once, and from then on no sooner than a pace after the last.
    """

    def __init__(self, pace_ms: int, *, steady: bool) -> None:
        self._pace_ms = pace_ms
        self._steady = steady
        self._channels: dict[str, Channel] = {}
        self._awake: dict[str, Channel] = {}
        self._next_ms = 0

    def add(self, channel: Channel) -> None:
        self._channels[channel.stream.name] = channel
        if self._steady or channel.greets:
            self.wake(channel)

    def remove(self, name: str) -> None:
        del self._channels[name]
        self._awake.pop(name, None)

    def wake(self, channel: Channel) -> None:
        """`channel` has something to say."""
        self._awake[channel.stream.name] = channel

    def due_ms(self, wall_ms: int, *, immediate: bool) -> int | None:
        """When somebody here speaks; None while nobody has anything to say."""
        if self._steady:
            if self._awake:
                return wall_ms
            return self._turn_ms(wall_ms) if self._channels else None
        if not self._awake:
            return None
        return wall_ms if immediate or not self._pace_ms else self._turn_ms(wall_ms)

    def take(self, wall_ms: int, *, immediate: bool) -> list[Channel]:
        """Who speaks now."""
        if self._steady:
            return self._take_steady(wall_ms)
        if not self._awake:
            return []
        if self._pace_ms and not immediate:
            if self._turn_ms(wall_ms) > wall_ms:
                return []
            self._next_ms = wall_ms + self._pace_ms
        return self._take_awake()

    def _take_steady(self, wall_ms: int) -> list[Channel]:
        """All of them on the beat, which stays where it began; those that are new between two."""
        if self._channels and self._turn_ms(wall_ms) <= wall_ms:
            late_ms = wall_ms - self._next_ms
            if late_ms >= self._pace_ms:
                late_ms = 0
            self._next_ms = wall_ms - late_ms + self._pace_ms
            self._awake.clear()
            return list(self._channels.values())
        return self._take_awake()

    def _take_awake(self) -> list[Channel]:
        awake, self._awake = self._awake, {}
        return list(awake.values())

    def _turn_ms(self, wall_ms: int) -> int:
        """The next turn; now, if a wall clock that was set back has put it out of reach."""
        if self._next_ms - wall_ms > self._pace_ms:
            self._next_ms = wall_ms
        return max(self._next_ms, wall_ms)
