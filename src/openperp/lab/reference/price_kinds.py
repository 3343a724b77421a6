"""What a run has come across of prices, funding and guards, in a few words."""

from collections.abc import Iterator
from itertools import pairwise

from openperp.engine.commands import AmendOrder, DefineInstrument, Resume, SetPrice
from openperp.engine.events import (
    Applied,
    CountdownFired,
    Event,
    FundingPaid,
    FundingSettled,
    FundingSkipped,
    OrderExpired,
    OrderTriggered,
    PositionChanged,
    PremiumChanged,
    PriceChanged,
)
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason, Reject
from openperp.engine.state import State
from openperp.engine.terms import Cause, PositionSide

PRICE_KINDS = (
    "mark moves with a sample",
    "mark is not the index",
    "sample fires an order",
    "premium above zero",
    "premium below zero",
    "premium gone",
    "longs pay",
    "shorts pay",
    "rate moved by premium",
    "rate at its cap",
    "rate of zero",
    "isolated payer",
    "isolated payer has too little",
    "isolated receiver",
    "hedged payer",
    "rounding goes to the fund",
    "several fundings in a record",
    "funding and something else at once",
    "funding skipped on return",
    "funding skipped beyond horizon",
    "funding ends",
    "buyer too high",
    "seller too low",
    "stop limit too far",
    "amended too far",
    "market order too far",
    "sweep ends at bound",
    "fired order too far",
    "protected order held back",
    "protected order fires",
)

BOUNDS = {
    Reason.PRICE_ABOVE_MARK_BOUND: "buyer too high",
    Reason.PRICE_BELOW_MARK_BOUND: "seller too low",
    Reason.BEST_PRICE_BEYOND_BOUND: "market order too far",
    Reason.PRICE_ABOVE_TRIGGER_BOUND: "stop limit too far",
    Reason.PRICE_BELOW_TRIGGER_BOUND: "stop limit too far",
}


def find_price_kinds(applied: Applied, state: State) -> Iterator[str]:
    """The kinds of things that a record has brought about; `state` is that after it."""
    for event, following in pairwise((*applied.events, None)):
        yield from _find_price(applied, event)
        yield from _find_funding(applied, state, event)
        if isinstance(event, FundingSettled) and isinstance(following, FundingPaid):
            yield "longs pay" if event.rate > 0 else "shorts pay"
        if isinstance(event, FundingPaid):
            yield from _find_payment(event, following)
    yield from _find_together(applied.events)
    yield from _find_replies(applied)


def _find_price(applied: Applied, event: Event | None) -> Iterator[str]:
    match event:
        case PriceChanged(index_ticks=index, mark_ticks=mark):
            if mark != index:
                yield "mark is not the index"
            if not isinstance(applied.command, SetPrice):
                yield "mark moves with a sample"
        case OrderTriggered(order=order):
            if order.triggered_ms < applied.time_ms:
                yield "sample fires an order"
            if order.price_protect:
                yield "protected order fires"
        case PremiumChanged(premium=premium):
            moved = "above zero" if premium > 0 else "below zero"
            yield f"premium {moved if premium else 'gone'}"
        case OrderExpired(order=order):
            yield from _find_far(order)


def _find_far(order: OrderRecord) -> Iterator[str]:
    """An order that has expired because prices were too far from mark."""
    match order.cause:
        case Cause.PRICES_APART:
            yield "protected order held back"
        case Cause.BEST_PRICE_TOO_FAR:
            yield "fired order too far"
        case Cause.BOUND_REACHED if order.filled_lots:
            yield "sweep ends at bound"


def _find_funding(applied: Applied, state: State, event: Event | None) -> Iterator[str]:
    if isinstance(event, FundingSkipped):
        returns = isinstance(applied.command, Resume)
        yield "funding skipped on return" if returns else "funding skipped beyond horizon"
    if isinstance(event, FundingSettled):
        spec = state.markets[event.symbol].spec
        if not event.rate:
            yield "rate of zero"
        elif abs(event.rate) == spec.funding_cap_ppm * 100:
            yield "rate at its cap"
        elif event.rate * 8 != spec.interest_ppm * 100 * spec.funding_hours:
            yield "rate moved by premium"


def _find_payment(paid: FundingPaid, following: Event | None) -> Iterator[str]:
    if isinstance(following, PositionChanged):
        yield "isolated payer" if paid.amount < 0 else "isolated receiver"
        if paid.amount < 0 and not following.isolated_wallet:
            yield "isolated payer has too little"
    if paid.amount < 0 and paid.position_side is not PositionSide.BOTH:
        yield "hedged payer"
    if paid.amount % 100:
        yield "rounding goes to the fund"


def _find_together(events: tuple[Event, ...]) -> Iterator[str]:
    """Fundings, and what else was due at the same moment."""
    stamps = [event.time_ms for event in events if isinstance(event, FundingSettled)]
    if len(set(stamps)) > 1:
        yield "several fundings in a record"
    for event in events:
        match event:
            case CountdownFired(due_ms=time_ms) if time_ms in stamps:
                yield "funding and something else at once"
            case OrderExpired(order=order) if order.cause is Cause.DATE_PASSED:
                if order.updated_ms in stamps:
                    yield "funding and something else at once"


def _find_replies(applied: Applied) -> Iterator[str]:
    command, reply = applied.command, applied.reply
    if isinstance(command, DefineInstrument) and reply is None and not command.spec.funding_hours:
        yield "funding ends"
    for each in reply if isinstance(reply, tuple) else (reply,):
        if isinstance(each, Reject) and each.reason in BOUNDS:
            amends = isinstance(command, AmendOrder)
            yield "amended too far" if amends else BOUNDS[each.reason]
