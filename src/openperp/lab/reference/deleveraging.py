"""Closing a position against those who gained from it, where nobody else takes it."""

from dataclasses import dataclass
from decimal import Decimal

from openperp.engine.liquidation_events import PositionDeleveraged
from openperp.engine.state import position_key
from openperp.engine.terms import Cause, Origin
from openperp.lab.reference import margin
from openperp.lab.reference.amounts import CENT, ONE, ZERO, from_money, nearest
from openperp.lab.reference.forced import close_by_force, end_orders
from openperp.lab.reference.model import Account, Order
from openperp.lab.reference.parts import Key, balance, maintenance, open_keys, part_of
from openperp.lab.reference.records import lots_of, ticks_of
from openperp.lab.reference.trading import finish, settle
from openperp.lab.reference.venue import Venue


@dataclass(frozen=True, slots=True)
class Holder:
    """A position of the other direction, with what it is ranked by."""

    account: Account
    key: Key
    score: Decimal
    profit: Decimal
    wallet: Decimal
    balance: Decimal
    maintenance: Decimal


def deleverage(venue: Venue, account: Account, key: Key, quantity: Decimal, price: Decimal) -> None:
    """Closes `quantity` of a position at `price` against the best ranked of the other side."""
    rises = venue.position(account, *key).quantity > 0
    holders = [
        _weigh(venue, other, each)
        for other in venue.accounts.values()
        for each in open_keys(other)
        if each[0] == key[0] and (venue.position(other, *each).quantity > 0) is not rises
    ]
    holders.sort(key=lambda each: (-each.score, each.account.account_id, position_key(*each.key)))
    bankrupt = close_by_force(venue, account, key, quantity, price, Origin.DELEVERAGING)
    for rank, holder in enumerate(holders, 1):
        if bankrupt.left:
            _take_over(venue, bankrupt, holder, rank, len(holders))
    assert not bankrupt.left, "longs and shorts are equal"
    finish(venue, bankrupt)


def _weigh(venue: Venue, account: Account, key: Key) -> Holder:
    """Profit for each unit of its money, times how near its margin is to be used up."""
    position, part = venue.position(account, *key), part_of(account, key)
    profit = max(ZERO, margin.unrealized(venue, key[0], position))
    wallet = position.own
    if not part.symbol:
        wallet = account.cross_wallet + margin.collateral(venue, account)
    left, needed = balance(venue, part), maintenance(venue, part)
    score = ZERO
    if left > 0:
        score = nearest(profit * needed, max(ONE, wallet) * left, CENT)
    return Holder(account, key, score, profit, wallet, left, needed)


def _take_over(venue: Venue, bankrupt: Order, holder: Holder, rank: int, holders: int) -> None:
    """Closes the holder's position against the bankrupt one as far as both go."""
    account, (symbol, side) = holder.account, holder.key
    market, price = venue.markets[symbol], bankrupt.price
    quantity = min(bankrupt.left, abs(venue.position(account, symbol, side).quantity))
    own = [
        order
        for order in venue.orders
        if order.account == account.account_id and order.symbol == symbol and order is not bankrupt
    ]
    end_orders(venue, own, Cause.DELEVERAGED)
    told = PositionDeleveraged(
        account=account.account_id,
        symbol=symbol,
        position_side=side,
        lots=lots_of(market, quantity),
        ticks=ticks_of(market, price),
        rank=rank,
        holders=holders,
        score=from_money(holder.score),
        profit=from_money(holder.profit),
        wallet=from_money(holder.wallet),
        balance=from_money(holder.balance),
        maintenance=from_money(holder.maintenance),
    )
    venue.events.append(told)
    order = close_by_force(venue, account, holder.key, quantity, price, Origin.DELEVERAGING)
    trade_id = venue.next_trade_id
    venue.next_trade_id += 1
    settle(venue, order, trade_id, price, quantity, maker=True)
    settle(venue, bankrupt, trade_id, price, quantity, maker=False)
    finish(venue, order)
