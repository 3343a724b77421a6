"""Every part of the benchmarks runs; what it finds is not judged here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="the benchmarks read Linux's process clocks"
)


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("part", "row"),
    [
        ("http", "floor: protocol"),
        ("fanout", "1,000"),
        ("parts", "signature, key, time"),
        ("engine", "bursts of ten"),
        ("growth", "1M resting"),
        ("ticks", "500"),
        ("peer", "Peer"),
        ("start", "quiet"),
        ("replay", "history lost and rebuilt"),
        ("funding", "nothing but time"),
    ],
)
def test_a_part_runs_at_a_tiny_scale(part: str, row: str, tmp_path: Path) -> None:
    history = ROOT / "benchmarks" / "history.jsonl"
    before = history.read_bytes() if history.exists() else b""

    assert row in run("--tiny", "--only", part, "--data", str(tmp_path))
    assert (history.read_bytes() if history.exists() else b"") == before
    assert list(tmp_path.iterdir()) == []
