"""`openperp lab`: experiments with the engine alone, without a venue."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import NoReturn

import click

from openperp.cli.output import print_json
from openperp.cli.progress import follow
from openperp.cli.show import describe
from openperp.engine.state import State
from openperp.lab.reference.comparison import Difference
from openperp.lab.reference.kind_words import SECTIONS
from openperp.lab.reference.session import Tally, run_session


class _Disagreement(Exception):
    """The engines differ after so many commands of a seed."""

    def __init__(self, seed: int, commands: int, difference: Difference) -> None:
        super().__init__(str(difference))
        self.seed = seed
        self.commands = commands
        self.difference = difference


@click.group(epilog="Example: openperp lab compare --seed 7 --commands 20000")
def lab() -> None:
    """Put the engine to the test."""


@lab.command(epilog="Example: openperp lab compare --seed 7 --commands 20000 --json")
@click.option("--seed", metavar="N", type=int, default=1, help="The first seed; 1 by default.")
@click.option(
    "--seeds",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    help="How many seeds, one after the other; 1 by default.",
)
@click.option(
    "--commands",
    metavar="M",
    type=click.IntRange(min=1),
    default=10_000,
    help="Commands from each seed; 10000 by default.",
)
@click.option(
    "--accounts",
    metavar="N",
    type=click.IntRange(min=1, max=1_000),
    default=50,
    help="Accounts that trade; 50 by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(seed: int, seeds: int, commands: int, accounts: int, as_json: bool) -> None:
    """Compare the engine with a slow one that is written to be evidently right.

    Both are given the same random commands, and after each of them orders,
    books, balances, positions and events must be the same. Exits with 0 where
    they are, and with 1, the first difference and the line that shows it again
    where they are not.
    """
    tally, chosen = Tally(), range(seed, seed + seeds)
    try:
        for _ in follow(_run(chosen, commands, accounts, tally), seeds * commands):
            pass
    except _Disagreement as found:
        _fail(found, accounts, as_json)
    if as_json:
        print_json({"equal": True, "seed": seed, "seeds": seeds, **asdict(tally)})
        return
    print("\n".join(_agreement(tally, chosen, accounts)))


def _run(seeds: range, commands: int, accounts: int, tally: Tally) -> Iterator[int]:
    """Compares the engines, and yields the seed after each command."""
    for seed in seeds:
        done = 0
        try:
            for _ in run_session(seed, commands, accounts, tally):
                done += 1
                yield seed
        except Difference as difference:
            # What only the look at everything after the last command finds comes after all.
            raise _Disagreement(seed, min(done + 1, commands), difference) from difference


def _agreement(tally: Tally, seeds: range, accounts: int) -> Iterator[str]:
    """What was compared, what came up in it, and what did not."""
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    yield f"Both engines agree after {tally.commands:,} commands of {named}, {accounts} accounts:"
    yield "replies, events, orders, books, balances and positions are the same."
    yield f"{tally.refused:,} refused, {tally.trades:,} trades, {tally.events:,} events."
    yield ""
    yield "What is rare, and how often both engines met it:"
    for section, words in SECTIONS.items():
        met = [kind for kind in words if tally.kinds[kind]]
        if met:
            yield f"  {section}"
        for kind in met:
            yield f"{tally.kinds[kind]:>11,}  {words[kind]}"
    missed = list(tally.kinds.values()).count(0)
    if missed:
        yield f"{missed} of {len(tally.kinds)} such things did not come up; --json names them."


def _fail(found: _Disagreement, accounts: int, as_json: bool) -> NoReturn:
    """Prints what differs after which command, and ends with 1."""
    seed, number, record = found.seed, found.commands, found.difference.record
    sentences = found.difference.sentences
    line = describe(record, None, State())
    again = f"openperp lab compare --seed {seed} --commands {number} --accounts {accounts}"
    if as_json:
        where = {"equal": False, "seed": seed, "command": number, "seq": record.seq}
        said = {"record": line, "differences": sentences, "replay": again}
        print_json({**where, **said})
        sys.exit(1)
    print(f"The engines disagree in seed {seed} after command {number:,}, which is this record:")
    print(line)
    for sentence in sentences:
        print("\n".join(_apart(sentence)))
    print(f"To see it again:\n  {again}")
    sys.exit(1)


def _apart(sentence: str) -> Iterator[str]:
    """Where two engines differ, and below it what each of them says."""
    where, _, said = sentence.partition(": ")
    fast, _, slow = said.partition(" | ")
    if not slow:
        yield f"  {sentence}"
        return
    yield f"  {where}"
    yield f"    the engine:      {fast}"
    yield f"    the slow engine: {slow}"
