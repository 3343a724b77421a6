"""What a command or a price sets off beyond itself, until nothing is left to happen.

First trigger orders see the prices that have moved, and debts are paid with what other
assets there are. Then the accounts whose margin may be used up are looked at, the one
with the lowest number first; one part of one account is liquidated at a time, and trigger
orders see what it has done to prices before anyone else is looked at. Everyone who is
touched by what happens is looked at, so that it ends with nobody whose margin is used up.
"""

from heapq import heappop, heappush

from openperp.engine.firing import fire_reached
from openperp.engine.insurance import cover_deficit
from openperp.engine.liquidation import liquidate
from openperp.engine.multi_assets import exchange_debts
from openperp.engine.solvency import find_part_due
from openperp.engine.step import Step


def run_consequences(step: Step) -> None:
    _fire_and_exchange(step)
    if not step.state.liquidates:
        step.touched.clear()
    elif step.touched:
        _liquidate_due(step)


def _liquidate_due(step: Step) -> None:
    state = step.state
    suspects: list[int] = []
    while step.touched or suspects:
        for account_id in step.touched:
            heappush(suspects, account_id)
        step.forget_touched()
        account_id = heappop(suspects)
        if suspects and suspects[0] == account_id:
            continue
        account = state.accounts[account_id]
        part = find_part_due(state, account)
        if part is None:
            continue
        step.touched.append(account.account_id)
        if part.deficit:
            cover_deficit(step, account, part.deficit)
        else:
            liquidate(step, part)
            _fire_and_exchange(step)
    step.rankings = None


def _fire_and_exchange(step: Step) -> None:
    """Lets trigger orders see the prices that have moved, and other assets pay debts."""
    if step.moves:
        fire_reached(step)
    if step.touched and step.state.multi_assets:
        exchange_debts(step)
