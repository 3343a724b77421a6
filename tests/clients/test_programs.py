"""Unmodified clients go through their scenarios, pointed here as `openperp doctor` says."""

from pathlib import Path

import pytest
from tests.clients.programs import PROGRAMS, Program

from openperp.testing import Venue

pytestmark = [
    pytest.mark.venue(clock="real"),
    pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.client),
    pytest.mark.parametrize(
        "dialect",
        [
            pytest.param("ztdx", marks=pytest.mark.venue(dialect="ztdx")),
            pytest.param("binance", marks=pytest.mark.venue(dialect="binance")),
        ],
    ),
]


def test_every_step_passes(program: Program, dialect: str, venue: Venue, tmp_path: Path) -> None:
    steps = program.run(venue, dialect, tmp_path)
    assert [step for step in steps if not step.ok] == []
    assert [step.step for step in steps] == list(program.steps)
