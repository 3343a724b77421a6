"""What every part returns, how it is printed, and where the figures are kept."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openperp.engine import apply

HISTORY = Path(__file__).parent / "history.jsonl"


@dataclass
class Section:
    """The outcome of one part: a table, sentences about it, and figures by name."""

    title: str
    header: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def print(self) -> None:
        print(f"\n{self.title}")
        table = [self.header, *self.rows] if self.header else self.rows
        widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
        for index, row in enumerate(table):
            print("  " + _align(row, widths))
            if self.header and index == 0:
                print("  " + "  ".join("-" * width for width in widths))
        for note in self.notes:
            print(f"  {note}")


def _align(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if index else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()


def progress(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def spread(values: Iterable[float], digits: int = 1) -> str:
    """Median with smallest and largest: `51.2 (49.0..55.1)`."""
    ordered = sorted(values)
    middle = statistics.median(ordered)
    return f"{middle:,.{digits}f} ({ordered[0]:,.{digits}f}..{ordered[-1]:,.{digits}f})"


def machine() -> dict[str, str | int]:
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "engine": "compiled" if Path(apply.__file__).suffix != ".py" else "pure Python",
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit() -> str:
    """The checked-out commit, marked when files differ from it; empty outside git."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, check=True
        )
        changes = subprocess.run([*git, "diff", "--quiet", "HEAD"], check=False).returncode
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.decode().strip() + ("+" if changes else "")


def record(figures: dict[str, float]) -> None:
    """Appends one line to the history of figures."""
    line = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "machine": machine(),
        "figures": {name: float(f"{value:.4g}") for name, value in figures.items()},
    }
    with HISTORY.open("a") as stream:
        stream.write(json.dumps(line) + "\n")
