"""Finds closed orders by client id, at a fraction of what an index of SQLite costs.

Client ids arrive in random order, and a B-tree of them rewrites a page for
nearly every order. Here an order leaves twelve bytes: a hash of its client id
and its key. They gather in a tail, kept in memory and, for a restart, as one
row for each transaction; a full tail becomes a block, whose entries are split
by hash over a few rows. A search reads one small row from each block, the
youngest first.
"""

import sqlite3
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final
from zlib import crc32

from openperp.engine.ids import AUTO_PREFIX, auto_client_id
from openperp.engine.records import OrderRecord
from openperp.history.base import HistoryUnusable
from openperp.history.file import Connection

BLOCK_ENTRIES: Final = 16_384
BUCKET_BITS: Final = 6
"""A block is 64 rows of about 256 entries, 3 KB. Sorting a larger one would hold the
interpreter's lock for longer than an event loop should wait."""
HASH_BITS: Final = 32
BLOCK_BITS: Final = 40
"""Bits of a block's number in the key of its rows, under the bucket."""
BLOCK_MASK: Final = 2**BLOCK_BITS - 1


def find_auto_order_id(client_id: str) -> int | None:
    """The order that has `client_id` if it was given by the engine."""
    digits = client_id.removeprefix(AUTO_PREFIX)
    if digits == client_id or not digits.isdecimal() or not digits.isascii() or len(digits) > 12:
        return None
    order_id = int(digits)
    return order_id if auto_client_id(order_id) == client_id else None


def hash_client_id(account: int, client_id: str, algo: bool, *, fired: bool = False) -> int:
    """32 bits; algo orders have hashes of their own, since their ids may be.

    Those that have `fired` have another: an account may have few of them among many that
    ended before, all of one client id.
    """
    text = f"!{client_id}" if fired else client_id
    return crc32(text.encode(), (account << 1 | algo) & 0xFFFF_FFFF)


class Tail:
    """Entries that are in no block yet: the youngest of each hash, and the rare earlier ones."""

    def __init__(self) -> None:
        self.count = 0
        self._youngest: dict[int, int] = {}
        self._earlier: dict[int, list[int]] = {}

    def keep(self, hashes: Sequence[int], keys: Sequence[int]) -> None:
        youngest = self._youngest
        for hashed, key in zip(hashes, keys, strict=True):
            if hashed in youngest:
                # First the one, then the other: a search in between finds one twice.
                self._earlier.setdefault(hashed, []).append(youngest[hashed])
            youngest[hashed] = key
        self.count += len(hashes)

    def search(self, hashed: int) -> tuple[int, ...]:
        """Keys, the last kept first."""
        key = self._youngest.get(hashed)
        return () if key is None else (key, *reversed(self._earlier.get(hashed, ())))

    def sort(self) -> tuple[list[int], list[int]]:
        """All hashes rising, and their keys; of equal hashes the last kept comes last."""
        hashes = sorted(self._youngest)
        if not self._earlier:
            return hashes, [self._youngest[hashed] for hashed in hashes]
        pairs = [(hashed, key) for hashed in hashes for key in reversed(self.search(hashed))]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


class ClientIdIndex:
    """Client ids to keys of orders. One thread writes, any may search."""

    def __init__(self, connection: Connection) -> None:
        """Carries on what `connection`, the writer's, holds."""
        self._connection = connection
        self._tail = Tail()
        self._part = 0
        self._sealed = False
        ((self._block,),) = connection.query(
            f"SELECT ifnull(max(bucket_block & {BLOCK_MASK}), 0) FROM client_blocks"  # noqa: S608
        )
        for part, entries in connection.query("SELECT * FROM client_tail ORDER BY part"):
            self._part = part
            self._tail.keep(*views(entries))

    def add(self, orders: Sequence[OrderRecord], keys: Sequence[int]) -> None:
        """Writes entries for `orders`, in the transaction that is open."""
        hashes: list[int] = []
        kept: list[int] = []
        for order, key in zip(orders, keys, strict=True):
            client_id = order.client_id
            if client_id[:5] == AUTO_PREFIX and client_id == auto_client_id(order.order_id):
                continue
            hashes.append(hash_client_id(order.account, client_id, order.algo))
            kept.append(key)
            if order.algo and order.triggered_ms:
                hashes.append(hash_client_id(order.account, client_id, True, fired=True))
                kept.append(key)
        if not hashes:
            return
        self._part += 1
        self._connection.execute(
            "INSERT INTO client_tail VALUES (?, ?)", (self._part, pack(hashes, kept))
        )
        self._tail.keep(hashes, kept)
        if self._tail.count >= BLOCK_ENTRIES:
            self._seal()

    def _seal(self) -> None:
        """Turns the tail into a block."""
        hashes, keys = self._tail.sort()
        self._block += 1
        rows: list[tuple[int, bytes]] = []
        start = 0
        for bucket in range(2**BUCKET_BITS):
            end = bisect_left(hashes, (bucket + 1) << HASH_BITS - BUCKET_BITS)
            if end > start:
                entries = pack(hashes[start:end], keys[start:end])
                rows.append((bucket << BLOCK_BITS | self._block, entries))
            start = end
        self._connection.execute_many("INSERT INTO client_blocks VALUES (?, ?)", rows)
        self._connection.execute("DELETE FROM client_tail")
        self._sealed = True

    def committed(self) -> None:
        """Lets go of a tail that became a block: until now no search saw the block."""
        if self._sealed:
            self._forget()

    def clear(self) -> None:
        self._connection.execute("DELETE FROM client_tail")
        self._connection.execute("DELETE FROM client_blocks")
        self._forget()

    def _forget(self) -> None:
        # A new tail: a search may be under way in the old one.
        self._tail = Tail()
        self._sealed = False

    def search(self, reader: sqlite3.Connection, hashed: int) -> Iterator[int]:
        """Keys of orders whose client ids may be the one sought, the last added first."""
        yield from self._tail.search(hashed)
        bucket = hashed >> (HASH_BITS - BUCKET_BITS) << BLOCK_BITS
        rows = reader.execute(
            "SELECT entries FROM client_blocks WHERE bucket_block BETWEEN ? AND ?"
            " ORDER BY bucket_block DESC",
            (bucket, bucket | BLOCK_MASK),
        )
        for (entries,) in rows:
            hashes, keys = views(entries)
            yield from reversed(keys[bisect_left(hashes, hashed) : bisect_right(hashes, hashed)])


def pack(hashes: Sequence[int], keys: Sequence[int]) -> bytes:
    """All hashes, then all keys, in this machine's byte order: the file does not travel."""
    return struct.pack(f"={len(hashes)}I{len(keys)}q", *hashes, *keys)


def views(entries: object) -> tuple[Sequence[int], Sequence[int]]:
    """Hashes and keys, where they lie; raises HistoryUnusable for bytes that are none."""
    if not isinstance(entries, bytes) or len(entries) % 12:
        raise HistoryUnusable("The history cannot be read: its list of client ids is damaged.")
    middle = len(entries) // 12 * 4
    view = memoryview(entries)
    return view[:middle].cast("I"), view[middle:].cast("q")
