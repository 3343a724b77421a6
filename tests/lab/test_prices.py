"""The walk: seeded, in integers, and never out of bounds."""

from itertools import pairwise
from math import sqrt

import msgspec
import pytest

from openperp.lab.prices import FLOOR_TICKS, generator, next_ticks
from openperp.node.instruments import BUILT_IN, specify

SPEC = specify("BTCUSDT", BUILT_IN["BTCUSDT"]).spec


def walk(start: int, steps: int, seed: int = 1) -> list[int]:
    prices = [start]
    for step in range(steps):
        prices.append(next_ticks(prices[-1], SPEC, generator(seed, "BTCUSDT", step)))
    return prices


def test_the_numbers_of_a_seed_are_fixed_for_ever() -> None:
    assert walk(600_000, 5) == [600_000, 599_962, 599_992, 600_012, 600_009, 600_037]


def test_a_generator_belongs_to_its_scope() -> None:
    draws = {
        generator(*scope).random() for scope in [(1, "A", 2), (1, "A", 3), (2, "A", 2), (1, "B", 2)]
    }
    assert len(draws) == 4


def test_a_second_moves_the_price_by_half_a_basis_point() -> None:
    prices = walk(600_000, 5_000)
    moves = [(after - before) / before for before, after in pairwise(prices)]

    deviation = sqrt(sum(move * move for move in moves) / len(moves))

    assert deviation == pytest.approx(46e-6, rel=0.05)
    assert abs(sum(moves)) < 4 * deviation * sqrt(len(moves))


@pytest.mark.parametrize(("seconds", "factor"), [(1, 1), (4, 2), (100, 10), (10**9, 60)])
def test_a_longer_time_moves_it_by_its_square_root(seconds: int, factor: int) -> None:
    second = next_ticks(1_000_000, SPEC, generator(5, "x")) - 1_000_000
    longer = next_ticks(1_000_000, SPEC, generator(5, "x"), seconds) - 1_000_000

    assert longer == pytest.approx(second * factor, abs=factor)


def test_it_stays_within_what_can_be_traded() -> None:
    narrow = msgspec.structs.replace(SPEC, min_ticks=10, max_ticks=1_000)

    for step in range(200):
        assert next_ticks(5_000, narrow, generator(1, step), 3_600) == 900
        assert next_ticks(1, narrow, generator(1, step), 3_600) == FLOOR_TICKS
