"""Countdowns: orders that are cancelled when their owner no longer says that he is there.

Time is that of the records, so a countdown fires with the first record that is
not before it, whatever that is, and at its own time. It fires in a market that
accepts nothing, too: it is a promise of the venue, not a request.
"""

from openperp.engine.canceling import cancel_open
from openperp.engine.commands import SetCountdown
from openperp.engine.due import COUNTDOWN, call_off, schedule
from openperp.engine.events import CountdownChanged, CountdownFired
from openperp.engine.lookup import get_account, get_market
from openperp.engine.step import Step


def set_countdown(step: Step, command: SetCountdown) -> CountdownChanged:
    """Starts the countdown of one symbol anew, or calls it off."""
    state = step.state
    account = get_account(state, command.account)
    get_market(state, command.symbol)
    key = (account.account_id, command.symbol)
    due_key = (COUNTDOWN, account.account_id, command.symbol)
    due_ms = 0
    if command.duration_ms > 0:
        due_ms = step.now + command.duration_ms
        state.countdowns[key] = (due_ms, command.scope)
        schedule(state, due_key, due_ms)
    else:
        state.countdowns.pop(key, None)
        call_off(state, due_key)
    changed = CountdownChanged(account.account_id, command.symbol, due_ms)
    step.events.append(changed)
    return changed


def fire(step: Step, account_id: int, symbol: str) -> None:
    """Cancels what a countdown whose time has come was for."""
    _, scope = step.state.countdowns.pop((account_id, symbol))
    step.events.append(CountdownFired(account_id, symbol, step.now))
    cancel_open(step, step.state.accounts[account_id], symbol, scope)
