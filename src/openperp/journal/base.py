"""What a journal is: one total order of records, durable before anyone is answered."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from openperp.engine.commands import Record


class JournalError(Exception):
    """A journal that cannot be used; the message is one sentence for an operator."""


class JournalDamaged(JournalError):
    """What is stored is not what was written.

    `seq` is the first record that cannot be trusted, or 0 where the damage
    belongs to no record.
    """

    def __init__(self, seq: int, why: str) -> None:
        place = f" at record {seq}" if seq else ""
        super().__init__(f"The journal is damaged{place}: {why}.")
        self.seq = seq
        self.why = why


class JournalUnusable(JournalError):
    """The file is not ours, is from a newer version, or cannot be read or written."""


class JournalUncertain(JournalError):
    """A write failed in such a way that only the next start can tell whether it is there."""


class DataDirectoryBusy(JournalError):
    """Another process serves the data directory."""

    def __init__(self, directory: str, holder: int | None = None) -> None:
        process = "another process" if holder is None else f"process {holder}"
        super().__init__(
            f"The data directory {directory} is in use by {process}: "
            "stop that first, or choose another directory."
        )


class Journal(Protocol):
    """The only memory of a venue: whatever is not derived from it may be lost.

    Records are numbered from 1 without gaps. All methods may be called from any
    thread, but from one thread at a time; no method may be called while another
    one runs, an unfinished `read` excepted.
    """

    @property
    def blocking(self) -> bool:
        """Whether `append` and `save_snapshot` wait for a device.

        If so they belong in a worker thread.
        """
        ...

    @property
    def identity(self) -> str:
        """Names this journal for ever.

        Whoever derives a store from a journal notes it, and so finds out when the
        journal beside the store is another one.
        """
        ...

    @property
    def last_seq(self) -> int:
        """The number of the youngest record, pruned ones included; 0 if there never was one."""
        ...

    @property
    def pruned_seq(self) -> int:
        """The number of the last record that a snapshot replaced; 0 if there is no snapshot."""
        ...

    def append(self, records: Sequence[Record]) -> None:
        """Adds records whose numbers follow on `last_seq`; returns when they are durable.

        All of them are stored or none. Raises JournalUncertain where that cannot be
        made certain; whatever else it raises, none is stored and none will be found
        after a crash.
        """
        ...

    def read(self, after_seq: int) -> Iterator[Record]:
        """The records behind `after_seq`, a few at a time, each verified.

        `after_seq` lies between the snapshot and `last_seq`. Raises JournalDamaged
        before it yields the first record that cannot be trusted.
        """
        ...

    def save_snapshot(self, seq: int, data: bytes) -> None:
        """Stores the state after record `seq`, then forgets the records up to it.

        One step: after a crash there is either the old snapshot with all its
        records or the new one. Stores that are derived from the records must be
        durable up to `seq` before.
        """
        ...

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """The number of the last record in it and the state; raises JournalDamaged."""
        ...

    def close(self) -> None:
        """Lets go of files and locks; may be called twice."""
        ...
