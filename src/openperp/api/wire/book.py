"""What REST and the streams tell alike of a book: its levels, its best prices, when they moved."""

from typing import NamedTuple

from openperp.api.wire.numbers import InstrumentFormat
from openperp.engine.book import Book, BookSide
from openperp.engine.state import Market

Levels = list[tuple[str, str]]
"""Prices with their quantities, best first."""


class Top(NamedTuple):
    """Best bid and ask, each as ticks and lots; zeros for an empty side."""

    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int


def top_of(book: Book) -> Top:
    bid, ask = book.bids.best(), book.asks.best()
    return Top(
        bid.ticks if bid else 0,
        bid.lots if bid else 0,
        ask.ticks if ask else 0,
        ask.lots if ask else 0,
    )


def list_levels(side: BookSide, limit: int, text: InstrumentFormat) -> Levels:
    """Up to `limit` of the best levels of one side."""
    return [(text.price[ticks], text.quantity[lots]) for ticks, lots in side.depth(limit)]


def moved_ms(market: Market) -> int:
    """When a price of the market moved last: its last trade, or a price that was set."""
    return max(market.priced_ms, market.traded_ms)
