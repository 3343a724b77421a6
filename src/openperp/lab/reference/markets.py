"""The instruments of random traffic, and how their terms change while it goes on."""

from random import Random
from typing import Any

from msgspec.structs import replace

from openperp.engine.commands import DefineInstrument
from openperp.engine.instruments import Bracket, InstrumentSpec
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import Market

BRACKETS = (
    Bracket(100, 0, 10_000 * MONEY_ONE, 5_000, 0),
    Bracket(50, 10_000 * MONEY_ONE, 50_000 * MONEY_ONE, 10_000, 50 * MONEY_ONE),
    Bracket(25, 50_000 * MONEY_ONE, 100_000 * MONEY_ONE, 20_000, 550 * MONEY_ONE),
    Bracket(20, 100_000 * MONEY_ONE, 90_000_000 * MONEY_ONE, 25_000, 1_050 * MONEY_ONE),
)
"""Low caps, so that a few orders reach them, and a liquidation goes through several."""


def _instrument(symbol: str, price_precision: int, quantity_precision: int) -> InstrumentSpec:
    return InstrumentSpec(
        symbol=symbol,
        base_asset=symbol.removesuffix("USDT"),
        quote_asset="USDT",
        price_precision=price_precision,
        quantity_precision=quantity_precision,
        tick_units=1,
        lot_units=1,
        min_ticks=1,
        max_ticks=10_000_000,
        min_lots=1,
        max_lots=1_000_000,
        market_max_lots=200_000,
        min_notional=5 * MONEY_ONE,
        max_orders=6,
        maker_fee_ppm=200,
        taker_fee_ppm=500,
        default_leverage=20,
        brackets=BRACKETS,
    )


HIGH_NEEDS = tuple(
    replace(each, maintenance_ppm=3 * each.maintenance_ppm, cum=3 * each.cum) for each in BRACKETS
)
"""Here a smaller position can need more margin than a larger one elsewhere."""

MARKETS = (
    (_instrument("BTCUSDT", 1, 3), 600_000, 200),
    (_instrument("ETHUSDT", 2, 3), 300_000, 4_000),
    (replace(_instrument("SOLUSDT", 2, 1), brackets=HIGH_NEEDS), 15_000, 800),
)
"""Instruments with their first index in ticks and the usual size of an order in lots."""

SIZES = {spec.symbol: lots for spec, _, lots in MARKETS}


class MarketTerms:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._hours = random.choice(((0, 1, 2), (0, 8, 8, 24)))

    def opening(self) -> list[DefineInstrument]:
        return [
            DefineInstrument(replace(spec, **self._price_terms(index)), index)
            for spec, index, _ in MARKETS
        ]

    def change(self, market: Market) -> DefineInstrument:
        """Other fees and limits; the last bracket lowers or raises what may be held."""
        random = self._random
        top = random.choice((150_000, 90_000_000)) * MONEY_ONE
        spec = replace(
            market.spec,
            maker_fee_ppm=random.choice((0, 200, 333)),
            taker_fee_ppm=random.choice((400, 500, 777)),
            min_notional=random.choice((1, 5, 50)) * MONEY_ONE,
            max_orders=random.choice((3, 6, 30)),
            brackets=(
                *market.spec.brackets[:-1],
                replace(market.spec.brackets[-1], notional_cap=top),
            ),
        )
        if random.random() < 0.5:
            spec = replace(spec, **self._price_terms(market.initial_ticks))
        return DefineInstrument(spec, market.initial_ticks)

    def _price_terms(self, ticks: int) -> dict[str, Any]:
        """Funding, and for some narrow bounds around the mark price, or for the price itself."""
        random = self._random
        narrow = random.choice((1_000, 5_000, 20_000))
        near = random.random() < 0.15
        return {
            "min_ticks": ticks * 97 // 100 if near else 1,
            "max_ticks": ticks * 103 // 100 if near else 10_000_000,
            "funding_hours": random.choice(self._hours),
            "funding_cap_ppm": random.choice((0, 10, 300, 30_000, 30_000)),
            "interest_ppm": random.choice((0, 100, 100, 7)),
            "guards_prices": random.random() < 0.3,
            "multiplier_up_ppm": 1_000_000 + narrow,
            "multiplier_down_ppm": 1_000_000 - narrow,
            "market_take_bound_ppm": random.choice((narrow, 50_000)),
            "trigger_protect_ppm": random.choice((narrow, 50_000)),
        }
