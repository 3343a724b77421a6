"""`python -m benchmarks`: every figure of the venue, beside its floors, in one run."""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from benchmarks.options import TINY, Options
from benchmarks.report import Section, machine, progress, record

PARTS: dict[str, tuple[str, str]] = {
    "http": ("benchmarks.http", "run"),
    "fanout": ("benchmarks.fanout", "run"),
    "parts": ("benchmarks.parts", "run"),
    "ws_api": ("benchmarks.ws_api", "run"),
    "engine": ("benchmarks.engine", "run"),
    "growth": ("benchmarks.engine", "run_growth"),
    "ticks": ("benchmarks.ticks", "run"),
    "liquidations": ("benchmarks.liquidations", "run"),
    "peer": ("benchmarks.peer", "run"),
    "start": ("benchmarks.start", "run"),
    "replay": ("benchmarks.replay", "run"),
    "funding": ("benchmarks.funding", "run"),
}


def find_part(name: str) -> Callable[[Options], Section]:
    module, function = PARTS[name]
    part: Callable[[Options], Section] = getattr(import_module(module), function)
    return part


def main() -> None:
    arguments = _parser().parse_args()
    options = _options(arguments)
    facts = machine()
    print(
        f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}, Python {facts['python']}, "
        f"engine {facts['engine']}"
    )
    figures: dict[str, float] = {}
    for name in arguments.only or PARTS:
        started = time.monotonic()
        progress(f"{name}: starting")
        section = find_part(name)(options)
        section.print()
        sys.stdout.flush()
        figures |= section.figures
        progress(f"{name}: {time.monotonic() - started:.0f} s")
    if not arguments.tiny and not arguments.no_record:
        record(figures)


def _parser() -> argparse.ArgumentParser:
    default = Options()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures the venue beside its floors; takes about ten minutes in full.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=list(PARTS), help="parts to run")
    add(
        "--rounds",
        type=int,
        default=default.rounds,
        help="rounds per part; candidates take turns in each",
    )
    add("--requests", type=int, default=default.requests, help="requests per round and candidate")
    add("--connections", type=int, default=default.connections, help="connections at the same time")
    add(
        "--commands",
        type=int,
        default=default.commands,
        help="commands per round of the engine alone",
    )
    add(
        "--resting-max",
        type=int,
        default=default.resting_max,
        help="resting orders in the largest book of growth",
    )
    add(
        "--replay-records",
        type=int,
        default=default.replay_records,
        help="records in the journal to replay",
    )
    add(
        "--deliveries",
        type=int,
        default=default.deliveries,
        help="messages times subscribers per round of the fan-out",
    )
    add("--data", type=Path, help="where data directories are made (a real disk)")
    add("--tiny", action="store_true", help="only see that everything runs")
    add("--no-record", action="store_true", help="leave history.jsonl alone")
    return parser


def _options(arguments: argparse.Namespace) -> Options:
    if arguments.tiny:
        return replace(TINY, data=arguments.data)
    return Options(
        rounds=arguments.rounds,
        requests=arguments.requests,
        connections=arguments.connections,
        commands=arguments.commands,
        resting_max=arguments.resting_max,
        replay_records=arguments.replay_records,
        deliveries=arguments.deliveries,
        data=arguments.data,
    )


if __name__ == "__main__":
    main()
