"""Why a request was refused, in words and numbers, fit for a response header."""

from collections.abc import Iterable, Mapping
from typing import Final

from openperp.api.wire.numbers import decimal_text
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_DECIMALS
from openperp.engine.rejects import Reject

HEADER_LIMIT: Final = 1500
"""Bytes of one X-Explain header: well inside what clients and proxies accept."""

TEXT_LIMIT: Final = 700
"""Characters of a caller's own text that an explanation repeats."""

MONEY_NAMES: Final = frozenset(
    {
        "amount",
        "available",
        "cap",
        "first_deposits",
        "min_notional",
        "needed",
        "notional",
        "notional_max",
        "stakes",
        "stakes_max",
        "wallet",
    }
)
"""Details of a refusal that are money."""

PLAIN_NAMES: Final = frozenset(
    {
        "account",
        "asset",
        "client_id",
        "date",
        "dialect",
        "earliest",
        "fault",
        "latest",
        "levels",
        "leverage",
        "leverage_before",
        "limit",
        "max_leverage",
        "mode",
        "name",
        "open",
        "order",
        "parent",
        "parent_side",
        "position_side",
        "price_match",
        "side",
        "symbol",
        "tier",
        "time",
        "type",
    }
)
"""Details that say what they are: texts, counts and ids. The names of all others end in
their unit: `ticks`, `lots`, `_ppm`, or `_amount` of an asset."""


def header_value(text: str) -> bytes:
    r"""`text` as a header value: one line of printable ASCII, bounded in length.

    >>> header_value("price 60 000\r\nX: \u20ac")
    b'price 60 000\\r\\nX: \\u20ac'
    """
    safe = text.encode("ascii", "backslashreplace").decode()
    if not safe.isprintable():
        safe = "".join(
            character if character.isprintable() else repr(character)[1:-1] for character in safe
        )
    if len(safe) > HEADER_LIMIT:
        safe = safe[: HEADER_LIMIT - 3] + "..."
    return safe.encode()


def quote_text(raw: bytes) -> str:
    """A caller's own bytes as they came, shortened in the middle when they are many."""
    text = raw.decode("utf-8", "backslashreplace")
    if len(text) <= TEXT_LIMIT:
        return text
    half = TEXT_LIMIT // 2
    return f"{text[:half]} ...{len(text) - 2 * half} characters... {text[-half:]}"


def explain_missing(msg: str, places: str, names: Iterable[str]) -> str:
    """A message about a missing parameter, with where it was looked for and what was there."""
    found = ", ".join(name[:40] for name in names) or "nothing"
    return f"{msg.rstrip('.!')}; looked for in {places}, found there: {found}"


def explain_refusal(reject: Reject, spec: InstrumentSpec | None = None) -> str:
    """A refusal's reason followed by its numbers, each by its name."""
    reason = reject.reason.name.replace("_", " ").lower()
    if not reject.detail:
        return reason
    return f"{reason}: {', '.join(_named_values(reject.detail, spec))}"


def _named_values(detail: Mapping[str, int | str], spec: InstrumentSpec | None) -> list[str]:
    return [_named_value(name, value, spec) for name, value in detail.items()]


def _named_value(name: str, value: int | str, spec: InstrumentSpec | None) -> str:
    words = name.replace("_", " ")
    if isinstance(value, str):
        return f"{words} {value}"
    if name in MONEY_NAMES:
        return f"{words} {decimal_text(value, MONEY_DECIMALS, shortest=True)} USDT"
    if name.endswith("_amount"):
        return f"{words} {decimal_text(value, MONEY_DECIMALS, shortest=True)}"
    if name.endswith("_ppm"):
        return f"{words.removesuffix(' ppm')} {decimal_text(value, 4, shortest=True)} %"
    if spec is not None and name.endswith("ticks"):
        price = decimal_text(value * spec.tick_units, spec.price_precision, shortest=True)
        return f"{words.removesuffix('ticks')}price {price}".replace("price price", "price")
    if spec is not None and name.endswith("lots"):
        quantity = decimal_text(value * spec.lot_units, spec.quantity_precision, shortest=True)
        return f"{words.removesuffix('lots')}quantity {quantity}"
    return f"{words} {value}"
