"""`openperp lab`: what it prints, and how it ends."""

import json
import subprocess
from collections.abc import Callable

import pytest

from openperp.cli.lab import _fail
from openperp.engine.commands import Pulse, Record
from openperp.lab.reference.comparison import Difference

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_engines_that_agree(openperp: Run) -> None:
    arguments = ("lab", "compare", "--seed", "3", "--seeds", "2", "--commands", "150")
    result = openperp(*arguments, "--accounts", "5", "--json")
    assert result.returncode == 0, result.stderr
    outcome = json.loads(result.stdout)
    assert (outcome["equal"], outcome["seed"], outcome["commands"]) == (True, 3, 300)
    assert outcome["trades"] > 0
    assert set(outcome["kinds"]) >= {"cross liquidation", "deleveraging", "deficit"}
    text = openperp(*arguments, "--accounts", "5")
    assert "agree after 300 commands from 2 seeds" in text.stdout
    assert f"{outcome['refused']} refused, {outcome['trades']} trades" in text.stdout
    for kind, times in outcome["kinds"].items():
        assert f"{times:9} {kind}" in text.stdout


@pytest.mark.parametrize("as_json", [False, True])
def test_engines_that_disagree(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    difference = Difference(Record(7, 0, Pulse()), ["SOLUSDT, bids: [1, 2] | [2, 1]"])
    with pytest.raises(SystemExit) as ended:
        _fail(difference, 3, as_json)
    assert ended.value.code == 1
    printed = capsys.readouterr().out
    assert "SOLUSDT, bids: [1, 2] | [2, 1]" in printed
    assert "1970-01-01T00:00:00.000Z  Pulse" in printed
    if as_json:
        assert json.loads(printed)["seq"] == 7


def test_help_has_an_example(openperp: Run) -> None:
    for words in (("lab",), ("lab", "compare")):
        assert "Example: openperp lab compare" in openperp(*words, "--help").stdout


def test_bad_numbers_are_refused(openperp: Run) -> None:
    result = openperp("lab", "compare", "--commands", "0")
    assert result.returncode == 2
    assert "Invalid value for '--commands'" in result.stderr
