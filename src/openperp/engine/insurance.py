"""The insurance fund: what it pays for, what it earns, and what the operator puts in.

It pays where a position could otherwise only be closed at a price worse than its
bankruptcy price, as far as it has anything; and whatever is missing from a wallet in
the end, for which it may owe money. It earns the fees of liquidations, and what rounding
leaves of funding.
"""

from openperp.engine.collateral import deposits_at_index
from openperp.engine.commands import FundInsurance
from openperp.engine.liquidation_events import InsuranceChanged, InsuranceCleared
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.order import Order
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, Position
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
    state.insurance += amount
    state.net_deposits += amount
    changed = InsuranceChanged(amount, state.insurance)
    step.events.append(changed)
    return changed


def pay_shortage(step: Step, position: Position, order: Order, ticks: int, lots: int) -> int:
    """How many of `lots` a liquidation order may fill at `ticks`, with what they lack paid for.

    At its own price or a better one that is all of them.
    """
    worse = (ticks - order.ticks) * order.side
    if worse <= 0:
        return lots
    shortage = worse * position.market.unit
    affordable = min(lots, max(0, step.state.insurance) // shortage)
    if affordable:
        account = step.state.accounts[order.account]
        clear(step, account, shortage * affordable, order.symbol, position.side)
    return affordable


def cover_deficit(step: Step, account: Account, deficit: int) -> None:
    """Pays what a cross wallet lacks."""
    clear(step, account, deficit, "", BOTH)


def clear(step: Step, account: Account, amount: int, symbol: str, side: PositionSide) -> None:
    """Moves `amount`, signed money, from the fund to an account."""
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
