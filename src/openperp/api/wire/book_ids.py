"""The numbers of an order book's changes on the wire.

The engine counts the changes of a book. Change number n covers two wire ids, 2n
and 2n + 1, and a snapshot is named after the first id that is still to come.
So an update over the changes after a snapshot begins at the snapshot's id or
before it and ends after it, and whoever stitches the two finds the first
update that fits, in a market that stood still for hours as well.

A book before its first change stands at change 0.
"""


def first_id(change: int) -> int:
    """`U` of an update whose first change is `change`.

    >>> first_id(7), last_id(7), snapshot_id(7)
    (14, 15, 16)
    """
    return 2 * change


def last_id(change: int) -> int:
    """`u` of an update whose last change is `change`, and `pu` of the one that follows it."""
    return 2 * change + 1


def snapshot_id(change: int) -> int:
    """`lastUpdateId` of a book as `change` left it: the first id of the change to come."""
    return first_id(change + 1)
