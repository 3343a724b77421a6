"""What one fill does to both sides: positions, wallets, fees, margin, and its events.

Money is neither made nor lost: what a buyer's entry cost rises by, the
seller's falls by; realized profit moves between wallet and entry cost, and
fees between wallet and fee account.
"""

from openperp.engine.attached import arm_children
from openperp.engine.bounds import note_growth, trade_growth
from openperp.engine.ending import displace_reducers, expire_closers, opened_part
from openperp.engine.events import OrderFilled, PositionChanged, TradeExecuted
from openperp.engine.holders import file_position
from openperp.engine.margin import isolated_share, refreeze
from openperp.engine.numbers import PPM, divide_to_zero, divide_up
from openperp.engine.order import Order
from openperp.engine.records import Fill
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    BUY,
    BY_ACCOUNT,
    BY_LIQUIDATION,
    FILLED,
    PARTIALLY_FILLED,
)


def settle_fill(
    step: Step, market: Market, taker: Order, maker: Order, ticks: int, lots: int
) -> None:
    """Settles a trade of `lots` at `ticks`; the maker's events come first."""
    state = step.state
    trade_id = state.next_trade_id
    state.next_trade_id = trade_id + 1
    note_growth(state, trade_growth(market, ticks * lots))
    market.last_ticks = ticks
    market.traded = True
    market.traded_ms = step.now
    market.book.update_id += 1
    market.book.side(maker.side).shrink(maker, lots)
    step.events.append(TradeExecuted(market.symbol, trade_id, ticks, lots, maker.side is BUY))
    _settle_side(step, market, maker, trade_id, ticks, lots, True)
    _settle_side(step, market, taker, trade_id, ticks, lots, False)


def settle_off_book(
    step: Step, market: Market, taker: Order, maker: Order, ticks: int, lots: int
) -> None:
    """Lets two orders of the venue fill each other without the book: no price comes of it."""
    trade_id = step.state.next_trade_id
    step.state.next_trade_id = trade_id + 1
    note_growth(step.state, trade_growth(market, ticks * lots))
    _settle_side(step, market, maker, trade_id, ticks, lots, True)
    _settle_side(step, market, taker, trade_id, ticks, lots, False)


def _settle_side(
    step: Step, market: Market, order: Order, trade_id: int, ticks: int, lots: int, maker: bool
) -> None:
    state = step.state
    account = state.accounts[order.account]
    position = account.positions[order.position_key]
    if order.resting:
        if order.reduce_only:
            position.reducing_lots -= lots
        else:
            position.chain(order.side).shrink(order, lots)

    order.filled_lots += lots
    order.filled_value += ticks * lots
    order.status = FILLED if order.filled_lots == order.lots else PARTIALLY_FILLED
    order.updated_ms = step.now

    released = 0
    if position.isolated:
        closed = min(position.closable_lots(order.side), lots)
        released = isolated_share(position, closed) if closed else 0
    opened, realized = _move_position(order, position, ticks, lots)
    fee = _commission(account, market, order, ticks * lots, maker)
    account.wallet += realized - fee
    position.realized += realized
    state.fee_account += fee
    if position.isolated:
        _set_aside(account, position, ticks * opened * market.unit, released)
        _pay_from_isolated(state, order, position, fee - realized - released)
    position.updated_ms = step.now
    account.updated_ms = step.now
    step.touched.append(account.account_id)
    _follow_position(step, account, position)

    fill = Fill(
        trade_id,
        order.order_id,
        order.account,
        market.symbol,
        order.side,
        order.position_side,
        ticks,
        lots,
        fee,
        realized,
        maker,
        step.now,
    )
    step.events.append(OrderFilled(order.to_record(), fill))
    step.events.append(tell_position(account, position))
    if opened != lots:
        if not position.closable_lots(order.side):
            expire_closers(step, account, position)
        elif state.displaces_reducers:
            displace_reducers(step, position)
    if opened:
        order.opened_lots = opened_part(order, position) + opened
        order.opened_epoch = position.epoch
        if state.families:
            arm_children(step, market, order)


def _commission(account: Account, market: Market, order: Order, value: int, maker: bool) -> int:
    """The fee of a fill of `value` in ticks x lots; the venue's own orders pay none."""
    if order.origin is not BY_ACCOUNT:
        return 0
    rates = market.maker_fees if maker else market.taker_fees
    return divide_up(value * market.unit * rates[account.fee_tier], PPM)


def tell_position(account: Account, position: Position) -> PositionChanged:
    """The position as it is now, as a frozen value."""
    return PositionChanged(
        account.account_id,
        position.market.symbol,
        position.lots,
        position.entry_cost,
        account.wallet,
        position.side,
        position.realized,
        position.isolated,
        position.isolated_wallet,
        account.set_aside,
    )


def _set_aside(account: Account, position: Position, opened_value: int, released: int) -> None:
    """Moves margin between the cross wallet and the isolated one, after profit and fee.

    What was closed gives back its share first. What was opened takes its notional /
    leverage, rounded up, as far as the cross wallet has it.
    """
    account.set_aside -= released
    position.isolated_wallet -= released
    margin = divide_up(opened_value, position.leverage)
    taken = max(0, min(margin, account.cross_wallet))
    account.set_aside += taken
    position.isolated_wallet += taken


def _pay_from_isolated(state: State, order: Order, position: Position, cost: int) -> None:
    """Lets a position pay what is left of the `cost` of its fill once the cross wallet is empty.

    What the position cannot pay either stays a debt of the cross wallet. Where a liquidation
    fills below its bankruptcy price, the insurance fund pays for the fill as it is.
    """
    if not state.isolated_pays or order.origin is BY_LIQUIDATION:
        return
    account = state.accounts[order.account]
    paid = min(cost, -account.cross_wallet, position.isolated_wallet)
    if paid > 0:
        account.set_aside -= paid
        position.isolated_wallet -= paid


def _move_position(order: Order, position: Position, ticks: int, lots: int) -> tuple[int, int]:
    """Applies a fill to a position; the lots it opened and the money it realized.

    A partial close takes its share of the entry cost rounded towards zero and
    leaves the rest inside, so nothing is lost over any number of closes.
    """
    side = order.side
    unit = position.market.unit
    lots_before = position.lots
    closed = min(position.closable_lots(side), lots)
    opened = lots - closed
    realized = 0
    if closed:
        share = divide_to_zero(position.entry_cost * closed, abs(position.lots))
        realized = -side * closed * ticks * unit - share
        position.entry_cost -= share
    position.entry_cost += side * opened * ticks * unit
    position.lots += side * lots
    file_position(order.account, position, lots_before)
    return opened, realized


def _follow_position(step: Step, account: Account, position: Position) -> None:
    """Lets the margin of the resting orders follow the position that they may close."""
    lots = position.lots
    position.buys.set_capacity(-lots if lots < 0 else 0)
    position.sells.set_capacity(lots if lots > 0 else 0)
    refreeze(step.state, account, position)
