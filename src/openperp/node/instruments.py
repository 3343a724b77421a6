"""Instruments as an operator writes them down, and the ones that come built in.

Prices, quantities and rates are decimal text here; `specify` turns them into
the engine's ticks, lots, money and parts per million.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from openperp.engine.instruments import Bracket, InstrumentSpec, find_spec_fault
from openperp.engine.numbers import MONEY_DECIMALS, MONEY_ONE, NOTIONAL_LIMIT, PPM
from openperp.engine.pricing import default_cap_ppm
from openperp.node.errors import ConfigError

PPM_DECIMALS = 6
PRICE_ROOM = 100
"""How many times its first price an instrument may reach, unless it says otherwise."""
LOTS_MAX = 10_000_000
"""Lots of the largest order, unless an instrument says otherwise or its value is too high."""
_NUMBER = re.compile(r"[+-]?(\d{1,20}\.?\d{0,20}|\.\d{1,20})([eE][+-]?\d{1,2})?", re.ASCII)
Number = str | int
"""A decimal number; never a float, so that 0.1 stays one tenth."""


class BracketTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leverage bracket up to the notional `cap`; it starts where the one before ends."""

    leverage: int
    cap: Number
    rate: Number


class InstrumentTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One perpetual contract. What is left out takes its value from tick, lot and price.

    `price` is the first index price; `price_decimals` may exceed those of the
    tick: a price with more decimals than that is malformed, one with fewer but
    off the tick is refused by the price filter. `price_guards` holds orders to the
    mark price, within 5 %.
    """

    tick: Number
    lot: Number
    price: Number
    base: str | None = None
    quote: str = "USDT"
    price_decimals: int | None = None
    quantity_decimals: int | None = None
    min_price: Number | None = None
    max_price: Number | None = None
    min_quantity: Number | None = None
    max_quantity: Number | None = None
    market_max_quantity: Number | None = None
    min_notional: Number = 5
    max_orders: int = 200
    maker_fee: Number = "0.0002"
    taker_fee: Number = "0.0005"
    leverage: int = 20
    funding_hours: int = 8
    funding_cap: Number | None = None
    funding_interest: Number = "0.0001"
    brackets: tuple[BracketTerms, ...] = (
        BracketTerms(75, 10_000, "0.01"),
        BracketTerms(50, 50_000, "0.015"),
        BracketTerms(25, 300_000, "0.02"),
        BracketTerms(10, 1_500_000, "0.05"),
        BracketTerms(5, 3_000_000, "0.1"),
        BracketTerms(2, 7_500_000, "0.25"),
        BracketTerms(1, 15_000_000, "0.5"),
    )
    price_guards: bool = False


class Instrument(msgspec.Struct, frozen=True):
    """A contract for the engine with its first index price, and whether a file asked for it."""

    spec: InstrumentSpec
    index_ticks: int
    configured: bool = False


def _brackets(*rows: tuple[int, int, str]) -> tuple[BracketTerms, ...]:
    return tuple(BracketTerms(*row) for row in rows)


BUILT_IN = {
    "BTCUSDT": InstrumentTerms(
        tick="0.1",
        price_guards=True,
        lot="0.001",
        price=60_000,
        price_decimals=2,
        min_notional=50,
        max_price=4_529_764,
        max_quantity=1_000,
        market_max_quantity=120,
        brackets=_brackets(
            (125, 300_000, "0.004"),
            (100, 800_000, "0.005"),
            (75, 3_000_000, "0.0065"),
            (50, 12_000_000, "0.01"),
            (25, 70_000_000, "0.02"),
            (20, 100_000_000, "0.025"),
            (10, 230_000_000, "0.05"),
            (5, 480_000_000, "0.1"),
            (4, 600_000_000, "0.125"),
            (3, 800_000_000, "0.15"),
            (2, 1_200_000_000, "0.25"),
            (1, 1_800_000_000, "0.5"),
        ),
    ),
    "ETHUSDT": InstrumentTerms(
        tick="0.01",
        price_guards=True,
        lot="0.001",
        price=3_000,
        min_notional=20,
        max_price=306_177,
        max_quantity=10_000,
        market_max_quantity=2_000,
        brackets=_brackets(
            (125, 300_000, "0.004"),
            (100, 800_000, "0.005"),
            (75, 3_000_000, "0.0065"),
            (50, 12_000_000, "0.01"),
            (25, 50_000_000, "0.02"),
            (20, 65_000_000, "0.025"),
            (10, 150_000_000, "0.05"),
            (5, 320_000_000, "0.1"),
            (4, 400_000_000, "0.125"),
            (3, 530_000_000, "0.15"),
            (2, 800_000_000, "0.25"),
            (1, 1_200_000_000, "0.5"),
        ),
    ),
    "SOLUSDT": InstrumentTerms(
        tick="0.01",
        price_guards=True,
        lot="0.1",
        price=150,
        price_decimals=4,
        min_notional=5,
        max_price=6_857,
        max_quantity=1_000_000,
        market_max_quantity=10_000,
        brackets=_brackets(
            (100, 100_000, "0.005"),
            (75, 500_000, "0.0065"),
            (50, 1_000_000, "0.01"),
            (25, 5_000_000, "0.02"),
            (20, 10_000_000, "0.025"),
            (10, 25_000_000, "0.05"),
            (5, 50_000_000, "0.1"),
            (4, 60_000_000, "0.125"),
            (3, 80_000_000, "0.15"),
            (2, 120_000_000, "0.25"),
            (1, 180_000_000, "0.5"),
        ),
    ),
}
"""The contracts of a venue that is told nothing; brackets in the manner of Binance's."""


def specify(symbol: str, terms: InstrumentTerms, *, configured: bool = False) -> Instrument:
    """The engine's specification of `terms`.

    Raises:
        ConfigError: a value is no number, does not fit its grid, or cannot be traded.
    """
    reader = _Reader(symbol, terms)
    spec = reader.spec()
    fault = find_spec_fault(spec)
    if fault:
        raise ConfigError(f"instruments.{symbol}: {fault}")
    ticks = reader.ticks("price", terms.price)
    if ticks > spec.max_ticks:
        largest = _plain(reader.tick * spec.max_ticks)
        raise ConfigError(f"instruments.{symbol}.price: is beyond the largest price, {largest}")
    return Instrument(spec, ticks, configured)


def describe(spec: InstrumentSpec, index_ticks: int) -> InstrumentTerms:
    """The terms that `specify` would turn into `spec`: what a change of some terms starts from."""

    def price(ticks: int) -> str:
        return _text(ticks * spec.tick_units, spec.price_precision)

    def quantity(lots: int) -> str:
        return _text(lots * spec.lot_units, spec.quantity_precision)

    return InstrumentTerms(
        tick=price(1),
        lot=quantity(1),
        price=price(index_ticks),
        base=spec.base_asset,
        quote=spec.quote_asset,
        price_decimals=spec.price_precision,
        quantity_decimals=spec.quantity_precision,
        min_price=price(spec.min_ticks),
        max_price=price(spec.max_ticks),
        min_quantity=quantity(spec.min_lots),
        max_quantity=quantity(spec.max_lots),
        market_max_quantity=quantity(spec.market_max_lots),
        min_notional=_text(spec.min_notional, MONEY_DECIMALS),
        max_orders=spec.max_orders,
        price_guards=spec.guards_prices,
        maker_fee=_text(spec.maker_fee_ppm, PPM_DECIMALS),
        taker_fee=_text(spec.taker_fee_ppm, PPM_DECIMALS),
        leverage=spec.default_leverage,
        funding_hours=spec.funding_hours,
        funding_cap=_text(spec.funding_cap_ppm, PPM_DECIMALS),
        funding_interest=_text(spec.interest_ppm, PPM_DECIMALS),
        brackets=tuple(
            BracketTerms(
                bracket.max_leverage,
                _text(bracket.notional_cap, MONEY_DECIMALS),
                _text(bracket.maintenance_ppm, PPM_DECIMALS),
            )
            for bracket in spec.brackets
        ),
    )


def change_terms(
    symbol: str, table: Mapping[str, Any], old: InstrumentTerms | None
) -> InstrumentTerms:
    """`old` with the terms that `table` gives; without `old` it must give tick, lot and price.

    A new tick or lot takes decimals and bounds that follow from it along.

    Raises:
        ConfigError: a term is unknown, missing or of the wrong type.
    """
    given = dict(table) if old is None else {**_inherit(old, table), **table}
    try:
        return msgspec.convert(given, InstrumentTerms)
    except msgspec.ValidationError as error:
        raise ConfigError(name_fault(error, f"instruments.{symbol}")) from None


def _inherit(old: InstrumentTerms, table: Mapping[str, Any]) -> dict[str, Any]:
    terms: dict[str, Any] = msgspec.to_builtins(old)
    for grid, dependent in _DEPENDENT.items():
        if grid in table and not _is_same(table[grid], terms[grid]):
            for key in dependent:
                del terms[key]
    return terms


_DEPENDENT = {
    "tick": ("price_decimals", "min_price", "max_price"),
    "lot": ("quantity_decimals", "min_quantity", "max_quantity", "market_max_quantity"),
}


def _is_same(one: object, other: object) -> bool:
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False


def check_same_grid(old: InstrumentSpec, new: InstrumentSpec) -> None:
    """Orders that live on count in ticks and lots, so those keep their size.

    Raises:
        ConfigError: they differ.
    """
    before, after = describe(old, 1), describe(new, 1)
    if not (_is_same(before.tick, after.tick) and _is_same(before.lot, after.lot)):
        tick, lot = _plain(Decimal(before.tick)), _plain(Decimal(before.lot))
        raise ConfigError(
            f"instruments.{new.symbol}: tick and lot must stay what they were, {tick} and {lot}"
        )


def name_fault(error: msgspec.ValidationError, prefix: str = "") -> str:
    """Turns "Expected `int`, got `str` - at `$.port`" into "port: expected int, got str"."""
    message, _, where = str(error).replace("`", "").partition(" - at ")
    where = (prefix + where.removeprefix("$").replace("[...]", "")).strip(".")
    message = message[0].lower() + message[1:]
    return f"{where}: {message}" if where else message


def _round_down(number: int) -> int:
    """To one significant digit.

    >>> _round_down(46_116), _round_down(7), _round_down(0)
    (40000, 7, 0)
    """
    step = int(10 ** (len(str(number)) - 1))
    return number // step * step


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _text(units: int, decimals: int) -> str:
    return f"{Decimal(units).scaleb(-decimals):f}"


class _Reader:
    """Reads one instrument's text on the grid of its own tick and lot."""

    def __init__(self, symbol: str, terms: InstrumentTerms) -> None:
        self.symbol = symbol
        self.terms = terms
        self.tick = self._positive("tick", terms.tick)
        self.lot = self._positive("lot", terms.lot)

    def spec(self) -> InstrumentSpec:
        symbol, terms = self.symbol, self.terms
        price_precision = self._decimals("price_decimals", terms.price_decimals, self.tick)
        quantity_precision = self._decimals("quantity_decimals", terms.quantity_decimals, self.lot)
        tick_units = self._scaled("tick", terms.tick, price_precision)
        lot_units = self._scaled("lot", terms.lot, quantity_precision)
        max_ticks, max_lots = self._largest()
        brackets = self._brackets()
        return InstrumentSpec(
            symbol=symbol,
            base_asset=terms.base or symbol.removesuffix(terms.quote) or symbol,
            quote_asset=terms.quote,
            price_precision=price_precision,
            quantity_precision=quantity_precision,
            tick_units=tick_units,
            lot_units=lot_units,
            min_ticks=self._bound("min_price", terms.min_price, self.tick, 1),
            max_ticks=max_ticks,
            min_lots=self._bound("min_quantity", terms.min_quantity, self.lot, 1),
            max_lots=max_lots,
            market_max_lots=self._bound(
                "market_max_quantity", terms.market_max_quantity, self.lot, max_lots
            ),
            min_notional=self.money("min_notional", terms.min_notional),
            max_orders=terms.max_orders,
            maker_fee_ppm=self.ppm("maker_fee", terms.maker_fee),
            taker_fee_ppm=self.ppm("taker_fee", terms.taker_fee),
            default_leverage=terms.leverage,
            brackets=brackets,
            funding_hours=terms.funding_hours,
            funding_cap_ppm=self._funding_cap(brackets[0]) if brackets else 0,
            interest_ppm=self.ppm("funding_interest", terms.funding_interest),
            guards_prices=terms.price_guards,
        )

    def _largest(self) -> tuple[int, int]:
        """The largest price in ticks and the largest quantity in lots.

        The engine counts ticks x lots x unit below `NOTIONAL_LIMIT`. What the
        terms leave open gives way to that; what they say is refused beyond it.
        """
        terms = self.terms
        room = int((NOTIONAL_LIMIT - 1) / (self.tick * self.lot * MONEY_ONE))
        ticks = self.ticks("price", terms.price) * PRICE_ROOM
        lots = LOTS_MAX
        if terms.max_quantity is not None:
            lots = self._bound("max_quantity", terms.max_quantity, self.lot, 1)
            ticks = max(1, min(ticks, room // lots))
        if terms.max_price is not None:
            ticks = self._bound("max_price", terms.max_price, self.tick, 1)
        if terms.max_quantity is None:
            lots = max(1, min(lots, _round_down(room // ticks)))
        if ticks * lots > room:
            raise self._too_large(ticks, lots)
        return ticks, lots

    def _too_large(self, ticks: int, lots: int) -> ConfigError:
        terms = self.terms
        given = {"max_price": terms.max_price, "max_quantity": terms.max_quantity}
        named = " and ".join(key for key, value in given.items() if value is not None)
        return self._error(
            named or "price",
            f"the largest price {_plain(self.tick * ticks)} times the largest quantity "
            f"{_plain(self.lot * lots)} must stay below {NOTIONAL_LIMIT // MONEY_ONE}",
        )

    def ticks(self, key: str, number: Number) -> int:
        return self._whole(key, self._positive(key, number) / self.tick, "a multiple of the tick")

    def money(self, key: str, number: Number) -> int:
        return self._scaled(key, number, MONEY_DECIMALS)

    def ppm(self, key: str, number: Number) -> int:
        return self._whole(key, self._decimal(key, number) * PPM, "in steps of 0.000001")

    def _funding_cap(self, first: Bracket) -> int:
        if self.terms.funding_cap is None:
            return default_cap_ppm(first.maintenance_ppm)
        return self.ppm("funding_cap", self.terms.funding_cap)

    def _brackets(self) -> tuple[Bracket, ...]:
        """Each bracket's `cum` makes the maintenance margin continuous at its floor.

        cum = floor x (rate - rate before) + cum before; the source is the
        published rule for maintenance amounts.
        """
        brackets: list[Bracket] = []
        floor = rate_before = cum = 0
        for row in self.terms.brackets:
            cap, rate = self.money("brackets.cap", row.cap), self.ppm("brackets.rate", row.rate)
            cum += floor * (rate - rate_before) // PPM
            brackets.append(Bracket(row.leverage, floor, cap, rate, cum))
            floor, rate_before = cap, rate
        return tuple(brackets)

    def _bound(self, key: str, number: Number | None, grid: Decimal, default: int) -> int:
        if number is None:
            return default
        name = "tick" if grid is self.tick else "lot"
        return self._whole(key, self._positive(key, number) / grid, f"a multiple of the {name}")

    def _decimals(self, key: str, given: int | None, grid: Decimal) -> int:
        exponent = grid.normalize().as_tuple().exponent
        needed = max(0, -exponent) if isinstance(exponent, int) else 0
        if given is not None and not needed <= given <= MONEY_DECIMALS:
            raise self._error(key, f"must lie between {needed} and {MONEY_DECIMALS}")
        return needed if given is None else given

    def _scaled(self, key: str, number: Number, decimals: int) -> int:
        scaled = self._decimal(key, number).scaleb(decimals)
        return self._whole(key, scaled, f"a number of at most {decimals} decimals")

    def _positive(self, key: str, number: Number) -> Decimal:
        value = self._decimal(key, number)
        if value <= 0:
            raise self._error(key, "must be positive")
        return value

    def _decimal(self, key: str, number: Number) -> Decimal:
        if _NUMBER.fullmatch(str(number)) is None or abs(value := Decimal(number)) > 10**12:
            raise self._error(key, f"'{number}' is not a usable number")
        return value

    def _whole(self, key: str, value: Decimal, rule: str) -> int:
        if value != int(value):
            raise self._error(key, f"must be {rule}")
        return int(value)

    def _error(self, key: str, message: str) -> ConfigError:
        return ConfigError(f"instruments.{self.symbol}.{key}: {message}")
