"""Parts of a node for tests: journals whose disk can be held or filled, and a small venue."""

import threading
from collections.abc import Sequence

from openperp.engine.commands import Command, CreateAccount, DefineInstrument, OpenVenue, Record
from openperp.engine.state import State
from openperp.journal.base import JournalUncertain
from openperp.journal.memory import MemoryJournal
from openperp.node.clock import Clock, VirtualClock
from openperp.node.instruments import BUILT_IN, specify
from openperp.node.machine import Machine

START_MS = 1_000

BITCOIN = specify("BTCUSDT", BUILT_IN["BTCUSDT"])
OPENING: tuple[Command, ...] = (
    OpenVenue("ztdx"),
    DefineInstrument(BITCOIN.spec, BITCOIN.index_ticks),
    CreateAccount("alice", 10_000 * 10**8),
)


class SlowJournal(MemoryJournal):
    """Writes in the worker thread, and only while `gate` is open."""

    blocking = True  # type: ignore[misc]  # a device that can be waited for

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.groups: list[int] = []

    def append(self, records: Sequence[Record]) -> None:
        self.gate.wait()
        self.groups.append(len(records))
        super().append(records)


class FullJournal(SlowJournal):
    """A disk that has no room while `full`."""

    full = False

    def append(self, records: Sequence[Record]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().append(records)


class DoubtfulJournal(SlowJournal):
    """A disk that fails so that nobody knows what it has."""

    def append(self, records: Sequence[Record]) -> None:  # noqa: ARG002  it fails for any
        raise JournalUncertain("The journal cannot be written: disk I/O error.")


def open_machine() -> Machine:
    """A machine with one instrument and one account."""
    machine = Machine(State())
    for seq, command in enumerate(OPENING, 1):
        machine.apply(Record(seq, START_MS, command))
    return machine


def virtual_clock() -> Clock:
    return Clock(VirtualClock(START_MS))


def change(
    clock: Clock, mode: str | None = None, to_ms: int | None = None, by_ms: int | None = None
) -> None:
    """Plans a change and makes it at once."""
    clock.use(clock.plan(clock.current, mode, to_ms, by_ms))
