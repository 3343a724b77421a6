"""What the passing of time brings about, before the record that finds it due.

The earliest happens first, each at its own time. At one time prices are sampled
first, then the queue follows. What each kind of key in the queue does is told by
its own module.
"""

from openperp.engine import ageing, countdowns, funding
from openperp.engine.consequences import run_consequences
from openperp.engine.due import AGEING, EXPIRY, FUNDING, DueKey, take_next
from openperp.engine.ending import expire
from openperp.engine.sampling import take_samples, tell_time
from openperp.engine.step import Step
from openperp.engine.terms import Cause


def pass_time(step: Step, funded_until_ms: int) -> None:
    """Lets all happen that is due up to now; funding later than `funded_until_ms` is skipped."""
    state = step.state
    now = step.now
    while 0 < state.due_ms <= now:
        due_ms = state.due_ms
        take_samples(step, due_ms)
        if state.ageing and ageing.is_stale(state):
            ageing.plan_ageing(state)
            continue
        if state.due_ms != due_ms:
            continue  # What it was about has ended with an order that a sample fired.
        step.now = due_ms
        if step.told_ms:
            tell_time(step, step.now)
        key = take_next(state)
        if key[0] == FUNDING and step.now > funded_until_ms:
            funding.skip(step, key[2], now)
        else:
            _happen(step, key)
        if step.moves or step.touched:
            run_consequences(step)
    take_samples(step, now)
    step.now = now
    if step.told_ms:
        tell_time(step, now)


def _happen(step: Step, key: DueKey) -> None:
    kind, number, symbol = key
    if kind == FUNDING:
        funding.settle(step, symbol)
    elif kind == AGEING:
        ageing.end_aged(step)
    elif kind == EXPIRY:
        expire(step, step.state.orders[number], Cause.DATE_PASSED)
    else:
        countdowns.fire(step, number, symbol)
