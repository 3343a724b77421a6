"""Price-time matching of one taking order against the book."""

from openperp.engine.bounds import has_room, trade_growth
from openperp.engine.ending import displace_reducers, expire, finish_filled
from openperp.engine.events import OrderExpired
from openperp.engine.guards import take_limit
from openperp.engine.insurance import pay_shortage, payable_lots
from openperp.engine.margin import refreeze
from openperp.engine.order import Order
from openperp.engine.settlement import settle_fill
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    BY_LIQUIDATION,
    CONTRACT_PRICE,
    EXPIRE_MAKER,
    EXPIRE_TAKER,
    EXPIRED,
    FOK,
    IOC,
    LIMIT,
    MARKET,
    NO_STP,
    Cause,
    Side,
    StpMode,
    TimeInForce,
)

_IMMEDIATE = (IOC, FOK)


def execute(step: Step, account: Account, position: Position, order: Order) -> None:
    """Matches a live order that is not in the book, then rests, expires or ends it.

    The caller has made every check; what the book cannot fill of a MARKET, IOC
    or FOK order expires.
    """
    met_itself = _match(step, position.market, position, order)
    if order.remaining_lots == 0:
        finish_filled(step, order)
    elif met_itself:
        expire(step, order, Cause.SELF_TRADE)
    elif order.type is MARKET or order.time_in_force in _IMMEDIATE:
        expire(step, order, _why_unfilled(step.state, position.market, order))
    elif order.reduce_only and not position.closable_lots(order.side):
        expire(step, order, Cause.POSITION_GONE)
    else:
        _rest(step, account, position, order)


def _why_unfilled(state: State, market: Market, order: Order) -> Cause:
    best = market.book.opposite(order.side).best_ticks()
    limit = take_limit(state, market, order.side) if order.type is MARKET else 0
    beyond = best and limit and (best - limit) * order.side > 0
    return Cause.BOUND_REACHED if beyond else Cause.NO_LIQUIDITY


def close_at_once(step: Step, position: Position, order: Order) -> None:
    """Matches an order with which the venue closes a position; what is left of it expires.

    It is nobody's live order, so that there is no id by which it could be found.
    """
    _match(step, position.market, position, order)
    if order.remaining_lots:
        order.status = EXPIRED
        order.updated_ms = step.now
        step.events.append(OrderExpired(order.to_record(Cause.NO_LIQUIDITY)))


def _rest(step: Step, account: Account, position: Position, order: Order) -> None:
    book = position.market.book
    book.side(order.side).add(order)
    book.update_id += 1
    position.order_count += 1
    if order.reduce_only:
        position.reducers[order.order_id] = order
        position.reducing_lots += order.remaining_lots
        if step.state.displaces_reducers:
            displace_reducers(step, position)
    else:
        position.chain(order.side).append(order)
        refreeze(step.state, account, position)


def _match(step: Step, market: Market, position: Position, order: Order) -> bool:
    """Trades until nothing more can; whether the order has to expire so as not to trade
    with its own account.
    """
    side = market.book.opposite(order.side)
    stp = effective_stp(order.stp, order.time_in_force)
    ends = False
    limit = _limit(step.state, market, order)
    first = last = 0
    while order.remaining_lots:
        if limit and not side.crosses(limit):
            break
        level = side.best()
        if level is None:
            break
        maker = level.head
        assert maker is not None
        lots = _next_fill_lots(step, order, position, maker)
        if lots == 0:
            break
        if stp and maker.account == order.account:
            ends = _prevent(step, stp, maker)
            if ends:
                break
            continue
        last = level.ticks
        if not first:
            first = last
            step.price_moved(market, CONTRACT_PRICE, first)
        _trade(step, position, order, maker, lots)
    if last != first:
        step.price_moved(market, CONTRACT_PRICE, last)
    return ends


def _trade(step: Step, position: Position, taker: Order, maker: Order, lots: int) -> None:
    """Settles a fill with the first of the book, and what it has lacked in a liquidation."""
    ticks = maker.ticks
    settle_fill(step, position.market, taker, maker, ticks, lots)
    if maker.resting and maker.remaining_lots == 0:
        finish_filled(step, maker)
    if taker.origin is BY_LIQUIDATION:
        pay_shortage(step, position, taker, ticks, lots)


def _prevent(step: Step, stp: StpMode, maker: Order) -> bool:
    """Keeps a taker from trading with `maker`, an order of its own; whether the taker ends."""
    if stp is not EXPIRE_TAKER:
        expire(step, maker, Cause.SELF_TRADE)
    return stp is not EXPIRE_MAKER


def effective_stp(stp: StpMode, time_in_force: TimeInForce) -> StpMode:
    """The mode that a taker follows: FOK orders trade with whom they find.

    Source: the fapi's rules on self-trade prevention, where it is for GTC, IOC and GTD.
    """
    return NO_STP if time_in_force is FOK else stp


def _limit(state: State, market: Market, order: Order) -> int:
    """The price beyond which an order does not trade; zero for none.

    That of a liquidation is where the insurance fund begins to pay.
    """
    if order.type is LIMIT:
        return 0 if order.origin is BY_LIQUIDATION else order.ticks
    return take_limit(state, market, order.side)


def _next_fill_lots(step: Step, order: Order, position: Position, maker: Order) -> int:
    """Lots of the next fill; reduce-only orders fill no more than they can close, and
    liquidations no more than is paid for and the stakes have room for.
    """
    lots = min(order.remaining_lots, maker.remaining_lots)
    if maker.reduce_only:
        held = step.state.accounts[maker.account].positions[maker.position_key]
        lots = min(lots, held.closable_lots(maker.side))
        assert lots, "a reduce-only order rests without a position to close"
    if order.reduce_only:
        lots = min(lots, position.closable_lots(order.side))
    if order.origin is BY_LIQUIDATION:
        lots = payable_lots(step.state, position.market, order, maker.ticks, lots)
        growth = trade_growth(position.market, maker.ticks * lots)
        return lots if has_room(step.state, growth) else 0
    return lots


class Sweep:
    """What a taker would find in the book: `lots` in all, from `first_ticks` to `worst_ticks`,
    `value` in ticks x lots together.
    """

    __slots__ = ("first_ticks", "lots", "value", "worst_ticks")

    def __init__(self) -> None:
        self.lots = 0
        self.value = 0
        self.first_ticks = 0
        self.worst_ticks = 0


class _ProjectedPositions:
    """The positions of those whom a sweep meets, as its trades would leave them.

    Reduce-only orders fill only what their account can close when their turn comes.
    They expire when the position is gone, even if the taker's side of a trade with
    itself brings it back. Where they displace each other, `rooms` has what those of a
    position may still fill: an order that is larger has expired by its turn.
    """

    __slots__ = ("displaces", "gone", "held", "rooms")

    def __init__(self, displaces: bool) -> None:
        self.displaces = displaces
        self.held: dict[Position, int] = {}
        self.gone: set[Position] = set()
        self.rooms: dict[Position, int] = {}

    def fillable_lots(self, order: Order, maker: Position, lots: int) -> int:
        """Lots that a resting order would fill, of so many."""
        if not order.reduce_only:
            return lots
        if self.displaces:
            return 0 if order.remaining_lots > self.rooms.get(maker, abs(maker.lots)) else lots
        closable = 0 if maker in self.gone else -order.side * self.held.get(maker, maker.lots)
        return min(lots, max(0, closable))

    def fill_maker(self, order: Order, maker: Position, lots: int) -> None:
        """A resting order fills: its position moves, and what others of it have room for."""
        held = self.held.get(maker, maker.lots) + order.side * lots
        self.held[maker] = held
        if held * order.side >= 0:
            self.gone.add(maker)
        if self.displaces and maker.reducing_lots:
            room = self.rooms.get(maker, abs(maker.lots))
            left = -order.side * held
            self.rooms[maker] = room - lots if order.reduce_only else min(room, max(0, left))

    def fill_taker(self, side: Side, taker: Position, lots: int) -> None:
        """The taker's position moves, which may be a maker's as well."""
        self.held[taker] = self.held.get(taker, taker.lots) + side * lots


def sweep(
    state: State,
    account: Account,
    position: Position,
    side: Side,
    ticks: int,
    lots: int,
    stp: StpMode,
) -> Sweep:
    """Follows what `_match` would do for `lots` of `position` at the limit `ticks` (zero: any).

    The positions are followed along, the maker's before the taker's.
    """
    found = Sweep()
    opposite = position.market.book.opposite(side)
    projected = _ProjectedPositions(state.displaces_reducers)
    for key in reversed(opposite.keys):
        level = opposite.levels[key]
        if ticks and key < ticks * opposite.side:
            break
        order = level.head
        while order is not None and found.lots < lots:
            if stp and order.account == account.account_id:
                if stp is not EXPIRE_MAKER:
                    return found
                order = order.level_next
                continue
            maker = state.accounts[order.account].positions[order.position_key]
            part = projected.fillable_lots(
                order, maker, min(order.remaining_lots, lots - found.lots)
            )
            if part:
                found.lots += part
                found.value += part * level.ticks
                found.first_ticks = found.first_ticks or level.ticks
                found.worst_ticks = level.ticks
                projected.fill_maker(order, maker, part)
                projected.fill_taker(side, position, part)
            order = order.level_next
        if found.lots >= lots:
            break
    return found
