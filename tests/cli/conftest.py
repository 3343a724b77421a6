"""`openperp run` as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openperp.testing import Account, Answer
from openperp.testing.http import Wire
from openperp.testing.operator import Operator

OPENPERP = [sys.executable, "-m", "openperp"]


class Process:
    """A started venue and its ready line."""

    def __init__(self, *arguments: str) -> None:
        command = [*OPENPERP, "run", "--json", "--port", "0", *arguments]
        self.popen = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._printed: tuple[str, str] | None = None
        assert self.popen.stdout is not None
        self.line = self.popen.stdout.readline()
        if not self.line:
            raise RuntimeError(f"the venue did not start: {self.finish()}")
        self.ready: dict[str, Any] = json.loads(self.line)
        self.wire = Wire(self.ready["rest"])
        self.operator = Operator(self.wire, self.ready["operator_token"])
        keys = self.ready["account"]
        self.demo = self.account(keys["name"], keys["api_key"], keys["api_secret"])

    def account(self, name: str, api_key: str, api_secret: str) -> Account:
        return Account(self.wire, name, api_key, api_secret, self.now_ms)

    def create(self, name: str, deposit: str = "10000") -> Account:
        reply = self.operator.post("accounts", name=name, deposit=deposit)
        return self.account(name, reply["api_key"], reply["api_secret"])

    def now_ms(self) -> int:
        return int(self.get("/fapi/v1/time").json()["serverTime"])

    def get(self, target: str) -> Answer:
        return self.wire.send("GET", target)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.popen.terminate()
        self.finish()
        return self.popen.returncode

    def kill(self) -> None:
        """SIGKILL: no goodbye of any kind."""
        self.popen.kill()
        self.finish()

    def finish(self) -> tuple[str, str]:
        """Waits for the end; what was printed since the ready line, and to stderr."""
        if self._printed is None:
            if hasattr(self, "wire"):
                self.wire.close()
            self._printed = self.popen.communicate(timeout=30)
        return self._printed


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts venues; those still running at the end are killed."""
    started: list[Process] = []

    def start_one(*arguments: str) -> Process:
        started.append(Process(*arguments))
        return started[-1]

    yield start_one
    for process in started:
        process.kill()


@pytest.fixture
def openperp() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `openperp` with arguments to its end."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [*OPENPERP, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    return run
