"""Placing an order: every check first, then the change.

`plan_order` refuses, or returns what the order needs while nothing has changed.
`place_order` then builds the order and its children and lets it trade or wait.
"""

import msgspec

from openperp.engine.ageing import watch_age
from openperp.engine.attached import arm, attach, watch, working_ticks
from openperp.engine.checks import (
    check_attached,
    check_client_ids,
    check_entry,
    check_expiry,
    check_limits,
    check_mode,
    check_notional,
    check_parent,
    check_ranges,
    check_sides,
    check_trigger,
    closes_side,
)
from openperp.engine.commands import PlaceOrder
from openperp.engine.due import EXPIRY, schedule
from openperp.engine.ending import opened_part
from openperp.engine.events import OrderAccepted
from openperp.engine.guards import check_guards
from openperp.engine.ids import auto_client_id
from openperp.engine.lookup import (
    client_id_space,
    find_order,
    find_position,
    get_account,
    get_market,
    is_client_id_taken,
)
from openperp.engine.matching import execute
from openperp.engine.order import Order
from openperp.engine.price_match import match_price
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason, Reject, Rejected, refuse
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    ANY,
    BOTH,
    BUY,
    GTC,
    GTD,
    GTE_GTC,
    IOC,
    LIMIT,
    PRICED_TYPES,
    SELL,
    STOP_MARKET,
    TAKE_PROFIT_MARKET,
    TRAILING_STOP_MARKET,
    TRIGGER_TYPES,
    Origin,
    Side,
)
from openperp.engine.ties import check_ties

SECOND_MS = 1_000


class Plan:
    """What an order that passed its checks needs.

    `position` may be new and not yet the account's; `lots` is the quantity
    after clamping a reduce-only order to the position.
    """

    __slots__ = ("account", "lots", "market", "parent", "position", "reduce_only")

    def __init__(self, account: Account, market: Market, position: Position) -> None:
        self.account = account
        self.market = market
        self.position = position
        self.parent: Order | None = None
        self.lots = 0
        self.reduce_only = False


def check_order(state: State, command: PlaceOrder, now_ms: int) -> Reject | None:
    """Whether the order would be refused right now, and why; changes nothing."""
    try:
        plan_order(state, resolve_price(state, command), now_ms)
    except Rejected as rejected:
        return rejected.reject
    return None


def resolve_price(state: State, command: PlaceOrder) -> PlaceOrder:
    """The order with the price that it takes from the book, where it takes one."""
    if not command.price_match or command.type not in PRICED_TYPES:
        return command
    book = get_market(state, command.symbol).book
    ticks = match_price(book, command.side, command.price_match)
    return msgspec.structs.replace(command, ticks=ticks)


def plan_order(state: State, command: PlaceOrder, now_ms: int) -> Plan:
    account = get_account(state, command.account)
    market = get_market(state, command.symbol)
    check_mode(state, market)
    check_expiry(command, now_ms)
    position_side = command.position_side
    if account.hedge or position_side is not BOTH:
        check_sides(account, command)
    position = find_position(account, market, position_side)
    plan = Plan(account, market, position)
    plan.parent = _find_parent(state, command)
    plan.lots = command.lots
    plan.reduce_only = _only_closes(account, command, plan.parent)
    if plan.parent is not None and not plan.lots:
        plan.lots = plan.parent.lots

    waits = command.type in TRIGGER_TYPES
    check_ranges(market, command, plan.lots)
    if market.guarded:
        check_guards(market, command.side, command.type, command.ticks, command.trigger_ticks)
    check_client_ids(state, account, command)
    check_ties(state, account, position, command, plan.parent)
    if plan.parent is not None:
        check_parent(market, command, plan.parent)
    if command.take_profit_ticks or command.stop_loss_ticks:
        check_attached(market, command)
    if waits and (plan.parent is None or opened_part(plan.parent, position)):
        check_trigger(market, command)
    _check_reduction(state, plan, command, waits)
    check_limits(state, account, position, command)
    if not plan.reduce_only and not command.close_position:
        check_notional(market, command, plan.lots)
    if not waits:
        check_entry(
            state,
            account,
            position,
            side=command.side,
            type=command.type,
            time_in_force=command.time_in_force,
            ticks=command.ticks,
            lots=plan.lots,
            reduce_only=plan.reduce_only,
            stp=command.stp,
        )
    return plan


def _only_closes(account: Account, command: PlaceOrder, parent: Order | None) -> bool:
    """What is attached or tied closes like what says so, and in hedge mode the sides say it."""
    if command.reduce_only or parent is not None or command.time_in_force is GTE_GTC:
        return True
    return account.hedge and closes_side(command.side, command.position_side)


def _find_parent(state: State, command: PlaceOrder) -> Order | None:
    if not command.parent_id and not command.parent_client_id:
        return None
    parent = find_order(
        state,
        command.account,
        command.symbol,
        command.parent_id,
        command.parent_client_id,
        ANY,
    )
    if parent is None or parent.parent_id:
        refuse(Reason.PARENT_UNKNOWN, parent=command.parent_id or command.parent_client_id)
    return parent


def _check_reduction(state: State, plan: Plan, command: PlaceOrder, waits: bool) -> None:
    """A reduce-only order needs something to reduce, and is clamped to it.

    What others will have closed before its turn comes may not count.
    """
    if plan.parent is not None or not plan.reduce_only:
        return
    if command.close_position and not command.reduce_only:
        return
    closable = plan.position.closable_lots(command.side)
    if state.displaces_reducers and command.type is LIMIT:
        closable = plan.position.free_lots(command.side, command.ticks)
    if not closable:
        refuse(Reason.REDUCE_ONLY_REJECTED, position_lots=plan.position.lots)
    if not waits:
        plan.lots = min(plan.lots, closable)


def place_order(step: Step, command: PlaceOrder) -> OrderRecord:
    if command.price_match:
        command = resolve_price(step.state, command)
    plan = plan_order(step.state, command, step.now)
    account = plan.account
    account.positions[plan.position.key] = plan.position
    order = _build_order(step, command, plan)
    _register(step, account, order, command.client_id, command)
    accepted = order.to_record()
    step.events.append(OrderAccepted(accepted))
    _build_children(step, account, plan.position, command, order)
    if command.type in TRIGGER_TYPES:
        _wait(step, account, plan.position, order, plan.parent)
    else:
        execute(step, account, plan.position, order)
        if order.resting and not order.filled_lots:
            return accepted
    return order.to_record()


def _build_order(step: Step, command: PlaceOrder, plan: Plan) -> Order:
    order = Order(
        step.state.next_order_id,
        "",
        command.account,
        command.symbol,
        command.side,
        command.type,
        command.time_in_force,
        command.ticks if command.type in PRICED_TYPES else 0,
        plan.lots,
        step.now,
    )
    if plan.account.hedge:
        _take_side(order, plan.position)
    order.reduce_only = plan.reduce_only
    order.close_position = command.close_position
    order.price_protect = command.price_protect
    order.algo = command.algo
    order.stp = command.stp
    if command.type in PRICED_TYPES:
        order.price_match = command.price_match
    if order.time_in_force is GTD:
        order.expires_ms = command.expires_ms - command.expires_ms % SECOND_MS
    order.working_type = command.working_type
    if command.type is TRAILING_STOP_MARKET:
        order.activation_ticks = command.activation_ticks
        if plan.parent is None and not order.activation_ticks:
            order.activation_ticks = working_ticks(plan.market, order.working_type)
        order.callback_ppm = command.callback_ppm
    elif command.type in TRIGGER_TYPES:
        order.trigger_ticks = command.trigger_ticks
    if plan.parent is not None:
        order.parent_id = plan.parent.order_id
    return order


def closing_order(
    step: Step, account: Account, position: Position, ticks: int, lots: int, origin: Origin
) -> Order:
    """An order with which the venue closes `lots` of a position; it has no client id yet."""
    order = Order(
        step.state.next_order_id,
        "",
        account.account_id,
        position.market.symbol,
        SELL if position.lots > 0 else BUY,
        LIMIT,
        IOC,
        ticks,
        lots,
        step.now,
    )
    step.state.next_order_id += 1
    _take_side(order, position)
    order.reduce_only = True
    order.origin = origin
    account.updated_ms = step.now
    return order


def _take_side(order: Order, position: Position) -> None:
    order.position_side = position.side
    order.position_key = position.key


def _build_children(
    step: Step, account: Account, position: Position, command: PlaceOrder, parent: Order
) -> None:
    for type, ticks, client_id in (
        (TAKE_PROFIT_MARKET, command.take_profit_ticks, command.take_profit_client_id),
        (STOP_MARKET, command.stop_loss_ticks, command.stop_loss_client_id),
    ):
        if ticks:
            child = Order(
                step.state.next_order_id,
                "",
                parent.account,
                parent.symbol,
                Side(-parent.side),
                type,
                GTC,
                0,
                parent.lots,
                step.now,
            )
            _take_side(child, position)
            child.trigger_ticks = ticks
            child.working_type = command.attached_working_type
            child.reduce_only = True
            child.algo = True
            child.parent_id = parent.order_id
            _register(step, account, child, client_id, command)
            step.events.append(OrderAccepted(child.to_record()))
            _wait(step, account, position, child, parent)


def _register(
    step: Step, account: Account, order: Order, client_id: str, command: PlaceOrder
) -> None:
    """Takes the next id, and a client id that is given or made up.

    What is made up is neither in use nor given to another order of the command.
    """
    state = step.state
    state.next_order_id += 1
    if not client_id:
        given = (command.client_id, command.take_profit_client_id, command.stop_loss_client_id)
        client_id = auto_client_id(order.order_id)
        while is_client_id_taken(state, account, client_id, order.algo) or client_id in given:
            client_id += "_"
    order.client_id = client_id
    state.orders[order.order_id] = order
    if not state.ageing:
        watch_age(state, order)
    if order.expires_ms:
        schedule(state, (EXPIRY, order.order_id, ""), order.expires_ms)
    client_id_space(state, account, order.algo)[client_id] = order
    account.updated_ms = step.now


def _wait(
    step: Step, account: Account, position: Position, order: Order, parent: Order | None
) -> None:
    order.waiting = True
    account.waiting[order.order_id] = order
    if parent is None:
        watch(step, position.market, order)
        return
    attach(step, order, parent)
    arm(step, position.market, order, opened_part(parent, position))
