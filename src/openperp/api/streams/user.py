"""What the owners of accounts hear of a record: the payloads of their user data streams.

Everything is told in the order in which the engine made it. A fill is told
three times, as TRADE_LITE, as ACCOUNT_UPDATE and as ORDER_TRADE_UPDATE; one of an
order that the venue placed against the account is no TRADE and has no TRADE_LITE. Event
time and transaction time are both the time of the record, so that a replay
tells the same.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import msgspec

from openperp.api.streams import user_account, user_orders
from openperp.api.streams.user_events import (
    ACCOUNT_CONFIG_UPDATE,
    ACCOUNT_UPDATE,
    ALGO_UPDATE,
    MARGIN_CALL,
    ORDER_TRADE_UPDATE,
    TRADE_LITE,
)
from openperp.api.view import View
from openperp.api.wire.numbers import InstrumentFormat, money_text
from openperp.api.wire.row import Row
from openperp.engine.events import (
    Applied,
    AssetExchanged,
    AssetIndexChanged,
    Event,
    FundingPaid,
    LeverageChanged,
    MarginChanged,
    MarginTypeChanged,
    MultiAssetsChanged,
    OrderAccepted,
    OrderActivated,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
    PositionChanged,
    PriceChanged,
    TimePassed,
    WalletChanged,
)
from openperp.engine.liquidation_events import InsuranceCleared, LiquidationStarted
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.state import Account, Market, position_key
from openperp.engine.terms import OBSTACLES, OrderStatus

Payload = tuple[int, str, bytes]
"""Account, name of the event, and the event as JSON."""

_NOTHING: Final[Iterator[Payload]] = iter(())
_encode: Final = msgspec.json.Encoder().encode


def user_payloads(applied: Applied, view: View, listening: Collection[int]) -> Iterator[Payload]:
    """What `applied` tells the accounts `listening`; `view` shows the venue right after it.

    Costs nearly nothing where nobody listens.
    """
    if not listening or not applied.events:
        return _NOTHING
    return _Teller(applied, view, listening).tell()


class _Teller:
    """One record on its way to those who listen.

    `_kept_out` holds the orders that fired in this record and were kept out of
    the book, `_liquidated` the accounts of which it liquidated something.
    """

    __slots__ = ("_events", "_kept_out", "_liquidated", "_listening", "_time_ms", "_view")

    def __init__(self, applied: Applied, view: View, listening: Collection[int]) -> None:
        self._events = applied.events
        self._time_ms = applied.time_ms
        self._view = view
        self._listening = listening
        self._kept_out: set[int] = set()
        self._liquidated: set[int] = set()

    def tell(self) -> Iterator[Payload]:
        for at, event in enumerate(self._events):
            speak = _SPEAKERS.get(type(event))
            if speak is not None:
                yield from speak(self, event, at)
        symbols = {event.symbol for event in self._events if type(event) is PriceChanged}
        if any(type(event) is AssetIndexChanged for event in self._events):
            symbols.update(self._view.state.markets)
        if symbols:
            yield from self._call_margins(symbols)

    def accepted(self, event: OrderAccepted, at: int) -> Iterator[Payload]:
        order = event.order
        if order.account in self._listening:
            yield from self._algo(self._activated_at_once(order, at) or order)
            yield from self._order(order, "NEW")

    def activated(self, event: OrderActivated, at: int) -> Iterator[Payload]:
        """A trailing stop begins to follow; one that did so when it was new has said it."""
        order = event.order
        before = self._events[at - 1] if at else None
        if type(before) is OrderAccepted and before.order.order_id == order.order_id:
            return
        if order.account in self._listening:
            yield from self._algo(order)

    def _activated_at_once(self, order: OrderRecord, at: int) -> OrderRecord | None:
        """An order accepted by event `at` as it is after the next, if that activates it."""
        after = self._events[at + 1] if at + 1 < len(self._events) else None
        if type(after) is OrderActivated and after.order.order_id == order.order_id:
            return after.order
        return None

    def triggered(self, event: OrderTriggered, at: int) -> Iterator[Payload]:
        """A trigger order becomes an order of the book, unless it is kept out of it."""
        order = event.order
        if order.account not in self._listening:
            return
        yield from self._algo(order, "TRIGGERING")
        if self._is_kept_out(order, at):
            self._kept_out.add(order.order_id)
            return
        yield from self._algo(order, "TRIGGERED")
        yield from self._order(order, "NEW")

    def _is_kept_out(self, order: OrderRecord, at: int) -> bool:
        """Whether the next thing that happens to a fired order is that it ends.

        Only its family may be cancelled in between.
        """
        for event in self._events[at + 1 :]:
            if type(event) is OrderExpired:
                ended = event.order
                return ended.order_id == order.order_id and ended.cause in OBSTACLES
            if type(event) is not OrderCanceled:
                return False
        return False

    def amended(self, event: OrderAmended, _at: int) -> Iterator[Payload]:
        order = event.order
        if order.account in self._listening:
            yield from self._algo(order)
            yield from self._order(order, "AMENDMENT", modify_id=event.modify_id)

    def filled(self, event: OrderFilled, at: int) -> Iterator[Payload]:
        """A fill, and the position after it: settlement puts its PositionChanged right behind."""
        order, fill = event.order, event.fill
        if order.account not in self._listening:
            return
        instrument = self._format(order.symbol)
        if not order.origin:
            yield self._payload(
                order.account, TRADE_LITE, user_orders.trade_fields(order, fill, instrument)
            )
        moved = self._events[at + 1]
        assert type(moved) is PositionChanged
        account, market = self._find(order.account, order.symbol)
        change = fill.realized - fill.fee
        update = user_account.fill_update(moved, change, account, market, instrument)
        yield self._payload(order.account, ACCOUNT_UPDATE, {"a": update})
        yield from self._order(order, "CALCULATED" if order.origin else "TRADE", fill)
        if order.status is OrderStatus.FILLED:
            yield from self._algo(order)

    def ended(self, event: OrderCanceled | OrderExpired, _at: int) -> Iterator[Payload]:
        order = event.order
        if order.account not in self._listening:
            return
        execution = "CANCELED" if type(event) is OrderCanceled else "EXPIRED"
        if order.order_id in self._kept_out:
            yield from self._algo(order)
            if self._view.dialect.triggers_in_order_updates:
                yield from self._order(order, execution)
        elif user_orders.waits(order):
            yield from self._algo(order)
            yield from self._order(order, execution)
        else:
            yield from self._order(order, execution)
            yield from self._algo(order)

    def transferred(self, event: WalletChanged, _at: int) -> Iterator[Payload]:
        if event.account in self._listening:
            update = user_account.transfer_update(event)
            yield self._payload(event.account, ACCOUNT_UPDATE, {"a": update})

    def margin_moved(self, event: MarginChanged, _at: int) -> Iterator[Payload]:
        if event.account in self._listening:
            symbol = event.position.symbol
            account, market = self._find(event.account, symbol)
            update = user_account.margin_update(event, account, market, self._format(symbol))
            yield self._payload(event.account, ACCOUNT_UPDATE, {"a": update})

    def margin_typed(self, event: MarginTypeChanged, _at: int) -> Iterator[Payload]:
        if event.account in self._listening:
            account, market = self._find(event.account, event.symbol)
            instrument = self._format(event.symbol)
            update = user_account.margin_type_update(event, account, market, instrument)
            yield self._payload(event.account, ACCOUNT_UPDATE, {"a": update})

    def funded(self, event: FundingPaid, at: int) -> Iterator[Payload]:
        if event.account not in self._listening:
            return
        follower = self._events[at + 1] if at + 1 < len(self._events) else None
        moved = follower if type(follower) is PositionChanged else None
        account, market = self._find(event.account, event.symbol)
        instrument = self._format(event.symbol)
        update = user_account.funding_update(event, moved, account, market, instrument)
        yield self._payload(event.account, ACCOUNT_UPDATE, {"a": update})

    def cleared(self, event: InsuranceCleared, _at: int) -> Iterator[Payload]:
        if event.account in self._listening:
            update = user_account.insurance_update(event)
            yield self._payload(event.account, ACCOUNT_UPDATE, {"a": update})

    def liquidated(self, event: LiquidationStarted, _at: int) -> Iterator[Payload]:
        """What follows tells of it; a margin call would come too late."""
        self._liquidated.add(event.account)
        return _NOTHING

    def passed(self, event: TimePassed, _at: int) -> Iterator[Payload]:
        """What was due before the record is told with its own time."""
        self._time_ms = event.time_ms
        return _NOTHING

    def configured(self, event: LeverageChanged, _at: int) -> Iterator[Payload]:
        if event.account in self._listening:
            update = user_account.leverage_update(event)
            yield self._payload(event.account, ACCOUNT_CONFIG_UPDATE, {"ac": update})

    def exchanged(self, event: AssetExchanged, _at: int) -> Iterator[Payload]:
        if event.account in self._listening:
            update = user_account.exchange_update(event)
            yield self._payload(event.account, ACCOUNT_UPDATE, {"a": update})

    def assets_configured(self, event: MultiAssetsChanged, _at: int) -> Iterator[Payload]:
        if event.account in self._listening:
            update = user_account.assets_update(event)
            yield self._payload(event.account, ACCOUNT_CONFIG_UPDATE, {"ai": update})

    def _call_margins(self, symbols: set[str]) -> Iterator[Payload]:
        view = self._view
        for account, positions in view.margin_calls.find(view.state, self._listening, symbols):
            if account.account_id in self._liquidated:
                continue
            rows = [
                user_account.endangered(held, self._format(held.market.spec.symbol))
                for held in positions
            ]
            event = {"e": MARGIN_CALL, "E": self._time_ms}
            if not positions[0].isolated:
                event["cw"] = money_text(account.cross_wallet + account.collateral)
            yield account.account_id, MARGIN_CALL, _encode({**event, "p": rows})

    def _order(
        self, order: OrderRecord, execution: str, fill: Fill | None = None, modify_id: int = 0
    ) -> Iterator[Payload]:
        """ORDER_TRADE_UPDATE, where the order is one that speaks so."""
        view = self._view
        if user_orders.waits(order) and not view.dialect.triggers_in_order_updates:
            return
        account = view.state.accounts[order.account]
        row = user_orders.order_object(
            order,
            execution,
            fill,
            _notionals(account, order),
            self._time_ms,
            self._format(order.symbol),
        )
        if modify_id:
            row["M"] = str(modify_id)
        yield self._payload(order.account, ORDER_TRADE_UPDATE, {"o": row})

    def _algo(self, order: OrderRecord, status: str = "") -> Iterator[Payload]:
        """ALGO_UPDATE, where the order is an algo order."""
        if order.algo:
            row = user_orders.algo_object(order, self._format(order.symbol), status=status)
            yield self._payload(order.account, ALGO_UPDATE, {"o": row})

    def _find(self, account: int, symbol: str) -> tuple[Account, Market]:
        state = self._view.state
        return state.accounts[account], state.markets[symbol]

    def _format(self, symbol: str) -> InstrumentFormat:
        return self._view.format_of(self._view.state.markets[symbol])

    def _payload(self, account: int, name: str, body: Row) -> Payload:
        time_ms = self._time_ms
        return account, name, _encode({"e": name, "E": time_ms, "T": time_ms, **body})


def _notionals(account: Account, order: OrderRecord) -> tuple[int, int]:
    """Money that the resting bids and asks beside an order would open, once all is done."""
    position = account.positions.get(position_key(order.symbol, order.position_side))
    if position is None:
        return 0, 0
    unit = position.market.unit
    return position.buys.value * unit, position.sells.value * unit


_Speaker = Callable[[_Teller, Any, int], Iterator[Payload]]
_SPEAKERS: Final[dict[type[Event], _Speaker]] = {
    OrderAccepted: _Teller.accepted,
    OrderActivated: _Teller.activated,
    OrderTriggered: _Teller.triggered,
    OrderAmended: _Teller.amended,
    OrderFilled: _Teller.filled,
    OrderCanceled: _Teller.ended,
    OrderExpired: _Teller.ended,
    WalletChanged: _Teller.transferred,
    MarginChanged: _Teller.margin_moved,
    MarginTypeChanged: _Teller.margin_typed,
    FundingPaid: _Teller.funded,
    InsuranceCleared: _Teller.cleared,
    LiquidationStarted: _Teller.liquidated,
    TimePassed: _Teller.passed,
    LeverageChanged: _Teller.configured,
    AssetExchanged: _Teller.exchanged,
    MultiAssetsChanged: _Teller.assets_configured,
}
