"""What is due happens although nobody asks for anything: a pulse is sent when its time has come.

Only the state says what is due and when, and what happens then is the engine's
business. A virtual clock needs no waiting: whatever moves it is a command, and
that lets happen what was due on the way.
"""

from asyncio import AbstractEventLoop, Future, TimerHandle
from collections.abc import Callable
from typing import Final

from openperp.engine.commands import Command, Pulse
from openperp.engine.events import Applied
from openperp.engine.state import State
from openperp.node.clock import Clock
from openperp.node.errors import Unavailable

RETRY_SECONDS: Final = 1.0
"""Until a pulse that could not be written is tried again."""

WAIT_MAX_SECONDS: Final = 3_600.0
"""The longest time that a loop is asked to wait in one go."""


class Timers:
    """One timer for the earliest of all that is due; `arm` follows the state."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        submit: Callable[[Command], Future[Applied]],
        loop: AbstractEventLoop,
    ) -> None:
        self._state = state
        self._clock = clock
        self._submit = submit
        self._loop = loop
        self._handle: TimerHandle | None = None
        self._armed: tuple[int, str] = (0, "")
        self._stopped = False

    def arm(self) -> None:
        """Waits for what is due next; costs nothing while that stays the same."""
        wanted = (self._state.due_ms, self._clock.mode)
        if wanted != self._armed:
            self._armed = wanted
            self._wait()

    def stop(self) -> None:
        """Sends nothing any more."""
        self._stopped = True
        self._cancel()

    def _cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wait(self) -> None:
        self._cancel()
        due_ms = self._state.due_ms
        left_ms = max(0, due_ms - self._clock.now_ms())
        if not due_ms or self._stopped or (left_ms and self._clock.mode == "virtual"):
            return
        self._ring_in(min(left_ms / 1_000, WAIT_MAX_SECONDS))

    def _ring_in(self, seconds: float) -> None:
        self._handle = self._loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._handle = None
        if self._clock.now_ms() < self._state.due_ms:
            self._wait()
            return
        try:
            self._submit(Pulse()).add_done_callback(self._rang)
        except Unavailable:
            self._ring_in(RETRY_SECONDS)

    def _rang(self, promise: Future[Applied]) -> None:
        """A pulse that did not happen leaves what is due as it was."""
        failed = promise.cancelled() or promise.exception() is not None
        if failed and not self._stopped and self._handle is None:
            self._ring_in(RETRY_SECONDS)
