"""Files that accounts asked for: kept for a week of venue time, and within bounds.

A file is found by an id that nobody can guess, since whoever has its address may
fetch it. Files belong to this node alone; they are neither journaled nor in the
digest, and a restart forgets them.
"""

from typing import Final

import msgspec

KEPT_MS: Final = 7 * 86_400_000
"""How long a file can be fetched, in venue time."""
FILES_MAX: Final = 100
BYTES_MAX: Final = 32 * 1024 * 1024
"""Bounds over all accounts: the oldest files go first."""


class Download(msgspec.Struct, frozen=True):
    """`kind` is what was asked for: "income", "order" or "trade"."""

    download_id: str
    account: int
    kind: str
    name: str
    body: bytes
    expires_at_ms: int


class Downloads:
    """Oldest first, which is also the order in which they expire."""

    __slots__ = ("_files", "_size")

    def __init__(self) -> None:
        self._files: dict[str, Download] = {}
        self._size = 0

    def clear(self) -> None:
        self._files.clear()
        self._size = 0

    def add(self, download: Download, now_ms: int) -> None:
        """Keeps a file that is no larger than `BYTES_MAX`."""
        self._expire(now_ms)
        self._files[download.download_id] = download
        self._size += len(download.body)
        while len(self._files) > FILES_MAX or self._size > BYTES_MAX:
            self._drop_first()

    def find(self, download_id: str, now_ms: int) -> Download | None:
        self._expire(now_ms)
        return self._files.get(download_id)

    def _expire(self, now_ms: int) -> None:
        while self._files and next(iter(self._files.values())).expires_at_ms <= now_ms:
            self._drop_first()

    def _drop_first(self) -> None:
        first = next(iter(self._files))
        self._size -= len(self._files.pop(first).body)
