"""How orders end: cancelled, expired or filled, with what follows for their family."""

from openperp.engine.due import EXPIRY, call_off
from openperp.engine.events import OrderCanceled, OrderExpired
from openperp.engine.lookup import client_id_space, open_orders
from openperp.engine.margin import refreeze
from openperp.engine.order import Order
from openperp.engine.records import OrderRecord
from openperp.engine.state import Account, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    CANCELED,
    EXPIRED,
    EXPIRED_IN_MATCH,
    Cause,
)
from openperp.engine.ties import is_tied


def cancel(step: Step, order: Order, cause: Cause) -> OrderRecord:
    """Cancels a live order and, by cascade, the children attached to it."""
    _leave(step, order)
    order.status = CANCELED
    order.updated_ms = step.now
    record = order.to_record(cause)
    step.events.append(OrderCanceled(record))
    if step.state.families:
        cancel_children(step, order, Cause.CASCADE)
    return record


def cancel_children(step: Step, order: Order, cause: Cause) -> None:
    for child in tuple(step.state.families.get(order.order_id, ())):
        cancel(step, child, cause)


def expire(step: Step, order: Order, cause: Cause) -> None:
    """Ends an order that the venue gives up; its children stay if it opened anything."""
    _leave(step, order)
    order.status = EXPIRED_IN_MATCH if cause is Cause.SELF_TRADE else EXPIRED
    order.updated_ms = step.now
    step.events.append(OrderExpired(order.to_record(cause)))
    settle_family(step, order)


def give_up_orders(step: Step, account: Account, symbol: str, cause: Cause) -> None:
    """Expires every live order of an account, of one symbol or (empty) of all, by order id.

    What is attached to them goes with them, whatever they have opened.
    """
    for order in open_orders(account, symbol):
        if order.order_id not in step.state.orders:
            continue  # a child that went with its parent
        account.updated_ms = step.now
        _leave(step, order)
        order.status = EXPIRED
        order.updated_ms = step.now
        step.events.append(OrderExpired(order.to_record(cause)))
        cancel_children(step, order, Cause.CASCADE)


def finish_filled(step: Step, order: Order) -> None:
    """Takes a completely filled order out; its OrderFilled event has been told."""
    _leave(step, order)
    settle_family(step, order)


def settle_family(step: Step, order: Order) -> None:
    """Children of an ended order that opened nothing have nothing to protect."""
    if not step.state.families:
        return
    position = step.state.accounts[order.account].positions[order.position_key]
    if not opened_part(order, position):
        cancel_children(step, order, Cause.NOTHING_OPENED)


def opened_part(order: Order, position: Position) -> int:
    """Lots of the present position that the fills of `order` have opened."""
    return order.opened_lots if order.opened_epoch == position.epoch else 0


def expire_closers(step: Step, account: Account, position: Position) -> None:
    """Expires what could only close a position that is now gone."""
    position.epoch += 1
    for order in tuple(position.reducers.values()):
        if order.remaining_lots and not position.closable_lots(order.side):
            expire(step, order, Cause.POSITION_GONE)
    for order in tuple(account.waiting.values()):
        if (
            (order.armed_lots or is_tied(order))
            and order.position_key == position.key
            and order.waiting
            and not position.closable_lots(order.side)
        ):
            expire(step, order, Cause.POSITION_GONE)


def displace_reducers(step: Step, position: Position) -> None:
    """Expires reduce-only orders, those first that trade last, until the position can fill all.

    Source: the fapi's expiry reason of orders that others of higher priority knock out.
    """
    excess = position.reducing_lots - abs(position.lots)
    if excess <= 0:
        return
    youngest_first = reversed(tuple(position.reducers.values()))
    for order in sorted(youngest_first, key=_priority):
        if excess > 0 and order.remaining_lots:
            excess -= order.remaining_lots
            expire(step, order, Cause.DISPLACED)


def _priority(order: Order) -> int:
    """Where an order stands in its side of the book: the higher the earlier."""
    return order.ticks * order.side


def stop_waiting(step: Step, account: Account, order: Order) -> None:
    """Takes an order out of the trigger index, whether it fires or ends."""
    order.waiting = False
    step.state.markets[order.symbol].triggers.queue(order.working_type).discard(order)
    del account.waiting[order.order_id]
    if order.parent_id:
        family = step.state.families[order.parent_id]
        family.remove(order)
        if not family:
            del step.state.families[order.parent_id]


def leave_book(state: State, account: Account, position: Position, order: Order) -> None:
    """Takes a resting order out of the book and frees its margin."""
    position.market.book.side(order.side).remove(order)
    position.market.book.update_id += 1
    position.order_count -= 1
    if order.reduce_only:
        del position.reducers[order.order_id]
        position.reducing_lots -= order.remaining_lots
    else:
        position.chain(order.side).remove(order)
        refreeze(state, account, position)


def _leave(step: Step, order: Order) -> None:
    """Takes an order out of the book or the trigger index and frees its margin and ids."""
    state = step.state
    account = state.accounts[order.account]
    if order.resting:
        leave_book(state, account, account.positions[order.position_key], order)
    elif order.waiting:
        stop_waiting(step, account, order)
    if order.expires_ms:
        call_off(state, (EXPIRY, order.order_id, ""))
    del state.orders[order.order_id]
    del client_id_space(state, account, order.algo)[order.client_id]
