"""The form of a snapshot: what a dump holds of each thing, in which order, since which version.

A field once added keeps its place for ever; a new one goes to the end with its
old meaning as default, and `VERSION` rises.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from openperp.engine.assets import AssetSpec
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.order import Order
from openperp.engine.terms import (
    Mode,
    OrderScope,
    OrderStatus,
    OrderType,
    PositionSide,
    PriceMatch,
    Side,
    StpMode,
    TimeInForce,
    WorkingType,
)

ENUM_FIELDS: dict[str, Callable[[int], Any]] = {
    "side": Side,
    "type": OrderType,
    "original_type": OrderType,
    "time_in_force": TimeInForce,
    "status": OrderStatus,
    "position_side": PositionSide,
    "working_type": WorkingType,
    "stp": StpMode,
    "price_match": PriceMatch,
}
"""Fields of an order that a dump holds as plain numbers."""

_DERIVED = frozenset(
    {
        "chain_next",
        "chain_prev",
        "extreme",
        "frozen",
        "indexed",
        "level_next",
        "level_prev",
        "opening_lots",
        "origin",  # what lives on is its account's own
        "is_dormant",
        "position_key",
        "remaining_lots",
        "resting",
        "to_record",
    }
)
_ADDED_FIELDS = ("amendments", "stp", "expires_ms", "price_match")
ORDER_FIELDS = (
    *[
        name
        for name in dir(Order)
        if not name.startswith("_") and name not in _DERIVED and name not in _ADDED_FIELDS
    ],
    *_ADDED_FIELDS,
)
"""What a dump holds of an order: all but what loading derives.

The fields of version 1 in alphabetical order, then those that came since.
"""

CONSTRUCTED = (
    "order_id",
    "client_id",
    "account",
    "symbol",
    "side",
    "type",
    "time_in_force",
    "ticks",
    "lots",
    "created_ms",
)
"""The fields that an order is made with, in that order; the others are set afterwards."""


class MarketDump(msgspec.Struct, array_like=True):
    """`bids` and `asks` list resting order ids by priority."""

    spec: InstrumentSpec
    instrument_id: int
    initial_ticks: int
    index_ticks: int
    mark_ticks: int
    last_ticks: int
    traded: bool
    priced_ms: int
    traded_ms: int
    mode: Mode
    update_id: int
    bids: list[int]
    asks: list[int]
    formula: bool = False
    basis: list[int] = []
    premium: int = 0
    premium_sum: int = 0
    period_ms: int = 0
    funding_ms: int = 0
    funding_rate: int = 0


class PositionDump(msgspec.Struct, array_like=True):
    symbol: str
    lots: int
    entry_cost: int
    leverage: int
    updated_ms: int
    epoch: int
    buys: list[int]
    sells: list[int]
    reducers: list[int]
    side: PositionSide = PositionSide.BOTH
    realized: int = 0
    isolated: bool = False
    isolated_wallet: int = 0


class AccountDump(msgspec.Struct, array_like=True):
    account_id: int
    name: str
    first_deposit: int
    house: bool
    wallet: int
    updated_ms: int
    waiting: list[int]
    positions: list[PositionDump]
    hedge: bool = False
    fee_tier: int = 0
    multi_assets: bool = False
    balances: list[tuple[str, int]] = []


class AssetDump(msgspec.Struct, array_like=True):
    spec: AssetSpec
    index: int
    net_deposits: int


class KeyDump(msgspec.Struct, array_like=True):
    api_key: str
    account: int
    kind: str
    sealed_secret: bytes
    permissions: tuple[str, ...]
    ips: tuple[str, ...]


class StateDump(msgspec.Struct, array_like=True):
    version: int
    seq: int
    time_ms: int
    dialect: str
    larger_side_margin: bool
    separate_trigger_ids: bool
    mode: Mode
    order_limits: bool
    next_order_id: int
    next_trade_id: int
    fee_account: int
    insurance: int
    net_deposits: int
    markets: list[MarketDump]
    accounts: list[AccountDump]
    keys: list[KeyDump]
    orders: list[tuple[Any, ...]]
    families: list[tuple[int, list[int]]]
    next_amendment_id: int = 1
    countdowns: list[tuple[int, str, int, OrderScope]] = []
    displaces_reducers: bool = False
    assets: list[AssetDump] = []
    order_life_ms: int = 0
    liquidates: bool = False
    bounds_stakes: bool = False
    single_closers: bool = False
    names_fired_orders: bool = False
    isolated_pays: bool = False
    bounds_sweeps: bool = False


VERSION = 18
READABLE = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, VERSION})
"""Versions that can be loaded: what an older one lacks has its default."""
