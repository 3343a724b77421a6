"""Closing the positions of those whose margin is used up."""

from decimal import Decimal

from openperp.engine.events import ModeChanged
from openperp.engine.liquidation_events import (
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
)
from openperp.engine.state import position_key
from openperp.engine.terms import Cause, Mode, Origin, Side
from openperp.lab.reference import insurance, margin
from openperp.lab.reference.amounts import (
    ONE,
    ZERO,
    from_money,
    money_down,
    money_up,
    ratio,
    to_money,
    whole_down,
    whole_up,
)
from openperp.lab.reference.assets import exchange_debts
from openperp.lab.reference.deleveraging import deleverage
from openperp.lab.reference.firing import run_moves
from openperp.lab.reference.forced import close_by_force, end_orders
from openperp.lab.reference.model import Account, Order, Position
from openperp.lab.reference.parts import (
    Key,
    Part,
    balance,
    bracket_of,
    is_due,
    is_short,
    keys_of,
    maintenance,
    parts_of,
    position_maintenance,
    tradable_keys,
)
from openperp.lab.reference.records import lots_of, ticks_of
from openperp.lab.reference.stakes import may_trade
from openperp.lab.reference.trading import expire, fillable, finish, show_last, trade
from openperp.lab.reference.venue import Venue, to_price


def settle_down(venue: Venue) -> None:
    """Lets all follow from a command that does: triggers fire, debts are paid with assets, and
    who cannot bear the prices is liquidated, which moves prices again.
    """
    _quiet(venue)
    while venue.liquidates:
        part = _find_first(venue)
        if part is None:
            return
        if is_short(venue, part):
            insurance.settle_with_fund(venue, part.account, -balance(venue, part))
        else:
            _liquidate(venue, part)
        _quiet(venue)


def _quiet(venue: Venue) -> None:
    run_moves(venue)
    exchange_debts(venue)


def _find_first(venue: Venue) -> Part | None:
    """The first part that is used up, or cross margin in deficit, by account."""
    for number in sorted(venue.accounts):
        for part in parts_of(venue.accounts[number]):
            if is_due(venue, part) or is_short(venue, part):
                return part
    return None


def _liquidate(venue: Venue, part: Part) -> None:
    """Closes what stands on a part, stage by stage, until the rest of it is safe."""
    account = part.account
    started = LiquidationStarted(
        account=account.account_id,
        symbol=part.symbol,
        position_side=part.side,
        balance=from_money(balance(venue, part)),
        maintenance=from_money(maintenance(venue, part)),
        wallet=from_money(account.wallet),
        set_aside=from_money(account.set_aside),
        time_ms=venue.now,
    )
    venue.events.append(started)
    own = [order for order in venue.orders if order.account == account.account_id]
    if part.symbol:
        own = [order for order in own if order.symbol == part.symbol]
    end_orders(venue, own, Cause.LIQUIDATED)
    while is_due(venue, part):
        _close_stage(venue, part)
    ended = LiquidationEnded(
        account=account.account_id,
        symbol=part.symbol,
        position_side=part.side,
        balance=from_money(balance(venue, part)),
        maintenance=from_money(maintenance(venue, part)),
        wallet=from_money(account.wallet),
        set_aside=from_money(account.set_aside),
    )
    venue.events.append(ended)


def _close_stage(venue: Venue, part: Part) -> None:
    """One position as far as the next lower bracket: by the book, then by deleveraging."""
    account = part.account
    key = _pick(venue, part)
    wallet_before = account.cross_wallet
    position = venue.position(account, *key)
    quantity = _stage_quantity(venue, key[0], position)
    price = _bankruptcy_price(venue, part, key)
    _tell_stage(venue, part, key, quantity, price)
    order = close_by_force(venue, account, key, quantity, price, Origin.LIQUIDATION)
    _trade_as_far_as_paid(venue, account, key, order)
    if order.left:
        expire(venue, order, Cause.NO_LIQUIDITY)
        _close_against_others(venue, account, key, order)
    else:
        finish(venue, order)
    fee = _fee(venue, part, order, quantity, account.cross_wallet - wallet_before)
    if fee > 0:
        insurance.settle_with_fund(venue, account, -fee, *key)


def _pick(venue: Venue, part: Part) -> Key:
    """The position with the largest maintenance margin; of equals that with the first key."""
    keys = tradable_keys(venue, part)
    return min(
        keys, key=lambda key: (-position_maintenance(venue, part.account, key), position_key(*key))
    )


def _stage_quantity(venue: Venue, symbol: str, position: Position) -> Decimal:
    """So much that the rest lies in a lower bracket; all where there is none."""
    market = venue.markets[symbol]
    bracket = bracket_of(venue, symbol, margin.notional(venue, symbol, position))
    if bracket == market.spec.brackets[0]:
        return abs(position.quantity)
    below = to_money(bracket.notional_floor - 1)
    return abs(position.quantity) - whole_down(below, market.mark * market.lot) * market.lot


def _bankruptcy_price(venue: Venue, part: Part, key: Key) -> Decimal:
    """Where the position's share of the balance would be gone, rounded in its favour."""
    market = venue.markets[key[0]]
    position = venue.position(part.account, *key)
    size = margin.notional(venue, key[0], position)
    share = balance(venue, part)
    if not part.symbol:
        share = money_down(share * size, _cross_notional(venue, part))
    per_tick = abs(position.quantity) * market.tick
    if position.quantity > 0:
        ticks = whole_up(size - share, per_tick)
    else:
        ticks = whole_down(size + share, per_tick)
    spec = market.spec
    return to_price(spec, max(spec.min_ticks, min(spec.max_ticks, int(ticks))))


def _cross_notional(venue: Venue, part: Part) -> Decimal:
    sizes = [
        margin.notional(venue, symbol, venue.position(part.account, symbol, side))
        for symbol, side in keys_of(part)
    ]
    return sum(sizes, ZERO)


def _tell_stage(venue: Venue, part: Part, key: Key, quantity: Decimal, price: Decimal) -> None:
    market = venue.markets[key[0]]
    staged = LiquidationStaged(
        account=part.account.account_id,
        symbol=key[0],
        position_side=key[1],
        lots=lots_of(market, quantity),
        held_lots=lots_of(market, venue.position(part.account, *key).quantity),
        bankruptcy_ticks=ticks_of(market, price),
        mark_ticks=ticks_of(market, market.mark),
        balance=from_money(balance(venue, part)),
        maintenance=from_money(maintenance(venue, part)),
    )
    venue.events.append(staged)


def _trade_as_far_as_paid(venue: Venue, account: Account, key: Key, order: Order) -> None:
    """Takes the best orders one by one; at worse prices than that of the order only so much
    as the insurance fund can pay the difference for.
    """
    prices: list[Decimal] = []
    while order.left:
        maker = venue.best(order.symbol, Side(-order.side))
        if maker is None:
            break
        quantity = min(order.left, maker.left, fillable(venue, order), fillable(venue, maker))
        shortage = order.side * (maker.price - order.price)
        if shortage > 0:
            quantity = min(quantity, _payable(venue, order.symbol, shortage))
        if not quantity or not may_trade(venue, quantity * maker.price):
            break
        prices.append(maker.price)
        if len(prices) == 1:
            show_last(venue, order.symbol, maker.price)
        trade(venue, order, maker, quantity)
        if shortage > 0:
            insurance.settle_with_fund(venue, account, shortage * quantity, *key)
    if prices and prices[-1] != prices[0]:
        show_last(venue, order.symbol, prices[-1])


def _close_against_others(venue: Venue, account: Account, key: Key, order: Order) -> None:
    """What the book left of an order goes against the other side, or nobody trades any more."""
    if may_trade(venue, order.left * order.price):
        deleverage(venue, account, key, order.left, order.price)
    else:
        venue.mode = Mode.CANCEL_ONLY
        venue.events.append(ModeChanged(Mode.CANCEL_ONLY, ""))


def _payable(venue: Venue, symbol: str, shortage: Decimal) -> Decimal:
    """The whole lots for which the insurance fund can pay `shortage` of a price."""
    lot = venue.markets[symbol].lot
    return whole_down(max(ZERO, venue.insurance), shortage * lot) * lot


def _fee(venue: Venue, part: Part, order: Order, quantity: Decimal, given_back: Decimal) -> Decimal:
    """The liquidation fee on what the book took, as far as something is left for it.

    An isolated position pays from what closing it gave back; cross positions from the
    part of the balance that is not needed by those that remain.
    """
    market = venue.markets[order.symbol]
    fee = money_up(order.filled_value * ratio(market.spec.liquidation_fee_ppm), ONE)
    if part.symbol:
        return min(fee, max(ZERO, given_back))
    left = max(ZERO, balance(venue, part))
    if keys_of(part):
        closed = quantity * market.mark
        left = money_down(left * closed, closed + _cross_notional(venue, part))
    return min(fee, left)
