"""Isolated margin: positions that stand on money of their own, set aside from the wallet.

Source of the rules: the fapi's pages on the margin type of a symbol and on the margin of
isolated positions. The wallet of an account is always all that it has; setting aside moves
nothing out of it. How fills move money between the two parts is in `settlement`.
"""

from openperp.engine.checks import check_position_side
from openperp.engine.commands import ChangeMargin, SetMarginType
from openperp.engine.events import MarginChanged, MarginTypeChanged
from openperp.engine.lookup import find_position, get_account, get_market, list_sides, open_orders
from openperp.engine.margin import removable_margin, withdrawable
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.rejects import Reason, refuse
from openperp.engine.settlement import tell_position
from openperp.engine.state import Account, Position
from openperp.engine.step import Step


def set_margin_type(step: Step, command: SetMarginType) -> MarginTypeChanged:
    """Changes the margin type of both sides of a symbol, on which nothing may be open."""
    account = get_account(step.state, command.account)
    market = get_market(step.state, command.symbol)
    sides = list_sides(account, market)
    if command.isolated and account.multi_assets:
        refuse(Reason.ISOLATED_IN_MULTI_ASSETS)
    if sides[0].isolated == command.isolated:
        kind = "isolated" if command.isolated else "cross"
        refuse(Reason.MARGIN_TYPE_UNCHANGED, type=kind)
    orders = open_orders(account, command.symbol)
    if orders:
        refuse(Reason.MARGIN_TYPE_WITH_ORDERS, open=len(orders))
    for position in sides:
        if position.lots:
            refuse(Reason.MARGIN_TYPE_WITH_POSITION, position_lots=position.lots)

    for position in sides:
        position.isolated = command.isolated
        account.positions[position.key] = position
    account.updated_ms = step.now
    positions = tuple([tell_position(account, position) for position in sides])
    changed = MarginTypeChanged(command.account, command.symbol, command.isolated, positions)
    step.events.append(changed)
    return changed


def change_margin(step: Step, command: ChangeMargin) -> MarginChanged:
    """Moves money between the cross wallet and an isolated position."""
    account = get_account(step.state, command.account)
    market = get_market(step.state, command.symbol)
    if command.amount <= 0:
        refuse(Reason.AMOUNT_NOT_POSITIVE, amount=command.amount)
    if command.amount >= NOTIONAL_LIMIT:
        refuse(Reason.AMOUNT_TOO_LARGE, amount=command.amount)
    if not list_sides(account, market)[0].isolated:
        refuse(Reason.MARGIN_NOT_ISOLATED, symbol=command.symbol)
    check_position_side(account, command.position_side)
    position = find_position(account, market, command.position_side)
    _check_room(account, position, command)

    amount = -command.amount if command.removes else command.amount
    position.isolated_wallet += amount
    account.set_aside += amount
    position.updated_ms = step.now
    account.updated_ms = step.now
    step.touched.append(account.account_id)
    changed = MarginChanged(command.account, amount, tell_position(account, position))
    step.events.append(changed)
    return changed


def _check_room(account: Account, position: Position, command: ChangeMargin) -> None:
    """There is a position, and the money is there to move."""
    amount = command.amount
    if not position.lots:
        refuse(Reason.MARGIN_WITHOUT_POSITION, position_side=position.side.name)
    available = removable_margin(position) if command.removes else withdrawable(account)
    if amount > available:
        reason = Reason.CROSS_MARGIN_INSUFFICIENT
        if command.removes:
            reason = Reason.ISOLATED_MARGIN_INSUFFICIENT
        refuse(reason, needed=amount, available=available)
