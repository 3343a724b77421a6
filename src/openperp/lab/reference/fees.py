"""Fees by tier: the table of Binance's VIP levels, in percent, for a contract at the usual fees.

A contract with other fees has them changed in the same proportion, and each rate ends with
the sixth decimal, rounded up.
"""

from decimal import ROUND_CEILING, Context, Decimal

from openperp.engine.commands import SetFeeTier
from openperp.engine.events import FeeTierChanged
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.rejects import Reason
from openperp.lab.reference.amounts import ratio
from openperp.lab.reference.venue import Refused, Venue

LEVELS = (
    ("0.0200", "0.0500"),
    ("0.0160", "0.0400"),
    ("0.0140", "0.0350"),
    ("0.0120", "0.0320"),
    ("0.0100", "0.0300"),
    ("0.0080", "0.0270"),
    ("0.0060", "0.0250"),
    ("0.0040", "0.0220"),
    ("0.0020", "0.0200"),
    ("0.0000", "0.0170"),
)
"""Maker's and taker's fee of each level."""

_UP = Context(prec=80, rounding=ROUND_CEILING)


def fee_rate(spec: InstrumentSpec, tier: int, *, maker: bool) -> Decimal:
    """What a fill costs, as a part of its value."""
    column, base = (0, spec.maker_fee_ppm) if maker else (1, spec.taker_fee_ppm)
    rate = _UP.divide(ratio(base) * Decimal(LEVELS[tier][column]), Decimal(LEVELS[0][column]))
    return _UP.quantize(rate, Decimal("0.000001"))


def set_fee_tier(venue: Venue, command: SetFeeTier) -> FeeTierChanged:
    account = venue.account_named(command.account)
    if account is None:
        raise Refused([Reason.ACCOUNT_UNKNOWN])
    if command.tier not in range(len(LEVELS)):
        raise Refused([Reason.FEE_TIER_UNKNOWN])
    account.fee_tier = command.tier
    changed = FeeTierChanged(account.account_id, command.tier)
    venue.events.append(changed)
    return changed
