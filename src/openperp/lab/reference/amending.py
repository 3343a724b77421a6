"""Changing and cancelling orders that are there."""

from decimal import Decimal

from openperp.engine.commands import AmendOrder, CancelAllOrders, CancelOrder, SetCountdown
from openperp.engine.events import CountdownChanged, CountdownFired, OrderAmended
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason
from openperp.engine.terms import (
    TAKE_PROFIT_TYPES,
    Cause,
    Mode,
    OrderScope,
    OrderType,
    PriceMatch,
    Side,
    TimeInForce,
)
from openperp.lab.reference.amounts import to_money
from openperp.lab.reference.entry import obstacles
from openperp.lab.reference.guards import guard_faults
from openperp.lab.reference.model import Countdown, Market, Order
from openperp.lab.reference.placing import price_faults, quantity_faults, wrong_side
from openperp.lab.reference.records import lots_of, record_of, ticks_of
from openperp.lab.reference.trading import cancel, execute, reaches
from openperp.lab.reference.venue import Refused, Venue, room_for, to_price, to_quantity

AMENDMENT_LIMIT = 10_000


def amend(venue: Venue, command: AmendOrder) -> OrderAmended | OrderRecord:
    """As if the order were cancelled and placed again, with nobody in between."""
    order = venue.find(
        command.account, command.symbol, command.order_id, command.client_id, command.scope
    )
    if order is None:
        raise Refused([Reason.AMENDED_ORDER_UNKNOWN])
    market = venue.markets[order.symbol]
    found = _order_faults(venue, market, order, command)
    price = to_price(market.spec, command.ticks)
    if command.price_match is not PriceMatch.NONE:
        matched = venue.matched_price(order.symbol, order.side, command.price_match)
        if matched is None:
            raise Refused([*found, Reason.NO_PRICE_TO_MATCH])
        price = matched
    wanted = _draft(venue, market, order, command, price)
    if order.reduce_only:
        room = room_for(venue, wanted, apart_from=order)
        wanted.quantity = min(wanted.quantity, order.filled + room)
    ends = wanted.quantity <= order.filled or _would_take(venue, wanted)
    found += _term_faults(market, order, wanted, command)
    found += guard_faults(venue, market, wanted)
    if not ends and not found:
        found += _room_faults(venue, market, order, wanted, command)
    if found:
        raise Refused(found)
    if ends:
        return cancel(venue, order, Cause.REQUESTED)
    order.price_match = command.price_match
    told = _change(venue, order, wanted.price, wanted.quantity, command.modify_id)
    order.arrival = 0
    execute(venue, order)
    return OrderAmended(
        record_of(market, order),
        told.ticks_before,
        told.lots_before,
        told.amendment_id,
        told.count,
        told.modify_id,
    )


def _draft(
    venue: Venue, market: Market, order: Order, command: AmendOrder, price: Decimal
) -> Order:
    """What the order would be; reduce-only, it is cut to what it can close then."""
    return Order(
        order_id=order.order_id,
        client_id=order.client_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        position_side=order.position_side,
        type=OrderType.LIMIT,
        original_type=order.original_type,
        time_in_force=order.time_in_force,
        price=price,
        quantity=to_quantity(market.spec, command.lots),
        created_ms=order.created_ms,
        updated_ms=venue.now,
        filled=order.filled,
        reduce_only=order.reduce_only,
        stp=order.stp,
    )


def _would_take(venue: Venue, order: Order) -> bool:
    best = venue.best(order.symbol, Side(-order.side))
    takes = best is not None and reaches(venue, order, best.price)
    return takes and order.time_in_force is TimeInForce.GTX


def _order_faults(venue: Venue, market: Market, order: Order, command: AmendOrder) -> list[Reason]:
    found = []
    if order.side is not command.side:
        found.append(Reason.AMENDED_SIDE_INVALID)
    if not venue.trades(market):
        found.append(Reason.AMENDED_IN_MODE)
    if not order.arrival:
        found.append(Reason.AMENDED_TYPE_INVALID)
    if command.reduce_only and not order.reduce_only:
        found.append(Reason.AMENDED_NOT_REDUCE_ONLY)
    return found


def _term_faults(market: Market, order: Order, wanted: Order, command: AmendOrder) -> list[Reason]:
    asked = to_quantity(market.spec, command.lots)
    found = price_faults(market, wanted.price) + quantity_faults(market, asked, taking=False)
    if (wanted.quantity, wanted.price) == (order.quantity, order.price):
        found.append(Reason.AMENDED_NOTHING)
    if order.amendments >= AMENDMENT_LIMIT:
        found.append(Reason.AMENDED_TOO_OFTEN)
    return found


def _room_faults(
    venue: Venue, market: Market, order: Order, wanted: Order, command: AmendOrder
) -> list[Reason]:
    """The whole order against the smallest notional, its price against its children, and what
    is left of it against the book.
    """
    found = []
    small = wanted.quantity * wanted.price < to_money(market.spec.min_notional)
    if small and not command.reduce_only:
        found.append(Reason.AMENDED_BELOW_NOTIONAL)
    for child in venue.children(order.order_id):
        profits = child.type in TAKE_PROFIT_TYPES
        if child.type is not OrderType.TRAILING_STOP_MARKET and wrong_side(
            order.side, child.trigger_price, wanted.price, profits=profits
        ):
            found.append(Reason.ATTACHED_PRICE_WRONG_SIDE)
    return found + obstacles(venue, wanted, replaced=order)


def _change(
    venue: Venue, order: Order, price: Decimal, quantity: Decimal, modify_id: int
) -> OrderAmended:
    """Gives an order its new terms; children that are as large as it stay so."""
    market = venue.markets[order.symbol]
    price_before, quantity_before = order.price, order.quantity
    order.price, order.quantity = price, quantity
    order.updated_ms = venue.now
    order.amendments += 1
    told = OrderAmended(
        record_of(market, order),
        ticks_of(market, price_before),
        lots_of(market, quantity_before),
        venue.next_amendment_id,
        order.amendments,
        modify_id,
    )
    venue.next_amendment_id += 1
    venue.events.append(told)
    if quantity != quantity_before:
        for child in venue.children(order.order_id):
            if child.quantity == quantity_before:
                _change(venue, child, child.price, quantity, modify_id)
    return told


def cancel_one(venue: Venue, command: CancelOrder) -> OrderRecord:
    order = venue.find(
        command.account, command.symbol, command.order_id, command.client_id, command.scope
    )
    if order is None:
        raise Refused([Reason.ORDER_UNKNOWN])
    _refuse_halted(venue, order.symbol)
    return cancel(venue, order, Cause.REQUESTED)


def cancel_all(venue: Venue, command: CancelAllOrders) -> tuple[OrderRecord, ...]:
    venue.account(command.account)
    venue.market(command.symbol)
    _refuse_halted(venue, command.symbol)
    return tuple(_cancel_open(venue, command.account, command.symbol, command.scope))


def _refuse_halted(venue: Venue, symbol: str) -> None:
    if Mode.HALTED in (venue.mode, venue.markets[symbol].mode):
        raise Refused([Reason.MODE_REFUSES])


def _cancel_open(venue: Venue, account: int, symbol: str, scope: OrderScope) -> list[OrderRecord]:
    """Cancels an account's orders of a market by age; those that did not go with a parent."""
    canceled = []
    for order in list(venue.orders):
        if order.account != account or order.symbol != symbol or order not in venue.orders:
            continue
        if scope is OrderScope.ANY or order.waiting is (scope is OrderScope.TRIGGER):
            canceled.append(cancel(venue, order, Cause.REQUESTED))
    return canceled


def set_countdown(venue: Venue, command: SetCountdown) -> CountdownChanged:
    venue.account(command.account)
    venue.market(command.symbol)
    key = (command.account, command.symbol)
    venue.countdowns.pop(key, None)
    due_ms = 0
    if command.duration_ms > 0:
        due_ms = venue.now + command.duration_ms
        venue.countdowns[key] = Countdown(due_ms, command.scope)
    changed = CountdownChanged(command.account, command.symbol, due_ms)
    venue.events.append(changed)
    return changed


def fire_countdown(venue: Venue, due_ms: int, account: int, symbol: str) -> None:
    scope = venue.countdowns.pop((account, symbol)).scope
    venue.events.append(CountdownFired(account, symbol, due_ms))
    _cancel_open(venue, account, symbol, scope)
