"""What the passing of time brings about, before the record that finds it due.

The earliest happens first, each at its own time. What each kind of key in the
queue does is told by its own module.
"""

from openperp.engine import countdowns
from openperp.engine.due import COUNTDOWN, EXPIRY, DueKey, take_next
from openperp.engine.ending import expire
from openperp.engine.firing import run_consequences
from openperp.engine.step import Step
from openperp.engine.terms import Cause


def pass_time(step: Step) -> None:
    """Lets all happen that is due up to now."""
    state = step.state
    now = step.now
    while 0 < state.due_ms <= now:
        step.now = state.due_ms
        _happen(step, take_next(state))
        if step.moves:
            run_consequences(step)
    step.now = now


def _happen(step: Step, key: DueKey) -> None:
    kind, number, symbol = key
    if kind == EXPIRY:
        expire(step, step.state.orders[number], Cause.DATE_PASSED)
        return
    assert kind == COUNTDOWN, key
    countdowns.fire(step, number, symbol)
