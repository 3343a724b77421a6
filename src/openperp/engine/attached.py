"""Attached take-profit and stop-loss orders: children of the order that they protect.

A child is a reduce-only trigger order. It sleeps until its parent has opened
something and then guards what the parent has opened, growing with each fill.
"""

from openperp.engine.events import OrderArmed
from openperp.engine.order import Order
from openperp.engine.state import Market
from openperp.engine.step import Step
from openperp.engine.terms import (
    MARK_PRICE,
    TRAILING_STOP_MARKET,
    WorkingType,
)


def attach(step: Step, child: Order, parent: Order) -> None:
    """Makes `child`, which already waits, one of the parent's family."""
    child.parent_id = parent.order_id
    step.state.families.setdefault(parent.order_id, []).append(child)


def arm_children(step: Step, market: Market, parent: Order) -> None:
    """Lets every child guard what its parent has opened by now."""
    for child in step.state.families.get(parent.order_id, ()):
        arm(step, market, child, parent.opened_lots)


def arm(step: Step, market: Market, child: Order, opened_lots: int) -> None:
    """Raises what `child` guards to `opened_lots`; a first time wakes it up.

    A price that has passed its trigger in the meantime fires it at once.
    """
    armed = min(child.lots, opened_lots)
    if armed <= child.armed_lots:
        return
    dormant = child.armed_lots == 0
    child.armed_lots = armed
    child.updated_ms = step.now
    step.events.append(OrderArmed(child.to_record()))
    if dormant:
        watch(step, market, child)


def watch(step: Step, market: Market, order: Order) -> None:
    """Lets a waiting order see the price as it is and as it becomes.

    A trailing stop without an activation price trails from that price on.
    """
    ticks = working_ticks(market, order.working_type)
    if order.type is TRAILING_STOP_MARKET and not order.activation_ticks:
        order.activation_ticks = ticks
    step.watch(market, order, ticks)


def working_ticks(market: Market, working_type: WorkingType) -> int:
    """The price that a trigger of this kind watches."""
    return market.mark_ticks if working_type is MARK_PRICE else market.last_ticks
