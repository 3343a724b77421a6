"""What a run has come across, in a few words, so that it can be counted."""

from collections.abc import Iterator
from itertools import pairwise

from openperp.engine.commands import AmendOrder, FundInsurance, SetMode
from openperp.engine.events import (
    Applied,
    Event,
    FundingSettled,
    OrderExpired,
    OrderFilled,
    PositionChanged,
    TradeExecuted,
)
from openperp.engine.liquidation_events import (
    InsuranceChanged,
    InsuranceCleared,
    LiquidationStaged,
    LiquidationStarted,
    PositionDeleveraged,
)
from openperp.engine.margin import exposure
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason, Reject
from openperp.engine.state import State
from openperp.engine.terms import Cause, Origin, Side, TimeInForce

KINDS = (
    "cross liquidation",
    "isolated liquidation",
    "hedged liquidation",
    "second stage",
    "chain of liquidations",
    "liquidation on reopening",
    "liquidation before its record",
    "liquidation by funding",
    "fill below bankruptcy",
    "liquidation fee",
    "deficit",
    "deleveraging",
    "second counterpart",
    "counterpart loses orders",
    "counterpart is liquidated account",
    "fund rises",
    "fund falls",
    "fund stays",
    "isolated flip at a loss",
    "isolated margin pays",
    "isolated margin is not enough",
    "amended over cap",
    "amendment beyond cap",
    "reducer gone in sweep",
    "tied order ends",
    "tied without position",
    "second closer",
)


_TIES = {
    Reason.TIED_WITHOUT_POSITION: "tied without position",
    Reason.CLOSING_ORDER_EXISTS: "second closer",
}


def find_kinds(applied: Applied, state: State) -> Iterator[str]:
    """The kinds of things that a record has brought about; `state` is that after it."""
    events = applied.events
    for event, following in pairwise((*events, None)):
        yield from _find_liquidation(event)
        yield from _find_flip(event, following)
        if state.isolated_pays:
            yield from _find_payment(event, following)
    yield from _find_sequences(applied, events)
    yield from _find_stages(events)
    yield from _find_sweep(events)
    yield from _find_replies(applied, state)


def _find_liquidation(event: Event | None) -> Iterator[str]:
    match event:
        case LiquidationStarted(symbol=""):
            yield "cross liquidation"
        case LiquidationStarted():
            yield "isolated liquidation"
        case LiquidationStaged(position_side=side) if side:
            yield "hedged liquidation"
        case InsuranceCleared(symbol=""):
            yield "deficit"
        case InsuranceCleared(amount=amount):
            yield "fill below bankruptcy" if amount > 0 else "liquidation fee"
        case PositionDeleveraged(rank=rank):
            yield "deleveraging" if rank == 1 else "second counterpart"
        case OrderExpired(order=order) if order.cause is Cause.DELEVERAGED:
            yield "counterpart loses orders"
        case OrderExpired(order=order) if _ends_with_position(order):
            yield "tied order ends"


def _ends_with_position(order: OrderRecord) -> bool:
    tied = order.time_in_force is TimeInForce.GTE_GTC and not order.parent_id
    return tied and order.cause is Cause.POSITION_GONE and not order.triggered_ms


def _find_flip(event: Event | None, following: Event | None) -> Iterator[str]:
    """A fill that closed an isolated position at a loss and opened one of the other side."""
    if isinstance(event, OrderFilled) and isinstance(following, PositionChanged):
        fill = event.fill
        turned = following.lots * fill.side > 0 and abs(following.lots) < fill.lots
        if following.isolated and fill.realized < 0 and turned:
            yield "isolated flip at a loss"


def _find_payment(event: Event | None, following: Event | None) -> Iterator[str]:
    """A fill that closed a part of an isolated position, and more was lost than the wallet had."""
    if isinstance(event, OrderFilled) and isinstance(following, PositionChanged):
        part = following.isolated and following.lots * event.fill.side < 0
        if part and event.fill.realized < 0 and event.order.origin is Origin.ACCOUNT:
            cross_wallet = following.wallet - following.set_aside
            if following.isolated_wallet and cross_wallet == 0:
                yield "isolated margin pays"
            elif not following.isolated_wallet and cross_wallet < 0:
                yield "isolated margin is not enough"


def _find_sequences(applied: Applied, events: tuple[Event, ...]) -> Iterator[str]:
    """What one event alone does not show."""
    started = [event for event in events if isinstance(event, LiquidationStarted)]
    if len({event.account for event in started}) > 1:
        yield "chain of liquidations"
    if started and isinstance(applied.command, SetMode):
        yield "liquidation on reopening"
    if any(event.time_ms < applied.time_ms for event in started):
        yield "liquidation before its record"
    funded = {event.time_ms for event in events if isinstance(event, FundingSettled)}
    if any(event.time_ms in funded for event in started):
        yield "liquidation by funding"


def _find_stages(events: tuple[Event, ...]) -> Iterator[str]:
    stages, account = 0, 0
    for event in events:
        if isinstance(event, LiquidationStarted):
            stages, account = 0, event.account
        elif isinstance(event, LiquidationStaged):
            stages += 1
            if stages == 2:
                yield "second stage"
        elif isinstance(event, PositionDeleveraged) and event.account == account:
            yield "counterpart is liquidated account"


def _find_sweep(events: tuple[Event, ...]) -> Iterator[str]:
    """A reduce-only maker that ended between two trades, where the second passed its price."""
    gone = None
    for event in events:
        if isinstance(event, OrderExpired):
            order = event.order
            if order.cause is Cause.POSITION_GONE and order.reduce_only and order.ticks:
                gone = order
        elif isinstance(event, TradeExecuted) and gone is not None:
            passed = (event.ticks - gone.ticks) * -gone.side >= 0
            makes = event.buyer_is_maker is (gone.side is Side.BUY)
            if gone.origin is Origin.ACCOUNT and event.symbol == gone.symbol and passed and makes:
                yield "reducer gone in sweep"
            gone = None


def _find_replies(applied: Applied, state: State) -> Iterator[str]:
    command, reply = applied.command, applied.reply
    if isinstance(command, FundInsurance):
        if isinstance(reply, InsuranceChanged):
            yield "fund rises" if command.amount > 0 else "fund falls"
        else:
            yield "fund stays"
    if isinstance(reply, Reject) and reply.reason in _TIES:
        yield _TIES[reply.reason]
    if not isinstance(command, AmendOrder):
        return
    if isinstance(reply, Reject):
        if reply.reason is Reason.POSITION_LIMIT_EXCEEDED:
            yield "amendment beyond cap"
        return
    order = state.orders.get(command.order_id)
    if order is not None and order.resting:
        position = state.accounts[order.account].positions[order.position_key]
        cap = position.market.spec.notional_cap(position.leverage)
        if exposure(position, order.side) > cap:
            yield "amended over cap"
