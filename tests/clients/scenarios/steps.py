"""What the scenarios share: a client pointed at the venue, and steps that are told one by one.

Each step is a line of JSON on stdout: {"step", "ok", "detail"}. A step that
fails says why, and the next one runs all the same.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DIALECT = os.environ["OPENPERP_DIALECT"]
ONE_SEQUENCE = DIALECT == "ztdx"
"""Trigger orders share their ids with book orders: a batch cancel reaches them too."""
STREAM_LIMIT_S = 20
"""How long a stream may take to say what it was subscribed for."""


def client_names() -> dict[str, Any]:
    """What `openperp doctor CLIENT` defines before its first call."""
    names: dict[str, Any] = {}
    exec(Path(os.environ["OPENPERP_SETUP"]).read_text(encoding="utf-8"), names)
    return names


@contextmanager
def step(name: str) -> Iterator[Callable[[str], None]]:
    """Reports what happens inside; the function it gives adds a detail to the report."""
    details: list[str] = []
    try:
        yield details.append
    except Exception as error:  # noqa: BLE001  any failure is a failed step
        _report(name, False, f"{type(error).__name__}: {error}")
    else:
        _report(name, True, "; ".join(details))


def _report(name: str, ok: bool, detail: str) -> None:
    print(json.dumps({"step": name, "ok": ok, "detail": detail}), flush=True)
