"""Timers: what is due happens in time, on either clock, and after a failed write."""

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace
from tests.node.desk import START_MS, change, open_machine, virtual_clock
from tests.node.test_bootstrap import bid, run

from openperp.api.endpoint import ClockChange, Submission
from openperp.bootstrap import Venue
from openperp.engine.commands import Command, DefineInstrument, Pulse, SetCountdown
from openperp.engine.events import Applied, CountdownFired
from openperp.node.clock import Clock, RealClock
from openperp.node.errors import JournalFailed, QueueFull, Unavailable
from openperp.node.timers import RETRY_SECONDS, WAIT_MAX_SECONDS, Timers

HOUR_MS = 3_600_000


class Bell:
    """A loop that keeps the one thing it was asked to do later."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._callback: Callable[[], None] | None = None

    def call_later(self, seconds: float, callback: Callable[[], None]) -> "Bell":
        self.seconds, self._callback = seconds, callback
        return self

    def cancel(self) -> None:
        self.seconds = self._callback = None

    def ring(self) -> None:
        callback = self._callback
        assert callback is not None
        self.cancel()
        callback()


class Desk:
    """Timers of a venue whose clock is `now_ms`, and what they sent."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.now_ms = START_MS
        self.clock = clock or Clock(RealClock(0, lambda: self.now_ms))
        self.state = open_machine().state
        self.bell = Bell()
        self.sent: list[Command] = []
        self.outcomes: list[Exception | None] = []
        self.loop = asyncio.new_event_loop()
        self.timers = Timers(
            self.state, self.clock, self._submit, cast("AbstractEventLoop", self.bell)
        )

    def _submit(self, command: Command) -> Future[Applied]:
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Unavailable) and not isinstance(outcome, JournalFailed):
            raise outcome
        self.sent.append(command)
        promise: Future[Applied] = self.loop.create_future()
        if outcome is not None:
            promise.set_exception(outcome)
        else:
            promise.set_result(cast("Any", None))
        return promise

    def due(self, time_ms: int) -> None:
        self.state.due_ms = time_ms
        self.timers.arm()

    def asked(self) -> float | None:
        """The seconds that the loop was asked to wait, if it was."""
        return self.bell.seconds

    def settle(self) -> None:
        """Lets what waits for an outcome hear of it."""
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        self.loop.close()


def test_a_pulse_is_sent_when_the_time_has_come() -> None:
    desk = Desk()
    desk.due(START_MS + 1_500)
    assert desk.asked() == 1.5
    desk.now_ms += 1_500
    desk.bell.ring()
    assert desk.sent == [Pulse()]
    desk.settle()
    assert desk.asked() is None, "the record that it becomes arms the next one"


def test_a_bell_that_rings_early_rings_again() -> None:
    desk = Desk()
    desk.due(START_MS + 1_500)
    desk.now_ms += 1_499
    desk.bell.ring()
    assert (desk.sent, desk.asked()) == ([], 0.001)
    desk.settle()


def test_the_wait_follows_what_is_due() -> None:
    desk = Desk()
    desk.due(START_MS + 5_000)
    desk.due(START_MS + 2_000)
    assert desk.asked() == 2
    desk.due(0)
    assert desk.asked() is None
    desk.due(START_MS + 1_000 * HOUR_MS)
    assert desk.asked() == WAIT_MAX_SECONDS
    desk.timers.stop()
    assert desk.asked() is None
    desk.settle()


def test_what_is_overdue_is_sent_at_once_on_either_clock() -> None:
    for clock in (None, virtual_clock()):
        desk = Desk(clock)
        desk.due(START_MS - 1)
        assert desk.asked() == 0
        desk.settle()


def test_a_virtual_clock_waits_for_nobody() -> None:
    desk = Desk(virtual_clock())
    desk.due(START_MS + 1)
    assert desk.asked() is None
    desk.now_ms = START_MS
    change(desk.clock, "real")
    desk.timers.arm()
    assert desk.asked() is not None
    desk.settle()


def test_a_pulse_that_fails_is_sent_again() -> None:
    desk = Desk()
    desk.outcomes = [QueueFull(), JournalFailed("no space"), None]
    desk.due(START_MS)
    desk.bell.ring()
    assert (desk.sent, desk.asked()) == ([], RETRY_SECONDS)
    desk.bell.ring()
    desk.loop.call_soon(desk.loop.stop)
    desk.loop.run_forever()
    assert (len(desk.sent), desk.asked()) == (1, RETRY_SECONDS)
    desk.bell.ring()
    desk.settle()
    assert (len(desk.sent), desk.asked()) == (2, None)


class Ears:
    """Hears countdowns fire."""

    def __init__(self) -> None:
        self.fired: list[CountdownFired] = []
        self.heard = asyncio.Event()

    def absorb(self, applied: Applied) -> None:
        for event in applied.events:
            if isinstance(event, CountdownFired):
                self.fired.append(event)
                self.heard.set()

    def flush(self) -> None:
        """Nothing is kept back."""


def listening(ears: Ears, test: Callable[[Venue], Awaitable[None]]) -> Any:
    async def listen(venue: Venue) -> None:
        venue.node.sequencer.listeners.append(ears.absorb)
        await test(venue)

    return listen


def test_a_running_venue_fires_on_the_real_clock() -> None:
    ears = Ears()

    async def test(venue: Venue) -> None:
        node = venue.node
        await node.submit(Submission(bid(), lambda _: None))
        await node.submit(Submission(SetCountdown(1, "BTCUSDT", 1), lambda _: None))
        await asyncio.wait_for(ears.heard.wait(), 10)
        assert not node.view.state.orders

    run(None, listening(ears, test), clock="real")


def test_an_advance_fires_all_that_is_due_on_the_way() -> None:
    ears = Ears()

    async def test(venue: Venue) -> None:
        node = venue.node
        now = node.now_ms()
        for symbol, after in (("ETHUSDT", 2_000), ("BTCUSDT", 1_000)):
            await node.submit(Submission(SetCountdown(1, symbol, after), lambda _: None))
        advance = Submission(Pulse(), lambda _: None, ClockChange(by_ms=HOUR_MS))
        assert (await node.submit(advance)).time_ms == now + HOUR_MS
        assert [(event.symbol, event.due_ms - now) for event in ears.fired] == [
            ("BTCUSDT", 1_000),
            ("ETHUSDT", 2_000),
        ]

    run(None, listening(ears, test))


def test_what_came_due_while_the_venue_was_down_has_fired_when_it_is_ready(tmp_path: Path) -> None:
    """Without funding, for whose sake a venue would let it happen while it opens."""

    async def before(venue: Venue) -> None:
        for market in venue.node.view.state.markets.values():
            unfunded = replace(market.spec, funding_hours=0)
            define = DefineInstrument(unfunded, market.initial_ticks)
            await venue.node.submit(Submission(define, lambda _: None))
        await venue.node.submit(Submission(bid(), lambda _: None))
        await venue.node.submit(Submission(SetCountdown(1, "BTCUSDT", 1_000), lambda _: None))

    async def after(venue: Venue) -> None:
        assert not venue.node.view.state.orders
        assert not venue.node.view.state.due_ms

    run(tmp_path, before, clock_start="2020-01-01")
    run(tmp_path, after, clock="real")
