"""The engine as plain Python and as installed, compiled or not: the same digests."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.golden import journal

import openperp
from openperp.engine.apply import apply
from openperp.engine.snapshot import digest
from openperp.engine.state import State

ROOT = Path(__file__).parents[2]
PLAIN = """
import openperp.engine.matching
from tests.engine.test_compiled import digests
assert openperp.engine.matching.__file__.endswith(".py")
print(*digests())
"""


def digests() -> list[str]:
    """One digest for every fiftieth record of each frozen journal."""
    found = []
    for name in journal.names():
        state = State()
        for record in journal.read(name):
            apply(state, record)
            if record.seq % 50 == 0:
                found.append(digest(state))
    return found


def test_plain_and_installed_engine_agree(tmp_path: Path) -> None:
    package = Path(openperp.__file__).parent
    shutil.copytree(package, tmp_path / "openperp", ignore=shutil.ignore_patterns("*.so"))
    plain = subprocess.run(
        [sys.executable, "-c", PLAIN],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert plain.stdout.split() == digests()
