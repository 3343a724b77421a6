"""Changes of isolated margin as rows."""

from typing import Final

from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.terms import PositionSide
from openperp.history.market import MarginChange

ADDED: Final = 1
REMOVED: Final = 2


def margin_change_row(change: MarginChange) -> Row:
    """One row of positionMargin/history; only the owner of a position changes its margin so."""
    return {
        "symbol": change.symbol,
        "type": ADDED if change.amount > 0 else REMOVED,
        "deltaType": "USER_ADJUST",
        "amount": money_text(abs(change.amount)),
        "asset": MARGIN_ASSET,
        "time": change.time_ms,
        "positionSide": PositionSide(change.position_side).name,
    }
