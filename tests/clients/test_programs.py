"""Unmodified clients go through their scenarios, pointed here as `openperp doctor` says."""

from itertools import product
from pathlib import Path

import pytest
from tests.clients.compatibility import PAGE, details_of, details_on, page, tables
from tests.clients.programs import DIALECTS, PROGRAMS, Program, Step

from openperp.testing import Venue

WRITTEN = PAGE.read_text(encoding="utf-8")


@pytest.mark.venue(clock="real")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.client)
@pytest.mark.parametrize(
    "dialect", [pytest.param(name, marks=pytest.mark.venue(dialect=name)) for name in DIALECTS]
)
def test_every_step_passes(program: Program, dialect: str, venue: Venue, tmp_path: Path) -> None:
    steps = program.run(venue, dialect, tmp_path)
    assert [step for step in steps if not step.ok] == []
    assert [step.step for step in steps] == list(program.steps)
    details = details_on(WRITTEN, program.client, dialect)
    assert details_of(steps) == details, "out of date: make compatibility"


def test_the_page_shows_these_clients_and_all_their_steps_passed() -> None:
    """What the tests above see when they pass, but for versions and dates: those float."""
    runs = {
        (program.client, dialect): [Step(step, True, "") for step in program.steps]
        for program, dialect in product(PROGRAMS, DIALECTS)
    }
    versions = {program.client: "any" for program in PROGRAMS}
    assert tables(WRITTEN) == tables(page(runs, versions, "any")), "out of date: make compatibility"
