"""Ids of order book updates: what the documented procedure of a local book demands."""

import itertools

import pytest

from openperp.api.wire.book_ids import first_id, last_id, snapshot_id

CHANGES = range(6)
SPANS = [(after, upto) for after in CHANGES for upto in CHANGES if after < upto]


@pytest.mark.parametrize(("after", "upto"), SPANS)
@pytest.mark.parametrize("seen", CHANGES)
def test_an_update_fits_a_snapshot_just_where_it_tells_something_new(
    after: int, upto: int, seen: int
) -> None:
    """A client drops u < lastUpdateId, and begins where U <= lastUpdateId <= u."""
    snapshot = snapshot_id(seen)
    first, last = first_id(after + 1), last_id(upto)
    assert (last < snapshot) == (upto <= seen)
    assert (first <= snapshot <= last) == (after <= seen < upto)


def test_updates_follow_each_other_without_a_gap() -> None:
    for one, two in itertools.pairwise(CHANGES):
        assert first_id(two) == last_id(one) + 1
        assert snapshot_id(one) == first_id(two)


def test_an_untouched_book_has_ids_above_zero() -> None:
    """Some clients take a lastUpdateId of zero for one that is missing."""
    assert snapshot_id(0) > 0
    assert last_id(0) > 0
