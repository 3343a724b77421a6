"""What was journaled once reads the same and means the same for ever."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.golden import journal

from openperp.engine import invariants
from openperp.engine.apply import apply
from openperp.engine.snapshot import load

RULED = "2026-11-rules"
"""The journal of a venue that has every rule there was."""
RULES = (
    "larger_side_margin",
    "separate_trigger_ids",
    "displaces_reducers",
    "order_life_ms",
    "liquidates",
    "bounds_stakes",
    "single_closers",
    "names_fired_orders",
    "isolated_pays",
    "bounds_sweeps",
)


def only(known: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What was told already when the journal was frozen."""
    return {name: value for name, value in found.items() if name in known}


@pytest.mark.parametrize("name", journal.names())
def test_a_frozen_journal_reads_and_means_the_same(name: str) -> None:
    records = list(journal.read(name))
    expected = json.loads((journal.FOLDER / f"{name}.outcome.json").read_text(encoding="utf-8"))
    assert expected == only(expected, journal.outcome(records))


@pytest.mark.parametrize("path", sorted(journal.FOLDER.glob("*.snapshot")), ids=lambda p: p.stem)
def test_a_frozen_snapshot_with_the_rest_of_its_journal_means_the_same(path: Path) -> None:
    state = load(path.read_bytes())
    invariants.check(state)
    for record in journal.read(path.stem):
        if record.seq > state.seq:
            apply(state, record)
    expected = json.loads(path.with_suffix(".outcome.json").read_text(encoding="utf-8"))
    del expected["replies"]
    assert only(expected, journal.describe(state)) == expected


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_its_venue_shows_in_a_journal(rule: str) -> None:
    """What a rule says could change unnoticed if the journal came out the same without it."""
    first, *others = journal.read(RULED)
    without = replace(first, command=replace(first.command, **{rule: False}))
    expected = json.loads((journal.FOLDER / f"{RULED}.outcome.json").read_text(encoding="utf-8"))
    assert journal.outcome([without, *others]) != expected


def test_there_is_one() -> None:
    assert journal.names()
    assert list(journal.FOLDER.glob("*.snapshot"))
