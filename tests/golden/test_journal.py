"""What was journaled once reads the same and means the same for ever."""

import json

import pytest
from tests.golden import journal


@pytest.mark.parametrize("name", journal.names())
def test_a_frozen_journal_reads_and_means_the_same(name: str) -> None:
    records = list(journal.read(name))
    expected = json.loads((journal.FOLDER / f"{name}.outcome.json").read_text(encoding="utf-8"))
    assert expected == journal.outcome(records)


def test_there_is_one() -> None:
    assert journal.names()
