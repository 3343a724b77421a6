"""What was done to an account whose margin was used up, step by step, in numbers and in words."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from openperp.api.endpoints.margin_parts import plain, score_words
from openperp.api.view import View
from openperp.api.wire.numbers import InstrumentFormat, money_text
from openperp.api.wire.row import Row
from openperp.engine.events import OrderFilled
from openperp.engine.liquidation_events import (
    InsuranceCleared,
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
    PositionDeleveraged,
)
from openperp.engine.terms import Origin
from openperp.history.market import MarginStep


def liquidation_rows(view: View, steps: Iterable[MarginStep]) -> list[Row]:
    """Steps by what they belong to, the oldest first.

    A liquidation ends with its last step; beside that, steps of one record belong together.
    Of the oldest the beginning may be forgotten.
    """
    groups: list[list[MarginStep]] = []
    for step in steps:
        last = groups[-1][-1] if groups else None
        if (
            last is None
            or last.seq != step.seq
            or type(last.event) is LiquidationEnded
            or type(step.event) is LiquidationStarted
        ):
            groups.append([])
        groups[-1].append(step)
    return [
        {
            "kind": _kind(group),
            "time": group[0].time_ms,
            "seq": group[0].seq,
            "steps": [_WRITERS[type(step.event)](view, step.event) for step in group],
        }
        for group in groups
    ]


def _kind(group: list[MarginStep]) -> str:
    """What happened: to this account's own margin, to its position for another's, or a payment."""
    kinds = {type(step.event) for step in group}
    if LiquidationEnded in kinds:
        return "liquidation"
    return "deleveraging" if PositionDeleveraged in kinds else "insurance"


def _text(view: View, symbol: str) -> InstrumentFormat:
    return view.format_of(view.state.markets[symbol])


def _margin_fields(event: LiquidationStarted | LiquidationEnded) -> Row:
    return {
        "margin": "ISOLATED" if event.symbol else "CROSSED",
        "symbol": event.symbol,
        "position_side": event.position_side.name,
        "balance": money_text(event.balance),
        "maintenance": money_text(event.maintenance),
        "wallet": money_text(event.wallet),
        "set_aside": money_text(event.set_aside),
    }


def _started(_view: View, event: LiquidationStarted) -> Row:
    return {
        "step": "started",
        **_margin_fields(event),
        "words": f"balance {plain(event.balance)} <= maintenance {plain(event.maintenance)}:"
        " the margin is used up; open orders expire first",
    }


def _staged(view: View, event: LiquidationStaged) -> Row:
    text = _text(view, event.symbol)
    held, lots = text.quantity[event.held_lots], text.quantity[event.lots]
    mark, price = text.price[event.mark_ticks], text.price[event.bankruptcy_ticks]
    whole = event.lots == abs(event.held_lots)
    amount = "all of it" if whole else "what stands above the bracket below"
    share = f"its share of the balance {plain(event.balance)} is gone"
    if event.balance < 0:
        share = f"its share of the {plain(-event.balance)} that the balance lacks is made up for"
    return {
        "step": "staged",
        "symbol": event.symbol,
        "position_side": event.position_side.name,
        "held": held,
        "quantity": lots,
        "mark_price": mark,
        "bankruptcy_price": price,
        "balance": money_text(event.balance),
        "maintenance": money_text(event.maintenance),
        "words": f"{lots} of {held} are to be closed, {amount}, at {price} or better:"
        f" there {share}; mark price is {mark}",
    }


def _filled(view: View, event: OrderFilled) -> Row:
    order, fill = event.order, event.fill
    text = _text(view, order.symbol)
    lots, price = text.quantity[fill.lots], text.price[fill.ticks]
    taken = order.origin is Origin.DELEVERAGING
    how = "taken against a position of the other side" if taken else "traded in the book"
    return {
        "step": "deleveraged" if taken else "filled",
        "symbol": order.symbol,
        "position_side": order.position_side.name,
        "order_id": order.order_id,
        "trade_id": fill.trade_id,
        "quantity": lots,
        "price": price,
        "realized_profit": money_text(fill.realized),
        "words": f"{lots} {how} at {price}, without commission;"
        f" {text.quantity[order.lots - order.filled_lots]} of this order are left",
    }


def _ranked(view: View, event: PositionDeleveraged) -> Row:
    text = _text(view, event.symbol)
    lots, price = text.quantity[event.lots], text.price[event.ticks]
    return {
        "step": "ranked",
        "symbol": event.symbol,
        "position_side": event.position_side.name,
        "quantity": lots,
        "price": price,
        "rank": event.rank,
        "holders": event.holders,
        "score": money_text(event.score),
        "profit": money_text(event.profit),
        "wallet": money_text(event.wallet),
        "balance": money_text(event.balance),
        "maintenance": money_text(event.maintenance),
        "words": f"neither book nor insurance fund took {lots} of a bankrupt position at {price};"
        " this one was"
        f" {event.rank} of {event.holders} on the other side by " + score_words(event),
    }


def _cleared(_view: View, event: InsuranceCleared) -> Row:
    if event.amount > 0:
        words = f"the insurance fund paid {plain(event.amount)} that the margin did not have"
    else:
        words = f"{plain(-event.amount)} went to the insurance fund as the fee of the liquidation"
    left = f"{plain(event.insurance)} are in it now"
    if event.insurance < 0:
        left = f"it owes {plain(-event.insurance)} now"
    return {
        "step": "cleared",
        "symbol": event.symbol,
        "position_side": event.position_side.name,
        "amount": money_text(event.amount),
        "wallet": money_text(event.wallet),
        "set_aside": money_text(event.set_aside),
        "insurance": money_text(event.insurance),
        "words": f"{words}; {left}",
    }


def _ended(_view: View, event: LiquidationEnded) -> Row:
    left = f"balance {plain(event.balance)} is left"
    if event.balance < 0:
        left = f"the balance lacks {plain(-event.balance)}, which the insurance fund has to pay"
    return {
        "step": "ended",
        **_margin_fields(event),
        "words": f"{left}, maintenance is {plain(event.maintenance)}",
    }


_WRITERS: Final[dict[type, Callable[[View, Any], Row]]] = {
    LiquidationStarted: _started,
    LiquidationStaged: _staged,
    OrderFilled: _filled,
    PositionDeleveraged: _ranked,
    InsuranceCleared: _cleared,
    LiquidationEnded: _ended,
}
