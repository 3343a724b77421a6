"""What waits in the sequencer's queue, and what is written in one go."""

from asyncio import Future
from typing import NamedTuple

from openperp.api.endpoint import ClockChange
from openperp.engine.commands import Command, Record
from openperp.engine.events import Applied
from openperp.node.clock import AnyClock

Promise = Future[Applied]


class Waiting(NamedTuple):
    """A command in the queue, and the change of the clock that goes before it.

    `began_ms` is where the way of a clock began that has gone a part of it in leaps.
    """

    command: Command
    change: ClockChange | None
    promise: Promise
    began_ms: int | None = None


class Group(NamedTuple):
    """Commands that are written in one go, and `clock`, which they leave behind.

    `rest` is the command whose clock has more leaps to go when the group is done.
    """

    records: list[Record]
    promises: list[Promise]
    clock: AnyClock
    rest: Waiting | None = None


def break_promise(promise: Promise, error: Exception) -> None:
    if not promise.done():
        promise.set_exception(error)


def ignore_promise(promise: Promise) -> None:
    """Nobody waits for this one, whatever becomes of it."""
    if not promise.cancelled():
        promise.exception()
