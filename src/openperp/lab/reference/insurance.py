"""The insurance fund: what the operator pays into it, and what it pays for accounts."""

from decimal import Decimal

from openperp.engine.commands import FundInsurance
from openperp.engine.liquidation_events import InsuranceChanged, InsuranceCleared
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.rejects import Reason
from openperp.engine.terms import PositionSide
from openperp.lab.reference import assets
from openperp.lab.reference.amounts import from_money, to_money
from openperp.lab.reference.model import Account
from openperp.lab.reference.stakes import may_pay
from openperp.lab.reference.venue import Refused, Venue


def fund_insurance(venue: Venue, command: FundInsurance) -> InsuranceChanged:
    """Money from outside, or back to it; the fund is not emptied below zero."""
    amount = to_money(command.amount)
    found = []
    if command.amount == 0:
        found.append(Reason.AMOUNT_NOT_POSITIVE)
    most = to_money(NOTIONAL_LIMIT)
    if abs(amount) >= most or assets.paid_in(venue) + amount >= most:
        found.append(Reason.AMOUNT_TOO_LARGE)
    if not may_pay(venue, venue.insurance, amount):
        found.append(Reason.AMOUNT_TOO_LARGE)
    if amount < 0 and venue.insurance + amount < 0:
        found.append(Reason.BALANCE_INSUFFICIENT)
    if found:
        raise Refused(found)
    venue.insurance += amount
    venue.deposits += amount
    changed = InsuranceChanged(command.amount, from_money(venue.insurance))
    venue.events.append(changed)
    return changed


def settle_with_fund(
    venue: Venue,
    account: Account,
    amount: Decimal,
    symbol: str = "",
    side: PositionSide = PositionSide.BOTH,
) -> None:
    """Pays `amount` from the fund to an account, or takes it where it is negative."""
    account.wallet += amount
    venue.insurance -= amount
    cleared = InsuranceCleared(
        account=account.account_id,
        symbol=symbol,
        position_side=side,
        amount=from_money(amount),
        wallet=from_money(account.wallet),
        set_aside=from_money(account.set_aside),
        insurance=from_money(venue.insurance),
        time_ms=venue.now,
    )
    venue.events.append(cleared)
