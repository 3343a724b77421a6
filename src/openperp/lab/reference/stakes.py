"""How much is at stake in the slow venue, and whether there is room for more."""

from decimal import Decimal

from openperp.engine.numbers import STAKES_LIMIT
from openperp.lab.reference.amounts import ZERO, to_money
from openperp.lab.reference.venue import Venue

MOST_AT_STAKE = to_money(STAKES_LIMIT)
TRADE = Decimal(8)
"""A trade is taken to put eight times its notional at stake."""


def at_stake(venue: Venue) -> Decimal:
    """All money without its sign: what is free in wallets, what is set aside there, what
    positions cost (twice) and have realized, the insurance fund, the fees.
    """
    total = abs(venue.insurance) + abs(venue.fees)
    for account in venue.accounts.values():
        total += abs(account.cross_wallet) + account.set_aside
        for position in account.positions.values():
            total += 2 * abs(position.cost) + abs(position.realized)
    return total


def has_room(venue: Venue, growth: Decimal) -> bool:
    """Whether so much more may be at stake; what takes from the stakes always may."""
    if not venue.bounds_stakes or growth <= 0:
        return True
    return at_stake(venue) + growth < MOST_AT_STAKE


def may_trade(venue: Venue, value: Decimal) -> bool:
    """Whether there is room for trades of a notional."""
    return has_room(venue, TRADE * value)


def may_pay(venue: Venue, into: Decimal, amount: Decimal) -> bool:
    """Whether there is room for a payment into a wallet or fund that has, or owes, `into`."""
    return has_room(venue, abs(into + amount) - abs(into))


def may_open(venue: Venue, deposit: Decimal) -> bool:
    """Whether another account may have a first deposit, now and again after every reset."""
    first = sum([account.first_deposit for account in venue.accounts.values()], ZERO)
    fits = not venue.bounds_stakes or first + deposit < MOST_AT_STAKE
    return fits and may_pay(venue, ZERO, deposit)
