"""Trigger orders whose price has come: what they become, and what they set off."""

from openperp.engine.checks import check_entry
from openperp.engine.ending import cancel, expire, stop_waiting
from openperp.engine.events import OrderActivated, OrderTriggered
from openperp.engine.lookup import accepts_orders
from openperp.engine.matching import execute
from openperp.engine.numbers import PPM
from openperp.engine.order import Order
from openperp.engine.rejects import Reason, Rejected
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import LIMIT, MARKET, PRICED_TYPES, Cause

_OBSTACLES = {
    Reason.WOULD_TAKE: Cause.WOULD_TAKE,
    Reason.NOT_FILLABLE: Cause.NOT_FILLABLE,
    Reason.POSITION_LIMIT_EXCEEDED: Cause.POSITION_LIMIT,
    Reason.MARGIN_INSUFFICIENT: Cause.MARGIN_MISSING,
    Reason.STAKES_TOO_HIGH: Cause.STAKES_TOO_HIGH,
    Reason.BEST_PRICE_BEYOND_BOUND: Cause.BEST_PRICE_TOO_FAR,
}
"""What keeps a fired order out of the book, and how its record says so."""


def fire(step: Step, order: Order) -> None:
    """Turns a trigger order whose price has come into a MARKET or LIMIT order.

    It keeps its id. What fires as an attached child cancels its siblings and
    the rest of its parent. An order that cannot enter the book expires.
    """
    state = step.state
    account = state.accounts[order.account]
    position = account.positions[order.position_key]
    stop_waiting(step, account, order)
    order.type = LIMIT if order.type in PRICED_TYPES else MARKET
    order.triggered_ms = step.now
    order.updated_ms = step.now
    closable = position.closable_lots(order.side)
    if order.close_position:
        order.reduce_only = True
        order.lots = closable
    elif order.parent_id:
        order.lots = min(order.armed_lots, closable) or order.lots
    elif order.reduce_only:
        if state.displaces_reducers and order.type is LIMIT:
            closable = position.free_lots(order.side, order.ticks)
        order.lots = min(order.lots, closable) or order.lots
    step.events.append(OrderTriggered(order.to_record()))
    if order.reduce_only and not closable:
        gone = not position.closable_lots(order.side)
        expire(step, order, Cause.POSITION_GONE if gone else Cause.DISPLACED)
        return
    if order.parent_id:
        _relieve_family(step, order)
    obstacle = _find_obstacle(state, account, position, order)
    if obstacle is not None:
        expire(step, order, obstacle)
        return
    execute(step, account, position, order)


def _relieve_family(step: Step, order: Order) -> None:
    """The position is being closed: siblings and the rest of the parent have no use."""
    state = step.state
    for sibling in tuple(state.families.get(order.parent_id, ())):
        cancel(step, sibling, Cause.SIBLING_FIRED)
    parent = state.orders.get(order.parent_id)
    if parent is not None:
        cancel(step, parent, Cause.SIBLING_FIRED)


def _find_obstacle(
    state: State, account: Account, position: Position, order: Order
) -> Cause | None:
    if order.price_protect and _are_apart(position.market):
        return Cause.PRICES_APART
    try:
        check_entry(
            state,
            account,
            position,
            side=order.side,
            type=order.type,
            time_in_force=order.time_in_force,
            ticks=order.ticks,
            lots=order.lots,
            reduce_only=order.reduce_only,
            stp=order.stp,
        )
    except Rejected as rejected:
        return _OBSTACLES[rejected.reject.reason]
    return None


def _are_apart(market: Market) -> bool:
    """Whether mark and last differ by more than the instrument's triggerProtect."""
    spec = market.spec
    gap = abs(market.mark_ticks - market.last_ticks)
    return market.guarded and gap * PPM > market.mark_ticks * spec.trigger_protect_ppm


def fire_reached(step: Step) -> None:
    """Lets trigger orders see every price of the step until nothing fires any more.

    Markets that do not accept orders let nothing fire; `venue.set_mode` shows
    them the price again when they reopen.
    """
    moves = step.moves
    at = 0
    while at < len(moves):
        market, working_type, ticks, watcher = moves[at]
        at += 1
        queue = market.triggers.queue(working_type)
        if watcher is not None and watcher.waiting:
            queue.add(watcher)
        if not accepts_orders(step.state, market):
            continue
        for order in queue.follow(ticks):
            step.events.append(OrderActivated(order.to_record()))
        for order in queue.take(ticks):
            if order.waiting:
                fire(step, order)
    moves.clear()
