"""What a record's events mean for the history, as values. Nothing here knows the store."""

from typing import Final

from openperp.engine.events import (
    AccountCreated,
    Applied,
    Event,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    VenueReset,
)
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.terms import OrderStatus
from openperp.history.base import Amendment
from openperp.history.market_rows import MarketRows
from openperp.history.memory import Memory


class Rows:
    """What successive records add to the history, in their order.

    `cleared` says that all orders, fills and amendments before these rows are gone.
    """

    __slots__ = ("amendments", "cleared", "fills", "market", "orders")

    def __init__(self) -> None:
        self.orders: list[OrderRecord] = []
        self.fills: list[Fill] = []
        self.amendments: list[Amendment] = []
        self.cleared = False
        self.market = MarketRows()

    def __len__(self) -> int:
        """Rows to write, a clearing counted as one."""
        own = len(self.orders) + len(self.fills) + len(self.amendments)
        return own + self.cleared + self.market.count

    @property
    def urgent(self) -> bool:
        """Whether there is more than the market's own past, which can wait a little."""
        return bool(self.orders or self.fills or self.amendments or self.cleared)

    def clear(self) -> None:
        # New lists: a reader may be walking the old ones.
        self.orders = []
        self.fills = []
        self.amendments = []
        self.cleared = True


def absorb(
    applied: Applied, rows: Rows, house: set[int], memory: Memory, *, follow: bool = True
) -> None:
    """Adds to `rows` what `applied` closed and traded, the `house` accounts left out.

    An account that was created as a house account joins `house`. The market's past is
    followed in `memory`, but for a record that it has seen before (`follow` is off).
    """
    handlers = memory.handlers
    if follow:
        memory.begin(applied, rows.market)
    for event in applied.events:
        if isinstance(event, OrderCanceled) or isinstance(event, OrderExpired):  # noqa: SIM101
            # Twice as fast as one isinstance with a tuple, and this is the busiest line.
            if event.order.account not in house:
                rows.orders.append(event.order)
            continue
        kind = type(event)
        if kind in _OWN:
            _absorb_own(event, rows, house)
        handler = handlers.get(kind)
        if handler is not None and follow:
            handler(event)


_OWN: Final = frozenset({OrderFilled, OrderAmended, VenueReset, AccountCreated})
"""Events beside those of ended orders that concern the rows of accounts."""


def _absorb_own(event: Event, rows: Rows, house: set[int]) -> None:
    if isinstance(event, OrderFilled):
        _absorb_fill(event, rows, house)
    elif isinstance(event, OrderAmended):
        if event.order.account not in house:
            rows.amendments.append(_amendment(event))
    elif isinstance(event, VenueReset):
        rows.clear()
    elif isinstance(event, AccountCreated) and event.house:
        house.add(event.account)


def absorb_market(applied: Applied, rows: Rows, memory: Memory) -> None:
    """As `absorb`, where orders and fills of the record are there and the market's past is not."""
    memory.begin(applied, rows.market)
    for event in applied.events:
        handler = memory.handlers.get(type(event))
        if handler is not None:
            handler(event)


def _amendment(event: OrderAmended) -> Amendment:
    order = event.order
    return Amendment(
        event.amendment_id,
        order.account,
        order.symbol,
        order.order_id,
        order.client_id,
        order.updated_ms,
        event.ticks_before,
        order.ticks,
        event.lots_before,
        order.lots,
        event.count,
        event.modify_id,
    )


def _absorb_fill(event: OrderFilled, rows: Rows, house: set[int]) -> None:
    if event.order.account in house:
        return
    rows.fills.append(event.fill)
    if event.order.status == OrderStatus.FILLED:
        rows.orders.append(event.order)


def find_house_accounts(applied: Applied) -> list[int]:
    """The house accounts that `applied` created."""
    return [
        event.account
        for event in applied.events
        if isinstance(event, AccountCreated) and event.house
    ]
