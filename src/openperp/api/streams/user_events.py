"""The events of a user data stream by name, and which of them a listener asked for."""

from typing import Final

import msgspec

ORDER_TRADE_UPDATE: Final = "ORDER_TRADE_UPDATE"
ACCOUNT_UPDATE: Final = "ACCOUNT_UPDATE"
ACCOUNT_CONFIG_UPDATE: Final = "ACCOUNT_CONFIG_UPDATE"
TRADE_LITE: Final = "TRADE_LITE"
ALGO_UPDATE: Final = "ALGO_UPDATE"
MARGIN_CALL: Final = "MARGIN_CALL"
LISTEN_KEY_EXPIRED: Final = "listenKeyExpired"

USER_EVENTS: Final = frozenset(
    {
        ORDER_TRADE_UPDATE,
        ACCOUNT_UPDATE,
        ACCOUNT_CONFIG_UPDATE,
        TRADE_LITE,
        ALGO_UPDATE,
        MARGIN_CALL,
        LISTEN_KEY_EXPIRED,
    }
)
"""Everything that an account can hear; a listener without a filter hears it all."""

_ALIASES: Final = {"ALGO_ORDER_UPDATE": ALGO_UPDATE}
"""Other names that clients ask for."""


def parse_events(text: str) -> frozenset[str]:
    """The names that a listener gets, from the value of `events=`: names between slashes.

    Names that do not exist are passed over, and no name at all stands for all.
    The end of the listen key is always told, since nothing else comes after it.

    >>> sorted(parse_events("TRADE_LITE/ALGO_ORDER_UPDATE/GRID_UPDATE"))
    ['ALGO_UPDATE', 'TRADE_LITE', 'listenKeyExpired']
    """
    names = [name for name in text.split("/") if name]
    if not names:
        return USER_EVENTS
    asked = {_ALIASES.get(name, name) for name in names}
    return USER_EVENTS.intersection(asked) | {LISTEN_KEY_EXPIRED}


def expired_payload(listen_key: str, now_ms: int) -> bytes:
    """What the listeners of a listen key hear last."""
    return msgspec.json.encode({"e": LISTEN_KEY_EXPIRED, "E": now_ms, "listenKey": listen_key})
