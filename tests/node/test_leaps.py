"""A clock that is moved far goes in leaps: the same comes of it, and nobody waits for all of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from tests.node.desk import OPENING, START_MS, FullJournal, virtual_clock

from openperp.api.endpoint import ClockChange
from openperp.engine.commands import (
    Command,
    CreateAccount,
    PlaceOrder,
    Pulse,
    Record,
    Resume,
    SetPrice,
)
from openperp.engine.events import Applied, Event, TimePassed
from openperp.engine.funding import HORIZON_MS
from openperp.engine.pricing import HOUR_MS
from openperp.engine.snapshot import digest
from openperp.engine.state import State
from openperp.engine.terms import OrderType, Side
from openperp.journal.memory import MemoryJournal
from openperp.node.clock import Clock, VirtualClock
from openperp.node.errors import JournalFailed, OutcomeUnknown
from openperp.node.leaps import DAY_MS, LEAP_EVENTS, longest_leap
from openperp.node.machine import Machine
from openperp.node.sequencer import Sequencer

LIMIT = OrderType.LIMIT
STANDING: tuple[Command, ...] = (
    *OPENING,
    CreateAccount("bob", 10_000 * 10**8),
    PlaceOrder(1, "BTCUSDT", Side.BUY, LIMIT, 900, 612_000),
    PlaceOrder(2, "BTCUSDT", Side.SELL, LIMIT, 900, 612_010),
    PlaceOrder(1, "BTCUSDT", Side.BUY, LIMIT, 1, 612_010),
    SetPrice("BTCUSDT", 600_000, moves_last=True, formula=True),
)
"""A market whose book stands away from the index, and a position that pays for it."""


class Desk:
    """A sequencer with some commands behind it; `seen` is what its listener saw."""

    def __init__(self, commands: tuple[Command, ...], journal: MemoryJournal) -> None:
        self.machine = Machine(State())
        records = [Record(seq, START_MS, command) for seq, command in enumerate(commands, 1)]
        journal.append(records)
        for record in records:
            self.machine.apply(record)
        self.clock = virtual_clock()
        self.seen: list[Applied] = []
        self.sequencer = Sequencer(self.machine, journal, self.clock, asyncio.get_running_loop())
        self.sequencer.listeners.append(self.seen.append)

    def move(self, by_ms: int) -> asyncio.Future[Applied]:
        return self.sequencer.submit(Pulse(), ClockChange(by_ms=by_ms))

    def records(self) -> list[tuple[int, Command]]:
        return [(each.time_ms - START_MS, each.command) for each in self.seen]


def run(
    test: Callable[[Desk], Awaitable[None]],
    commands: tuple[Command, ...] = STANDING,
    journal: MemoryJournal | None = None,
) -> None:
    async def go() -> None:
        desk = Desk(commands, journal or MemoryJournal())
        await test(desk)
        await desk.sequencer.stop()

    asyncio.run(go())


def events(seen: list[Applied]) -> Iterator[Event]:
    """What was told, apart from the times, which a record of its own does not need to tell."""
    for applied in seen:
        yield from (event for event in applied.events if not isinstance(event, TimePassed))


def test_leaps_come_to_the_same_as_one_step() -> None:
    async def test(desk: Desk) -> None:
        leap = longest_leap(desk.machine.state)
        far = 3 * leap + 7_001
        assert (await desk.move(by_ms=far)).time_ms == START_MS + far == desk.clock.now_ms()
        stops = [leap, 2 * leap, 3 * leap, far]
        assert desk.records() == [(stop, Pulse()) for stop in stops]
        assert max(len(applied.events) for applied in desk.seen) < 3 * LEAP_EVENTS

        whole = Desk(STANDING, MemoryJournal())
        applied = whole.machine.apply(Record(len(STANDING) + 1, START_MS + far, Pulse()))
        assert digest(whole.machine.state) == digest(desk.machine.state)
        told = list(events(desk.seen))
        assert told == list(events([applied]))
        assert len(told) > LEAP_EVENTS // 2

    run(test)


def test_a_market_in_which_nothing_happens_is_crossed_in_one_record() -> None:
    async def test(desk: Desk) -> None:
        await desk.move(by_ms=300 * DAY_MS)
        assert desk.records() == [(300 * DAY_MS, Pulse())]

    run(test, OPENING)


def test_leaps_are_shorter_the_more_can_happen() -> None:
    machine = Machine(State())
    for seq, command in enumerate(OPENING, 1):
        machine.apply(Record(seq, START_MS, command))
    calm = longest_leap(machine.state)
    for number in range(100):
        machine.apply(Record(machine.state.seq + 1, START_MS, CreateAccount(f"more-{number}", 0)))
    crowded = longest_leap(machine.state)
    machine.state.markets["BTCUSDT"].formula = True
    assert calm > crowded > longest_leap(machine.state) > HOUR_MS
    everybody = dict.fromkeys(range(1, 1_000_000), machine.state.accounts[1])
    machine.state.accounts = everybody
    assert longest_leap(machine.state) == HOUR_MS


def test_beyond_the_horizon_of_funding_there_is_one_leap_more() -> None:
    async def test(desk: Desk) -> None:
        far = HORIZON_MS + 100 * 365 * DAY_MS
        await desk.sequencer.submit(Pulse(), ClockChange(to_ms=START_MS + far))
        stops = desk.records()
        assert stops[-2:] == [(HORIZON_MS, Pulse()), (far, Resume())]
        assert len(stops) == -(-HORIZON_MS // longest_leap(desk.machine.state)) + 1
        assert len(desk.seen[-1].events) < 10

    run(test, (*OPENING, SetPrice("BTCUSDT", 600_000, formula=True)))


def test_others_come_after_and_reads_between() -> None:
    async def test(desk: Desk) -> None:
        leap = longest_leap(desk.machine.state)
        moved = desk.move(by_ms=3 * leap)
        later = desk.sequencer.submit(Pulse())
        between = set()
        while not moved.done():
            between.add(desk.clock.now_ms() - START_MS)
            await asyncio.sleep(0)
        assert between >= {leap, 2 * leap}
        assert (await later).time_ms == (await moved).time_ms == START_MS + 3 * leap
        assert (await later).seq == (await moved).seq + 1

    run(test)


def test_a_change_to_the_real_clock_goes_in_leaps_too() -> None:
    async def test(desk: Desk) -> None:
        leap = longest_leap(desk.machine.state)
        wall = START_MS + 2 * leap + 5
        desk.clock = desk.sequencer._clock = Clock(VirtualClock(START_MS), lambda: wall)
        await desk.sequencer.submit(Pulse(), ClockChange(mode="real"))
        assert desk.clock.mode == "real"
        assert desk.records() == [(stop, Pulse()) for stop in (leap, 2 * leap, 2 * leap + 5)]

    run(test)


def test_a_leap_that_is_not_written_ends_the_way() -> None:
    journal = FullJournal()

    async def test(desk: Desk) -> None:
        leap = longest_leap(desk.machine.state)
        moved = desk.move(by_ms=3 * leap)
        desk.sequencer.listeners.append(lambda _: setattr(journal, "full", True))
        with pytest.raises(JournalFailed):
            await moved
        assert desk.clock.now_ms() == START_MS + leap
        journal.full = False
        assert (await desk.sequencer.submit(Pulse())).time_ms == START_MS + leap

    run(test, journal=journal)


def test_a_stop_does_not_wait_for_the_rest() -> None:
    async def test(desk: Desk) -> None:
        leap = longest_leap(desk.machine.state)
        moved = desk.move(by_ms=300 * leap)
        await desk.sequencer.stop()
        with pytest.raises(OutcomeUnknown):
            await moved
        assert desk.machine.state.time_ms <= START_MS + 2 * leap

    run(test)
