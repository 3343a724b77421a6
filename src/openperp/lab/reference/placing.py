"""New orders: every reason to refuse one, and what is made of it otherwise."""

from decimal import Decimal

from openperp.engine.commands import PlaceOrder
from openperp.engine.events import OrderAccepted
from openperp.engine.ids import AUTO_PREFIX
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason
from openperp.engine.terms import (
    CLOSING_TYPES,
    STOP_MARKET,
    TAKE_PROFIT_MARKET,
    TAKE_PROFIT_TYPES,
    TRIGGER_TYPES,
    OrderScope,
    OrderType,
    PositionSide,
    PriceMatch,
    Side,
    TimeInForce,
)
from openperp.lab.reference.amounts import ZERO, to_money
from openperp.lab.reference.entry import obstacles
from openperp.lab.reference.firing import is_passed
from openperp.lab.reference.guards import guard_faults
from openperp.lab.reference.model import Account, Market, Order
from openperp.lab.reference.records import record_of
from openperp.lab.reference.trading import arm, execute, is_tied, watch
from openperp.lab.reference.venue import (
    Refused,
    Venue,
    closable,
    is_market,
    opened_part,
    room_for,
    to_price,
    to_quantity,
)

END_OF_TIME_MS = 253_402_300_799_000
WAITING_LIMIT = 200
"""Trigger orders that an account may have waiting, over all symbols."""


def place(venue: Venue, command: PlaceOrder) -> OrderRecord:
    market = venue.market(command.symbol)
    found = [] if venue.trades(market) else [Reason.MODE_REFUSES]
    if _matches(command) and _matched(venue, command) is None:
        found.append(Reason.NO_PRICE_TO_MATCH)
    if command.account not in venue.accounts:
        raise Refused([Reason.ACCOUNT_UNKNOWN, *found])
    account = venue.accounts[command.account]
    found += _side_faults(account, command) + _date_faults(venue, command)
    parent = _find_parent(venue, command)
    attaches = bool(command.parent_id or command.parent_client_id)
    if attaches and (parent is None or parent.parent_id):
        found.append(Reason.PARENT_UNKNOWN)
    _refuse_for(found)
    order = _draft(venue, account, market, command, parent)
    _refuse_for(_form_faults(market, command, order))
    _refuse_for(_faults(venue, account, market, command, order, parent))
    return _enter(venue, market, command, order, parent)


def _refuse_for(found: list[Reason]) -> None:
    """Refuses for all that was found; what comes later takes for granted that nothing was."""
    if found:
        raise Refused(found)


def _find_parent(venue: Venue, command: PlaceOrder) -> Order | None:
    """The live order that a child is to be attached to."""
    if not command.parent_id and not command.parent_client_id:
        return None
    return venue.find(
        command.account,
        command.symbol,
        command.parent_id,
        command.parent_client_id,
        OrderScope.ANY,
    )


def only_closes(account: Account, side: Side, position_side: PositionSide) -> bool:
    """In hedge mode SELL of LONG and BUY of SHORT close, and the other two open."""
    if not account.hedge:
        return False
    return (side, position_side) in {
        (Side.SELL, PositionSide.LONG),
        (Side.BUY, PositionSide.SHORT),
    }


def _matches(command: PlaceOrder) -> bool:
    """Whether the order takes its price from the book; orders without a price take none."""
    return command.price_match is not PriceMatch.NONE and not is_market(command.type)


def _matched(venue: Venue, command: PlaceOrder) -> Decimal | None:
    return venue.matched_price(command.symbol, command.side, command.price_match)


def _price(venue: Venue, market: Market, command: PlaceOrder) -> Decimal:
    if is_market(command.type):
        return ZERO
    if _matches(command):
        return _matched(venue, command) or ZERO
    return to_price(market.spec, command.ticks)


def _last_second(command: PlaceOrder) -> int:
    """When a GTD order ends: whole seconds of its date count."""
    if command.time_in_force is not TimeInForce.GTD:
        return 0
    return command.expires_ms // 1_000 * 1_000


def _date_faults(venue: Venue, command: PlaceOrder) -> list[Reason]:
    """A GTD order ends more than ten minutes from now, and before the year 10000."""
    if command.time_in_force is not TimeInForce.GTD:
        return []
    fits = venue.now + 600_000 < command.expires_ms < END_OF_TIME_MS
    return [] if fits else [Reason.GOOD_TILL_DATE_INVALID]


def _side_faults(account: Account, command: PlaceOrder) -> list[Reason]:
    found = []
    one_way = command.position_side is PositionSide.BOTH
    if account.hedge is one_way:
        found.append(Reason.POSITION_SIDE_MISMATCH)
    if not account.hedge:
        return found
    if command.reduce_only:
        found.append(Reason.REDUCE_ONLY_IN_HEDGE_MODE)
    closes = only_closes(account, command.side, command.position_side)
    if command.close_position and not closes:
        found.append(Reason.POSITION_SIDE_MISMATCH)
    return found


def _draft(
    venue: Venue, account: Account, market: Market, command: PlaceOrder, parent: Order | None
) -> Order:
    """The order that the command describes, not yet anywhere."""
    spec, trails = market.spec, command.type is OrderType.TRAILING_STOP_MARKET
    waits = command.type in TRIGGER_TYPES
    quantity = to_quantity(spec, command.lots)
    if parent is not None and not command.lots:
        quantity = parent.quantity
    closes = only_closes(account, command.side, command.position_side)
    ties = command.time_in_force is TimeInForce.GTE_GTC
    return Order(
        order_id=0,
        client_id=command.client_id,
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        position_side=command.position_side,
        type=command.type,
        original_type=command.type,
        time_in_force=command.time_in_force,
        price=_price(venue, market, command),
        quantity=quantity,
        created_ms=venue.now,
        updated_ms=venue.now,
        reduce_only=command.reduce_only or closes or ties or parent is not None,
        close_position=command.close_position,
        price_protect=command.price_protect,
        algo=command.algo,
        waiting=waits,
        working_type=command.working_type,
        trigger_price=to_price(spec, command.trigger_ticks) if waits and not trails else ZERO,
        activation_price=to_price(spec, command.activation_ticks) if trails else ZERO,
        callback_ppm=command.callback_ppm if trails else 0,
        stp=command.stp,
        expires_ms=_last_second(command),
        price_match=command.price_match if _matches(command) else PriceMatch.NONE,
        parent_id=0 if parent is None else parent.order_id,
    )


def _form_faults(market: Market, command: PlaceOrder, order: Order) -> list[Reason]:
    """Quantity and prices against the bounds of the instrument."""
    found = []
    if not command.close_position:
        found += quantity_faults(market, order.quantity, taking=is_market(order.type))
    elif order.quantity or command.type not in CLOSING_TYPES:
        found.append(Reason.CLOSE_POSITION_REJECTED)
    if not is_market(command.type):
        found += price_faults(market, order.price)
    triggers = [command.take_profit_ticks, command.stop_loss_ticks]
    if command.type is OrderType.TRAILING_STOP_MARKET:
        triggers.append(command.activation_ticks)
        if not 0 < command.callback_ppm < 1_000_000:
            found.append(Reason.CALLBACK_RATE_INVALID)
    triggers = [ticks for ticks in triggers if ticks]
    if command.type in TRIGGER_TYPES and command.type is not OrderType.TRAILING_STOP_MARKET:
        triggers.append(command.trigger_ticks)
    if any(ticks < market.spec.min_ticks for ticks in triggers):
        found.append(Reason.TRIGGER_PRICE_BELOW_MINIMUM)
    if any(ticks > market.spec.max_ticks for ticks in triggers):
        found.append(Reason.TRIGGER_PRICE_ABOVE_MAXIMUM)
    return found


def quantity_faults(market: Market, quantity: Decimal, *, taking: bool) -> list[Reason]:
    spec = market.spec
    if quantity <= 0:
        return [Reason.QUANTITY_NOT_POSITIVE]
    if quantity < to_quantity(spec, spec.min_lots):
        return [Reason.QUANTITY_BELOW_MINIMUM]
    largest = spec.market_max_lots if taking else spec.max_lots
    return [Reason.QUANTITY_ABOVE_MAXIMUM] if quantity > to_quantity(spec, largest) else []


def price_faults(market: Market, price: Decimal) -> list[Reason]:
    spec = market.spec
    if price < to_price(spec, spec.min_ticks):
        return [Reason.PRICE_BELOW_MINIMUM]
    return [Reason.PRICE_ABOVE_MAXIMUM] if price > to_price(spec, spec.max_ticks) else []


def _faults(
    venue: Venue,
    account: Account,
    market: Market,
    command: PlaceOrder,
    order: Order,
    parent: Order | None,
) -> list[Reason]:
    """What the state of the venue has against an order of the right form."""
    position = venue.position(account, order.symbol, order.position_side)
    found = _client_id_faults(venue, command) + guard_faults(venue, market, order)
    found += _tie_faults(venue, order)
    if parent is not None:
        found += _parent_faults(market, command, parent)
    found += _child_price_faults(market, command, order)
    sleeps = parent is not None and not opened_part(parent, position)
    if order.waiting and not sleeps:
        found += _trigger_faults(venue, market, order)
    found += _limit_faults(venue, market, command)
    if not order.reduce_only and not command.close_position:
        found += _notional_faults(market, command, order)
    if _needs_position(command, order, parent):
        room = room_for(venue, order)
        if not room:
            return [*found, Reason.REDUCE_ONLY_REJECTED]
        if not order.waiting:
            order.quantity = min(order.quantity, room)
    if not order.waiting:
        found += obstacles(venue, order)
    return found


def _tie_faults(venue: Venue, order: Order) -> list[Reason]:
    """What ends with a position waits for one that is there. Two orders of one type do not
    both wait to close all of it in the same direction.
    """
    found = []
    if is_tied(order) and not closable(venue.position_of(order), order.side):
        found.append(Reason.TIED_WITHOUT_POSITION)
    closers = [other for other in venue.orders if other.waiting and other.close_position]
    alike = any(
        other.side is order.side
        and other.type is order.type
        and venue.position_of(other) is venue.position_of(order)
        for other in closers
    )
    if venue.single_closers and order.close_position and alike:
        found.append(Reason.CLOSING_ORDER_EXISTS)
    return found


def _needs_position(command: PlaceOrder, order: Order, parent: Order | None) -> bool:
    """A reduce-only order needs something to close; a child, or what closes all, later on."""
    if parent is not None or (command.close_position and not command.reduce_only):
        return False
    return order.reduce_only


def _client_id_faults(venue: Venue, command: PlaceOrder) -> list[Reason]:
    """Client ids are new among the live orders of their space, and to each other."""
    ids = [(command.client_id, command.algo)]
    if command.take_profit_ticks:
        ids.append((command.take_profit_client_id, True))
    if command.stop_loss_ticks:
        ids.append((command.stop_loss_client_id, True))
    spaces = [(text, algo and venue.separate_trigger_ids) for text, algo in ids if text]
    taken = any(venue.is_taken(command.account, text, algo) for text, algo in ids if text)
    if taken or len(set(spaces)) < len(spaces):
        return [Reason.CLIENT_ID_DUPLICATE]
    return []


def _parent_faults(market: Market, command: PlaceOrder, parent: Order) -> list[Reason]:
    found = []
    if command.position_side is not parent.position_side:
        found.append(Reason.POSITION_SIDE_MISMATCH)
    if command.take_profit_ticks or command.stop_loss_ticks:
        found.append(Reason.PARENT_UNKNOWN)
    if command.side is parent.side or command.type not in TRIGGER_TYPES:
        found.append(Reason.PARENT_SIDE_INVALID)
    elif command.type is not OrderType.TRAILING_STOP_MARKET:
        profits = command.type in TAKE_PROFIT_TYPES
        trigger = to_price(market.spec, command.trigger_ticks)
        if wrong_side(parent.side, trigger, _expected_price(market, parent), profits=profits):
            found.append(Reason.ATTACHED_PRICE_WRONG_SIDE)
    return found


def _expected_price(market: Market, order: Order) -> Decimal:
    """Where an order is expected to open: its limit, else its trigger or activation, else mark."""
    return order.price or order.trigger_price or order.activation_price or market.mark


def wrong_side(side: Side, price: Decimal, parent_price: Decimal, *, profits: bool) -> bool:
    """Profits lie above the price of a buyer and below that of a seller, losses opposite."""
    if profits == (side is Side.BUY):
        return price <= parent_price
    return price >= parent_price


def _child_price_faults(market: Market, command: PlaceOrder, order: Order) -> list[Reason]:
    spec = market.spec
    reference = order.price or _sent_trigger(market, command)
    reference = reference or to_price(spec, command.activation_ticks) or market.mark
    gain = to_price(spec, command.take_profit_ticks)
    loss = to_price(spec, command.stop_loss_ticks)
    if (gain and wrong_side(order.side, gain, reference, profits=True)) or (
        loss and wrong_side(order.side, loss, reference, profits=False)
    ):
        return [Reason.ATTACHED_PRICE_WRONG_SIDE]
    return []


def _sent_trigger(market: Market, command: PlaceOrder) -> Decimal:
    """The trigger price of the command, whether or not orders of its type have one.

    The API takes none with MARKET and trailing orders, but a journal may hold
    one from elsewhere, and what it meant there stays.
    """
    return to_price(market.spec, command.trigger_ticks)


def _trigger_faults(venue: Venue, market: Market, order: Order) -> list[Reason]:
    """A trigger that the price has passed already."""
    price = venue.price_of(market, order.working_type)
    if order.type is OrderType.TRAILING_STOP_MARKET:
        activation = order.activation_price
        sells = order.side is Side.SELL
        passed = bool(activation) and (activation <= price if sells else activation >= price)
    else:
        passed = is_passed(order.type, order.side, order.trigger_price, price)
    return [Reason.WOULD_TRIGGER_IMMEDIATELY] if passed else []


def _notional_faults(market: Market, command: PlaceOrder, order: Order) -> list[Reason]:
    """The smallest notional: at the limit, else at the trigger, else at mark."""
    size = order.quantity * (order.price or _sent_trigger(market, command) or market.mark)
    small = size < to_money(market.spec.min_notional)
    return [Reason.NOTIONAL_BELOW_MINIMUM] if small else []


def _limit_faults(venue: Venue, market: Market, command: PlaceOrder) -> list[Reason]:
    if not venue.order_limits:
        return []
    own = [order for order in venue.orders if order.account == command.account]
    found = []
    resting = [order for order in own if order.arrival and order.symbol == command.symbol]
    if command.type is OrderType.LIMIT and len(resting) >= market.spec.max_orders:
        found.append(Reason.OPEN_ORDER_LIMIT_REACHED)
    waiting = [order for order in own if order.waiting]
    more = [command.take_profit_ticks, command.stop_loss_ticks, command.type in TRIGGER_TYPES]
    new = len([each for each in more if each])
    if new and len(waiting) + new > WAITING_LIMIT:
        found.append(Reason.TRIGGER_ORDER_LIMIT_REACHED)
    return found


def _enter(
    venue: Venue, market: Market, command: PlaceOrder, order: Order, parent: Order | None
) -> OrderRecord:
    if order.type is OrderType.TRAILING_STOP_MARKET and parent is None:
        price = venue.price_of(market, order.working_type)
        order.activation_price = order.activation_price or price
    _register(venue, command, order)
    for type, ticks, client_id in (
        (TAKE_PROFIT_MARKET, command.take_profit_ticks, command.take_profit_client_id),
        (STOP_MARKET, command.stop_loss_ticks, command.stop_loss_client_id),
    ):
        if ticks:
            price = to_price(market.spec, ticks)
            _register(venue, command, _child(command, order, type, price, client_id))
    if not order.waiting:
        execute(venue, order)
    elif parent is None:
        watch(venue, order)
    else:
        arm(venue, order, opened_part(parent, venue.position_of(parent)))
    return record_of(market, order)


def _child(
    command: PlaceOrder, parent: Order, type: OrderType, trigger: Decimal, client_id: str
) -> Order:
    return Order(
        order_id=0,
        client_id=client_id,
        account=parent.account,
        symbol=parent.symbol,
        side=Side(-parent.side),
        position_side=parent.position_side,
        type=type,
        original_type=type,
        time_in_force=TimeInForce.GTC,
        price=ZERO,
        quantity=parent.quantity,
        created_ms=parent.created_ms,
        updated_ms=parent.created_ms,
        reduce_only=True,
        algo=True,
        waiting=True,
        working_type=command.attached_working_type,
        trigger_price=trigger,
        parent_id=parent.order_id,
    )


def _register(venue: Venue, command: PlaceOrder, order: Order) -> None:
    """Gives the order its id, and a client id where it came without one."""
    order.order_id = venue.next_order_id
    venue.next_order_id += 1
    if not order.client_id:
        given = (command.client_id, command.take_profit_client_id, command.stop_loss_client_id)
        name = f"{AUTO_PREFIX}{order.order_id}"
        while name in given or venue.is_taken(order.account, name, order.algo):
            name += "_"
        order.client_id = name
    venue.orders.append(order)
    venue.events.append(OrderAccepted(record_of(venue.markets[order.symbol], order)))
