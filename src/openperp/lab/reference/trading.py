"""How orders trade, settle, rest and end."""

from dataclasses import dataclass
from decimal import Decimal

from openperp.engine.events import (
    OrderArmed,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    PositionChanged,
    TradeExecuted,
)
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.terms import (
    Cause,
    OrderStatus,
    OrderType,
    Origin,
    PositionSide,
    Side,
    StpMode,
    TimeInForce,
    WorkingType,
)
from openperp.lab.reference.amounts import ONE, ZERO, from_money, money_to_zero, money_up
from openperp.lab.reference.fees import fee_rate
from openperp.lab.reference.guards import is_beyond
from openperp.lab.reference.model import Account, Market, Order, Position
from openperp.lab.reference.records import lots_of, record_of, ticks_of
from openperp.lab.reference.venue import Venue, closable, opened_part


def reaches(venue: Venue, order: Order, price: Decimal) -> bool:
    """Whether the order takes at `price`: a buyer up to his limit, a MARKET order at any within
    the bound of its market.
    """
    if order.type is OrderType.MARKET:
        return not venue.bounds_sweeps or not is_beyond(venue.markets[order.symbol], order, price)
    return price <= order.price if order.side is Side.BUY else price >= order.price


def execute(venue: Venue, order: Order) -> None:
    """Trades with the book as far as it goes; what is left rests or ends."""
    swept = sweep(venue, order)
    if not order.left:
        finish(venue, order)
    elif swept.ends:
        expire(venue, order, Cause.SELF_TRADE)
    elif order.type is OrderType.MARKET or order.time_in_force in (
        TimeInForce.IOC,
        TimeInForce.FOK,
    ):
        expire(venue, order, _why_unfilled(venue, order))
    elif order.reduce_only and not closable(venue.position_of(order), order.side):
        expire(venue, order, Cause.POSITION_GONE)
    else:
        order.arrival = venue.next_arrival
        venue.next_arrival += 1
        displace(venue, venue.position_of(order))


def _why_unfilled(venue: Venue, order: Order) -> Cause:
    best = venue.best(order.symbol, Side(-order.side))
    if order.type is OrderType.LIMIT or best is None or reaches(venue, order, best.price):
        return Cause.NO_LIQUIDITY
    return Cause.BOUND_REACHED


@dataclass(slots=True)
class Sweep:
    """The prices of a taker's trades, and whether it has to end so as not to meet itself."""

    prices: list[Decimal]
    ends: bool = False


def sweep(venue: Venue, order: Order) -> Sweep:
    """Takes the best orders one by one. Triggers see the first price and the last.

    An order of the taker's own account expires, or ends the sweep, or both.
    """
    swept = Sweep([])
    while order.left and not swept.ends:
        maker = venue.best(order.symbol, Side(-order.side))
        if maker is None or not reaches(venue, order, maker.price):
            break
        quantity = min(order.left, maker.left, fillable(venue, order), fillable(venue, maker))
        if not quantity:
            break
        if prevents(order, maker):
            if order.stp is not StpMode.EXPIRE_TAKER:
                expire(venue, maker, Cause.SELF_TRADE)
            swept.ends = order.stp is not StpMode.EXPIRE_MAKER
        else:
            swept.prices.append(maker.price)
            if len(swept.prices) == 1:
                show_last(venue, order.symbol, maker.price)
            trade(venue, order, maker, quantity)
    if swept.prices and swept.prices[-1] != swept.prices[0]:
        show_last(venue, order.symbol, swept.prices[-1])
    return swept


def show_last(venue: Venue, symbol: str, price: Decimal) -> None:
    venue.moves.append((symbol, WorkingType.CONTRACT_PRICE, price, None))


def prevents(taker: Order, maker: Order) -> bool:
    """Whether the taker's mode keeps the two from trading; FOK orders trade with whom they find."""
    return (
        taker.account == maker.account
        and taker.stp is not StpMode.NONE
        and taker.time_in_force is not TimeInForce.FOK
    )


def fillable(venue: Venue, order: Order) -> Decimal:
    """The most that an order may trade now: a reduce-only one no more than it can close."""
    return closable(venue.position_of(order), order.side) if order.reduce_only else order.left


def trade(venue: Venue, taker: Order, maker: Order, quantity: Decimal) -> None:
    market = venue.markets[taker.symbol]
    market.last, market.traded = maker.price, True
    trade_id = venue.next_trade_id
    venue.next_trade_id += 1
    buyer_is_maker = maker.side is Side.BUY
    venue.events.append(
        TradeExecuted(
            taker.symbol,
            trade_id,
            ticks_of(market, maker.price),
            lots_of(market, quantity),
            buyer_is_maker,
        )
    )
    settle(venue, maker, trade_id, maker.price, quantity, maker=True)
    settle(venue, taker, trade_id, maker.price, quantity, maker=False)
    if not maker.left:
        finish(venue, maker)


def settle(
    venue: Venue, order: Order, trade_id: int, price: Decimal, quantity: Decimal, *, maker: bool
) -> None:
    """One side of a trade: the order, its position, the wallet, and what follows from it."""
    market, account = venue.markets[order.symbol], venue.accounts[order.account]
    position = venue.position_of(order)
    order.filled += quantity
    order.filled_value += quantity * price
    order.status = OrderStatus.PARTIALLY_FILLED if order.left else OrderStatus.FILLED
    order.updated_ms = venue.now

    debt = max(ZERO, -account.cross_wallet)
    closed = min(quantity, closable(position, order.side))
    returned = isolated_share(position, closed)
    realized = _close(position, order.side, price, closed)
    position.quantity += order.side * (quantity - closed)
    position.cost += order.side * (quantity - closed) * price
    fee = _commission(market, account, order, quantity * price, maker=maker)
    account.wallet += realized - fee
    venue.fees += fee
    position.own -= returned
    if order.symbol in account.isolated:
        wanted = money_up(
            (quantity - closed) * price, Decimal(venue.leverage(account, order.symbol))
        )
        position.own += max(ZERO, min(wanted, account.cross_wallet))
        if venue.isolated_pays and order.origin is not Origin.LIQUIDATION:
            _pay_debt(account, position, debt)

    fill = Fill(
        trade_id=trade_id,
        order_id=order.order_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        position_side=order.position_side,
        ticks=ticks_of(market, price),
        lots=lots_of(market, quantity),
        fee=from_money(fee),
        realized=from_money(realized),
        maker=maker,
        time_ms=venue.now,
    )
    venue.events.append(OrderFilled(record_of(market, order), fill))
    venue.events.append(tell_position(venue, account, order.symbol, order.position_side))
    if closed and not closable(position, order.side):
        _end_position(venue, order, position)
    elif closed:
        displace(venue, position)
    if closed < quantity:
        _open(venue, order, position, quantity - closed)


def _commission(
    market: Market, account: Account, order: Order, value: Decimal, *, maker: bool
) -> Decimal:
    """What a fill costs; orders that the venue places against their account pay none."""
    if order.origin is not Origin.ACCOUNT:
        return ZERO
    return money_up(value * fee_rate(market.spec, account.fee_tier, maker=maker), ONE)


def isolated_share(position: Position, quantity: Decimal) -> Decimal:
    """What a part of an isolated position gives back of its own money when it is closed."""
    if not quantity:
        return ZERO
    return money_to_zero(position.own * quantity, abs(position.quantity))


def _pay_debt(account: Account, position: Position, debt_before: Decimal) -> None:
    """What a fill has made the account owe is paid by its position, as far as that has money."""
    made = max(ZERO, -account.cross_wallet) - debt_before
    position.own -= max(ZERO, min(made, position.own))


def _close(position: Position, side: Side, price: Decimal, quantity: Decimal) -> Decimal:
    """Closes a part of a position; what that realizes.

    The part takes its share of the entry cost along, rounded towards zero.
    """
    if not quantity:
        return ZERO
    share = money_to_zero(position.cost * quantity, abs(position.quantity))
    realized = -side * quantity * price - share
    position.quantity += side * quantity
    position.cost -= share
    position.realized += realized
    return realized


def tell_position(
    venue: Venue, account: Account, symbol: str, side: PositionSide
) -> PositionChanged:
    """A position in the words of events."""
    position = venue.position(account, symbol, side)
    return PositionChanged(
        account=account.account_id,
        symbol=symbol,
        lots=lots_of(venue.markets[symbol], position.quantity),
        entry_cost=from_money(position.cost),
        wallet=from_money(account.wallet),
        position_side=side,
        realized=from_money(position.realized),
        isolated=symbol in account.isolated,
        isolated_wallet=from_money(position.own),
        set_aside=from_money(account.set_aside),
    )


def _end_position(venue: Venue, filled: Order, position: Position) -> None:
    """A position has gone: what could only close it expires, and nothing of it is open."""
    position.number += 1
    own = [
        order
        for order in venue.orders
        if venue.position_of(order) is position and not closable(position, order.side)
    ]
    reducers = [order for order in own if order.reduce_only and order.arrival and order.left]
    guards = [order for order in own if order.waiting and (order.armed or is_tied(order))]
    reducers.sort(key=lambda order: order.arrival)
    for order in reducers + guards:
        if order is not filled or order.left:
            expire(venue, order, Cause.POSITION_GONE)


def is_tied(order: Order) -> bool:
    """Whether an order by itself ends with its position; attached ones end as what they guard."""
    return order.time_in_force is TimeInForce.GTE_GTC and not order.parent_id


def displace(venue: Venue, position: Position) -> None:
    """Reduce-only orders that together exceed their position: the last to trade expires first."""
    while venue.displaces_reducers:
        own = [order for order in venue.reducers(position) if order.left]
        if sum([order.left for order in own], ZERO) <= abs(position.quantity):
            return
        last = max(own, key=lambda order: (-order.side * order.price, order.arrival))
        expire(venue, last, Cause.DISPLACED)


def _open(venue: Venue, order: Order, position: Position, quantity: Decimal) -> None:
    order.opened = opened_part(order, position) + quantity
    order.opened_in = position.number
    for child in venue.children(order.order_id):
        arm(venue, child, order.opened)


def arm(venue: Venue, child: Order, opened: Decimal) -> None:
    """Lets a child guard what its parent has opened; the first time wakes it."""
    armed = min(child.quantity, opened)
    if armed <= child.armed:
        return
    wakes = not child.armed
    child.armed = armed
    child.updated_ms = venue.now
    venue.events.append(OrderArmed(record_of(venue.markets[child.symbol], child)))
    if wakes:
        watch(venue, child)


def watch(venue: Venue, order: Order) -> None:
    """From now on a waiting order sees prices, that of this moment first."""
    price = venue.price_of(venue.markets[order.symbol], order.working_type)
    if order.type is OrderType.TRAILING_STOP_MARKET and not order.activation_price:
        order.activation_price = price
    venue.moves.append((order.symbol, order.working_type, price, order))


def finish(venue: Venue, order: Order) -> None:
    """Takes a filled order out."""
    venue.orders.remove(order)
    _relieve_children(venue, order)


def expire(venue: Venue, order: Order, cause: Cause) -> None:
    """Ends an order that the venue gives up."""
    venue.orders.remove(order)
    order.waiting = False
    order.arrival = 0
    meets_itself = cause is Cause.SELF_TRADE
    order.status = OrderStatus.EXPIRED_IN_MATCH if meets_itself else OrderStatus.EXPIRED
    order.updated_ms = venue.now
    venue.events.append(OrderExpired(record_of(venue.markets[order.symbol], order, cause)))
    _relieve_children(venue, order)


def _relieve_children(venue: Venue, order: Order) -> None:
    """Children of an order that ended and has opened nothing have nothing to guard."""
    if not opened_part(order, venue.position_of(order)):
        for child in venue.children(order.order_id):
            cancel(venue, child, Cause.NOTHING_OPENED)


def cancel(venue: Venue, order: Order, cause: Cause) -> OrderRecord:
    """Cancels an order and, whatever was filled of it, its children."""
    venue.orders.remove(order)
    order.waiting = False
    order.arrival = 0
    order.status = OrderStatus.CANCELED
    order.updated_ms = venue.now
    record = record_of(venue.markets[order.symbol], order, cause)
    venue.events.append(OrderCanceled(record))
    for child in venue.children(order.order_id):
        cancel(venue, child, Cause.CASCADE)
    return record
