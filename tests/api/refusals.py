"""Every reason of the engine: the requests that meet it, or why none does."""

from collections.abc import Mapping
from typing import Final

from tests.api.refusal_setups import Request, Row
from tests.api.refused_orders import ORDERS
from tests.api.refused_terms import TERMS

from openperp.api.dispatch import METHODS
from openperp.engine.rejects import Reason

ROWS: Final[list[Row]] = [*ORDERS, *TERMS]

UNMET: Final[Mapping[Reason, str]] = {
    Reason.KEY_EXISTS: "the venue draws its keys at random and is never given one",
    Reason.CLOSE_POSITION_REJECTED: (
        "a quantity or another type beside closePosition is refused with the form of the order"
    ),
    Reason.VENUE_ALREADY_OPEN: "a venue is opened where its data directory is made, by no request",
}
"""Reasons that no request meets, and why."""

WORDS: Final[Mapping[Request, str]] = {
    (endpoint.method, endpoint.path): word for word, endpoint in METHODS.items()
}
"""What the WebSocket API calls a request that it takes too."""
