"""The index of the margin asset in dollars, which REST and its stream tell alike."""

from typing import Final

from openperp.api.wire.row import Row
from openperp.engine.instruments import MARGIN_ASSET

ASSET_PAIR: Final = f"{MARGIN_ASSET}USD"
"""The one pair that has an index: what can be margin, against the dollar."""

_ONE: Final = "1.00000000"
_NONE: Final = "0.00000000"


def asset_index_row(now_ms: int) -> Row:
    """At par, and without the buffers that an exchange of assets would need."""
    return {
        "symbol": ASSET_PAIR,
        "time": now_ms,
        "index": _ONE,
        "bidBuffer": _NONE,
        "askBuffer": _NONE,
        "bidRate": _ONE,
        "askRate": _ONE,
        "autoExchangeBidBuffer": _NONE,
        "autoExchangeAskBuffer": _NONE,
        "autoExchangeBidRate": _ONE,
        "autoExchangeAskRate": _ONE,
    }
