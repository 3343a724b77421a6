"""Countdowns: orders that are cancelled when their owner no longer says that he is there.

Time is that of the records, so a countdown fires with the first record that is
not before it, whatever that is, and at its own time. It fires in a market that
accepts nothing, too: it is a promise of the venue, not a request.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from openperp.engine.canceling import cancel_open
from openperp.engine.commands import SetCountdown
from openperp.engine.events import CountdownChanged, CountdownFired
from openperp.engine.lookup import get_account, get_market
from openperp.engine.state import State
from openperp.engine.step import Step

STALE_LIMIT: Final = 64
"""Entries out of date that the heap may hold beside one for each that runs."""


def set_countdown(step: Step, command: SetCountdown) -> CountdownChanged:
    """Starts the countdown of one symbol anew, or calls it off."""
    state = step.state
    account = get_account(state, command.account)
    get_market(state, command.symbol)
    key = (account.account_id, command.symbol)
    due_ms = 0
    if command.duration_ms > 0:
        due_ms = step.now + command.duration_ms
        state.countdowns[key] = (due_ms, command.scope)
        heappush(state.countdown_heap, (due_ms, account.account_id, command.symbol))
    else:
        state.countdowns.pop(key, None)
    if len(state.countdown_heap) > 2 * len(state.countdowns) + STALE_LIMIT:
        index_countdowns(state)
    _find_next(state)
    changed = CountdownChanged(account.account_id, command.symbol, due_ms)
    step.events.append(changed)
    return changed


def fire_due(step: Step) -> None:
    """Cancels what every countdown up to now was for, earliest first and each at its own time."""
    state = step.state
    now = step.now
    while 0 < state.due_ms <= now:
        due_ms, account_id, symbol = heappop(state.countdown_heap)
        _, scope = state.countdowns.pop((account_id, symbol))
        step.now = due_ms
        step.events.append(CountdownFired(account_id, symbol, due_ms))
        cancel_open(step, state.accounts[account_id], symbol, scope)
        _find_next(state)
    step.now = now


def index_countdowns(state: State) -> None:
    """Makes the heap of those that run alone."""
    state.countdown_heap = [
        (due_ms, account_id, symbol)
        for (account_id, symbol), (due_ms, _) in state.countdowns.items()
    ]
    heapify(state.countdown_heap)
    _find_next(state)


def _find_next(state: State) -> None:
    """Drops what was started anew or called off from the top of the heap."""
    heap = state.countdown_heap
    while heap:
        due_ms, account_id, symbol = heap[0]
        running = state.countdowns.get((account_id, symbol))
        if running is not None and running[0] == due_ms:
            state.due_ms = due_ms
            return
        heappop(heap)
    state.due_ms = 0
