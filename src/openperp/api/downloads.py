"""Files that accounts asked for: kept for a week of venue time, and within bounds.

A file is found by an id that nobody can guess, since whoever has its address may
fetch it. Files belong to this node alone; they are neither journaled nor in the
digest, and a restart forgets them.
"""

from typing import Final

import msgspec

KEPT_MS: Final = 7 * 86_400_000
"""How long a file can be fetched, in venue time."""
ACCOUNT_FILES_MAX: Final = 100
ACCOUNT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bounds of one account: its oldest files go first."""
FILES_MAX: Final = 1_000
BYTES_MAX: Final = 32 * 1024 * 1024
"""Bounds over all accounts: the oldest files of the one that holds the most go first."""


class Download(msgspec.Struct, frozen=True):
    """`kind` is what was asked for: "income", "order" or "trade"."""

    download_id: str
    account: int
    kind: str
    name: str
    body: bytes
    expires_at_ms: int


class Shelf:
    """The files of one account, oldest first; `size` is their bytes."""

    __slots__ = ("files", "size")

    def __init__(self) -> None:
        self.files: dict[str, Download] = {}
        self.size = 0


class Downloads:
    """Oldest first, which is also the order in which they expire."""

    __slots__ = ("_files", "_shelves", "_size")

    def __init__(self) -> None:
        self._files: dict[str, Download] = {}
        self._shelves: dict[int, Shelf] = {}
        self._size = 0

    def clear(self) -> None:
        self._files.clear()
        self._shelves.clear()
        self._size = 0

    def add(self, download: Download, now_ms: int) -> None:
        """Keeps a file that is no larger than `ACCOUNT_BYTES_MAX`."""
        self._expire(now_ms)
        self._make_room(download.account, len(download.body))
        shelf = self._shelves.setdefault(download.account, Shelf())
        for files in (self._files, shelf.files):
            files[download.download_id] = download
        shelf.size += len(download.body)
        self._size += len(download.body)

    def find(self, download_id: str, now_ms: int) -> Download | None:
        self._expire(now_ms)
        return self._files.get(download_id)

    def _make_room(self, account: int, size: int) -> None:
        shelf = self._shelves.get(account)
        while shelf is not None and (
            len(shelf.files) >= ACCOUNT_FILES_MAX or shelf.size + size > ACCOUNT_BYTES_MAX
        ):
            self._drop_first(shelf)
        while len(self._files) >= FILES_MAX:
            self._drop_first(max(self._shelves.values(), key=lambda shelf: len(shelf.files)))
        while self._size + size > BYTES_MAX:
            self._drop_first(max(self._shelves.values(), key=lambda shelf: shelf.size))

    def _expire(self, now_ms: int) -> None:
        while self._files:
            first = next(iter(self._files.values()))
            if first.expires_at_ms > now_ms:
                break
            self._drop_first(self._shelves[first.account])

    def _drop_first(self, shelf: Shelf) -> None:
        dropped = shelf.files.pop(next(iter(shelf.files)))
        del self._files[dropped.download_id]
        shelf.size -= len(dropped.body)
        self._size -= len(dropped.body)
        if not shelf.files:
            del self._shelves[dropped.account]
