"""What keeps an order out of the book: bound, post-only, fill-or-kill, stakes, cap, margin."""

from decimal import Decimal

from openperp.engine.rejects import Reason
from openperp.engine.terms import OrderType, Side, TimeInForce
from openperp.lab.reference import margin
from openperp.lab.reference.amounts import ZERO, money_down
from openperp.lab.reference.model import Account, Order, Position
from openperp.lab.reference.stakes import may_trade
from openperp.lab.reference.trading import isolated_share, reaches, sweep
from openperp.lab.reference.venue import Venue, closable


def obstacles(venue: Venue, order: Order, replaced: Order | None = None) -> list[Reason]:
    """Every reason against an order that is about to meet the book, or to take the place of
    `replaced` in it.

    What it would trade is found out by trying it on a copy of the venue.
    """
    best = venue.best(order.symbol, Side(-order.side))
    takes = best is not None and reaches(venue, order, best.price)
    found: list[Reason] = []
    limit = order.type is OrderType.LIMIT
    if best is not None and not takes and not limit:
        found.append(Reason.BEST_PRICE_BEYOND_BOUND)
    if takes and limit and order.time_in_force is TimeInForce.GTX:
        return [Reason.WOULD_TAKE]
    traded, prices, value = _try(venue, order) if takes else (ZERO, [], ZERO)
    if limit and order.time_in_force is TimeInForce.FOK and traded < order.left:
        found.append(Reason.NOT_FILLABLE)
    if not may_trade(venue, value):
        found.append(Reason.STAKES_TOO_HIGH)
    if not order.reduce_only:
        found += _shortages(venue, order, traded, prices, replaced)
    return found


def _try(venue: Venue, order: Order) -> tuple[Decimal, list[Decimal], Decimal]:
    """What the order would fill, at which prices, and the notional of all of it."""
    other = venue.fork(order.account, order.symbol)
    trial = Order(
        order_id=order.order_id,
        client_id="",
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        position_side=order.position_side,
        type=order.type,
        original_type=order.type,
        time_in_force=order.time_in_force,
        price=order.price,
        quantity=order.left,
        created_ms=0,
        updated_ms=0,
        reduce_only=order.reduce_only,
        stp=order.stp,
    )
    swept = sweep(other, trial)
    return trial.filled, swept.prices, trial.filled_value


def _shortages(
    venue: Venue, order: Order, traded: Decimal, prices: list[Decimal], replaced: Order | None
) -> list[Reason]:
    """The notional cap of the leverage, and the margin, for what the order would open.

    What trades at once counts at the fill that needs most: a buyer's limit or
    the end of his sweep, the best bid for a seller; the rest at the limit.
    """
    account, symbol, side = venue.accounts[order.account], order.symbol, order.side
    position = venue.position_of(order)
    leverage = venue.leverage(account, symbol)
    total = traded if order.type is OrderType.MARKET else order.left
    others = margin.exposure(venue, account, symbol, order.position_side, side, without=replaced)
    opening = total - others.spare
    if opening <= 0:
        return []
    at_once = max(ZERO, traded - (total - opening))
    value = (opening - at_once) * order.price
    if at_once:
        dear = prices[0] if side is Side.SELL else order.price or prices[-1]
        value += at_once * dear

    now = margin.exposure(venue, account, symbol, order.position_side, side)
    held = margin.notional(venue, symbol, position) if position.quantity * side > 0 else ZERO
    found: list[Reason] = []
    over = held + others.notional + value > margin.cap(venue, symbol, leverage)
    if over and (replaced is None or others.notional + value > now.notional):
        found.append(Reason.POSITION_LIMIT_EXCEEDED)

    other_side = margin.exposure(venue, account, symbol, order.position_side, Side(-side))
    frozen = others.frozen + margin.initial_margin(value, leverage)
    needed = margin.combined(venue, frozen, other_side.frozen)
    needed -= margin.combined(venue, now.frozen, other_side.frozen)
    if replaced is not None and needed <= 0:
        return found
    closed = min(traded, closable(position, side))
    if needed > margin.free(venue, account) + _freed(venue, account, symbol, position, closed):
        found.append(Reason.MARGIN_INSUFFICIENT)
    return found


def _freed(
    venue: Venue, account: Account, symbol: str, position: Position, closed: Decimal
) -> Decimal:
    """What closing a part of a position at mark price frees for what then opens.

    Of a position with cross margin it is initial margin; an isolated one gives
    back a share of its own money, with the profit or loss on it.
    """
    if symbol in account.isolated:
        if not closed:
            return ZERO
        profit = margin.unrealized(venue, symbol, position) * closed
        return isolated_share(position, closed) + money_down(profit, abs(position.quantity))
    leverage = venue.leverage(account, symbol)
    size = margin.notional(venue, symbol, position)
    left = size - closed * venue.markets[symbol].mark
    return margin.initial_margin(size, leverage) - margin.initial_margin(left, leverage)
