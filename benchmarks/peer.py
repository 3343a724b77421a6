"""A peer beside us: lightmatchingengine, a pure-Python order book from PyPI.

It gets the same commands in the same turns. It has no accounts, margin, fees,
order types or events, so it does far less for each of them. Install it with
`pip install lightmatchingengine` to see it; without it this part is skipped.
"""

import statistics
import time
from importlib import import_module
from typing import Any

from benchmarks.market import SYMBOL, open_market
from benchmarks.options import Options
from benchmarks.report import Section, spread
from benchmarks.worker import fill
from benchmarks.workloads import CHUNK, Stream, Workload
from openperp.engine.apply import apply
from openperp.engine.commands import CancelOrder, PlaceOrder, Record
from openperp.engine.terms import OrderType, Side

WORKLOAD = Workload("A   1k resting", 1_000)


def run(options: Options) -> Section:
    section = Section("Peer: the same commands in turns, one process", ("engine", "ns per command"))
    try:
        engine = import_module("lightmatchingengine.lightmatchingengine").LightMatchingEngine()
    except ModuleNotFoundError:
        section.header = ()
        section.notes.append("Skipped: pip install lightmatchingengine to see it.")
        return section
    ours, theirs = _measure(engine, options)
    section.rows += [("openperp", spread(ours, 0)), ("lightmatchingengine", spread(theirs, 0))]
    section.figures["peer.ratio_lightmatchingengine"] = statistics.median(ours) / statistics.median(
        theirs
    )
    section.notes.append("The peer has a book and nothing else: no accounts, margin, fees, events.")
    return section


def _measure(engine: Any, options: Options) -> tuple[list[float], list[float]]:
    workload = WORKLOAD.capped(options.resting_max)
    state = open_market()
    fill(state, workload)
    for order in state.orders.values():
        _play(engine, PlaceOrder(1, SYMBOL, order.side, order.type, order.lots, order.ticks))
    stream = Stream(workload, state)
    ours, theirs = [], []
    for _ in range(options.rounds):
        spent_ours = spent_theirs = 0
        for _ in range(max(1, options.commands // CHUNK)):
            records = stream.records(CHUNK)
            started = time.process_time_ns()
            results = [apply(state, record) for record in records]
            middle = time.process_time_ns()
            _play_all(engine, records)
            spent_theirs += time.process_time_ns() - middle
            spent_ours += middle - started
            stream.follow(results)
        ours.append(spent_ours / options.commands)
        theirs.append(spent_theirs / options.commands)
    return ours, theirs


def _play_all(engine: Any, records: list[Record]) -> None:
    for record in records:
        _play(engine, record.command)


def _play(engine: Any, command: Any) -> None:
    """Order ids agree: both engines count every order from 1."""
    if isinstance(command, CancelOrder):
        try:
            engine.cancel_order(command.order_id, SYMBOL)
        except AssertionError:
            return  # it stumbles over orders that are filled
    else:
        price = 0 if command.type == OrderType.MARKET else command.ticks
        engine.add_order(SYMBOL, price, command.lots, 1 if command.side == Side.BUY else 2)
