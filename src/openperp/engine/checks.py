"""What a new order must satisfy, as a ladder of checks that refuse.

Nothing here changes anything. The checks of `check_entry` are those of an
order about to meet the book, so a trigger order meets them when it fires.
"""

from openperp.engine.attached import working_ticks
from openperp.engine.bounds import check_trades
from openperp.engine.commands import PlaceOrder
from openperp.engine.guards import check_taken, take_limit
from openperp.engine.lookup import accepts_orders, count_resting, is_client_id_taken
from openperp.engine.margin import combine_sides, exposure, free_margin, margin_of_part
from openperp.engine.matching import effective_stp, sweep
from openperp.engine.numbers import PPM, divide_up
from openperp.engine.order import Order
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.terms import (
    BOTH,
    BUY,
    CLOSING_TYPES,
    FOK,
    GTD,
    GTX,
    LIMIT,
    LONG,
    MARKET,
    NORMAL,
    PRICED_TYPES,
    SELL,
    TAKE_PROFIT_TYPES,
    TRAILING_STOP_MARKET,
    TRIGGER_TYPES,
    OrderType,
    PositionSide,
    Side,
    StpMode,
    TimeInForce,
)
from openperp.engine.triggers import is_reached

TRIGGER_ORDER_LIMIT = 200
"""Waiting trigger orders that one account may have over all symbols."""

EXPIRY_DISTANCE_MS = 600_000
EXPIRY_LIMIT_MS = 253_402_300_799_000
"""A GTD order ends later than so long from now, and before this time."""


def check_mode(state: State, market: Market) -> None:
    if not accepts_orders(state, market):
        mode = market.mode if state.mode is NORMAL else state.mode
        refuse(Reason.MODE_REFUSES, mode=mode.name.lower())


def check_position_side(account: Account, position_side: PositionSide) -> None:
    """One-way accounts have one side, BOTH, and hedged ones LONG and SHORT."""
    if account.hedge == (position_side is BOTH):
        refuse(Reason.POSITION_SIDE_MISMATCH, position_side=position_side.name)


def check_expiry(command: PlaceOrder, now_ms: int) -> None:
    """A GTD order must live for a while, and end before the last second of the year 9999.

    Source: the fapi's bounds of goodTillDate.
    """
    expires_ms = command.expires_ms
    if command.time_in_force is GTD and not (
        now_ms + EXPIRY_DISTANCE_MS < expires_ms < EXPIRY_LIMIT_MS
    ):
        refuse(
            Reason.GOOD_TILL_DATE_INVALID,
            date=expires_ms,
            earliest=now_ms + EXPIRY_DISTANCE_MS + 1,
            latest=EXPIRY_LIMIT_MS - 1,
            time=now_ms,
        )


def check_sides(account: Account, command: PlaceOrder) -> None:
    """The position side must be one that the account has.

    In hedge mode the sides say which orders close, so nothing else may say so,
    and a whole position can only be closed by an order that closes.
    """
    position_side = command.position_side
    check_position_side(account, position_side)
    if not account.hedge:
        return
    if command.reduce_only:
        refuse(Reason.REDUCE_ONLY_IN_HEDGE_MODE)
    if command.close_position and not closes_side(command.side, position_side):
        refuse(
            Reason.POSITION_SIDE_MISMATCH,
            position_side=position_side.name,
            side=command.side.name,
        )


def closes_side(side: Side, position_side: PositionSide) -> bool:
    """Whether orders of `side` can only close a hedged position: SELL of LONG, BUY of SHORT."""
    return (position_side is LONG) == (side is SELL)


def check_ranges(market: Market, command: PlaceOrder, lots: int) -> None:
    """Quantity and prices against the bounds of the instrument."""
    if not command.close_position:
        check_lots(market, command.type, lots)
    elif lots or command.type not in CLOSING_TYPES:
        refuse(Reason.CLOSE_POSITION_REJECTED, lots=lots, type=command.type.name)
    if command.type in PRICED_TYPES:
        check_price(market, command.ticks)
    if command.type in TRIGGER_TYPES:
        _check_trigger_terms(market, command)
    for ticks in (command.take_profit_ticks, command.stop_loss_ticks):
        if ticks:
            _check_trigger_ticks(market, ticks)


def check_price(market: Market, ticks: int) -> None:
    spec = market.spec
    if ticks < spec.min_ticks:
        refuse(Reason.PRICE_BELOW_MINIMUM, ticks=ticks, min_ticks=spec.min_ticks)
    if ticks > spec.max_ticks:
        refuse(Reason.PRICE_ABOVE_MAXIMUM, ticks=ticks, max_ticks=spec.max_ticks)


def _check_trigger_terms(market: Market, command: PlaceOrder) -> None:
    if command.type is not TRAILING_STOP_MARKET:
        _check_trigger_ticks(market, command.trigger_ticks)
        return
    if not 0 < command.callback_ppm < PPM:
        refuse(Reason.CALLBACK_RATE_INVALID, callback_ppm=command.callback_ppm)
    if command.activation_ticks:
        _check_trigger_ticks(market, command.activation_ticks)


def check_lots(market: Market, type: OrderType, lots: int) -> None:
    spec = market.spec
    if lots <= 0:
        refuse(Reason.QUANTITY_NOT_POSITIVE, lots=lots)
    if lots < spec.min_lots:
        refuse(Reason.QUANTITY_BELOW_MINIMUM, lots=lots, min_lots=spec.min_lots)
    max_lots = spec.max_lots if type in PRICED_TYPES else spec.market_max_lots
    if lots > max_lots:
        refuse(Reason.QUANTITY_ABOVE_MAXIMUM, lots=lots, max_lots=max_lots)


def _check_trigger_ticks(market: Market, ticks: int) -> None:
    spec = market.spec
    if ticks < spec.min_ticks:
        refuse(Reason.TRIGGER_PRICE_BELOW_MINIMUM, ticks=ticks, min_ticks=spec.min_ticks)
    if ticks > spec.max_ticks:
        refuse(Reason.TRIGGER_PRICE_ABOVE_MAXIMUM, ticks=ticks, max_ticks=spec.max_ticks)


def check_client_ids(state: State, account: Account, command: PlaceOrder) -> None:
    """The given client ids must be new among the live orders, and to each other."""
    client_id, algo = command.client_id, command.algo
    if client_id and is_client_id_taken(state, account, client_id, algo):
        refuse(Reason.CLIENT_ID_DUPLICATE, client_id=client_id)
    if not command.take_profit_client_id and not command.stop_loss_client_id:
        return
    child_ids = [
        child_id
        for ticks, child_id in (
            (command.take_profit_ticks, command.take_profit_client_id),
            (command.stop_loss_ticks, command.stop_loss_client_id),
        )
        if ticks and child_id
    ]
    taken = {client_id} if algo or not state.separate_trigger_ids else set()
    for child_id in child_ids:
        if child_id in taken or is_client_id_taken(state, account, child_id, True):
            refuse(Reason.CLIENT_ID_DUPLICATE, client_id=child_id)
        taken.add(child_id)


def check_attached(market: Market, command: PlaceOrder) -> None:
    """Child prices must lie on the profitable and the losing side of the parent's price."""
    reference = reference_ticks(
        market, command.type, command.ticks, command.trigger_ticks, command.activation_ticks
    )
    gain, loss = command.take_profit_ticks, command.stop_loss_ticks
    if gain:
        check_child_side(command.side, gain, reference, True)
    if loss:
        check_child_side(command.side, loss, reference, False)


def check_child_side(parent_side: Side, ticks: int, reference: int, profits: bool) -> None:
    distance = (ticks - reference) * parent_side
    if (distance <= 0) if profits else (distance >= 0):
        refuse(Reason.ATTACHED_PRICE_WRONG_SIDE, ticks=ticks, parent_ticks=reference)


def reference_ticks(
    market: Market, type: OrderType, ticks: int, trigger_ticks: int, activation_ticks: int
) -> int:
    """The price that a parent is expected to open at."""
    if type in PRICED_TYPES:
        return ticks
    return trigger_ticks or activation_ticks or market.mark_ticks


def check_parent(market: Market, command: PlaceOrder, parent: Order) -> None:
    """A child closes what its parent opens, from the right side of the parent's price.

    It is of the same position side and has no children of its own.
    """
    if parent.position_side is not command.position_side:
        refuse(
            Reason.POSITION_SIDE_MISMATCH,
            position_side=command.position_side.name,
        )
    if command.take_profit_ticks or command.stop_loss_ticks:
        refuse(Reason.PARENT_UNKNOWN, parent=parent.order_id)
    if parent.side == command.side or command.type not in TRIGGER_TYPES:
        refuse(Reason.PARENT_SIDE_INVALID, parent_side=parent.side.name, type=command.type.name)
    if command.type is TRAILING_STOP_MARKET:
        return
    reference = reference_ticks(
        market, parent.type, parent.ticks, parent.trigger_ticks, parent.activation_ticks
    )
    profits = command.type in TAKE_PROFIT_TYPES
    check_child_side(parent.side, command.trigger_ticks, reference, profits)


def check_trigger(market: Market, command: PlaceOrder) -> None:
    """A trigger that the price has already passed would fire at once: refused."""
    ticks = working_ticks(market, command.working_type)
    if command.type is TRAILING_STOP_MARKET:
        activation = command.activation_ticks
        reached = bool(activation) and (ticks - activation) * command.side <= 0
    else:
        activation = command.trigger_ticks
        reached = is_reached(command.type, command.side, activation, ticks)
    if reached:
        refuse(Reason.WOULD_TRIGGER_IMMEDIATELY, trigger_ticks=activation, price_ticks=ticks)


def check_notional(market: Market, command: PlaceOrder, lots: int) -> None:
    """The smallest notional; MARKET orders count at mark price."""
    ticks = reference_ticks(market, command.type, command.ticks, command.trigger_ticks, 0)
    size = ticks * lots * market.unit
    if size < market.spec.min_notional:
        refuse(Reason.NOTIONAL_BELOW_MINIMUM, notional=size, min_notional=market.spec.min_notional)


def check_limits(state: State, account: Account, position: Position, command: PlaceOrder) -> None:
    """How many orders may be open: per symbol in the book, per account waiting."""
    if not state.order_limits:
        return
    waiting = bool(command.take_profit_ticks) + bool(command.stop_loss_ticks)
    if command.type in TRIGGER_TYPES:
        waiting += 1
    elif command.type is LIMIT:
        limit = position.market.spec.max_orders
        resting = count_resting(account, position)
        if resting >= limit:
            refuse(Reason.OPEN_ORDER_LIMIT_REACHED, open=resting, limit=limit)
    if waiting and len(account.waiting) + waiting > TRIGGER_ORDER_LIMIT:
        refuse(
            Reason.TRIGGER_ORDER_LIMIT_REACHED,
            open=len(account.waiting),
            limit=TRIGGER_ORDER_LIMIT,
        )


def check_entry(
    state: State,
    account: Account,
    position: Position,
    *,
    side: Side,
    type: OrderType,
    time_in_force: TimeInForce,
    ticks: int,
    lots: int,
    reduce_only: bool,
    stp: StpMode,
    replaced: Order | None = None,
) -> None:
    """An order about to meet the book: its bound, post-only, fill-or-kill, stakes, position cap,
    margin.

    It may take the place of a resting order of the same side, which is `replaced`.
    """
    market = position.market
    opposite = market.book.opposite(side)
    limit = ticks if type is LIMIT else 0
    bound = take_limit(state, market, side) if type is MARKET else 0
    if bound:
        check_taken(market, side)
    crosses = type is MARKET or opposite.crosses(ticks)
    if not crosses:
        if time_in_force is FOK and type is LIMIT:
            refuse(Reason.NOT_FILLABLE, lots=lots, fillable_lots=0)
        if not reduce_only:
            _check_margin(state, account, position, side, ticks, lots, 0, 0, replaced)
        return
    if type is LIMIT and time_in_force is GTX:
        refuse(Reason.WOULD_TAKE, ticks=ticks, best_ticks=opposite.best_ticks())
    stp = effective_stp(stp, time_in_force)
    found = sweep(state, account, position, side, limit or bound, lots, stp)
    if type is LIMIT and time_in_force is FOK and found.lots < lots:
        refuse(Reason.NOT_FILLABLE, lots=lots, fillable_lots=found.lots)
    check_trades(state, market, found.value)
    if reduce_only:
        return
    # The fill that needs most: a buyer's highest is at the limit or where the sweep
    # ends, a seller's where it begins.
    dearest = found.first_ticks if side is SELL else limit or found.worst_ticks
    if type is MARKET:
        lots = found.lots
    _check_margin(state, account, position, side, ticks, lots, dearest, found.lots, replaced)


def _check_margin(
    state: State,
    account: Account,
    position: Position,
    side: Side,
    ticks: int,
    lots: int,
    taken_ticks: int,
    taken_lots: int,
    replaced: Order | None,
) -> None:
    """What `lots` would open against the position cap and the free margin.

    `taken_lots` of them fill at once, at `taken_ticks` at the dearest, the rest
    at `ticks`. What closes fills first, and the margin that this frees pays for
    what opens. What needs no more than the order in its place is never refused.
    """
    chain = position.chain(side)
    frozen, others, spare = chain.frozen, chain.value, chain.capacity - chain.covered
    if replaced is not None:
        frozen, others, spare = chain.without(replaced)
    opening = lots - spare
    if opening <= 0:
        return
    taken = max(0, taken_lots - (lots - opening))
    value = taken * taken_ticks + (opening - taken) * ticks
    size = value * position.market.unit
    leverage = position.leverage
    before = exposure(position, side)
    total = before + (others - chain.value) * position.market.unit + size
    cap = position.market.leverage_caps[leverage]
    if total > cap and (replaced is None or total > before):
        refuse(Reason.POSITION_LIMIT_EXCEEDED, notional=total, cap=cap, leverage=leverage)
    frozen += divide_up(size, leverage)
    if side is BUY:
        needed = combine_sides(state, frozen, position.sells.frozen)
    else:
        needed = combine_sides(state, position.buys.frozen, frozen)
    needed -= position.order_margin
    if replaced is not None and needed <= 0:
        return
    available = free_margin(account)
    if needed > available or position.isolated:
        closed = min(taken_lots, position.closable_lots(side))
        available += margin_of_part(position, closed)
    if needed > available:
        refuse(
            Reason.MARGIN_INSUFFICIENT,
            needed=needed,
            available=max(0, available),
            opening_lots=opening,
            leverage=leverage,
        )
