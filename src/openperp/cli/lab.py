"""`openperp lab`: experiments with the engine alone, without a venue."""

import sys
from dataclasses import asdict
from typing import NoReturn

import click

from openperp.cli.output import print_json
from openperp.cli.show import describe
from openperp.engine.state import State
from openperp.lab.reference.comparison import Difference
from openperp.lab.reference.session import Tally, run_session


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
    books, balances, positions and events must be the same. Exits with 1 and the
    first difference where they are not.
    """
    tally = Tally()
    with click.progressbar(
        length=seeds * commands,
        label="Comparing",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
        update_min_steps=100,
    ) as bar:
        for each in range(seed, seed + seeds):
            try:
                for _ in run_session(each, commands, accounts, tally):
                    bar.update(1)
            except Difference as difference:
                _fail(difference, each, as_json)
    if as_json:
        print_json({"equal": True, "seed": seed, "seeds": seeds, **asdict(tally)})
        return
    print(
        f"Both engines agree after {tally.commands} commands from {seeds} "
        f"seed{'s' * (seeds > 1)}: {tally.refused} refused, {tally.trades} trades, "
        f"{tally.events} events, among them:"
    )
    for kind, times in tally.kinds.items():
        print(f"{times:9} {kind}")


def _fail(difference: Difference, seed: int, as_json: bool) -> NoReturn:
    """Prints what differs, with the record that shows it, and ends with 1."""
    record = difference.record
    line = describe(record, None, State())
    if as_json:
        outcome = {"equal": False, "seed": seed, "seq": record.seq, "record": line}
        print_json({**outcome, "differences": difference.sentences})
    else:
        print(f"The engines disagree in seed {seed} after this record:")
        print(line)
        for sentence in difference.sentences:
            print(f"  {sentence}")
    sys.exit(1)
