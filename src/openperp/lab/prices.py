"""Price models of the lab: integers and seeded randomness only.

The same seed gives the same numbers on every machine: nothing here divides
floats, and a generator is made for each step from words and numbers, so that
a step can be computed without the steps before it.
"""

from math import isqrt
from random import Random

from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import PPM, divide_nearest

NOISE_PPM = 40
"""Largest of the `DRAWS` equal parts of one second's move.

A second moves the price by about 46 ppm (one standard deviation), a day by
about 1.4 %: enough for a chart, and far less than a leveraged account fears.
"""
DRAWS = 4
LONGEST_PAUSE_S = 3_600
"""A longer pause moves the price no further than this one."""
FLOOR_TICKS = 50
"""The walk stays where a tick is at most 2 % of the price."""


def generator(seed: int, *scope: str | int) -> Random:
    """A random generator of its own for each seed and scope, such as symbol and second."""
    return Random(":".join(str(part) for part in (seed, *scope)))  # noqa: S311 - a game, no secrets


def next_ticks(ticks: int, spec: InstrumentSpec, random: Random, seconds: int = 1) -> int:
    """Where a random walk stands `seconds` after it stood at `ticks`.

    The spread grows with the square root of the time, as that of many small
    steps would. The result is tradable: within the bounds of the instrument.
    """
    noise = sum(random.randint(-NOISE_PPM, NOISE_PPM) for _ in range(DRAWS))
    scale = isqrt(min(max(seconds, 1), LONGEST_PAUSE_S) * 10_000)
    moved = ticks + divide_nearest(ticks * noise * scale, PPM * 100)
    lowest = min(max(spec.min_ticks, FLOOR_TICKS), spec.max_ticks)
    highest = max(lowest, spec.max_ticks * 9 // 10)
    return min(max(moved, lowest), highest)
