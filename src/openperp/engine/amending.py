"""Amending: a resting LIMIT order gets a new price and quantity, and goes to the end of the queue.

Source of the rules: the fapi's page on modifying orders. It is as if the order
were cancelled and placed again under its own id, except that nobody can come
between, that its fills stay, and that what is refused leaves it where it was.
"""

from typing import Final

import msgspec

from openperp.engine.checks import (
    check_child_side,
    check_entry,
    check_lots,
    check_price,
)
from openperp.engine.commands import AmendOrder
from openperp.engine.ending import cancel, leave_book
from openperp.engine.events import OrderAmended
from openperp.engine.guards import check_guards
from openperp.engine.lookup import accepts_orders, find_order
from openperp.engine.matching import execute
from openperp.engine.order import Order
from openperp.engine.price_match import match_price
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    GTX,
    LIMIT,
    TAKE_PROFIT_TYPES,
    TRAILING_STOP_MARKET,
    Cause,
)

AMENDMENT_LIMIT: Final = 10_000
"""How often one order can be amended."""


def amend_order(step: Step, command: AmendOrder) -> OrderAmended | OrderRecord:
    """Replies with the amendment, or with the order where it was cancelled instead.

    That is where no more than its fills would be left of it, and where a
    post-only order would take liquidity.
    """
    state = step.state
    order = _find_amendable(state, command)
    if command.price_match:
        book = state.markets[order.symbol].book
        ticks = match_price(book, order.side, command.price_match)
        command = msgspec.structs.replace(command, ticks=ticks)
    account = state.accounts[order.account]
    position = account.positions[order.position_key]
    lots = _check_terms(state, position, order, command)
    ends = lots <= order.filled_lots or _would_take(position.market, order, command.ticks)
    if not ends:
        _check_room(state, account, position, order, command, lots)

    account.updated_ms = step.now
    if ends:
        return cancel(step, order, Cause.REQUESTED)
    leave_book(state, account, position, order)
    order.price_match = command.price_match
    amended = _change(step, order, command.ticks, lots, command.modify_id)
    execute(step, account, position, order)
    return OrderAmended(
        order.to_record(),
        amended.ticks_before,
        amended.lots_before,
        amended.amendment_id,
        amended.count,
        amended.modify_id,
    )


def _find_amendable(state: State, command: AmendOrder) -> Order:
    named = command.order_id or command.client_id
    order = find_order(
        state,
        command.account,
        command.symbol,
        command.order_id,
        command.client_id,
        command.scope,
    )
    if order is None:
        refuse(Reason.AMENDED_ORDER_UNKNOWN, order=named)
    if order.side is not command.side:
        refuse(Reason.AMENDED_SIDE_INVALID, side=command.side.name)
    market = state.markets[order.symbol]
    if not accepts_orders(state, market):
        refuse(Reason.AMENDED_IN_MODE, symbol=market.symbol)
    if not order.resting or order.type is not LIMIT:
        refuse(Reason.AMENDED_TYPE_INVALID, type=order.type.name)
    if command.reduce_only and not order.reduce_only:
        refuse(Reason.AMENDED_NOT_REDUCE_ONLY, order=named)
    return order


def _check_terms(state: State, position: Position, order: Order, command: AmendOrder) -> int:
    """The price and quantity by themselves; the quantity after clamping a reduce-only order."""
    market = position.market
    check_price(market, command.ticks)
    if market.guarded:
        check_guards(market, order.side, LIMIT, command.ticks, 0)
    check_lots(market, LIMIT, command.lots)
    lots = command.lots
    if order.reduce_only:
        lots = min(lots, order.filled_lots + _closable_lots(state, position, order, command.ticks))
    if (lots, command.ticks) == (order.lots, order.ticks):
        refuse(Reason.AMENDED_NOTHING, lots=lots, ticks=command.ticks)
    if order.amendments >= AMENDMENT_LIMIT:
        refuse(Reason.AMENDED_TOO_OFTEN, limit=AMENDMENT_LIMIT)
    return lots


def _closable_lots(state: State, position: Position, order: Order, ticks: int) -> int:
    """Lots that a reduce-only order could close at `ticks`: at least what is left of it."""
    if not state.displaces_reducers:
        return position.closable_lots(order.side)
    lots = position.free_lots(order.side, ticks)
    if order.ticks * order.side >= ticks * order.side:
        lots += order.remaining_lots
    return lots


def _would_take(market: Market, order: Order, ticks: int) -> bool:
    return order.time_in_force is GTX and market.book.opposite(order.side).crosses(ticks)


def _check_room(
    state: State,
    account: Account,
    position: Position,
    order: Order,
    command: AmendOrder,
    lots: int,
) -> None:
    """What the order would be, against notional, its children, cap and margin."""
    market = position.market
    size = command.ticks * lots * market.unit
    if size < market.spec.min_notional and not command.reduce_only:
        smallest = market.spec.min_notional
        refuse(Reason.AMENDED_BELOW_NOTIONAL, notional=size, min_notional=smallest)
    for child in state.families.get(order.order_id, ()):
        if child.type is not TRAILING_STOP_MARKET:
            profits = child.type in TAKE_PROFIT_TYPES
            check_child_side(order.side, child.trigger_ticks, command.ticks, profits)
    check_entry(
        state,
        account,
        position,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        ticks=command.ticks,
        lots=lots - order.filled_lots,
        reduce_only=order.reduce_only,
        stp=order.stp,
        replaced=order,
    )


def _change(step: Step, order: Order, ticks: int, lots: int, modify_id: int) -> OrderAmended:
    """Gives an order its new terms; children that are as large as it follow its quantity."""
    state = step.state
    lots_before, ticks_before = order.lots, order.ticks
    order.lots = lots
    order.ticks = ticks
    order.updated_ms = step.now
    order.amendments += 1
    amended = OrderAmended(
        order.to_record(),
        ticks_before,
        lots_before,
        state.next_amendment_id,
        order.amendments,
        modify_id,
    )
    state.next_amendment_id += 1
    step.events.append(amended)
    if lots != lots_before:
        for child in state.families.get(order.order_id, ()):
            if child.lots == lots_before:
                _change(step, child, child.ticks, lots, modify_id)
    return amended
