"""Auto-deleveraging: positions are closed against one that nobody else takes.

Those who are ranked first give theirs up: see `ranking`. Both sides are closed at the
bankruptcy price, without commission and without a trade in the market.
"""

from typing import Final

from openperp.engine.bounds import has_room, trade_growth
from openperp.engine.ending import give_up_orders
from openperp.engine.events import ModeChanged, OrderAccepted
from openperp.engine.liquidation_events import PositionDeleveraged
from openperp.engine.order import Order
from openperp.engine.placing import closing_order
from openperp.engine.ranking import Holder
from openperp.engine.settlement import settle_off_book
from openperp.engine.state import Account, Position
from openperp.engine.step import Step
from openperp.engine.terms import BY_DELEVERAGING, CANCEL_ONLY, Cause

CLIENT_ID: Final = "adl_autoclose"


def deleverage(step: Step, account: Account, position: Position, ticks: int, lots: int) -> None:
    """Closes `lots` of a bankrupt position at `ticks` against those of the other side.

    Where the stakes have no room for that the venue stops taking orders instead, so that
    nobody is liquidated until the operator has seen to it.
    """
    if not has_room(step.state, trade_growth(position.market, ticks * lots)):
        step.state.mode = CANCEL_ONLY
        step.events.append(ModeChanged(CANCEL_ONLY, ""))
        return
    ranking = step.rank(position.market, position.lots < 0)
    count = len(ranking)
    order = _accept(step, account, position, ticks, lots)
    for rank in range(1, count + 1):
        if order.remaining_lots == 0:
            return
        _take_from(step, ranking.find(rank), order, rank, count)
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
    settle_off_book(step, market, order, maker, order.ticks, lots)


def _accept(step: Step, account: Account, position: Position, ticks: int, lots: int) -> Order:
    order = closing_order(step, account, position, ticks, lots, BY_DELEVERAGING)
    order.client_id = CLIENT_ID
    step.events.append(OrderAccepted(order.to_record()))
    return order
