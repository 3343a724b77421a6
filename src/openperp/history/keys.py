"""How rows are numbered in the file: by owner and id, or by owner, price, interval and time."""

from typing import Final

import msgspec

from openperp.engine.pricing import HOUR_MS
from openperp.history.intervals import INTERVALS
from openperp.history.market import Bar, BarKind, Funding, Statistics

ID_BITS: Final = 40
"""Bits of an id (of a trade with its side, where it has two) under the owner in a key."""
MARKET_ACCOUNT: Final = 0
"""The owner of what belongs to a market and to no account; accounts count from 1."""

_INTERVAL_NUMBERS: Final = {name: number for number, name in enumerate(INTERVALS)}

encode_row: Final = msgspec.json.Encoder().encode
"""In JSON, whose integers have no bound: a value over a month may need more than 64 bits."""
decode_bar: Final = msgspec.json.Decoder(Bar).decode
decode_statistics: Final = msgspec.json.Decoder(Statistics).decode


def funding_id(funding: Funding) -> int:
    """Tells the fundings of one market apart."""
    return funding.time_ms // HOUR_MS


def bar_series(owner: int, kind: BarKind, interval: str) -> int:
    """`owner` is the number of the market."""
    return owner << 8 | kind << 4 | _INTERVAL_NUMBERS[interval]
