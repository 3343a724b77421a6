"""What successive records add to the market's past, as values on their way to the file."""

from typing import NamedTuple

from openperp.history.market import (
    AggTrade,
    Bar,
    BarKind,
    Funding,
    Income,
    MarginChange,
    MarginStep,
    Statistics,
    Trade,
)


class Checkpoint(NamedTuple):
    """Where the memory stood: the last record, its time, the next id of an income row."""

    position: int
    time_ms: int
    next_tran_id: int


class Wallet(NamedTuple):
    """Money: what an account has, and what it has again after a reset of the venue."""

    balance: int
    first_deposit: int


BarRows = dict[str, dict[int, Bar]]
"""Bars of one kind in one market, by interval and opening."""
HoldingKey = tuple[int, str, int]
"""An account, a symbol and a side of a position."""


class MarketRows:
    """Rows of one future transaction; a later one with the same key replaces the earlier.

    `cleared` says that everything before these rows is gone. One thread adds while others
    read: lists and dicts only grow.
    """

    __slots__ = (
        "agg_trades",
        "bars",
        "checkpoint",
        "cleared",
        "count",
        "fundings",
        "holdings",
        "income",
        "instruments",
        "margin_changes",
        "margin_steps",
        "statistics",
        "trades",
        "wallets",
    )

    def __init__(self) -> None:
        self.clear()
        self.cleared = False

    def clear(self) -> None:
        # New containers: a reader may be walking the old ones.
        self.cleared = True
        self.count = 0
        """Rows that make a transaction worth while; bars under way come along for nothing."""
        self.trades: dict[str, list[Trade]] = {}
        self.agg_trades: dict[str, list[AggTrade]] = {}
        self.bars: dict[tuple[str, BarKind], BarRows] = {}
        self.income: list[Income] = []
        self.margin_changes: list[MarginChange] = []
        self.margin_steps: list[MarginStep] = []
        self.fundings: list[Funding] = []
        self.statistics: dict[str, dict[int, Statistics]] = {}
        self.instruments: dict[str, int] = {}
        """Symbols with their index prices at the start and after a reset, in ticks."""
        self.wallets: dict[int, Wallet] = {}
        self.holdings: dict[HoldingKey, int] = {}
        self.checkpoint: Checkpoint | None = None

    def add_bar(self, symbol: str, kind: BarKind, interval: str, bar: Bar) -> None:
        rows = self.bars.setdefault((symbol, kind), {})
        rows.setdefault(interval, {})[bar.open_ms] = bar
        self.count += 1

    def add_income(self, income: Income) -> None:
        self.income.append(income)
        self.count += 1

    def add_margin_change(self, change: MarginChange) -> None:
        self.margin_changes.append(change)
        self.count += 1

    def add_margin_step(self, step: MarginStep) -> None:
        self.margin_steps.append(step)
        self.count += 1

    def add_funding(self, funding: Funding) -> None:
        self.fundings.append(funding)
        self.count += 1

    def add_statistics(self, symbol: str, row: Statistics) -> None:
        self.statistics.setdefault(symbol, {})[row.time_ms] = row
        self.count += 1
