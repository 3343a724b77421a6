"""Cancelling orders on request."""

from openperp.engine.commands import CancelAllOrders, CancelOrder
from openperp.engine.ending import cancel
from openperp.engine.lookup import find_order, get_account, get_market, open_orders
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    ANY,
    HALTED,
    TRIGGER,
    Cause,
    OrderScope,
)


def cancel_order(step: Step, command: CancelOrder) -> OrderRecord:
    """Cancels one order and, by cascade, its children; replies with the order asked for."""
    state = step.state
    order = find_order(
        state,
        command.account,
        command.symbol,
        command.order_id,
        command.client_id,
        command.scope,
    )
    if order is None:
        refuse(Reason.ORDER_UNKNOWN, order=command.order_id or command.client_id)
    _check_not_halted(state, order.symbol)
    state.accounts[order.account].updated_ms = step.now
    return cancel(step, order, Cause.REQUESTED)


def cancel_all_orders(step: Step, command: CancelAllOrders) -> tuple[OrderRecord, ...]:
    """Cancels an account's orders of one symbol; replies with those that its scope reached."""
    state = step.state
    account = get_account(state, command.account)
    get_market(state, command.symbol)
    _check_not_halted(state, command.symbol)
    return tuple(cancel_open(step, account, command.symbol, command.scope))


def cancel_open(step: Step, account: Account, symbol: str, scope: OrderScope) -> list[OrderRecord]:
    """Cancels what is open on a symbol; the orders that `scope` reached."""
    canceled = []
    for order in open_orders(account, symbol):
        if order.order_id not in step.state.orders:
            continue  # a child that went with its parent
        if scope is ANY or order.waiting == (scope is TRIGGER):
            account.updated_ms = step.now
            canceled.append(cancel(step, order, Cause.REQUESTED))
    return canceled


def _check_not_halted(state: State, symbol: str) -> None:
    if state.mode is HALTED or state.markets[symbol].mode is HALTED:
        refuse(Reason.MODE_REFUSES, mode="halted")
