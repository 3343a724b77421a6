"""Processes that die in the middle of what they write."""

import os
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

KILLED = 9


def dies(calls: int, job: Callable[[], None]) -> bool:
    """Whether a child process dies in `job`, right behind its SQLite statement number `calls`."""
    pid = os.fork()
    if pid:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, KILLED), f"the child ended with {code}"
        return code == KILLED
    left = [calls]
    lock = threading.Lock()

    class Dying(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            cursor = super().execute(*arguments)
            self.count()
            return cursor

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            cursor = super().executemany(*arguments)
            self.count()
            return cursor

        def count(self) -> None:
            with lock:
                left[0] -= 1
                if not left[0]:
                    os._exit(KILLED)

    sqlite3.connect = partial(sqlite3.connect, factory=Dying)  # type: ignore[assignment]
    try:
        job()
    except BaseException:  # noqa: BLE001 - the parent has to see that this was no crash
        os._exit(7)
    os._exit(0)
