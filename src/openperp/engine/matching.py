"""Price-time matching of one taking order against the book."""

from openperp.engine.ending import expire, finish_filled
from openperp.engine.margin import refreeze
from openperp.engine.order import Order
from openperp.engine.settlement import settle_fill
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    CONTRACT_PRICE,
    EXPIRE_MAKER,
    EXPIRE_TAKER,
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
        expire(step, order, Cause.NO_LIQUIDITY)
    elif order.reduce_only and not position.closable_lots(order.side):
        expire(step, order, Cause.POSITION_GONE)
    else:
        _rest(step, account, position, order)


def _rest(step: Step, account: Account, position: Position, order: Order) -> None:
    book = position.market.book
    book.side(order.side).add(order)
    book.update_id += 1
    position.order_count += 1
    if order.reduce_only:
        position.reducers[order.order_id] = order
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
    limit = order.ticks if order.type is LIMIT else 0
    first = last = 0
    while order.remaining_lots:
        if limit and not side.crosses(limit):
            break
        level = side.best()
        if level is None:
            break
        maker = level.head
        assert maker is not None
        lots = _fillable(step.state, order, position, maker)
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
        settle_fill(step, market, order, maker, last, lots)
        if maker.resting and maker.remaining_lots == 0:
            finish_filled(step, maker)
    if last != first:
        step.price_moved(market, CONTRACT_PRICE, last)
    return ends


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


def _fillable(state: State, order: Order, position: Position, maker: Order) -> int:
    """Lots of the next fill; reduce-only orders fill no more than they can close."""
    lots = min(order.remaining_lots, maker.remaining_lots)
    if maker.reduce_only:
        held = state.accounts[maker.account].positions[maker.position_key]
        lots = min(lots, held.closable_lots(maker.side))
        assert lots, "a reduce-only order rests without a position to close"
    if order.reduce_only:
        lots = min(lots, position.closable_lots(order.side))
    return lots


class Sweep:
    """What a taker would find in the book: `lots` in all, from `first_ticks` to `worst_ticks`."""

    __slots__ = ("first_ticks", "lots", "worst_ticks")

    def __init__(self) -> None:
        self.lots = 0
        self.first_ticks = 0
        self.worst_ticks = 0


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

    Reduce-only orders fill only what their account can close when their turn
    comes, so the positions are followed along, the maker's before the taker's:
    they expire when the position is gone, even if the taker's side of a trade
    with itself brings it back.
    """
    found = Sweep()
    opposite = position.market.book.opposite(side)
    held: dict[Position, int] = {}
    gone: set[Position] = set()
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
            part = min(order.remaining_lots, lots - found.lots)
            maker = state.accounts[order.account].positions[order.position_key]
            lots_held = held.get(maker, maker.lots)
            if order.reduce_only:
                closable = 0 if maker in gone else -order.side * lots_held
                part = min(part, max(0, closable))
            if part:
                found.lots += part
                found.first_ticks = found.first_ticks or level.ticks
                found.worst_ticks = level.ticks
                lots_held += order.side * part
                held[maker] = lots_held
                if lots_held * order.side >= 0:
                    gone.add(maker)
                held[position] = held.get(position, position.lots) + side * part
            order = order.level_next
        if found.lots >= lots:
            break
    return found
