"""How far a long run is, on stderr: a bar at a terminal, elsewhere a plain line now and then."""

import sys
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Final

import click

LINE_S: Final = 10.0
"""Seconds between two lines where there is no terminal."""

_BAR_STEPS: Final = 50
"""Steps between two looks at the bar, which cost more than a step."""


def follow(seeds: Iterable[int], total: int) -> Iterator[int]:
    """Passes on `seeds`, one for each of `total` commands as it is done, and tells how far it is.

    What `seeds` raises ends the bar and goes on to the caller.
    """
    if not sys.stderr.isatty():
        yield from follow_in_lines(seeds, total)
        return
    with click.progressbar(
        seeds,
        length=total,
        label="Comparing",
        width=20,
        show_pos=True,
        item_show_func=lambda seed: "" if seed is None else f"seed {seed}",
        file=sys.stderr,
        update_min_steps=_BAR_STEPS,
    ) as bar:
        yield from bar


def follow_in_lines(
    seeds: Iterable[int], total: int, clock: Callable[[], float] = monotonic
) -> Iterator[int]:
    """Does the same in lines for a log. A run that is shorter than `LINE_S` has none."""
    began = told = clock()
    for done, seed in enumerate(seeds, 1):
        now = clock()
        if now - told >= LINE_S:
            told = now
            pace = tell_pace(done, total, now - began)
            click.echo(f"{done:,} of {total:,} commands, seed {seed}: {pace}", err=True)
        yield seed


def tell_pace(done: int, total: int, seconds: float) -> str:
    """How fast it has gone, and how long it will take from now on if it goes on like that.

    >>> tell_pace(600, 1_000, 2.0)
    '300 a second, 0:00:01 left'
    """
    rate = done / seconds
    minutes, left = divmod(round((total - done) / rate), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{rate:,.0f} a second, {hours}:{minutes:02}:{left:02} left"
