"""What will happen at a time that is known already: one queue for all kinds of it.

Each key has one time at most. A key is (kind, number, symbol), as its kind
understands them; what is due at the same time happens in the order of the keys.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from openperp.engine.state import State

FUNDING: Final = 1
"""The next funding of a symbol; the number is 0."""
COUNTDOWN: Final = 2
"""The countdown of an account (its number) on a symbol."""
EXPIRY: Final = 3
"""The end of a GTD order (its id), whatever its symbol."""
AGEING: Final = 4
"""The end of the oldest order that may age; the number is 0. See `ageing`."""

STALE_LIMIT: Final = 64
"""Entries out of date that the queue may hold beside one for each that counts."""

DueKey = tuple[int, int, str]


def schedule(state: State, key: DueKey, due_ms: int) -> None:
    """Lets `key` happen at `due_ms`, in place of the time that it had before."""
    kind, number, symbol = key
    state.due_times[key] = due_ms
    heappush(state.due_heap, (due_ms, kind, number, symbol))
    _tidy(state)


def call_off(state: State, key: DueKey) -> None:
    """Lets `key` not happen, if it was going to."""
    if state.due_times.pop(key, None) is not None:
        _tidy(state)


def take_next(state: State) -> DueKey:
    """Takes out what is due at `state.due_ms`, which must not be zero."""
    _, kind, number, symbol = heappop(state.due_heap)
    key = (kind, number, symbol)
    del state.due_times[key]
    _tidy(state)
    return key


def forget_all(state: State) -> None:
    """Nothing is going to happen any more."""
    state.due_times = {}
    state.due_heap = []
    state.due_ms = 0
    state.ageing = False


def _tidy(state: State) -> None:
    """Keeps the queue small and what counts at its top."""
    times = state.due_times
    if len(state.due_heap) > 2 * len(times) + STALE_LIMIT:
        state.due_heap = [(due_ms, *key) for key, due_ms in times.items()]
        heapify(state.due_heap)
    heap = state.due_heap
    while heap:
        due_ms, kind, number, symbol = heap[0]
        if times.get((kind, number, symbol)) == due_ms:
            state.due_ms = due_ms
            return
        heappop(heap)
    state.due_ms = 0
