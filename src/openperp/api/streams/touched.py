"""Which levels of a book an event may have changed.

The engine tells what happens to orders and keeps its books; a level has no
event of its own. Whoever follows a book notes the levels of these events and
reads what became of them when it is time to say so.
"""

from typing import Final

from openperp.engine.book import Book, Level
from openperp.engine.events import (
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
)
from openperp.engine.records import OrderRecord
from openperp.engine.terms import BUY, FOK, IOC, LIMIT

OrderEvent = (
    OrderAccepted | OrderTriggered | OrderAmended | OrderFilled | OrderCanceled | OrderExpired
)

_NEVER_REST: Final = (IOC, FOK)


def touched_key(event: OrderEvent, book: Book) -> int:
    """Side times ticks of the level that `event` may have changed in `book`; zero for none.

    `book` is as the record of the event left it. An order that rested and has
    left again within one record has told so by another event.
    """
    order = event.order
    if type(event) is OrderFilled:
        if not event.fill.maker or order.time_in_force in _NEVER_REST:
            return 0  # A maker that never rested fills outside the book.
        return order.side * order.ticks
    if order.type is not LIMIT or order.time_in_force in _NEVER_REST:
        return 0
    key = order.side * order.ticks
    if type(event) is OrderCanceled or type(event) is OrderExpired:
        return key
    return key if key in _levels(order, book) else 0


def left_key(event: OrderEvent) -> int:
    """Side times ticks of the level that an amended order has left; zero for other events."""
    if type(event) is OrderAmended and event.order.type is LIMIT:
        return event.order.side * event.ticks_before
    return 0


def _levels(order: OrderRecord, book: Book) -> dict[int, Level]:
    side = book.bids if order.side is BUY else book.asks
    return side.levels
