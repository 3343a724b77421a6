"""The page of clients in docs/reference, from a run of all of them: `make compatibility`."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.clients.programs import DIALECTS, LIQUIDATIONS, PROGRAMS, STREAMS, TRADING, Program, Step

from openperp.testing import Venue

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "clients.md"
PARTICULARS = "## What is particular"
MASK = "·"
Runs = dict[tuple[str, str], list[Step]]


def page(runs: Runs, versions: dict[str, str], date: str) -> str:
    """The page that says what came of `runs`, by client and dialect."""
    clients = [
        [f"`{each.client}`", f"`{each.package}`", versions[each.client], date]
        + [_passed(each, runs[each.client, dialect]) for dialect in DIALECTS]
        for each in PROGRAMS
    ]
    steps = [
        [step, *(_cell(each, step, runs) for each in PROGRAMS)]
        for step in (*TRADING, *STREAMS, *LIQUIDATIONS)
    ]
    return f"""\
# Clients

Written by `make compatibility` from a run of each client, as it is on its registry,
against a venue on a socket. `openperp doctor CLIENT` prints how it was pointed there.
The tests run the same, and fail when a step does not pass or this page says otherwise;
only versions and dates are those of the day on which the page was written.

{_table(["client", "package", "version", "date", *(f"`{name}`" for name in DIALECTS)], clients)}

## Step by step

Every step that a client can take, in both dialects.

{_table(["", *(f"`{each.client}`" for each in PROGRAMS)], steps)}

{PARTICULARS}

{_table(["client", "step", *(f"`{name}`" for name in DIALECTS)], _particulars(runs))}
"""


def details_of(steps: list[Step]) -> dict[str, str]:
    """Step -> what there is to say of it beside that it passed."""
    return {step.step: step.detail for step in steps if step.detail}


def details_on(text: str, client: str, dialect: str) -> dict[str, str]:
    """The same, as a page says it."""
    column = 2 + DIALECTS.index(dialect)
    rows = [line.strip("| ").split(" | ") for line in text.partition(PARTICULARS)[2].splitlines()]
    return {cells[1]: cells[column] for cells in rows if cells[0] == f"`{client}`"}


def tables(text: str) -> str:
    """What a page says of clients and steps: its tables, with versions and dates masked."""
    lines = []
    for line in text.partition(PARTICULARS)[0].splitlines():
        cells = line.split(" | ")
        if len(cells) == 4 + len(DIALECTS) and cells[0].startswith("| `"):
            cells[2] = cells[3] = MASK
        lines.append(" | ".join(cells))
    return "\n".join(lines)


def _passed(program: Program, steps: list[Step]) -> str:
    return f"{sum(step.ok for step in steps)} of {len(program.steps)}"


def _cell(program: Program, name: str, runs: Runs) -> str:
    if name not in program.steps:
        return "n/a"
    outcomes = {
        dialect: any(step.step == name and step.ok for step in runs[program.client, dialect])
        for dialect in DIALECTS
    }
    failed = [dialect for dialect, ok in outcomes.items() if not ok]
    return f"fails in {', '.join(failed)}" if failed else "passes"


def _particulars(runs: Runs) -> list[list[str]]:
    rows = []
    for program in PROGRAMS:
        details = [details_of(runs[program.client, dialect]) for dialect in DIALECTS]
        for name in program.steps:
            cells = [each.get(name, "") for each in details]
            if any(cells):
                rows.append([f"`{program.client}`", name, *cells])
    return rows


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _run(task: tuple[Program, str]) -> list[Step]:
    program, dialect = task
    with (
        TemporaryDirectory() as directory,
        Venue(clock="real", dialect=dialect) as venue,
    ):
        return program.run(venue, dialect, Path(directory))


def main() -> None:
    tasks = list(product(PROGRAMS, DIALECTS))
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(_run, tasks)
        runs = {
            (program.client, dialect): steps
            for (program, dialect), steps in zip(tasks, results, strict=True)
        }
    versions = {program.client: program.version for program in PROGRAMS}
    PAGE.write_text(page(runs, versions, f"{datetime.now(UTC):%Y-%m-%d}"), encoding="utf-8")


if __name__ == "__main__":
    main()
