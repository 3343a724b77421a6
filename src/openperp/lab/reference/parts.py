"""The parts of an account's margin: its cross margin, and that of each isolated position."""

from dataclasses import dataclass
from decimal import Decimal

from openperp.engine.instruments import Bracket
from openperp.engine.state import position_key
from openperp.engine.terms import PositionSide
from openperp.lab.reference import margin
from openperp.lab.reference.amounts import ONE, ZERO, money_up, ratio, to_money
from openperp.lab.reference.model import Account
from openperp.lab.reference.venue import Venue

Key = tuple[str, PositionSide]
"""A position of an account: its symbol and its side."""


@dataclass(frozen=True, slots=True)
class Part:
    """Cross margin if `symbol` is empty, and otherwise that of one isolated position."""

    account: Account
    symbol: str = ""
    side: PositionSide = PositionSide.BOTH


def parts_of(account: Account) -> list[Part]:
    """Cross margin first, then the open isolated positions by their keys."""
    alone = [key for key in account.positions if key[0] in account.isolated]
    alone = [key for key in alone if account.positions[key].quantity]
    alone.sort(key=lambda key: position_key(*key))
    return [Part(account), *[Part(account, *key) for key in alone]]


def part_of(account: Account, key: Key) -> Part:
    """On which margin a position stands."""
    return Part(account, *key) if key[0] in account.isolated else Part(account)


def open_keys(account: Account) -> list[Key]:
    return [key for key, position in account.positions.items() if position.quantity]


def keys_of(part: Part) -> list[Key]:
    """The open positions that stand on a part."""
    positions, isolated = part.account.positions, part.account.isolated
    if part.symbol:
        key = (part.symbol, part.side)
        return [key] if key in positions and positions[key].quantity else []
    return [key for key, each in positions.items() if each.quantity and key[0] not in isolated]


def balance(venue: Venue, part: Part) -> Decimal:
    """The money of a part, with the unrealized profits on it."""
    account = part.account
    own = account.cross_wallet + margin.collateral(venue, account)
    if part.symbol:
        own = venue.position(account, part.symbol, part.side).own
    profits = [
        margin.unrealized(venue, symbol, venue.position(account, symbol, side))
        for symbol, side in keys_of(part)
    ]
    return own + sum(profits, ZERO)


def maintenance(venue: Venue, part: Part) -> Decimal:
    """What a part must have at least for its positions."""
    return sum([position_maintenance(venue, part.account, key) for key in keys_of(part)], ZERO)


def position_maintenance(venue: Venue, account: Account, key: Key) -> Decimal:
    size = margin.notional(venue, key[0], venue.position(account, *key))
    bracket = bracket_of(venue, key[0], size)
    return money_up(size * ratio(bracket.maintenance_ppm), ONE) - to_money(bracket.cum)


def bracket_of(venue: Venue, symbol: str, size: Decimal) -> Bracket:
    """The first bracket whose cap a notional stays below, or else the last."""
    brackets = venue.markets[symbol].spec.brackets
    return next((each for each in brackets if size < to_money(each.notional_cap)), brackets[-1])


def tradable_keys(venue: Venue, part: Part) -> list[Key]:
    """The open positions of a part in markets that accept orders."""
    return [key for key in keys_of(part) if venue.trades(venue.markets[key[0]])]


def is_due(venue: Venue, part: Part) -> bool:
    """Whether the margin of a part is used up, and something can be done about it."""
    if not tradable_keys(venue, part):
        return False
    return balance(venue, part) <= maintenance(venue, part)


def is_short(venue: Venue, part: Part) -> bool:
    """Whether an account owes money, with no cross position left that could bring it back."""
    if part.symbol or keys_of(part):
        return False
    return balance(venue, part) < 0
