"""Records as a person reads them: one line each, in prices and quantities instead of ticks."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import msgspec

from openperp.api.wire.numbers import decimal_text, money_text
from openperp.engine.assets import AssetSpec
from openperp.engine.commands import Batch, Record
from openperp.engine.events import Applied
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.rejects import Reject
from openperp.engine.state import State
from openperp.node.clock import format_instant

MONEY = frozenset({"amount", "deposit", "index"})


def describe(record: Record, applied: Applied | None, state: State) -> str:
    """The record's number, time and command, and what was refused.

    Fields that keep their default are left out. `applied` is None where the
    engine broke on the record.
    """
    return f"{record.seq:>6}  {format_instant(record.time_ms)}  {_command(record, applied, state)}"


def _command(record: Record, applied: Applied | None, state: State) -> str:
    command = record.command
    reply = None if applied is None else applied.reply
    if not isinstance(command, Batch):
        return _single(command, reply, state)
    replies = reply if isinstance(reply, tuple) else [None] * len(command.commands)
    texts = [_single(each, one, state) for each, one in zip(command.commands, replies, strict=True)]
    return "; ".join(texts)


def _single(command: msgspec.Struct, reply: object, state: State) -> str:
    words = [type(command).__name__, *_fields(command, state)]
    if isinstance(reply, Reject):
        words.append(f"(refused: {reply.reason.name.lower().replace('_', ' ')})")
    return " ".join(words)


def _fields(command: msgspec.Struct, state: State) -> Iterator[str]:
    market = state.markets.get(getattr(command, "symbol", ""))
    spec = None if market is None else market.spec
    for field in msgspec.structs.fields(command):
        value = getattr(command, field.name)
        if field.required or value != field.default:
            yield _field(field.name, value, spec)


def _field(name: str, value: Any, spec: InstrumentSpec | None) -> str:
    if isinstance(value, Enum):
        return f"{name}={value.name}"
    if isinstance(value, InstrumentSpec):
        return f"{name}={value.symbol}"
    if isinstance(value, AssetSpec):
        return f"{name}={value.asset}"
    if isinstance(value, bytes):
        return f"{name}=<{len(value)} bytes>"
    if name in MONEY:
        return f"{name}={money_text(value)}"
    if spec is not None and name.endswith("ticks"):
        text = decimal_text(value * spec.tick_units, spec.price_precision, shortest=True)
        return f"{name.removesuffix('ticks')}price={text}"
    if spec is not None and name.endswith("lots"):
        text = decimal_text(value * spec.lot_units, spec.quantity_precision, shortest=True)
        return f"{name.removesuffix('lots')}quantity={text}"
    return f"{name}={value}"
