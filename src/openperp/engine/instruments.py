"""What is traded: the specification of a perpetual contract."""

import msgspec

from openperp.engine.numbers import MONEY_DECIMALS, NOTIONAL_LIMIT


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

    @property
    def unit(self) -> int:
        """Money of one tick times one lot."""
        exponent = MONEY_DECIMALS - self.price_precision - self.quantity_precision
        return int(self.tick_units * self.lot_units * 10**exponent)

    @property
    def max_leverage(self) -> int:
        return self.brackets[0].max_leverage

    def notional_cap(self, leverage: int) -> int:
        """Largest position notional, in money, that `leverage` allows."""
        cap = 0
        for bracket in self.brackets:
            if bracket.max_leverage >= leverage:
                cap = bracket.notional_cap
        return cap


def find_spec_fault(spec: InstrumentSpec) -> str:
    """Why `spec` cannot be traded, as one sentence; empty if it can."""
    digits = spec.price_precision + spec.quantity_precision
    if not spec.symbol.isascii() or not spec.symbol.isalnum() or not spec.symbol.isupper():
        return "the symbol must be upper-case ASCII letters and digits"
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
    return _find_terms_fault(spec)


def _find_terms_fault(spec: InstrumentSpec) -> str:
    if not spec.brackets:
        return "there must be at least one leverage bracket"
    previous = None
    for bracket in spec.brackets:
        if bracket.max_leverage < 1 or bracket.notional_floor >= bracket.notional_cap:
            return "each bracket needs a leverage of at least 1 and a floor below its cap"
        if previous is not None and (
            bracket.notional_floor != previous.notional_cap
            or bracket.max_leverage > previous.max_leverage
        ):
            return "brackets must join without gaps and leverage must not rise"
        previous = bracket
    if not 1 <= spec.default_leverage <= spec.max_leverage:
        return "the default leverage must lie between 1 and that of the first bracket"
    if not 0 <= spec.maker_fee_ppm < 1_000_000 or not 0 <= spec.taker_fee_ppm < 1_000_000:
        return "fees must be at least zero and below 100 %"
    if spec.min_notional < 0 or spec.max_orders < 1:
        return "the minimum notional must not be negative and the order limit must be positive"
    return ""
