"""Servers under measurement: started, pinned to a core, and their CPU time read."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

CORES = sorted(os.sched_getaffinity(0))
"""The cores that this process was given at its start."""

SETTLE_S = 0.4
"""Longer than a server may put its work off."""
QUIET_NS = 2_000_000
"""A server that spends less in that time has nothing in hand."""


class Server(NamedTuple):
    """A running server: its process and port, and for a venue a key that may trade."""

    pid: int
    port: int
    api_key: str = ""
    api_secret: str = ""

    def settled_cpu_ns(self) -> int:
        """CPU time of all threads, ended ones included, once the work in hand is done.

        The history is written a little after the answers; it is part of their
        price. The number is the kernel's CPU clock of a foreign process, as
        clock_getcpuclockid(3) makes it.
        """
        clock = (~self.pid << 3) | 2
        before = -1
        while (now := time.clock_gettime_ns(clock)) - before > QUIET_NS:
            before = now
            time.sleep(SETTLE_S)
        return now


class Ready(msgspec.Struct):
    """The line that `openperp run --json` prints."""

    class Account(msgspec.Struct):
        api_key: str
        api_secret: str

    rest: str
    account: Account


def pin_generator() -> str:
    """Keeps this process off the servers' core; says how things stand."""
    if len(CORES) < 2:
        return "one core: server and load generator share it"
    os.sched_setaffinity(0, CORES[1:])
    return f"server on core {CORES[0]}, load generator on another"


@contextmanager
def run_server(module: str, *arguments: str) -> Iterator[Server]:
    """A floor, which prints its port."""
    with _spawn([sys.executable, "-m", module, *arguments]) as (process, line):
        yield Server(process.pid, int(line))


@contextmanager
def run_venue(data: Path, *flags: str, pinned: bool = True) -> Iterator[Server]:
    """The venue itself, on a free port."""
    command = [sys.executable, "-m", "openperp", "run", "--json", "--port", "0"]
    with _spawn([*command, "--data", str(data), *flags], pinned) as (process, line):
        ready = msgspec.json.decode(line, type=Ready)
        port = int(ready.rest.rpartition(":")[2])
        yield Server(process.pid, port, ready.account.api_key, ready.account.api_secret)


@contextmanager
def data_directory(parent: Path | None) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="openperp-bench-", dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _spawn(
    command: Sequence[str], pinned: bool = True
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    try:
        os.sched_setaffinity(process.pid, CORES[:1] if pinned else CORES)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(command)} did not start")
        yield process, line
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
