"""A state and the one way to change it: records in, outcomes out.

A live node, a restart and a check of the journal all run this machine; they
differ in where their records come from and in who listens.
"""

import logging

import msgspec

from openperp.engine.apply import apply
from openperp.engine.commands import Record
from openperp.engine.events import Applied
from openperp.engine.state import State
from openperp.engine.terms import Mode
from openperp.node.errors import CommandFailed, OutcomeUnknown

log = logging.getLogger(__name__)


class Fault(msgspec.Struct, frozen=True):
    """A bug of ours that came to light at record `seq`; `sentence` says what broke."""

    seq: int
    sentence: str


class Machine:
    """The engine behind its only door.

    `fault` is the first bug that was seen. From then on the venue is in
    cancel-only mode: people can leave, nobody can enter.

    `halted` says why nothing is applied any more: the state and the journal may
    have parted, and only a start from the journal brings them together again.
    """

    __slots__ = ("fault", "halted", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.fault: Fault | None = None
        self.halted = ""

    def apply(self, record: Record) -> Applied:
        """Applies `record`, the successor of the one before.

        Raises:
            CommandFailed: the engine broke on it; the machine goes on.
            OutcomeUnknown: the machine has halted, or halts because a record is missing.
        """
        if self.halted or record.seq != self.state.seq + 1:
            self.halt(f"record {record.seq} came where {self.state.seq + 1} had to")
            raise OutcomeUnknown(self.halted)
        try:
            return apply(self.state, record)
        except Exception as error:
            self._contain(record, error)
            raise CommandFailed(record.seq) from error

    def halt(self, sentence: str) -> None:
        """Applies nothing from here on; the first reason is kept."""
        if not self.halted:
            self.halted = sentence
            log.critical("The venue has halted and needs a restart: %s", sentence)

    def note(self, seq: int, sentence: str) -> None:
        """Keeps the evidence of a bug, if it is the first."""
        if self.fault is None:
            self.fault = Fault(seq, sentence)

    def _contain(self, record: Record, error: Exception) -> None:
        """Makes the broken record part of the past, so that a replay does the same again."""
        state = self.state
        state.seq = record.seq
        state.time_ms = max(state.time_ms, record.time_ms)
        state.mode = Mode.CANCEL_ONLY
        self.note(record.seq, f"{type(error).__name__} while applying record {record.seq}")
        log.critical(
            "The engine broke on record %d (%s); the venue accepts cancels only. "
            "See it again with: openperp verify DATA",
            record.seq,
            type(record.command).__name__,
            exc_info=error,
        )


def failed(record: Record) -> Applied:
    """What a record that broke the engine did, for those who must see every record."""
    return Applied(record.seq, record.time_ms, record.command, None, ())
