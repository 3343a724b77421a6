"""Isolated margin: which positions stand on money of their own, and how much it is."""

from decimal import Decimal

from openperp.engine.commands import ChangeMargin, SetMarginType
from openperp.engine.events import MarginChanged, MarginTypeChanged
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.rejects import Reason
from openperp.lab.reference import margin
from openperp.lab.reference.amounts import ZERO, from_money, to_money
from openperp.lab.reference.model import Account, Position
from openperp.lab.reference.trading import tell_position
from openperp.lab.reference.venue import Refused, Venue, sides_of


def set_margin_type(venue: Venue, command: SetMarginType) -> MarginTypeChanged:
    """Changes both sides of a symbol, on which nothing may be open."""
    account, symbol = venue.account(command.account), command.symbol
    venue.market(symbol)
    found = []
    if command.isolated and account.multi_assets:
        found.append(Reason.ISOLATED_IN_MULTI_ASSETS)
    if (symbol in account.isolated) is command.isolated:
        found.append(Reason.MARGIN_TYPE_UNCHANGED)
    own = [order for order in venue.orders if order.account == command.account]
    if any(order.symbol == symbol for order in own):
        found.append(Reason.MARGIN_TYPE_WITH_ORDERS)
    if any(venue.position(account, symbol, side).quantity for side in sides_of(account)):
        found.append(Reason.MARGIN_TYPE_WITH_POSITION)
    if found:
        raise Refused(found)
    account.isolated = account.isolated ^ {symbol}
    told = tuple(tell_position(venue, account, symbol, side) for side in sides_of(account))
    changed = MarginTypeChanged(command.account, symbol, command.isolated, told)
    venue.events.append(changed)
    return changed


def change_margin(venue: Venue, command: ChangeMargin) -> MarginChanged:
    account, symbol = venue.account(command.account), command.symbol
    venue.market(symbol)
    found = _term_faults(account, command)
    if command.position_side not in sides_of(account):
        raise Refused([*found, Reason.POSITION_SIDE_MISMATCH])
    found += _room_faults(venue, account, command)
    if found:
        raise Refused(found)
    amount = to_money(-command.amount if command.removes else command.amount)
    venue.position(account, symbol, command.position_side).own += amount
    told = tell_position(venue, account, symbol, command.position_side)
    changed = MarginChanged(command.account, from_money(amount), told)
    venue.events.append(changed)
    return changed


def _term_faults(account: Account, command: ChangeMargin) -> list[Reason]:
    found = []
    if command.amount <= 0:
        found.append(Reason.AMOUNT_NOT_POSITIVE)
    if command.amount >= NOTIONAL_LIMIT:
        found.append(Reason.AMOUNT_TOO_LARGE)
    if command.symbol not in account.isolated:
        found.append(Reason.MARGIN_NOT_ISOLATED)
    return found


def _room_faults(venue: Venue, account: Account, command: ChangeMargin) -> list[Reason]:
    position = venue.position(account, command.symbol, command.position_side)
    found = []
    if not position.quantity:
        found.append(Reason.MARGIN_WITHOUT_POSITION)
    amount = to_money(command.amount)
    if not command.removes and amount > margin.withdrawable(venue, account):
        found.append(Reason.CROSS_MARGIN_INSUFFICIENT)
    if command.removes and amount > _removable(venue, account, command.symbol, position):
        found.append(Reason.ISOLATED_MARGIN_INSUFFICIENT)
    return found


def _removable(venue: Venue, account: Account, symbol: str, position: Position) -> Decimal:
    """What an isolated position has beyond its initial margin and a loss; a profit stays."""
    size = margin.notional(venue, symbol, position)
    needed = margin.initial_margin(size, venue.leverage(account, symbol))
    profit = margin.unrealized(venue, symbol, position)
    return max(ZERO, position.own - needed + min(ZERO, profit))
