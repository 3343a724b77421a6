"""Damage in SQLite's log, told from a tail that a crash tore off.

Groups of records are durable in the log, the file `journal.sqlite-wal`, before
they are copied into the journal's file. SQLite reads the log up to its first
broken frame and drops what comes behind without a word, which is right for the
end of a write that was under way and wrong for anything else.

Each group is synced before the next one is begun. A broken frame with a whole
group behind it, and behind that the beginning of one more, was durable once:
that is damage. While a journal is open its file carries a mark, set when the log
was durable, so a log that is missing or has lost its beginning is damage too.

What cannot be told: damage in the last group of a log (and in the one before, where
it hits a group's end), a log cut short behind its beginning, or an older copy of
both files. A history that has seen more records than the journal has gives these
away as well.

The layout is that of https://www.sqlite.org/fileformat2.html#walformat.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from mmap import ACCESS_READ, mmap
from operator import mul
from pathlib import Path
from typing import Final

from openperp.journal.base import JournalDamaged

HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
SECTOR_BYTES: Final = 512
"""What a disk writes whole or not at all."""

_MAGIC: Final = {0x377F_0682: "<", 0x377F_0683: ">"}
"""The order of bytes in the words that are summed."""
_SUM_BITS: Final = 96
"""Room for an unreduced sum of products, so that one pass over a page makes both sums."""
_WORD: Final = 2**32 - 1

Sums = tuple[int, int]


def check_log(path: Path, *, expected: bool) -> None:
    """Looks at the log of the file at `path`, before SQLite does.

    `expected` says that there must be one. Raises JournalDamaged.
    """
    name = path.with_name(path.name + "-wal")
    with _mapped(name) as data:
        if not any(data[:HEADER_BYTES]) or len(data) < HEADER_BYTES:
            if expected:
                raise JournalDamaged(
                    0,
                    f"its log {name} is missing or has lost its beginning"
                    " (see docs/how-to/start-over.md if another program has opened it)",
                )
            return
        log = Log(data)
        if not log.has_header:
            raise JournalDamaged(0, f"the first bytes of its log {name} are damaged")
        broken = log.find_damage()
        if broken is not None:
            place = log.place(broken)
            raise JournalDamaged(0, f"its log {name} is damaged at byte {place}")


@contextmanager
def _mapped(name: Path) -> Iterator[bytes | mmap]:
    if not name.exists() or name.stat().st_size == 0:
        yield b""
        return
    with name.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        yield data


class Log:
    """The frames of a log, counted from 0; each one is a page that a group wrote."""

    def __init__(self, data: bytes | mmap) -> None:
        self._data = data
        magic, _, page_bytes = struct.unpack_from(">3I", data)
        self._salts = data[16:24]
        self._order = _MAGIC.get(magic, "<")
        header = struct.unpack_from(f"{self._order}6I", data)
        self._start: Sums = struct.unpack_from(">2I", data, 24)
        self.has_header = (
            magic in _MAGIC
            and page_bytes in {2**power for power in range(9, 17)}
            and _sum_up((0, 0), header) == self._start
        )
        self._page_words = page_bytes // 4
        self._frame_bytes: int = FRAME_HEADER_BYTES + page_bytes
        self.count = (len(data) - HEADER_BYTES) // self._frame_bytes

    def place(self, frame: int) -> int:
        """Where a frame begins."""
        return HEADER_BYTES + frame * self._frame_bytes

    def find_damage(self) -> int | None:
        """The first broken frame, if what lies behind it proves that it was durable."""
        broken = next((frame for frame in range(self.count) if not self._follows(frame)), None)
        if broken is None:
            return None
        for frame in range(broken, self.count - 1):
            if not self._is_end(frame) or not self._follows(frame + 1):
                continue
            # The broken one's header is believed where a power cut cannot have split it.
            if self._follows(frame) if frame > broken else self._has_whole_header(frame):
                return broken
        return None

    def _follows(self, frame: int) -> bool:
        """Whether a frame was written behind the one that is in front of it now."""
        if not self._is_current(frame):
            return False
        at = self.place(frame)
        words = struct.unpack_from(f"{self._order}2I", self._data, at)
        words += struct.unpack_from(
            f"{self._order}{self._page_words}I", self._data, at + FRAME_HEADER_BYTES
        )
        return _sum_up(self._sums(frame - 1), words) == self._sums(frame)

    def _is_current(self, frame: int) -> bool:
        """Whether it belongs to this log, and is not left from before its last new beginning."""
        at = self.place(frame) + 8
        return self._data[at : at + 8] == self._salts

    def _is_end(self, frame: int) -> bool:
        """Whether it is the last one of a group."""
        at = self.place(frame)
        return self._is_current(frame) and any(self._data[at + 4 : at + 8])

    def _sums(self, frame: int) -> Sums:
        if frame < 0:
            return self._start
        sums: Sums = struct.unpack_from(">2I", self._data, self.place(frame) + 16)
        return sums

    def _has_whole_header(self, frame: int) -> bool:
        """Whether a power cut leaves either all of the frame's header or nothing of it."""
        at = self.place(frame)
        return at // SECTOR_BYTES == (at + FRAME_HEADER_BYTES - 1) // SECTOR_BYTES


def _sum_up(sums: Sums, words: tuple[int, ...]) -> Sums:
    """SQLite's sums over pairs of words: s1 += x + s2, s2 += y + s1, each of 32 bits.

    They are linear in the words, so a page costs one product of vectors.
    """
    weights = _weigh(len(words))
    total = sum(map(mul, weights, (*sums, *words)))
    return total & _WORD, total >> _SUM_BITS & _WORD


@lru_cache(maxsize=4)
def _weigh(count: int) -> tuple[int, ...]:
    """What the two sums before `count` words, and each of these, add to the sums after them."""
    columns: list[list[int]] = []
    for first, second in ((1, 0), (0, 1)):
        weights: list[int] = []
        for _ in range(count // 2):
            weights += (second, (first + second) & _WORD)
            first, second = (first + second) & _WORD, (first + 2 * second) & _WORD
        columns.append([*weights, second, first])
    pairs = zip(*columns, strict=True)
    return tuple(reversed([one | two << _SUM_BITS for one, two in pairs]))
