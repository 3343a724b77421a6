"""What margin an account has, which of it is used up, and how far prices are from that.

An account has a cross part, which its cross positions share, and one part of its own
for each isolated position. A part is due for liquidation when its balance is no more
than the maintenance margin of its positions.
"""

from typing import Final

from openperp.engine.lookup import accepts_orders
from openperp.engine.margin import bracket_number, maintenance_margin, notional, unrealized_pnl
from openperp.engine.numbers import PPM, divide_up
from openperp.engine.state import NEVER, Account, Position, State
from openperp.engine.terms import BOTH, PositionSide

ROUNDING: Final = 128
"""More than what rounding can add to the maintenance margin of a position while its
price moves: one unit of money for itself, and less than one for each of 100 brackets."""


class MarginPart:
    """The cross part of an account, or that of `own`, an isolated position; as it is now.

    `balance` and `maintenance` are money; `positions` are the open ones that stand on it,
    of which some market takes orders if it `is_tradable`. A cross part knows whether the
    account `has_isolated` positions, too.
    """

    __slots__ = (
        "account",
        "balance",
        "has_isolated",
        "is_tradable",
        "maintenance",
        "own",
        "positions",
    )

    def __init__(self, state: State, account: Account, own: Position | None) -> None:
        self.account = account
        self.own = own
        self.measure(state)

    def measure(self, state: State) -> None:
        """Brings the numbers up to date."""
        own, account = self.own, self.account
        self.positions: list[Position] = []
        self.maintenance = 0
        self.is_tradable = False
        self.has_isolated = False
        if own is not None:
            self.balance = own.isolated_wallet
            if own.lots:
                self._add(state, own)
            return
        self.balance = account.cross_wallet + account.collateral
        for position in account.positions.values():
            if not position.lots:
                continue
            if position.isolated:
                self.has_isolated = True
            else:
                self._add(state, position)

    def _add(self, state: State, position: Position) -> None:
        self.positions.append(position)
        self.balance += unrealized_pnl(position)
        self.maintenance += maintenance_margin(position)
        if accepts_orders(state, position.market):
            self.is_tradable = True

    @property
    def is_due(self) -> bool:
        """Whether it is to be liquidated, which takes a market that accepts orders."""
        return self.is_tradable and self.balance <= self.maintenance

    @property
    def deficit(self) -> int:
        """What the cross wallet lacks where no position can bring it any more."""
        if self.own is None and not self.positions:
            return max(0, -self.balance)
        return 0

    @property
    def symbol(self) -> str:
        return "" if self.own is None else self.own.market.symbol

    @property
    def side(self) -> PositionSide:
        return BOTH if self.own is None else self.own.side

    @property
    def funds(self) -> int:
        """Its balance without unrealized profit: an isolated wallet, or the cross wallet and what
        the account's other assets count as collateral.
        """
        if self.own is not None:
            return self.own.isolated_wallet
        return self.account.cross_wallet + self.account.collateral


def list_parts(state: State, account: Account) -> list[MarginPart]:
    """The parts of an account: cross first, then its open isolated positions by key."""
    cross = MarginPart(state, account, None)
    return [cross, *_isolated_parts(state, account)] if cross.has_isolated else [cross]


def _isolated_parts(state: State, account: Account) -> list[MarginPart]:
    open_now = [held for held in account.positions.values() if held.isolated and held.lots]
    open_now.sort(key=lambda position: position.key)
    return [MarginPart(state, account, position) for position in open_now]


def find_part_due(state: State, account: Account) -> MarginPart | None:
    """The first part that is due or has a deficit; with none, sets the alarms for the next look."""
    parts = list_parts(state, account)
    for part in parts:
        if part.is_due or part.deficit:
            return part
    for part in parts:
        if part.is_tradable:
            room = _room(part)
            for position in part.positions:
                _set_alarms(account, position, room)
    return None


def set_all_alarms(state: State) -> None:
    """Sets every alarm of a state that has none."""
    if state.liquidates:
        for account in state.accounts.values():
            find_part_due(state, account)


def _set_alarms(account: Account, position: Position, room: int) -> None:
    """Sets the alarms of a position that may lose `room`: that of the direction in which it loses.

    Where brackets do not join smoothly, each end of its bracket is one, too.
    """
    market = position.market
    alarms = market.alarms
    account_id = account.account_id
    if position.lots < 0 or not market.smooth:
        alarms.rising.set(account_id, position.key, _alarm_above(position, room))
    if position.lots > 0 or not market.smooth:
        alarms.falling.set(account_id, position.key, _alarm_below(position, room))


def _alarm_above(position: Position, room: int) -> int:
    """The nearest price above at which the position has to be looked at; NEVER for none.

    One tick up costs a short lots x unit and the maintenance margin on it. That is more in
    a higher bracket, so that no alarm lies beyond its own.
    """
    market = position.market
    number = bracket_number(position, notional(position))
    lot_value = abs(position.lots) * market.unit
    ticks = NEVER
    if number < len(market.bracket_caps) - 1:
        ticks = divide_up(market.bracket_caps[number], lot_value)
    if position.lots < 0:
        tick_cost = lot_value + divide_up(lot_value * market.bracket_rates[number], PPM)
        ticks = min(ticks, market.mark_ticks + room // tick_cost + 1)
    return ticks


def _alarm_below(position: Position, room: int) -> int:
    """The nearest price below at which the position has to be looked at; zero for none.

    One tick down costs a long lots x unit.
    """
    market = position.market
    lot_value = abs(position.lots) * market.unit
    ticks = 0
    if not market.smooth:
        number = bracket_number(position, notional(position))
        if number:
            ticks = (market.bracket_caps[number - 1] - 1) // lot_value
    if position.lots > 0:
        ticks = max(ticks, market.mark_ticks - room // lot_value - 1)
    return ticks


def _room(part: MarginPart) -> int:
    """What each position of a part can lose while it is not due, whatever the others lose."""
    count = len(part.positions)
    spare = part.balance - part.maintenance - 1 - ROUNDING * count
    return max(0, spare) // count
