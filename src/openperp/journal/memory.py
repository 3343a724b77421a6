"""The journal of an ephemeral venue: gone with the process, and the same in all else."""

from collections.abc import Iterator, Sequence
from typing import Final

from openperp.engine.commands import Record
from openperp.journal.record import decode, encode


class MemoryJournal:
    """Keeps each record as its encoded bytes, so a reader gets what a file would give."""

    blocking: Final = False
    identity: Final = ""

    def __init__(self) -> None:
        self._payloads: list[bytes] = []
        self._pruned_seq = 0
        self._snapshot: tuple[int, bytes] | None = None

    @property
    def last_seq(self) -> int:
        return self._pruned_seq + len(self._payloads)

    @property
    def pruned_seq(self) -> int:
        return self._pruned_seq

    def append(self, records: Sequence[Record]) -> None:
        payloads = [encode(record) for record in records]
        assert all(record.seq == seq for seq, record in enumerate(records, self.last_seq + 1)), (
            "records must follow on the youngest one"
        )
        self._payloads += payloads

    def read(self, after_seq: int) -> Iterator[Record]:
        assert self._pruned_seq <= after_seq <= self.last_seq
        return map(decode, self._payloads[after_seq - self._pruned_seq :])

    def save_snapshot(self, seq: int, data: bytes) -> None:
        assert self._pruned_seq <= seq <= self.last_seq
        self._snapshot = (seq, data)
        del self._payloads[: seq - self._pruned_seq]
        self._pruned_seq = seq

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        return self._snapshot

    def close(self) -> None:
        """Does nothing: the records live as long as the object."""
