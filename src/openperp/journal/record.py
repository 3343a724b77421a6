"""The form of a record in a journal: MessagePack, linked by a chain of checksums.

The link of a record is the checksum of the link before it followed by the
record's bytes, so it vouches for the whole past. Bytes that were journaled must
read the same for ever; a frozen journal in the tests holds us to that.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from openperp.engine.commands import Record
from openperp.journal.base import JournalDamaged

LINK_SIZE: Final = 16
"""Bytes of a link."""

FIRST_LINK: Final = bytes(LINK_SIZE)
"""What the first record is linked to."""

Frame = tuple[int, bytes, bytes]
"""A record as it is stored: its number, its bytes and its link."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


def encode(record: Record) -> bytes:
    return _encode(record)


def decode(payload: bytes) -> Record:
    """The record; raises msgspec.MsgspecError for bytes that are none."""
    return _decode(payload)


def link(previous: bytes, payload: bytes) -> bytes:
    """The checksum of `previous`, a link, and everything before it, with `payload`."""
    return blake2b(previous + payload, digest_size=LINK_SIZE).digest()


def frame(records: Sequence[Record], previous: bytes) -> list[Frame]:
    """The records in stored form, linked to `previous` and then to each other."""
    frames: list[Frame] = []
    for record in records:
        payload = _encode(record)
        previous = blake2b(previous + payload, digest_size=LINK_SIZE).digest()
        frames.append((record.seq, payload, previous))
    return frames


def unframe(frames: Iterable[Frame], after_seq: int, previous: bytes) -> Iterator[Record]:
    """The records, verified against the link of record `after_seq`.

    Raises JournalDamaged before it yields a record with a gap in front of it or
    with a wrong link.
    """
    expected = after_seq
    for seq, payload, stored in frames:
        expected += 1
        if seq != expected:
            raise JournalDamaged(expected, "the record is missing")
        try:
            linked = blake2b(previous + payload, digest_size=LINK_SIZE).digest()
        except TypeError:
            linked = b""
        if linked != stored:
            raise JournalDamaged(seq, "its bytes do not match its checksum")
        yield _read(seq, payload)
        previous = linked


def _read(seq: int, payload: bytes) -> Record:
    try:
        record = _decode(payload)
    except msgspec.MsgspecError as error:
        raise JournalDamaged(
            seq, f"it is no record of this version of openperp ({error})"
        ) from error
    if record.seq != seq:
        raise JournalDamaged(seq, f"it holds record {record.seq}")
    return record
