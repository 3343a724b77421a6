"""Price matching: an order that names a place in the book instead of a price.

Source: the fapi's enum priceMatch. OPPONENT is the best price of the other side, QUEUE
that of the order's own; with a number, the price so many levels deep.
"""

from typing import Final

from openperp.engine.book import Book
from openperp.engine.rejects import Reason, refuse
from openperp.engine.terms import PriceMatch, Side

_DEPTHS: Final = {
    PriceMatch.OPPONENT: 1,
    PriceMatch.OPPONENT_5: 5,
    PriceMatch.OPPONENT_10: 10,
    PriceMatch.OPPONENT_20: 20,
    PriceMatch.QUEUE: 1,
    PriceMatch.QUEUE_5: 5,
    PriceMatch.QUEUE_10: 10,
    PriceMatch.QUEUE_20: 20,
}


def match_price(book: Book, side: Side, price_match: PriceMatch) -> int:
    """The price in ticks as the book stands; refuses the command if the level is not there."""
    queues = price_match >= PriceMatch.QUEUE
    levels = book.side(side) if queues else book.opposite(side)
    depth = _DEPTHS[price_match]
    if len(levels.keys) < depth:
        refuse(
            Reason.NO_PRICE_TO_MATCH,
            price_match=price_match.name,
            levels=len(levels.keys),
        )
    return levels.keys[-depth] * levels.side
