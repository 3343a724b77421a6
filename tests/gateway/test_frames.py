"""The short way of a text frame, in and out, tells what the library tells."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from openperp.gateway.sockets import MESSAGE_LIMIT, read_text, text_frame

SIZES = (0, 1, 125, 126, 127, 65_535, 65_536)


def masked(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


@pytest.mark.parametrize("size", SIZES)
def test_a_text_going_out(size: int) -> None:
    text = b"x" * size
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


@pytest.mark.parametrize("size", SIZES)
def test_a_text_coming_in(size: int) -> None:
    text = bytes(range(256)) * 256
    found = read_text(masked(text[:size]))
    assert found == (text[:size] if size < 65_536 else None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81",
        masked(b"a")[:-1],
        masked(b"a") + b"\x81",
        masked(b"a") + masked(b"b"),
        masked(b"a", fin=False),
        masked(b"a", Opcode.BINARY),
        masked(b"a", Opcode.CONT),
        masked(b"", Opcode.PING),
        text_frame(b"unmasked"),
        b"\xc1" + masked(b"a")[1:],
        b"\x81\xfe\x00\x01mask!",
        b"\x81\xff" + bytes(7) + b"\x01mask!",
    ],
)
def test_what_is_left_to_the_library(data: bytes) -> None:
    assert read_text(data) is None


@given(st.binary(max_size=300) | st.binary(max_size=200).map(masked))
@example(masked(b"x" * 126))
def test_what_is_taken_is_what_the_library_would_take(data: bytes) -> None:
    text = read_text(data)
    if text is None:
        return
    protocol = ServerProtocol(state=OPEN, max_size=MESSAGE_LIMIT)
    protocol.receive_data(data)
    (frame,) = protocol.events_received()
    assert isinstance(frame, Frame)
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, text)
    assert not protocol.reader.buffer
