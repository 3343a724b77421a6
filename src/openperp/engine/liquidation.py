"""Liquidation: what is done about margin that is used up.

Source of the order of things: the venue's public rules. Open orders go first. Then
one position after the other is closed, the one with the largest maintenance margin
first, stage by stage: a position leaves one bracket of its notional at a time, as its
maintenance margin falls with each. A stage is an order that takes the book at the
bankruptcy price or better, and beyond it as long as the insurance fund pays for it.
What nobody takes is closed against the positions of others: see `deleveraging`. A fee
goes to the insurance fund, out of what is left.
"""

from openperp.engine.deleveraging import deleverage
from openperp.engine.ending import give_up_orders
from openperp.engine.events import OrderAccepted
from openperp.engine.insurance import settle_with_fund
from openperp.engine.liquidation_events import (
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
)
from openperp.engine.lookup import accepts_orders
from openperp.engine.margin import bracket_number, maintenance_margin, notional
from openperp.engine.matching import close_at_once
from openperp.engine.numbers import PPM, divide_up
from openperp.engine.placing import closing_order
from openperp.engine.solvency import MarginPart
from openperp.engine.state import Position, State
from openperp.engine.step import Step
from openperp.engine.terms import BY_LIQUIDATION, Cause


def liquidate(step: Step, part: MarginPart) -> None:
    """Closes positions of a part that is due, until it no longer is."""
    account = part.account
    step.events.append(
        LiquidationStarted(
            account.account_id,
            part.symbol,
            part.side,
            part.balance,
            part.maintenance,
            account.wallet,
            account.set_aside,
            step.now,
        )
    )
    give_up_orders(step, account, part.symbol, Cause.LIQUIDATED)
    while part.is_due:
        _close_stage(step, part)
        part.measure(step.state)
    step.events.append(
        LiquidationEnded(
            account.account_id,
            part.symbol,
            part.side,
            part.balance,
            part.maintenance,
            account.wallet,
            account.set_aside,
        )
    )


def _close_stage(step: Step, part: MarginPart) -> None:
    account, position = part.account, _largest(step.state, part)
    market = position.market
    lots = stage_lots(position)
    ticks = bankruptcy_ticks(position, balance_share(part, position))
    step.events.append(
        LiquidationStaged(
            account.account_id,
            market.symbol,
            position.side,
            lots,
            position.lots,
            ticks,
            market.mark_ticks,
            part.balance,
            part.maintenance,
        )
    )
    wallet_before = account.cross_wallet
    order = closing_order(step, account, position, ticks, lots, BY_LIQUIDATION)
    order.client_id = f"autoclose-{step.now}-{order.order_id}"
    step.events.append(OrderAccepted(order.to_record()))
    close_at_once(step, position, order)
    if order.remaining_lots:
        deleverage(step, account, position, ticks, order.remaining_lots)
    size = lots * market.mark_ticks * market.unit
    left = _left_for_fee(step.state, part, size, wallet_before)
    rate = market.spec.liquidation_fee_ppm
    fee = min(left, divide_up(order.filled_value * market.unit * rate, PPM))
    if fee:
        settle_with_fund(step, account, -fee, market.symbol, position.side)


def _largest(state: State, part: MarginPart) -> Position:
    """The position of the part with the largest maintenance margin, where it can be closed."""
    open_now = [position for position in part.positions if accepts_orders(state, position.market)]
    open_now.sort(key=lambda position: (-maintenance_margin(position), position.key))
    return open_now[0]


def stage_lots(position: Position) -> int:
    """Lots to close so that the rest lies in a lower bracket; all in the lowest one."""
    market = position.market
    held = abs(position.lots)
    number = bracket_number(position, notional(position))
    if number == 0:
        return held
    floor = market.bracket_caps[number - 1]
    return held - (floor - 1) // (market.mark_ticks * market.unit)


def balance_share(part: MarginPart, position: Position) -> int:
    """What of the part's balance, which may be negative, belongs to one of its positions."""
    if part.own is not None:
        return part.balance
    total = sum([notional(held) for held in part.positions])
    return part.balance * notional(position) // total


def bankruptcy_ticks(position: Position, share: int) -> int:
    """The price at which the position has lost `share`, rounded in its favour, within bounds."""
    market = position.market
    spec = market.spec
    lot_value = abs(position.lots) * market.unit
    if position.lots > 0:
        ticks = divide_up(notional(position) - share, lot_value)
    else:
        ticks = (notional(position) + share) // lot_value
    return max(spec.min_ticks, min(spec.max_ticks, ticks))


def _left_for_fee(state: State, part: MarginPart, size: int, wallet_before: int) -> int:
    """What a stage that closed the notional `size` leaves for its fee.

    That is what an isolated position gave back, or the closed part's share of the balance.
    """
    if part.own is not None:
        return max(0, part.account.cross_wallet - wallet_before)
    part.measure(state)
    left = max(0, part.balance)
    remaining = sum([notional(position) for position in part.positions])
    return left * size // (size + remaining) if remaining else left
