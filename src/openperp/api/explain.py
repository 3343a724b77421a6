"""Why a request was refused, in words and numbers, fit for a response header."""

from collections.abc import Mapping
from typing import Final

from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_DECIMALS
from openperp.engine.rejects import Reject

HEADER_LIMIT: Final = 1500
"""Bytes of one X-Explain header: well inside what clients and proxies accept."""

TEXT_LIMIT: Final = 700
"""Characters of a caller's own text that an explanation repeats."""


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


def decimal_text(units: int, decimals: int) -> str:
    """`units` x 10^-`decimals` in its shortest form.

    >>> decimal_text(-120050, 2), decimal_text(1000, 3), decimal_text(0, 8)
    ('-1200.5', '1', '0')
    """
    if decimals <= 0:
        return str(units)
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(decimals + 1, "0")
    whole, fraction = digits[:-decimals], digits[-decimals:].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def explain_refusal(reject: Reject, spec: InstrumentSpec | None = None) -> str:
    """A refusal's reason followed by its numbers, each by its name."""
    reason = reject.reason.name.replace("_", " ").lower()
    if not reject.detail:
        return reason
    return f"{reason}: {', '.join(_named_values(reject.detail, spec))}"


def _named_values(detail: Mapping[str, int | str], spec: InstrumentSpec | None) -> list[str]:
    return [f"{name} {_value(name, value, spec)}" for name, value in detail.items()]


def _value(name: str, value: int | str, spec: InstrumentSpec | None) -> str:
    if isinstance(value, str) or spec is None:
        return str(value)
    if name.endswith("ticks"):
        return decimal_text(value * spec.tick_units, spec.price_precision)
    if name.endswith("lots"):
        return decimal_text(value * spec.lot_units, spec.quantity_precision)
    return decimal_text(value, MONEY_DECIMALS) if name in MONEY_NAMES else str(value)


MONEY_NAMES: Final = frozenset({"needed", "available", "notional", "min_notional", "amount"})
"""Details of a refusal that are money."""
