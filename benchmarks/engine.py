"""What one command costs in the engine, at which size of book, and in how many bytes."""

import statistics
from collections.abc import Mapping
from contextlib import ExitStack

from benchmarks.options import Options
from benchmarks.report import Section, progress, spread
from benchmarks.worker import Worker
from benchmarks.workloads import Workload

WORKLOADS = {
    "a": Workload("A   1k resting", 1_000),
    "b": Workload("B   200k resting", 200_000),
    "c": Workload("C   20k resting, bursts of ten", 20_000, burst=10),
    "a_uniform": Workload("A'  1k resting, uniform prices", 1_000, uniform=True),
    "b_uniform": Workload("B'  200k resting, uniform prices", 200_000, uniform=True),
}
GROWTH = {
    "1k": Workload("A   1k resting", 1_000),
    "10k": Workload("A   10k resting", 10_000),
    "100k": Workload("A   100k resting", 100_000),
    "1m": Workload("A   1M resting", 1_000_000),
}
NOTES = (
    "Each workload runs in a process of its own; rounds are interleaved; median (least..most).",
    "Garbage collection is on, with the prefilled book frozen as after a start.",
)


def run(options: Options) -> Section:
    """The workloads of the trade: small book, large book, bursts."""
    section = Section("Engine: CPU per command through apply, margin and events included")
    _measure(section, "engine", WORKLOADS, options)
    return section


def run_growth(options: Options) -> Section:
    """The same mix at ever larger books."""
    section = Section("Growth: CPU per command as the book grows")
    medians = _measure(section, "growth", GROWTH, options)
    ratio = medians["1m"] / medians["1k"]
    section.figures["growth.ratio_1m"] = ratio
    section.notes.append(
        f"From the smallest to the largest book: {ratio:.2f} x (aim: at most 2.5)."
    )
    return section


def _measure(
    section: Section, prefix: str, workloads: Mapping[str, Workload], options: Options
) -> dict[str, float]:
    section.header = ("workload", "ns per command", "driver", "first fill", "levels", "B/order")
    section.notes += NOTES
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in workloads}
    medians = {}
    with ExitStack() as stack:
        workers = {}
        for name, workload in workloads.items():
            progress(f"{prefix}: filling {workload.name.strip()}")
            workers[name] = stack.enter_context(Worker(workload.capped(options.resting_max)))
        for number in range(options.rounds):
            progress(f"{prefix}: round {number + 1} of {options.rounds}")
            for name, worker in workers.items():
                rounds[name].append(worker.measure(options.commands))
        for name, worker in workers.items():
            total = [total for total, _ in rounds[name]]
            driver = statistics.median(empty for _, empty in rounds[name])
            medians[name] = statistics.median(total) - driver
            filled = worker.filled
            section.rows.append(
                (
                    workloads[name].name,
                    spread((value - driver for value in total), 0),
                    f"{driver:,.0f}",
                    f"{filled.place_ns:,.0f}",
                    f"{filled.levels:,}",
                    f"{filled.bytes_each:,.0f}",
                )
            )
            section.figures[f"{prefix}.{name}_ns"] = medians[name]
            section.figures[f"{prefix}.{name}_bytes_per_order"] = filled.bytes_each
    return medians
