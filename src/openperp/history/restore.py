"""The memory of the market as a history file holds it."""

import sqlite3
from collections import deque
from typing import Any, TypeVar

import msgspec

from openperp.history.intervals import DAY
from openperp.history.keys import (
    ID_BITS,
    MARKET_ACCOUNT,
    bar_series,
    decode_bar,
    decode_statistics,
)
from openperp.history.market import AggTrade, Trade
from openperp.history.market_rows import Checkpoint, Wallet
from openperp.history.memory import MarketMemory, Memory
from openperp.history.track import Track

T = TypeVar("T")


def restore(connection: sqlite3.Connection) -> Memory:
    """Raises MsgspecError, UnicodeDecodeError or KeyError where rows are not what was written."""
    memory = Memory()
    for account, *wallet in _rows(connection, "SELECT * FROM wallets", tuple[int, int, int]):
        memory.ledger.set_wallet(account, Wallet(*wallet))
    holdings = "SELECT account, symbol, side, lots FROM holdings"
    for account, symbol, side, lots in _rows(connection, holdings, tuple[int, str, int, int]):
        memory.ledger.hold(account, symbol, side, lots)
    memory.ledger.forget_changes()
    for symbol, ticks in _rows(connection, "SELECT * FROM instruments", tuple[str, int]):
        memory.instruments[symbol] = ticks
    owners = f"SELECT owner, symbol FROM owners WHERE account = {MARKET_ACCOUNT}"  # noqa: S608
    for owner, symbol in _rows(connection, owners, tuple[int, str]):
        _restore_market(connection, owner, memory.find_market(symbol))
    (checkpoint,) = _rows(connection, "SELECT * FROM market", tuple[int, int, int])
    memory.restore(Checkpoint(*checkpoint))
    return memory


def _restore_market(connection: sqlite3.Connection, owner: int, market: MarketMemory) -> None:
    for track in market.tracks:
        _restore_track(connection, owner, track)
    if market.last.open is not None:
        series = bar_series(owner, market.last.kind, "1m")
        end_ms = market.last.open.open_ms
        rows = connection.execute(
            "SELECT CAST(record AS BLOB) FROM bars WHERE series = ?"
            " AND open_ms >= ? AND open_ms < ? ORDER BY open_ms",
            (series, end_ms - DAY, end_ms),
        )
        market.last.closed.extend(decode_bar(row[0]) for row in rows)
    _restore_newest(connection, "trades", owner, market.trades, Trade)
    _restore_newest(connection, "agg_trades", owner, market.agg_trades, AggTrade)
    row = connection.execute(
        "SELECT CAST(record AS BLOB) FROM statistics WHERE series = ?"
        " ORDER BY time_ms DESC LIMIT 1",
        (owner,),
    ).fetchone()
    market.statistics = None if row is None else decode_statistics(row[0])


def _restore_track(connection: sqlite3.Connection, owner: int, track: Track) -> None:
    for interval in (track.base, *track.longer):
        row = connection.execute(
            "SELECT CAST(record AS BLOB) FROM bars WHERE series = ? ORDER BY open_ms DESC LIMIT 1",
            (bar_series(owner, track.kind, interval),),
        ).fetchone()
        if row is None:
            continue
        if interval == track.base:
            track.open = track.sealed = decode_bar(row[0])
        else:
            track.sums[interval] = decode_bar(row[0])


def _restore_newest(
    connection: sqlite3.Connection, table: str, owner: int, recent: deque[T], type: type[T]
) -> None:
    decode = msgspec.msgpack.Decoder(type).decode
    rows = connection.execute(
        f"SELECT CAST(record AS BLOB) FROM {table} WHERE key BETWEEN ? AND ?"  # noqa: S608
        " ORDER BY key DESC LIMIT ?",
        (owner << ID_BITS, (owner + 1 << ID_BITS) - 1, recent.maxlen),
    ).fetchall()
    recent.extend(decode(row[0]) for row in reversed(rows))


def _rows(connection: sqlite3.Connection, statement: str, type: type[T]) -> list[T]:
    return [_check(row, type) for row in connection.execute(statement)]


def _check(row: Any, type: type[T]) -> T:
    return msgspec.convert(row, type)
