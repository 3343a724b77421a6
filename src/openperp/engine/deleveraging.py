"""Auto-deleveraging: whose positions are closed against one that nobody else takes.

Source of the ranking: the venue's public rules. Who has the most profit on the least
margin is first: profit / wallet x maintenance margin / margin balance. Both sides are
closed at the bankruptcy price, without commission and without a trade in the market.
"""

from typing import Final

from openperp.engine.bounds import has_room, trade_growth
from openperp.engine.ending import give_up_orders
from openperp.engine.events import ModeChanged, OrderAccepted
from openperp.engine.liquidation_events import PositionDeleveraged
from openperp.engine.lookup import open_positions
from openperp.engine.margin import unrealized_pnl
from openperp.engine.numbers import MONEY_ONE, divide_nearest
from openperp.engine.order import Order
from openperp.engine.placing import closing_order
from openperp.engine.settlement import settle_transfer
from openperp.engine.solvency import MarginPart
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import BY_DELEVERAGING, CANCEL_ONLY, Cause

SCORE_ONE: Final = 100_000_000
"""A score of one, in units of 10^-8."""

CLIENT_ID: Final = "adl_autoclose"


class Holder:
    """A position with what it is ranked by, all in money."""

    __slots__ = (
        "account",
        "balance",
        "maintenance",
        "position",
        "profit",
        "score",
        "wallet",
    )

    def __init__(self, state: State, account: Account, position: Position) -> None:
        part = MarginPart(state, account, position if position.isolated else None)
        self.account = account
        self.position = position
        self.profit = max(0, unrealized_pnl(position))
        self.wallet = part.funds
        self.balance = part.balance
        self.maintenance = part.maintenance
        self.score = 0
        if self.balance > 0:
            self.score = divide_nearest(
                self.profit * self.maintenance * SCORE_ONE,
                max(MONEY_ONE, self.wallet) * self.balance,
            )


def rank_holders(state: State, market: Market, *, longs: bool) -> list[Holder]:
    """Who holds one side of a market, those who are to give it up first at the front."""
    holders = [
        Holder(state, account, held)
        for account, held in open_positions(state, market)
        if (held.lots > 0) == longs
    ]
    holders.sort(key=lambda holder: (-holder.score, holder.account.account_id, holder.position.key))
    return holders


def deleverage(step: Step, account: Account, position: Position, ticks: int, lots: int) -> None:
    """Closes `lots` of a bankrupt position at `ticks` against those of the other side.

    Where the stakes have no room for that the venue stops taking orders instead, so that
    nobody is liquidated until the operator has seen to it.
    """
    if not has_room(step.state, trade_growth(position.market, ticks * lots)):
        step.state.mode = CANCEL_ONLY
        step.events.append(ModeChanged(CANCEL_ONLY, ""))
        return
    holders = rank_holders(step.state, position.market, longs=position.lots < 0)
    order = _accept(step, account, position, ticks, lots)
    for at, holder in enumerate(holders):
        if order.remaining_lots == 0:
            return
        _take_from(step, holder, order, at + 1, len(holders))
    assert order.remaining_lots == 0, "longs and shorts of a market are not equal"


def _take_from(step: Step, holder: Holder, order: Order, rank: int, holders: int) -> None:
    account, position = holder.account, holder.position
    market = position.market
    give_up_orders(step, account, market.symbol, Cause.DELEVERAGED)
    lots = min(order.remaining_lots, abs(position.lots))
    step.events.append(
        PositionDeleveraged(
            account.account_id,
            market.symbol,
            position.side,
            lots,
            order.ticks,
            rank,
            holders,
            holder.score,
            holder.profit,
            holder.wallet,
            holder.balance,
            holder.maintenance,
        )
    )
    maker = _accept(step, account, position, order.ticks, lots)
    settle_transfer(step, market, order, maker, order.ticks, lots)


def _accept(step: Step, account: Account, position: Position, ticks: int, lots: int) -> Order:
    order = closing_order(step, account, position, ticks, lots, BY_DELEVERAGING)
    order.client_id = CLIENT_ID
    step.events.append(OrderAccepted(order.to_record()))
    return order
