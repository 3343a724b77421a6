"""Orders that are good till cancelled, and end all the same when they have been open for long.

Source: the fapi's rule that GTC orders are cancelled one year after they were placed
unless they are partly filled. One key of the queue stands for all of them: live orders
are kept by age, so the first that may age comes due first. What ages never does so later
than that key, though it may be gone by then.
"""

from typing import Final

from openperp.engine.due import AGEING, call_off, schedule
from openperp.engine.ending import cancel
from openperp.engine.order import Order
from openperp.engine.state import State
from openperp.engine.step import Step
from openperp.engine.terms import GTC, GTE_GTC, Cause

KEY: Final = (AGEING, 0, "")


def may_age(order: Order) -> bool:
    """Whether its age can end the order. Attached children live as long as what they guard."""
    ages = order.time_in_force is GTC or order.time_in_force is GTE_GTC
    return ages and not order.filled_lots and not order.parent_id


def watch_age(state: State, order: Order) -> None:
    """Lets a new order come due if it may age and none before it does."""
    if state.order_life_ms and not state.ageing and may_age(order):
        state.ageing = True
        schedule(state, KEY, order.created_ms + state.order_life_ms)


def plan_ageing(state: State) -> None:
    """Lets the oldest order that may age come due, if there is one."""
    state.ageing = False
    oldest = _find_oldest(state)
    if oldest is None:
        call_off(state, KEY)
    else:
        watch_age(state, oldest)


def is_stale(state: State) -> bool:
    """Whether the queue has come to the end of an order that has ended already."""
    if state.due_heap[0][1] != AGEING:
        return False
    order = _find_oldest(state)
    return order is None or order.created_ms + state.order_life_ms > state.due_ms


def _find_oldest(state: State) -> Order | None:
    for order in state.orders.values():
        if may_age(order):
            return order
    return None


def end_aged(step: Step) -> None:
    """Cancels what has been open for so long by now."""
    state = step.state
    born_ms = step.now - state.order_life_ms
    aged = []
    for order in state.orders.values():
        if order.created_ms > born_ms:
            break
        if may_age(order):
            aged.append(order)
    for order in aged:
        cancel(step, order, Cause.AGED)
    plan_ageing(state)
