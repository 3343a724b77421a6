"""The limits of `api.limits` as they are told, each under its type and its interval."""

from collections.abc import Mapping
from typing import Final

from openperp.api.limits import ORDERS_PER_10_SECONDS, ORDERS_PER_MINUTE, WEIGHT_PER_MINUTE
from openperp.api.wire.row import Row

RATE_LIMITS: Final[Mapping[tuple[str, str], Row]] = {
    (kind, interval): {
        "rateLimitType": kind,
        "interval": interval,
        "intervalNum": number,
        "limit": limit,
    }
    for kind, interval, number, limit in (
        ("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_PER_MINUTE),
        ("ORDERS", "MINUTE", 1, ORDERS_PER_MINUTE),
        ("ORDERS", "SECOND", 10, ORDERS_PER_10_SECONDS),
    )
}
"""In the order of exchangeInfo."""
