"""One measured state in a process of its own, driven over a pipe.

Each workload gets a process, so that rounds can be interleaved over workloads
while none pays for the garbage collection or the memory of another.
"""

import gc
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from benchmarks.market import START_MS, open_market
from benchmarks.workloads import CHUNK, Stream, Workload, count_commands
from openperp.engine.apply import apply
from openperp.engine.commands import Pulse, Record
from openperp.engine.events import Applied
from openperp.engine.state import State


class Filled(NamedTuple):
    """A prefilled book: resting orders, their cost in bytes and in ns each, price levels."""

    resting: int
    bytes_each: float
    place_ns: float
    levels: int


class Worker:
    """The parent's handle: use as a context manager."""

    def __init__(self, workload: Workload) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, pipe = context.Pipe()
        self._process = context.Process(target=_serve, args=(workload, pipe), daemon=True)
        self._process.start()
        filled = self._pipe.recv()
        assert isinstance(filled, Filled)
        self.filled = filled

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.send(0)
        self._process.join(10)

    def measure(self, commands: int) -> tuple[float, float]:
        """CPU ns per command, and of that the empty driver loop's."""
        self._pipe.send(commands)
        total, empty = self._pipe.recv()
        return float(total), float(empty)


def _serve(workload: Workload, pipe: Connection) -> None:
    state = open_market()
    pipe.send(fill(state, workload))
    stream = Stream(workload, state)
    gc.collect()
    gc.freeze()
    while commands := pipe.recv():
        pipe.send(run_round(state, stream, commands))


def fill(state: State, workload: Workload) -> Filled:
    """Places resting orders only, up to the size of the workload."""
    stream = Stream(workload, state)
    gc.collect()
    before = _resident_bytes()
    spent = 0
    while len(state.orders) < workload.resting:
        records = [
            Record(state.seq + 1 + index, START_MS, stream.place())
            for index in range(min(1_000, workload.resting - len(state.orders)))
        ]
        started = time.process_time_ns()
        for record in records:
            apply(state, record)
        spent += time.process_time_ns() - started
    gc.collect()
    count = max(1, len(state.orders))
    book = next(iter(state.markets.values())).book
    levels = len(book.bids.keys) + len(book.asks.keys)
    return Filled(count, (_resident_bytes() - before) / count, spent / count, levels)


def run_round(state: State, stream: Stream, commands: int) -> tuple[float, float]:
    spent = empty = done = 0
    while done < commands:
        records = stream.records(CHUNK)
        results: list[Applied] = []
        spent += _time_loop(apply, state, records, results.append)
        empty += _time_loop(_nothing, state, records, _ignore)
        stream.follow(results)
        done += count_commands(records)
    return spent / done, empty / done


def _time_loop(
    function: Callable[[State, Record], Applied],
    state: State,
    records: list[Record],
    keep: Callable[[Applied], None],
) -> int:
    started = time.process_time_ns()
    for record in records:
        keep(function(state, record))
    return time.process_time_ns() - started


_APPLIED = Applied(0, 0, Pulse(), None, ())


def _nothing(_state: State, _record: Record) -> Applied:
    return _APPLIED


def _ignore(_applied: Applied) -> None:
    pass


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
