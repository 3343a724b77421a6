"""What is traded: the specification of a perpetual contract."""

from itertools import pairwise
from typing import Final

import msgspec

from openperp.engine.numbers import MONEY_DECIMALS, NOTIONAL_LIMIT, PPM

MARGIN_ASSET: Final = "USDT"
"""The one asset of wallets, margin and quotes."""

LEVERAGE_LIMIT: Final = 1_000
ORDERS_LIMIT: Final = 1_000_000_000


class Bracket(msgspec.Struct, frozen=True, array_like=True):
    """One leverage bracket.

    `notional_floor`, `notional_cap` and `cum` are money; `maintenance_ppm` is
    the maintenance margin rate. Maintenance margin of a position in this
    bracket is notional x rate - cum.
    """

    max_leverage: int
    notional_floor: int
    notional_cap: int
    maintenance_ppm: int
    cum: int


class InstrumentSpec(msgspec.Struct, frozen=True, array_like=True):
    """A linear perpetual contract, quoted and margined in one asset.

    The tick is `tick_units` x 10^-`price_precision` of the quote asset, the lot
    is `lot_units` x 10^-`quantity_precision` of the base asset. Bounds are in
    ticks and lots, `min_notional` in money, rates in parts per million.

    `guards_prices` holds orders to the mark price: LIMIT orders to the two
    multipliers, MARKET orders to `market_take_bound_ppm`, and triggers with
    price protection to `trigger_protect_ppm`.

    Funding comes every `funding_hours` (never with zero), at a rate of at most
    `funding_cap_ppm` either way; the interest in it is meant for eight hours.
    """

    symbol: str
    base_asset: str
    quote_asset: str
    price_precision: int
    quantity_precision: int
    tick_units: int
    lot_units: int
    min_ticks: int
    max_ticks: int
    min_lots: int
    max_lots: int
    market_max_lots: int
    min_notional: int
    max_orders: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    default_leverage: int
    brackets: tuple[Bracket, ...]
    trigger_protect_ppm: int = 50_000
    liquidation_fee_ppm: int = 12_500
    market_take_bound_ppm: int = 50_000
    multiplier_up_ppm: int = 1_050_000
    multiplier_down_ppm: int = 950_000
    onboard_ms: int = 1_569_398_400_000
    guards_prices: bool = False
    funding_hours: int = 0
    funding_cap_ppm: int = 0
    interest_ppm: int = 100

    @property
    def unit(self) -> int:
        """Money of one tick times one lot."""
        exponent = MONEY_DECIMALS - self.price_precision - self.quantity_precision
        return int(self.tick_units * self.lot_units * 10**exponent)

    @property
    def max_leverage(self) -> int:
        return self.brackets[0].max_leverage

    @property
    def is_smooth(self) -> bool:
        """Whether the maintenance margin is the same on both sides of where two brackets meet,
        but for the rounding of `cum`.
        """
        for lower, upper in pairwise(self.brackets):
            rates = upper.maintenance_ppm - lower.maintenance_ppm
            if abs((upper.cum - lower.cum) * PPM - upper.notional_floor * rates) >= PPM:
                return False
        return True

    def notional_cap(self, leverage: int) -> int:
        """Largest position notional, in money, that `leverage` allows."""
        cap = 0
        for bracket in self.brackets:
            if bracket.max_leverage >= leverage:
                cap = bracket.notional_cap
        return cap


def find_spec_fault(spec: InstrumentSpec) -> str:
    """Why `spec` cannot be traded, as one sentence; empty if it can."""
    return _find_name_fault(spec) or _find_grid_fault(spec) or _find_terms_fault(spec)


def _find_name_fault(spec: InstrumentSpec) -> str:
    for word in (spec.symbol, spec.base_asset, spec.quote_asset):
        if not (word.isascii() and word.isalnum() and word.isupper() and len(word) <= 20):
            return "symbol and assets must be up to 20 upper-case ASCII letters and digits"
    if spec.quote_asset != MARGIN_ASSET:
        return f"the quote asset must be {MARGIN_ASSET}, the asset of every wallet"
    return ""


def _find_grid_fault(spec: InstrumentSpec) -> str:
    digits = spec.price_precision + spec.quantity_precision
    if min(spec.price_precision, spec.quantity_precision) < 0 or digits > MONEY_DECIMALS:
        return f"price and quantity precision must add up to at most {MONEY_DECIMALS} decimals"
    if spec.tick_units < 1 or spec.lot_units < 1:
        return "the tick and the lot must be positive"
    if not 1 <= spec.min_ticks <= spec.max_ticks or not 1 <= spec.min_lots <= spec.max_lots:
        return "the smallest price and quantity must be positive and not above the largest"
    if spec.max_ticks * spec.max_lots * spec.unit >= NOTIONAL_LIMIT:
        return "the largest price times the largest quantity is too large"
    if not spec.min_lots <= spec.market_max_lots <= spec.max_lots:
        return "the largest market quantity must lie between the smallest and largest quantity"
    return ""


def _find_terms_fault(spec: InstrumentSpec) -> str:
    fault = _find_bracket_fault(spec.brackets)
    if fault:
        return fault
    if not 1 <= spec.default_leverage <= spec.max_leverage:
        return "the default leverage must lie between 1 and that of the first bracket"
    if not 0 <= spec.min_notional < NOTIONAL_LIMIT or not 1 <= spec.max_orders <= ORDERS_LIMIT:
        return "the minimum notional or the order limit is out of bounds"
    if not 0 <= spec.onboard_ms < NOTIONAL_LIMIT:
        return "the listing time is out of bounds"
    if spec.funding_hours and not (1 <= spec.funding_hours <= 24 and 24 % spec.funding_hours == 0):
        return "the hours between two fundings must divide a day; 0 stands for no funding"
    rates = (
        spec.maker_fee_ppm,
        spec.taker_fee_ppm,
        spec.trigger_protect_ppm,
        spec.liquidation_fee_ppm,
        spec.market_take_bound_ppm,
        spec.multiplier_down_ppm,
        spec.funding_cap_ppm,
        spec.interest_ppm,
    )
    if min(rates) < 0 or max(rates) >= PPM or not PPM < spec.multiplier_up_ppm < 1000 * PPM:
        return "fees and other rates must be at least zero and below 100 %"
    return ""


def _find_bracket_fault(brackets: tuple[Bracket, ...]) -> str:
    if not 1 <= len(brackets) <= 100:
        return "there must be at least one leverage bracket and at most 100"
    if brackets[0].max_leverage > LEVERAGE_LIMIT:
        return f"leverage must not exceed {LEVERAGE_LIMIT}"
    previous = None
    for bracket in brackets:
        if bracket.max_leverage < 1 or bracket.notional_floor >= bracket.notional_cap:
            return "each bracket needs a leverage of at least 1 and a floor below its cap"
        if not bracket.notional_floor >= 0 or bracket.notional_cap >= NOTIONAL_LIMIT:
            return "the floor or cap of a bracket is out of bounds"
        if not 0 <= bracket.maintenance_ppm < PPM or not 0 <= bracket.cum < NOTIONAL_LIMIT:
            return "the maintenance rate or amount of a bracket is out of bounds"
        if previous is not None and (
            bracket.notional_floor != previous.notional_cap
            or bracket.max_leverage > previous.max_leverage
        ):
            return "brackets must join without gaps and leverage must not rise"
        previous = bracket
    return ""
