"""A month of funding: what time costs while nobody trades, and while prices move."""

import statistics
import time
from collections.abc import Iterator

from msgspec.structs import replace

from benchmarks.market import INDEX_TICKS, INSTRUMENT, START_MS
from benchmarks.options import Options
from benchmarks.report import Section, progress, spread
from openperp.engine.apply import apply
from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineInstrument,
    OpenVenue,
    PlaceOrder,
    Pulse,
    Record,
    SetPrice,
)
from openperp.engine.events import FundingSettled
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import State
from openperp.engine.terms import OrderType, Side

DAYS = 30
DAY_MS = 24 * 3_600_000
SYMBOLS = tuple(f"C{number}USDT" for number in range(10))
HOLDERS = 100
"""Accounts with a position in each market."""


def run(options: Options) -> Section:
    section = Section(
        f"Funding: {DAYS} days of {len(SYMBOLS)} markets with {HOLDERS} positions in each",
        ("what", "seconds"),
    )
    ways = {
        "quiet": ("nothing but time", DAYS * DAY_MS),
        "hourly": ("a price in each market every hour", 3_600_000),
    }
    share = min(1.0, options.commands / 20_000)
    for name, (text, step_ms) in ways.items():
        progress(f"funding: {text}")
        seconds = [_measure(step_ms, share) for _ in range(min(3, options.rounds))]
        section.rows.append((text, spread(seconds, 2)))
        section.figures[f"funding.{name}_s"] = statistics.median(seconds)
    section.notes.append(
        f"Funding every 8 hours, the mark price by the formula, a book that stands off the "
        f"index: {DAYS * 3 * len(SYMBOLS)} fundings and {DAYS * DAY_MS // 5_000:,} samples."
    )
    return section


def _measure(step_ms: int, share: float) -> float:
    """Seconds of a month, or of a share of it, in steps of so many milliseconds."""
    state = State()
    for command in _opening():
        apply(state, Record(state.seq + 1, START_MS, command))
    settled = 0
    days = max(1, int(DAYS * share))
    end_ms = START_MS + days * DAY_MS
    started = time.perf_counter()
    for time_ms in range(min(START_MS + step_ms, end_ms), end_ms + 1, step_ms):
        for command in _move(time_ms) if step_ms < DAY_MS else (Pulse(),):
            applied = apply(state, Record(state.seq + 1, time_ms, command))
            settled += sum(isinstance(event, FundingSettled) for event in applied.events)
    took = time.perf_counter() - started
    assert settled == days * 3 * len(SYMBOLS)
    return took


def _opening() -> Iterator[Command]:
    yield OpenVenue("ztdx", liquidates=True)
    for symbol in SYMBOLS:
        terms = replace(INSTRUMENT.spec, symbol=symbol, funding_hours=8, funding_cap_ppm=3_000)
        yield DefineInstrument(terms, INDEX_TICKS)
    for number in range(HOLDERS + 1):
        yield CreateAccount(f"account-{number}", 10_000_000 * MONEY_ONE)
    for symbol in SYMBOLS:
        yield SetPrice(symbol, INDEX_TICKS, formula=True)
        for account in range(1, HOLDERS + 1):
            side = Side.BUY if account % 2 else Side.SELL
            yield PlaceOrder(account, symbol, side, OrderType.LIMIT, 100, INDEX_TICKS)
        for side in Side:
            ticks = INDEX_TICKS + 300 - 100 * side
            yield PlaceOrder(HOLDERS + 1, symbol, side, OrderType.LIMIT, 10_000, ticks)


def _move(time_ms: int) -> Iterator[Command]:
    for number, symbol in enumerate(SYMBOLS):
        yield SetPrice(symbol, INDEX_TICKS + (time_ms // 3_600_000 + number) % 60, formula=True)
