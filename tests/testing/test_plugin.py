"""The pytest plugin, seen from the outside: a run of pytest in a directory of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FRESH = """
import pytest

@pytest.mark.parametrize("turn", range(3))
def test_fresh(venue, turn):
    assert len(venue.operator.get("accounts")) == 1
    assert venue.get("/fapi/v1/time")["serverTime"] == 1_767_225_600_000
    venue.account("alice", deposit="5")
    venue.advance("1h")

seen = []

@pytest.mark.parametrize("turn", range(2))
def test_shared(venue_session, turn):
    seen.append(venue_session.rest)
    assert len(set(seen)) == 1

@pytest.mark.venue(dialect="binance", seed=7)
class TestMarked:
    def test_dialect(self, venue):
        assert venue.seed == 7
        assert venue.status()["dialect"] == "binance"

    @pytest.mark.venue(dialect="ztdx")
    def test_nearest_marker_wins(self, venue):
        assert venue.seed == 7
        assert venue.status()["dialect"] == "ztdx"
"""

FAILING = """
import pytest

@pytest.mark.venue(seed=42)
def test_fails(venue):
    venue.account("alice", deposit="5")
    assert False, "as it should"
"""


def run_pytest(directory: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_inner.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers"]
    command += ["--rootdir", str(directory), *options, str(directory)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=directory,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_fixtures_and_markers(tmp_path: Path, options: tuple[str, ...]) -> None:
    result = run_pytest(tmp_path, FRESH, "-W", "error", *options)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "7 passed" in result.stdout


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_a_failure_names_the_seed_and_a_replay(tmp_path: Path, options: tuple[str, ...]) -> None:
    result = run_pytest(tmp_path, FAILING, "--basetemp", str(tmp_path / "base"), *options)
    assert result.returncode == 1
    assert "seed: 42" in result.stdout
    (command,) = re.findall(r"replay: openperp (verify .+)", result.stdout)
    verb = [sys.executable, "-m", "openperp", *command.split()]
    replay = subprocess.run(verb, capture_output=True, text=True, timeout=30, check=False)
    assert replay.returncode == 0, replay.stderr
    assert '"invariants":"ok"' in replay.stdout


def test_a_mistyped_option_is_told_with_those_there_are(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.mark.venue(markt='demo')\ndef test_it(venue): pass\n"
    result = run_pytest(tmp_path, text)
    assert result.returncode != 0
    assert "no option markt; it has market, clock, clock_start, seed" in result.stdout


def test_it_can_be_left_out(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, "def test_nothing(): pass", "-p", "no:openperp")
    assert result.returncode == 0, result.stdout


def test_it_costs_a_start_of_pytest_next_to_nothing(tmp_path: Path) -> None:
    text = "import sys\ndef test_light():\n    assert 'uvicorn' not in sys.modules\n"
    result = run_pytest(tmp_path, text)
    assert result.returncode == 0, result.stdout
