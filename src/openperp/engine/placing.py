"""Placing an order: every check first, then the change.

`plan_order` refuses, or returns what the order needs while nothing has changed.
`place_order` then builds the order and its children and lets it trade or wait;
`fire` does the same for a trigger order whose price has come.
"""

from openperp.engine.attached import arm, attach, watch, working_ticks
from openperp.engine.checks import (
    check_attached,
    check_client_ids,
    check_entry,
    check_limits,
    check_mode,
    check_notional,
    check_parent,
    check_ranges,
    check_trigger,
)
from openperp.engine.commands import PlaceOrder
from openperp.engine.ending import cancel, expire, stop_waiting
from openperp.engine.events import OrderAccepted, OrderRecord, OrderTriggered
from openperp.engine.lookup import client_id_space, find_order
from openperp.engine.matching import execute
from openperp.engine.order import Order
from openperp.engine.rejects import Reason, Reject, Rejected, refuse
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    BOTH,
    LIMIT,
    MARKET,
    NORMAL,
    PRICED_TYPES,
    TRAILING_STOP_MARKET,
    TRIGGER_TYPES,
    Cause,
    OrderScope,
    OrderType,
    Side,
    TimeInForce,
)

_OBSTACLES = {
    Reason.WOULD_TAKE: Cause.WOULD_TAKE,
    Reason.NOT_FILLABLE: Cause.NOT_FILLABLE,
    Reason.POSITION_LIMIT_EXCEEDED: Cause.POSITION_LIMIT,
    Reason.MARGIN_INSUFFICIENT: Cause.MARGIN_MISSING,
}
"""What keeps a fired order out of the book, and how its record says so."""


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


def check_order(state: State, command: PlaceOrder) -> Reject | None:
    """Whether the order would be refused right now, and why; changes nothing."""
    try:
        plan_order(state, command)
    except Rejected as rejected:
        return rejected.reject
    return None


def plan_order(state: State, command: PlaceOrder) -> Plan:
    account = state.accounts.get(command.account)
    if account is None:
        refuse(Reason.ACCOUNT_UNKNOWN, account=command.account)
    market = state.markets.get(command.symbol)
    if market is None:
        refuse(Reason.SYMBOL_UNKNOWN, symbol=command.symbol)
    check_mode(state, market)
    if command.position_side is not BOTH:
        refuse(Reason.POSITION_SIDE_MISMATCH, position_side=command.position_side.name)
    position = account.positions.get(command.symbol) or Position(market)
    plan = Plan(account, market, position)
    plan.parent = _find_parent(state, command)
    plan.lots = command.lots
    plan.reduce_only = command.reduce_only or plan.parent is not None
    if plan.parent is not None and not plan.lots:
        plan.lots = plan.parent.lots

    waits = command.type in TRIGGER_TYPES
    check_ranges(market, command, plan.lots)
    check_client_ids(state, account, command, command.algo)
    if plan.parent is not None:
        check_parent(market, command, plan.parent)
    check_attached(market, command)
    if waits and (plan.parent is None or plan.parent.opened_lots):
        check_trigger(market, command)
    _check_reduction(plan, command, waits)
    check_limits(state, account, position, command)
    if not plan.reduce_only and not command.close_position:
        check_notional(market, command, plan.lots)
    if not waits:
        check_entry(
            state,
            account,
            position,
            command.side,
            command.type,
            command.time_in_force,
            command.ticks,
            plan.lots,
            plan.reduce_only,
        )
    return plan


def _find_parent(state: State, command: PlaceOrder) -> Order | None:
    if not command.parent_id and not command.parent_client_id:
        return None
    parent = find_order(
        state,
        command.account,
        command.symbol,
        command.parent_id,
        command.parent_client_id,
        OrderScope.ANY,
    )
    if parent is None or parent.parent_id:
        refuse(Reason.PARENT_UNKNOWN, parent=command.parent_id or command.parent_client_id)
    return parent


def _check_reduction(plan: Plan, command: PlaceOrder, waits: bool) -> None:
    """A reduce-only order needs something to reduce, and is clamped to it."""
    if not command.reduce_only or plan.parent is not None:
        return
    closable = plan.position.closable_lots(command.side)
    if not closable:
        refuse(Reason.REDUCE_ONLY_REJECTED, position_lots=plan.position.lots)
    if not waits:
        plan.lots = min(plan.lots, closable)


def place_order(step: Step, command: PlaceOrder) -> OrderRecord:
    plan = plan_order(step.state, command)
    account, market = plan.account, plan.market
    account.positions[command.symbol] = plan.position
    order = _build_order(step, command, plan)
    _register(step, account, order, command.client_id)
    accepted = order.to_record()
    step.events.append(OrderAccepted(accepted))
    _build_children(step, market, account, command, order)
    if command.type in TRIGGER_TYPES:
        _wait(step, market, account, order, plan.parent)
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
    order.reduce_only = plan.reduce_only
    order.close_position = command.close_position
    order.price_protect = command.price_protect
    order.algo = command.algo
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


def _build_children(
    step: Step, market: Market, account: Account, command: PlaceOrder, parent: Order
) -> None:
    for type, ticks, client_id in (
        (OrderType.TAKE_PROFIT_MARKET, command.take_profit_ticks, command.take_profit_client_id),
        (OrderType.STOP_MARKET, command.stop_loss_ticks, command.stop_loss_client_id),
    ):
        if ticks:
            child = Order(
                step.state.next_order_id,
                "",
                parent.account,
                parent.symbol,
                Side(-parent.side),
                type,
                TimeInForce.GTC,
                0,
                parent.lots,
                step.now,
            )
            child.trigger_ticks = ticks
            child.working_type = command.attached_working_type
            child.reduce_only = True
            child.algo = True
            child.parent_id = parent.order_id
            _register(step, account, child, client_id)
            step.events.append(OrderAccepted(child.to_record()))
            _wait(step, market, account, child, parent)


def _register(step: Step, account: Account, order: Order, client_id: str) -> None:
    """Takes the next id and a client id, generated where none was given."""
    state = step.state
    state.next_order_id += 1
    space = client_id_space(state, account, order.algo)
    if not client_id:
        client_id = f"auto_{order.order_id}"
        while client_id in space:
            client_id += "_"
    order.client_id = client_id
    state.orders[order.order_id] = order
    space[client_id] = order
    account.updated_ms = step.now


def _wait(step: Step, market: Market, account: Account, order: Order, parent: Order | None) -> None:
    order.waiting = True
    account.waiting[order.order_id] = order
    if parent is None:
        watch(step, market, order)
        return
    attach(step, order, parent)
    arm(step, market, order, parent.opened_lots)


def fire(step: Step, order: Order) -> None:
    """Turns a trigger order whose price has come into a MARKET or LIMIT order.

    It keeps its id. What fires as an attached child cancels its siblings and
    the rest of its parent. An order that cannot enter the book expires.
    """
    state = step.state
    account = state.accounts[order.account]
    position = account.positions[order.symbol]
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
        order.lots = min(order.lots, closable) or order.lots
    step.events.append(OrderTriggered(order.to_record()))
    if order.parent_id:
        _relieve_family(step, order)
    if order.reduce_only and not closable:
        expire(step, order, Cause.POSITION_GONE)
        return
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
    try:
        check_entry(
            state,
            account,
            position,
            order.side,
            order.type,
            order.time_in_force,
            order.ticks,
            order.lots,
            order.reduce_only,
        )
    except Rejected as rejected:
        return _OBSTACLES[rejected.reject.reason]
    return None


def run_consequences(step: Step) -> None:
    """Lets trigger orders see every price of the step until nothing fires any more.

    Markets that do not accept orders let nothing fire; `venue.set_mode` shows
    them the price again when they reopen.
    """
    moves = step.moves
    at = 0
    while at < len(moves):
        market, working_type, ticks = moves[at]
        at += 1
        if _is_closed(step.state, market):
            continue
        for order in market.triggers.queue(working_type).take(ticks):
            if order.waiting:
                fire(step, order)
    moves.clear()


def _is_closed(state: State, market: Market) -> bool:
    return state.mode is not NORMAL or market.mode is not NORMAL
