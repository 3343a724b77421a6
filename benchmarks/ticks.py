"""What a mark price costs that fires nothing, however many orders wait, and one that fires.

Waiting are orders of all five types on both sides, two hundred to an account. Of the
trailing stops every other one has yet to activate; the rest follow the price. First the
mark price jumps about within 0.5 %, where nothing fires or activates; then it falls by a
tenth in fifty steps. What fires comes to a book that holds nothing else, where it rests,
trades or expires, and all of that is in its cost.
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
    SetPrice,
)
from openperp.engine.events import OrderTriggered
from openperp.engine.numbers import MONEY_ONE, PPM
from openperp.engine.state import State
from openperp.engine.terms import BUY, SELL, TAKE_PROFIT_TYPES, OrderType, Side, WorkingType

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
PER_ACCOUNT = 200
QUIET_TICKS = INDEX_TICKS // 200
"""How far the price goes either way without firing anything."""
FAR_TICKS = INDEX_TICKS // 10
FALLS = 50
CALLBACK_PPM = 20_000
TYPES = (
    OrderType.STOP,
    OrderType.STOP_MARKET,
    OrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_MARKET,
    OrderType.TRAILING_STOP_MARKET,
)


def run(options: Options) -> Section:
    section = Section(
        "Trigger orders: CPU per mark price that fires none, and per order that fires",
        ("waiting", "ns per tick", "ns per fired order"),
    )
    medians = []
    for name, size in SIZES.items():
        medians.append(_measure(section, name, min(size, options.resting_max), options))
    ratio = medians[-1] / medians[0]
    section.figures["ticks.ratio_100k"] = ratio
    section.notes.append(f"From the fewest to the most: {ratio:.2f} x (aim: at most 2).")
    return section


def _measure(section: Section, name: str, size: int, options: Options) -> float:
    progress(f"ticks: {size:,} waiting orders")
    state = open_waiting(size)
    assert len(state.orders) == size
    gc.collect()
    gc.freeze()
    random = Random(1)
    ticks = []
    for _ in range(options.rounds):
        prices = [_near(random) for _ in range(options.commands // 4)]
        ticks.append(_time(state, prices)[0] / len(prices))
    assert len(state.orders) == size, "a quiet price fired something"
    step = FAR_TICKS // FALLS
    bottom = INDEX_TICKS - FAR_TICKS - QUIET_TICKS
    spent, fired = _time(state, range(INDEX_TICKS - QUIET_TICKS, bottom, -step))
    assert fired
    gc.unfreeze()
    section.rows.append((f"{size:,}", spread(ticks, 0), f"{spent / fired:,.0f}"))
    median = statistics.median(ticks)
    section.figures[f"ticks.quiet_{name}_ns"] = median
    section.figures[f"ticks.fired_{name}_ns"] = spent / fired
    return median


def open_waiting(size: int) -> State:
    """A market in which `size` trigger orders wait, in the state in which they are measured."""
    state = State()
    _do(state, OpenVenue("ztdx"))
    _do(state, DefineInstrument(INSTRUMENT.spec, INDEX_TICKS))
    for number in range(-(-size // PER_ACCOUNT)):
        _do(state, CreateAccount(f"account-{number}", 10**6 * MONEY_ONE))
    random = Random(2)
    for number in range(size):
        if number % max(1, size // 50) == 0:
            _do(state, SetPrice(SYMBOL, _near(random), keeps_last=True))
        _do(state, _order(number, random))
    for edge in (INDEX_TICKS - QUIET_TICKS, INDEX_TICKS + QUIET_TICKS, INDEX_TICKS):
        _do(state, SetPrice(SYMBOL, edge, keeps_last=True))
    return state


def _order(number: int, random: Random) -> PlaceOrder:
    """The next order: types and sides take turns, prices are anywhere beyond the quiet band."""
    type = TYPES[number % 5]
    side = SELL if number // 5 % 2 else BUY
    away = random.randint(QUIET_TICKS + 1, FAR_TICKS)
    trigger_ticks = INDEX_TICKS + away * _direction(type, side)
    trails = type is OrderType.TRAILING_STOP_MARKET
    follows = trails and number // 10 % 2
    return PlaceOrder(
        number // PER_ACCOUNT + 1,
        SYMBOL,
        side,
        type,
        10,
        trigger_ticks,
        trigger_ticks=0 if trails else trigger_ticks,
        activation_ticks=INDEX_TICKS - away * side if trails and not follows else 0,
        callback_ppm=CALLBACK_PPM + random.randint(0, PPM // 20) if trails else 0,
        working_type=WorkingType.MARK_PRICE,
        algo=True,
    )


def _direction(type: OrderType, side: Side) -> int:
    """1 where such an order waits above the price, else -1."""
    return -int(side) if type in TAKE_PROFIT_TYPES else int(side)


def _near(random: Random) -> int:
    return INDEX_TICKS + random.randint(-QUIET_TICKS, QUIET_TICKS)


def _time(state: State, prices: list[int] | range) -> tuple[int, int]:
    """CPU ns that showing these mark prices takes, and how many orders they fired."""
    records = [
        Record(seq, START_MS, SetPrice(SYMBOL, price, keeps_last=True))
        for seq, price in enumerate(prices, start=state.seq + 1)
    ]
    started = time.process_time_ns()
    outcomes = [apply(state, record) for record in records]
    spent = time.process_time_ns() - started
    fired = sum(isinstance(event, OrderTriggered) for each in outcomes for event in each.events)
    return spent, fired


def _do(state: State, command: Command) -> None:
    apply(state, Record(state.seq + 1, START_MS, command))
