import enum
import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openperp.engine import commands
from openperp.engine.commands import Batch, CancelOrder, Command, PlaceOrder, Record
from openperp.engine.terms import OrderType, Side
from openperp.journal.base import JournalDamaged
from openperp.journal.record import FIRST_LINK, decode, encode, frame, link, unframe

INT64 = st.integers(-(2**63), 2**63 - 1)
PLAIN = {int: INT64, str: st.text(max_size=40), bool: st.booleans(), bytes: st.binary(max_size=40)}


def values_of(type_: Any) -> st.SearchStrategy[Any]:
    """Any value that the type of a field admits."""
    if type_ in PLAIN:
        return PLAIN[type_]
    if typing.get_origin(type_) is tuple:
        return st.lists(values_of(typing.get_args(type_)[0]), max_size=4).map(tuple)
    if type_ is type(None):
        return st.none()
    if typing.get_args(type_):
        return st.one_of([values_of(each) for each in typing.get_args(type_)])
    if issubclass(type_, enum.Enum):
        return st.sampled_from(type_)
    assert issubclass(type_, msgspec.Struct)
    fields = [values_of(field.type) for field in msgspec.structs.fields(type_)]
    return st.tuples(*fields).map(lambda arguments: type_(*arguments))


COMMANDS = typing.get_args(Command)
RECORDS = st.builds(Record, st.integers(1, 2**53), st.integers(0, 2**53), values_of(Command))


def test_the_union_names_every_command() -> None:
    structs = {
        each
        for each in vars(commands).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each is not Record
    }
    assert {each.__name__ for each in structs if each.__module__ == commands.__name__} == {
        each.__name__ for each in COMMANDS
    }


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_each_command_reads_back_as_it_was_written(kind: Any) -> None:
    @given(values_of(kind))
    def check(command: Command) -> None:
        record = Record(7, 1_767_225_600_123, command)
        assert decode(encode(record)) == record
        assert type(decode(encode(record)).command) is kind

    check()


def test_bytes_that_were_journaled_say_what_they_said() -> None:
    """Commands have grown since: what an old record does not say has its old meaning."""
    record = Record(
        3,
        1_767_225_600_123,
        Batch((CancelOrder(1, "BTCUSDT", 5), PlaceOrder(1, "ETHUSDT", Side.SELL, OrderType.LIMIT))),
    )
    payload = bytes.fromhex(FROZEN_PAYLOAD)
    assert decode(payload) == record
    assert link(FIRST_LINK, payload).hex() == FROZEN_LINK


def test_what_has_not_grown_is_written_as_it_was() -> None:
    record = Record(3, 1_767_225_600_123, CancelOrder(1, "BTCUSDT", 5))
    assert encode(record).hex() == FROZEN_CANCEL


FROZEN_PAYLOAD = (
    "9303cf0000019b76daa87b92a562617463689296ac63616e63656c5f6f7264657201a74254435553"
    "445405a000dc0019ab706c6163655f6f7264657201a745544855534454ff01000001a0c2c2000100"
    "00c2c20000a000a000a002"
)
FROZEN_CANCEL = "9303cf0000019b76daa87b96ac63616e63656c5f6f7264657201a74254435553445405a000"
FROZEN_LINK = "510ba61342cfc61895ec536cab0a736b"


def numbered(count: int, first: int = 1) -> list[Record]:
    return [Record(seq, 1_000 + seq, commands.Pulse()) for seq in range(first, first + count)]


@given(st.lists(values_of(Command), max_size=6))
def test_framed_records_read_back(given_commands: list[Command]) -> None:
    records = [Record(seq, 0, command) for seq, command in enumerate(given_commands, 1)]
    assert list(unframe(frame(records, FIRST_LINK), 0, FIRST_LINK)) == records


def test_groups_continue_one_chain() -> None:
    whole = frame(numbered(5), FIRST_LINK)
    first = frame(numbered(2), FIRST_LINK)
    assert first + frame(numbered(3, first=3), first[-1][2]) == whole
    assert list(unframe(whole[2:], 2, first[-1][2])) == numbered(3, first=3)


@given(st.data())
def test_a_changed_byte_is_found_at_its_record_and_nothing_after_it_is_read(
    data: st.DataObject,
) -> None:
    frames = frame(numbered(4), FIRST_LINK)
    at = data.draw(st.integers(0, 3))
    part = data.draw(st.sampled_from(["payload", "link"]))
    damaged = bytearray(frames[at][1] if part == "payload" else frames[at][2])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    seq, payload, linked = frames[at]
    frames[at] = (
        (seq, bytes(damaged), linked) if part == "payload" else (seq, payload, bytes(damaged))
    )

    reader = unframe(frames, 0, FIRST_LINK)
    assert [next(reader) for _ in range(at)] == numbered(at)
    with pytest.raises(JournalDamaged, match=f"damaged at record {at + 1}: its bytes do not match"):
        next(reader)


@pytest.mark.parametrize(
    ("order", "seq"),
    [([0, 2, 3], 2), ([1, 2, 3], 1), ([0, 1, 3, 2], 3), ([0, 0, 1], 2)],
    ids=["a gap", "no beginning", "swapped", "twice"],
)
def test_records_out_of_order_are_found(order: list[int], seq: int) -> None:
    frames = frame(numbered(4), FIRST_LINK)
    with pytest.raises(JournalDamaged, match="the record is missing") as caught:
        list(unframe([frames[at] for at in order], 0, FIRST_LINK))
    assert caught.value.seq == seq


def test_a_record_under_another_number_is_found() -> None:
    (_, payload, _) = frame(numbered(1), FIRST_LINK)[0]
    second = link(FIRST_LINK, payload)
    frames = [(1, payload, second), (2, payload, link(second, payload))]
    with pytest.raises(JournalDamaged, match="damaged at record 2: it holds record 1"):
        list(unframe(frames, 0, FIRST_LINK))


@pytest.mark.parametrize("payload", [b"", b"\xc1", msgspec.msgpack.encode([1, 2, ["unheard_of"]])])
def test_a_record_of_another_version_is_refused(payload: bytes) -> None:
    with pytest.raises(
        JournalDamaged, match="damaged at record 1: it is no record of this version"
    ):
        list(unframe([(1, payload, link(FIRST_LINK, payload))], 0, FIRST_LINK))


def test_values_of_the_wrong_type_are_damage() -> None:
    with pytest.raises(JournalDamaged, match="record 1"):
        list(unframe([(1, "text", FIRST_LINK)], 0, FIRST_LINK))  # type: ignore[list-item]
