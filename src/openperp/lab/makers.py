"""What the house traders of the demo market do in one second, as a pure function.

Three makers quote a ladder around the index and one taker trades small
amounts with them. Makers take turns, so that a second replaces a third of the
quotes; a maker whose quotes are gone or far from the index does not wait for
its turn. Everything is read from the engine's state and nothing is
remembered, so that a reset, a restart or an operator's price needs no care.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from openperp.engine.commands import (
    Batch,
    CancelAllOrders,
    CreateAccount,
    Deposit,
    PlaceOrder,
    SetLeverage,
    SetPrice,
    Single,
)
from openperp.engine.lookup import accepts_orders
from openperp.engine.margin import available_balance
from openperp.engine.numbers import MONEY_ONE, PPM
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.terms import OrderType, Side
from openperp.lab.prices import generator, next_ticks

MAKERS = ("house-maker-1", "house-maker-2", "house-maker-3")
TAKER = "house-taker"
POCKET = 1_000_000_000 * MONEY_ONE
"""First deposit of a house account, and what it is topped up by when half is used."""
LEVERAGE = 1
"""The house borrows nothing: the widest position limits, and no liquidation."""

INVENTORY = 50_000_000 * MONEY_ONE
"""Notional at which a maker stops adding to a position, where the brackets allow that much."""
SKEW_PPM = 300
"""How far a maker with a full inventory moves its quotes, to be rid of it."""
STALE_PPM = 500
"""A maker whose best quotes are centred this far from the index quotes at once."""
TAKER_INVENTORY = 200_000 * MONEY_ONE
"""Notional of one position at which the taker only trades back."""
TAKE_ONE_IN = 3
"""The taker trades in one second of so many, by chance."""
TAKE_MIN = 100 * MONEY_ONE
TAKE_MAX = 6_000 * MONEY_ONE


class Rung(NamedTuple):
    """One level of the ladder: distances in ppm of the index, size as money."""

    distance_ppm: int
    spacing_ppm: int
    notional: int


LADDER = (
    Rung(30, 20, 30_000 * MONEY_ONE),
    Rung(160, 70, 250_000 * MONEY_ONE),
    Rung(700, 350, 2_000_000 * MONEY_ONE),
)
"""Each maker stands one spacing behind the one before it."""


def find_setup(state: State) -> Batch | None:
    """The accounts that the house still needs, if any."""
    missing = [name for name in (*MAKERS, TAKER) if name not in state.account_ids]
    if not missing:
        return None
    return Batch(tuple(CreateAccount(name, POCKET, house=True) for name in missing))


def is_quoted(state: State, symbol: str) -> bool:
    """Whether any maker has orders on `symbol`."""
    for name in MAKERS:
        number = state.account_ids.get(name)
        position = None if number is None else state.accounts[number].positions.get(symbol)
        if position is not None and position.order_count:
            return True
    return False


def plan_second(
    state: State, symbol: str, seed: int, second: int, seconds: int = 1
) -> Batch | None:
    """What the house does on `symbol` in one second of venue time.

    `seconds` is the time since it last acted, which widens the price move; in three
    of them every maker had its turn, and a trade is certain. The house rests while
    the venue or the market is not in its normal mode, and before its accounts exist.
    """
    market = state.markets[symbol]
    if not accepts_orders(state, market) or find_setup(state):
        return None
    random = generator(seed, symbol, second)
    index = next_ticks(market.index_ticks, market.spec, random, seconds)
    commands: list[Single] = []
    if index != market.index_ticks or not market.formula:
        commands.append(SetPrice(symbol, index, formula=True, moves_asset=True))
    ladders: list[Single] = []
    for turn, name in enumerate(MAKERS):
        account = state.accounts[state.account_ids[name]]
        position = account.positions.get(symbol)
        has_turn = seconds >= len(MAKERS) or second % len(MAKERS) == turn
        if has_turn or _is_stale(account, symbol, index):
            commands += _prepare(account, market, position)
            ladders += _quote(account.account_id, market, position, index, turn, random)
    commands += ladders
    commands += _take(state, market, index, random, seconds)
    return Batch(tuple(commands)) if commands else None


def _is_stale(account: Account, symbol: str, index: int) -> bool:
    """Whether quotes are missing on a side, or centred far from `index` (ticks)."""
    bid = ask = 0
    for order in account.client_ids.values():
        if order.symbol != symbol:
            continue
        if order.side == Side.BUY:
            bid = max(bid, order.ticks)
        elif ask == 0 or order.ticks < ask:
            ask = order.ticks
    if bid == 0 or ask == 0:
        return True
    return abs(bid + ask - 2 * index) * PPM > 2 * index * STALE_PPM


def _prepare(account: Account, market: Market, position: Position | None) -> Iterator[Single]:
    """Clears the old quotes and sees to leverage and funds."""
    if position is None or position.leverage != LEVERAGE:
        yield SetLeverage(account.account_id, market.spec.symbol, LEVERAGE)
    elif position.order_count:
        yield CancelAllOrders(account.account_id, market.spec.symbol)
    if available_balance(account) < POCKET // 2:
        yield Deposit(account.name, market.spec.quote_asset, POCKET)


def _quote(
    account: int, market: Market, position: Position | None, index: int, turn: int, random: Random
) -> Iterator[Single]:
    """Both sides of one maker's ladder around `index`, skewed against its position."""
    most = max(1, min(INVENTORY, market.spec.notional_cap(LEVERAGE) // 2))
    held = position.lots * index * market.unit if position else 0
    held = min(max(held, -most), most)
    centre = index - index * SKEW_PPM * held // (PPM * most)
    for rung in LADDER:
        distance_ppm = rung.distance_ppm + turn * rung.spacing_ppm
        for side in (Side.BUY, Side.SELL):
            jitter_ppm = random.randrange(rung.spacing_ppm)
            ticks = centre - side * max(1, index * (distance_ppm + jitter_ppm) // PPM)
            notional = rung.notional * random.randint(60, 140) // 100
            if held * side > 0:
                notional = notional * (most - abs(held)) // most
            lots = _to_lots(market, notional, ticks)
            if lots and ticks <= market.spec.max_ticks:
                yield PlaceOrder(
                    account, market.spec.symbol, side, OrderType.LIMIT, lots=lots, ticks=ticks
                )


def _take(
    state: State, market: Market, index: int, random: Random, seconds: int
) -> Iterator[Single]:
    """Now and then a small market order, more likely back to a flat position."""
    if random.randrange(TAKE_ONE_IN) >= seconds:
        return
    account = state.accounts[state.account_ids[TAKER]]
    position = account.positions.get(market.spec.symbol)
    held = position.lots * index * market.unit if position else 0
    side = Side.BUY if random.randrange(-TAKER_INVENTORY, TAKER_INVENTORY) >= held else Side.SELL
    lots = _to_lots(market, random.randint(TAKE_MIN, TAKE_MAX), index)
    if lots:
        if available_balance(account) < POCKET // 2:
            yield Deposit(account.name, market.spec.quote_asset, POCKET)
        yield PlaceOrder(
            account.account_id,
            market.spec.symbol,
            side,
            OrderType.MARKET,
            lots=min(lots, market.spec.market_max_lots),
        )


def _to_lots(market: Market, notional: int, ticks: int) -> int:
    """Lots worth about `notional`, raised to what the market accepts; zero for none."""
    spec = market.spec
    if ticks < spec.min_ticks or notional <= 0:
        return 0
    value = ticks * market.unit
    smallest = max(spec.min_lots, -(-spec.min_notional // value))
    return min(max(notional // value, smallest), spec.max_lots)
