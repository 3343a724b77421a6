"""What a mark price costs that ruins nobody, however many have positions, and one that does.

Every account has one position of 0.01 BTC at 60000, half of them long and half short,
and a stop that does not fire. The mark price jumps about within 0.5 %, while the longs are
ruined at 5.6 % below. The tick that ruins them all finds a bid for all of them, or none.
"""

import gc
import statistics
import time
from random import Random

from benchmarks.market import INDEX_TICKS, INSTRUMENT, START_MS, SYMBOL
from benchmarks.options import Options
from benchmarks.report import Section, progress, spread
from openperp.engine.apply import apply
from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineInstrument,
    OpenVenue,
    PlaceOrder,
    Record,
    SetOrderLimits,
    SetPrice,
)
from openperp.engine.liquidation_events import LiquidationStarted
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import State
from openperp.engine.terms import OrderType, Side, WorkingType

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
RUINED = 1_000
LOTS = 10
LONG_DEPOSIT = 36 * MONEY_ONE
SHORT_DEPOSIT = 48 * MONEY_ONE
BID_TICKS = INDEX_TICKS * 942 // 1_000
RUIN_TICKS = INDEX_TICKS * 943 // 1_000
"""Between the price at which a long is due and that at which it is bankrupt, as is the bid."""
BOOK = "somebody takes them"
NOBODY = "deleveraging"


def run(options: Options) -> Section:
    section = Section(
        "Mark price: CPU per tick, and of one that ruins many",
        ("what", "cost"),
    )
    medians = []
    for name, size in SIZES.items():
        positions = min(size, options.resting_max)
        progress(f"liquidations: {positions:,} positions")
        state = _open(positions)
        _give_stops(state)
        medians.append(_measure_ticks(section, name, state, options))
    ratio = medians[-1] / medians[0]
    section.figures["liquidations.ratio_100k"] = ratio
    section.notes.append(f"From the fewest to the most: {ratio:.2f} x (aim: at most 2).")
    for word in (BOOK, NOBODY):
        _measure_ruin(section, word, min(RUINED, options.resting_max), options)
    return section


def _measure_ticks(section: Section, name: str, state: State, options: Options) -> float:
    gc.collect()
    gc.freeze()
    random = Random(1)
    costs = []
    count = options.commands // 4
    for _ in range(options.rounds):
        records = [
            Record(
                state.seq + 1 + number,
                START_MS,
                SetPrice(SYMBOL, INDEX_TICKS + random.randint(-3_000, 3_000), keeps_last=True),
            )
            for number in range(count)
        ]
        started = time.process_time_ns()
        for record in records:
            apply(state, record)
        costs.append((time.process_time_ns() - started) / count)
    gc.unfreeze()
    section.rows.append((f"tick, {name} positions and stops", f"{spread(costs, 0)} ns"))
    median = statistics.median(costs)
    section.figures[f"liquidations.tick_{name}_ns"] = median
    return median


def _measure_ruin(section: Section, word: str, ruined: int, options: Options) -> None:
    """A tick that ruins every long."""
    costs = []
    for number in range(min(3, options.rounds)):
        progress(f"liquidations: {ruined:,} accounts in one tick, {word}, round {number + 1}")
        state = _open(2 * ruined)
        if word == BOOK:
            _do(state, CreateAccount("taker", 10**9 * MONEY_ONE))
            lots = LOTS * ruined
            taker = len(state.accounts)
            _order(state, taker, Side.BUY, OrderType.LIMIT, lots, BID_TICKS)
        tick = SetPrice(SYMBOL, RUIN_TICKS, keeps_last=True)
        gc.collect()
        started = time.process_time_ns()
        events = apply(state, Record(state.seq + 1, START_MS, tick)).events
        costs.append((time.process_time_ns() - started) / 1e6)
        assert sum(isinstance(event, LiquidationStarted) for event in events) >= ruined
    section.rows.append((f"{ruined:,} accounts ruined at once, {word}", f"{spread(costs, 1)} ms"))
    figure = "book" if word == BOOK else "adl"
    section.figures[f"liquidations.ruin_{figure}_ms"] = statistics.median(costs)


def _open(positions: int) -> State:
    """A venue that liquidates, in which every account has a position."""
    state = State()
    _do(state, OpenVenue("ztdx", liquidates=True))
    _do(state, DefineInstrument(INSTRUMENT.spec, INDEX_TICKS))
    _do(state, SetOrderLimits(enabled=False))
    for number in range(positions):
        deposit = SHORT_DEPOSIT if number % 2 else LONG_DEPOSIT
        _do(state, CreateAccount(f"account-{number}", deposit))
    for buyer in range(1, positions, 2):
        _order(state, buyer, Side.BUY, OrderType.LIMIT, LOTS, INDEX_TICKS)
        _order(state, buyer + 1, Side.SELL, OrderType.LIMIT, LOTS, INDEX_TICKS)
    return state


def _give_stops(state: State) -> None:
    for account in state.accounts:
        side = Side.SELL if account % 2 else Side.BUY
        ticks = INDEX_TICKS - side * (INDEX_TICKS // 10 - account)
        _order(state, account, side, OrderType.STOP_MARKET, LOTS, 0, ticks)


def _order(
    state: State,
    account: int,
    side: Side,
    type: OrderType,
    lots: int,
    ticks: int,
    trigger_ticks: int = 0,
) -> None:
    _do(
        state,
        PlaceOrder(
            account,
            SYMBOL,
            side,
            type,
            lots,
            ticks,
            reduce_only=trigger_ticks > 0,
            trigger_ticks=trigger_ticks,
            working_type=WorkingType.MARK_PRICE,
        ),
    )


def _do(state: State, command: Command) -> None:
    apply(state, Record(state.seq + 1, START_MS, command))
