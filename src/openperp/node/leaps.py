"""How far the clock may be moved in one record.

A market that follows the mark formula takes a sample every five seconds, and while its
book stands away from the index nearly each of them moves the mark price; each funding
tells of everyone who holds a position. So a year can be millions of events, which one
record would have to tell at once, while everybody waits. The sequencer goes such a
way in leaps, one record each, and answers those who ask in between.

A house that acts of its own accord does so on the way as well, at moments of venue
time that it chooses. Each of them ends a leap.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from openperp.engine.commands import Command, Pulse, Resume
from openperp.engine.funding import HORIZON_MS
from openperp.engine.pricing import HOUR_MS, SAMPLE_MS
from openperp.engine.state import State

DAY_MS: Final = 24 * HOUR_MS

LEAP_EVENTS: Final = 50_000
"""Things that may happen in one leap: about half a second, and a few megabytes."""


def longest_leap(state: State) -> int:
    """Milliseconds in which no more can happen than one record should tell; an hour at least."""
    daily = 0
    for market in state.markets.values():
        if market.formula:
            daily += DAY_MS // SAMPLE_MS
        if market.funding_ms:
            daily += 24 // market.spec.funding_hours * len(state.accounts)
    return max(HOUR_MS, LEAP_EVENTS * DAY_MS // max(1, daily))


def end_of_leap(state: State, from_ms: int, to_ms: int, funded_until_ms: int) -> int:
    """Where the first leap from one time to another ends.

    Behind `funded_until_ms` funding is skipped, so that nothing is left to be told.
    """
    leap_ms = longest_leap(state)
    if from_ms >= funded_until_ms or to_ms - from_ms <= leap_ms:
        return to_ms
    return min(from_ms + leap_ms, funded_until_ms)


def funded_until(from_ms: int) -> int:
    """Up to when a way that begins at `from_ms` pays funding: as the engine has it for a record."""
    return from_ms + HORIZON_MS


class House(Protocol):
    """Whoever acts as venue time passes, such as the traders of the demo market."""

    async def open(self) -> None:
        """Does what must be there before anybody comes."""

    def moments(self, began_ms: int, from_ms: int, to_ms: int) -> Iterator[int]:
        """When it acts on the rest of a way: ascending, after `from_ms`, up to `to_ms`."""

    def act(self, from_ms: int, time_ms: int) -> Sequence[Command]:
        """What it does at one of its moments, after a way from `from_ms`."""


class Leap(NamedTuple):
    """One leap of a way: where it ends, and the commands that happen there."""

    end_ms: int
    commands: Sequence[Command]


def plan_leap(
    state: State, house: House | None, began_ms: int, from_ms: int, to_ms: int
) -> Leap | None:
    """The next leap of a way that began at `began_ms`; None where one record can go the rest.

    What is skipped behind the horizon of funding is skipped before the house acts there.
    """
    funded_until_ms = funded_until(began_ms)
    end_ms = end_of_leap(state, from_ms, to_ms, funded_until_ms)
    if house is not None:
        for moment_ms in house.moments(began_ms, from_ms, to_ms):
            if moment_ms > end_ms:
                break
            commands = house.act(from_ms, moment_ms)
            if commands:
                resume = (Resume(),) if from_ms >= funded_until_ms else ()
                return Leap(moment_ms, (*resume, *commands))
    return Leap(end_ms, (Pulse(),)) if end_ms < to_ms else None
