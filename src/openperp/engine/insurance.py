"""The insurance fund: what it pays for, what it earns, and what the operator puts in.

It pays where a position could otherwise only be closed at a price worse than its
bankruptcy price, as far as it has anything; and whatever is missing from a wallet in
the end, for which it may owe money. It earns the fees of liquidations, and what rounding
leaves of funding.
"""

from openperp.engine.bounds import check_payment, note_growth
from openperp.engine.collateral import deposits_at_index
from openperp.engine.commands import FundInsurance
from openperp.engine.liquidation_events import InsuranceChanged, InsuranceCleared
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.order import Order
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import BOTH, PositionSide


def fund_insurance(step: Step, command: FundInsurance) -> InsuranceChanged:
    """Pays into the fund, or takes out what it has."""
    state = step.state
    amount = command.amount
    if amount == 0:
        refuse(Reason.AMOUNT_NOT_POSITIVE, amount=amount)
    total = deposits_at_index(state)
    if abs(amount) >= NOTIONAL_LIMIT or amount + total >= NOTIONAL_LIMIT:
        refuse(Reason.AMOUNT_TOO_LARGE, amount=amount, wallet=total)
    if amount < 0 and state.insurance + amount < 0:
        refuse(Reason.BALANCE_INSUFFICIENT, needed=-amount, available=max(0, state.insurance))
    check_payment(state, state.insurance, amount)
    state.insurance += amount
    note_growth(state, abs(amount))
    state.net_deposits += amount
    changed = InsuranceChanged(amount, state.insurance)
    step.events.append(changed)
    return changed


def shortage_of(market: Market, order: Order, ticks: int) -> int:
    """What a liquidation order lacks for each lot that it fills at `ticks`; at its own price
    or a better one that is nothing.
    """
    return max(0, (ticks - order.ticks) * order.side) * market.unit


def payable_lots(state: State, market: Market, order: Order, ticks: int, lots: int) -> int:
    """How many of `lots` a liquidation order may fill at `ticks`: as many as are paid for."""
    shortage = shortage_of(market, order, ticks)
    return min(lots, max(0, state.insurance) // shortage) if shortage else lots


def pay_shortage(step: Step, position: Position, order: Order, ticks: int, lots: int) -> None:
    """Pays what a fill of a liquidation order at `ticks` has lacked: after it, so that no event
    tells of more money than the account has.
    """
    amount = shortage_of(position.market, order, ticks) * lots
    if amount:
        account = step.state.accounts[order.account]
        settle_with_fund(step, account, amount, order.symbol, position.side)


def cover_deficit(step: Step, account: Account, deficit: int) -> None:
    """Pays what a cross wallet lacks."""
    settle_with_fund(step, account, deficit, "", BOTH)


def settle_with_fund(
    step: Step, account: Account, amount: int, symbol: str, side: PositionSide
) -> None:
    """Moves `amount`, signed money, from the fund into an account's cross wallet."""
    state = step.state
    state.insurance -= amount
    account.wallet += amount
    account.updated_ms = step.now
    step.events.append(
        InsuranceCleared(
            account.account_id,
            symbol,
            side,
            amount,
            account.wallet,
            account.set_aside,
            state.insurance,
            step.now,
        )
    )
