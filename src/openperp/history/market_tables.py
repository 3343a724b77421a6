"""Rows of the market's past in SQLite: written by one thread, in its open transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from openperp.history.file import Connection
from openperp.history.keys import MARKET_ACCOUNT, bar_series, encode_row, funding_id
from openperp.history.market import (
    STEPS_KEPT,
    AggTrade,
    BarKind,
    Funding,
    Income,
    MarginChange,
    MarginStep,
    Statistics,
    Trade,
)
from openperp.history.market_rows import BarRows, MarketRows
from openperp.history.tables import ID_MASK, Owners, Table, insert

TABLES: Final = (
    "instruments",
    "wallets",
    "holdings",
    "trades",
    "agg_trades",
    "income",
    "margin_changes",
    "margin_steps",
    "fundings",
    "bars",
    "statistics",
)

TRADES: Final = Table("trades", Trade, 0, "time_ms")
AGG_TRADES: Final = Table("agg_trades", AggTrade, 0, "time_ms")
FUNDINGS: Final = Table("fundings", Funding, 0, "time_ms")
INCOME: Final = Table("income", Income, 0, "time_ms", "kind")
MARGIN_STEPS: Final = Table("margin_steps", MarginStep, 0, "time_ms")
MARGIN_CHANGES: Final = Table("margin_changes", MarginChange, 0, "time_ms", "removes")

_encode = msgspec.msgpack.Encoder().encode


def write_market(connection: Connection, owners: Owners, rows: MarketRows) -> None:
    """Writes what a memory has sealed."""
    if rows.cleared:
        for table in TABLES:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
    for symbol, trades in rows.trades.items():
        base = owners.base(MARKET_ACCOUNT, symbol)
        insert(connection, "trades", ((base | each.trade_id, _encode(each)) for each in trades))
    for symbol, agg_trades in rows.agg_trades.items():
        base = owners.base(MARKET_ACCOUNT, symbol)
        keyed = ((base | each.agg_id, _encode(each)) for each in agg_trades)
        insert(connection, "agg_trades", keyed)
    for (symbol, kind), bars in rows.bars.items():
        insert(connection, "bars", _bar_values(owners.number(symbol), kind, bars))
    for symbol, statistics in rows.statistics.items():
        insert(connection, "statistics", _statistics_values(owners.number(symbol), statistics))
    insert(connection, "income", (_income_values(owners, income) for income in rows.income))
    changes = (_margin_values(owners, change) for change in rows.margin_changes)
    insert(connection, "margin_changes", changes)
    _write_margin_steps(connection, owners, rows.margin_steps)
    insert(connection, "fundings", (_funding_values(owners, each) for each in rows.fundings))
    insert(connection, "instruments", rows.instruments.items())
    insert(connection, "wallets", ((account, *each) for account, each in rows.wallets.items()))
    _write_holdings(connection, rows)
    if rows.checkpoint is not None:
        connection.execute(
            "UPDATE market SET position = ?, time_ms = ?, next_tran_id = ?", rows.checkpoint
        )


def _bar_values(owner: int, kind: BarKind, bars: BarRows) -> Iterable[Sequence[Any]]:
    for interval, by_time in bars.items():
        series = bar_series(owner, kind, interval)
        for open_ms, bar in by_time.items():
            yield series, open_ms, encode_row(bar)


def _statistics_values(owner: int, rows: dict[int, Statistics]) -> Iterable[Sequence[Any]]:
    return ((owner, time_ms, encode_row(row)) for time_ms, row in rows.items())


def _income_values(owners: Owners, income: Income) -> Sequence[Any]:
    key = owners.base(income.account, income.symbol) | income.tran_id
    return key, income.kind, _encode(income)


def _margin_values(owners: Owners, change: MarginChange) -> Sequence[Any]:
    key = owners.base(change.account, change.symbol) | change.change_id
    return key, change.amount < 0, _encode(change)


def _write_margin_steps(connection: Connection, owners: Owners, steps: list[MarginStep]) -> None:
    """Of each account the newest stay."""
    base = owners.base
    insert(
        connection,
        "margin_steps",
        ((base(step.account, "") | step.step_id, _encode(step)) for step in steps),
    )
    for account in dict.fromkeys(step.account for step in steps):
        first = base(account, "")
        connection.execute(
            "DELETE FROM margin_steps WHERE key >= ? AND key <= (SELECT key FROM margin_steps"
            " WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1 OFFSET ?)",
            (first, first, first | ID_MASK, STEPS_KEPT),
        )


def _funding_values(owners: Owners, funding: Funding) -> Sequence[Any]:
    key = owners.base(MARKET_ACCOUNT, funding.symbol) | funding_id(funding)
    return key, _encode(funding)


def _write_holdings(connection: Connection, rows: MarketRows) -> None:
    """What is held no more leaves no row."""
    held = ((*key, lots) for key, lots in rows.holdings.items() if lots)
    insert(connection, "holdings", held)
    gone = [key for key, lots in rows.holdings.items() if not lots]
    connection.execute_many(
        "DELETE FROM holdings WHERE account = ? AND symbol = ? AND side = ?", gone
    )
