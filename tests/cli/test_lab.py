"""`openperp lab`: what it prints, and how it ends."""

import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from openperp.cli.lab import _Disagreement, _fail, lab
from openperp.cli.progress import follow_in_lines
from openperp.engine.apply import HANDLERS
from openperp.engine.commands import PlaceOrder, Pulse, Record
from openperp.engine.events import Single
from openperp.engine.step import Step
from openperp.lab.reference.comparison import Difference
from openperp.lab.reference.kind_words import SECTIONS
from openperp.lab.reference.session import ALL_KINDS

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_engines_that_agree(openperp: Run) -> None:
    arguments = ("lab", "compare", "--seed", "3", "--seeds", "2", "--commands", "150")
    result = openperp(*arguments, "--accounts", "5", "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    outcome = json.loads(result.stdout)
    assert (outcome["equal"], outcome["seed"], outcome["commands"]) == (True, 3, 300)
    assert outcome["trades"] > 0
    assert set(outcome["kinds"]) >= {"cross liquidation", "deleveraging", "deficit"}
    text = openperp(*arguments, "--accounts", "5")
    assert "agree after 300 commands of seeds 3 to 4, 5 accounts" in text.stdout
    assert f"{outcome['refused']} refused, {outcome['trades']} trades" in text.stdout
    words = {kind: said for section in SECTIONS.values() for kind, said in section.items()}
    for kind, times in outcome["kinds"].items():
        assert (f"{times:>11,}  {words[kind]}" in text.stdout) is bool(times)
    missed = list(outcome["kinds"].values()).count(0)
    assert f"{missed} of {len(words)} such things did not come up" in text.stdout


def test_everything_that_is_counted_has_words() -> None:
    words = [kind for section in SECTIONS.values() for kind in section]
    assert sorted(words) == sorted(ALL_KINDS)
    assert max(len(said) for section in SECTIONS.values() for said in section.values()) < 64


@pytest.mark.parametrize("as_json", [False, True])
def test_engines_that_disagree(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    sentences = ["SOLUSDT, bids: [1, 2] | [2, 1]", "an engine breaks on it: KeyError(7)"]
    found = _Disagreement(3, 2, Difference(Record(7, 0, Pulse()), sentences))
    with pytest.raises(SystemExit) as ended:
        _fail(found, 9, as_json)
    assert ended.value.code == 1
    printed = capsys.readouterr().out
    replay = "openperp lab compare --seed 3 --commands 2 --accounts 9"
    if as_json:
        outcome = json.loads(printed)
        assert (outcome["seq"], outcome["command"], outcome["replay"]) == (7, 2, replay)
        assert outcome["differences"] == sentences
        return
    assert printed.splitlines() == [
        "The engines disagree in seed 3 after command 2, which is this record:",
        "     7  1970-01-01T00:00:00.000Z  Pulse",
        "  SOLUSDT, bids",
        "    the engine:      [1, 2]",
        "    the slow engine: [2, 1]",
        "  an engine breaks on it: KeyError(7)",
        "To see it again:",
        f"  {replay}",
    ]


def test_a_difference_is_found_again_by_the_line_that_it_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    placing = HANDLERS[PlaceOrder]

    def forget(step: Step, command: PlaceOrder) -> Single:
        """A mistake: the insurance fund gains a little with each order from the 40th on."""
        if step.state.next_order_id >= 40:
            step.state.insurance += 1
        return placing(step, command)

    monkeypatch.setitem(HANDLERS, PlaceOrder, forget)
    arguments = ["compare", "--seed", "3", "--accounts", "5", "--json", "--commands"]
    first = CliRunner().invoke(lab, [*arguments, "500"])
    assert first.exit_code == 1
    outcome = json.loads(first.stdout)
    assert 1 < outcome["command"] < 500
    again = CliRunner().invoke(lab, [*outcome["replay"].split()[2:], "--json"])
    assert json.loads(again.stdout) == outcome


def test_where_there_is_no_terminal_a_line_now_and_then_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([100.0, 104.0, 111.0, 112.0, 122.0])
    assert list(follow_in_lines([7, 7, 8, 8], 4_000, lambda: next(times))) == [7, 7, 8, 8]
    assert capsys.readouterr().err.splitlines() == [
        "2 of 4,000 commands, seed 7: 0 a second, 6:06:29 left",
        "4 of 4,000 commands, seed 8: 0 a second, 6:06:18 left",
    ]


def test_at_a_terminal_there_is_a_bar_of_one_line() -> None:
    main, side = pty.openpty()
    termios.tcsetwinsize(side, (24, 80))
    ended = subprocess.run(
        [sys.executable, "-m", "openperp", "lab", "compare", "--commands", "300"],
        stdout=subprocess.PIPE,
        stderr=side,
        check=True,
        timeout=60,
    )
    os.close(side)
    drawn = os.read(main, 1_000_000).decode()
    os.close(main)
    assert b"Both engines agree" in ended.stdout
    looks = [re.sub(r"\x1b\[[?0-9]*[a-zA-Z]", "", look) for look in drawn.split("\r")]
    assert looks[-1] == "\n", "one line in all"
    assert "[####################]  300/300" in looks[-2]
    assert any("250/300" in look and "seed 1" in look for look in looks)
    assert max(map(len, looks)) <= 80


def test_help_has_an_example(openperp: Run) -> None:
    for words in (("lab",), ("lab", "compare")):
        assert "Example: openperp lab compare" in openperp(*words, "--help").stdout


def test_bad_numbers_are_refused(openperp: Run) -> None:
    result = openperp("lab", "compare", "--commands", "0")
    assert result.returncode == 2
    assert "Invalid value for '--commands'" in result.stderr
