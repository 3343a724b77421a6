"""From the start of the process in an empty directory to its first HTTP answer."""

import http.client
import statistics
import time

from benchmarks.options import Options
from benchmarks.process import data_directory, run_venue
from benchmarks.report import Section, progress, spread

MARKETS = ("demo", "quiet")


def run(options: Options) -> Section:
    section = Section(
        "Start: seconds from process start to the first HTTP answer in an empty directory",
        ("market", "seconds"),
    )
    seconds: dict[str, list[float]] = {market: [] for market in MARKETS}
    for number in range(options.rounds):
        progress(f"start: round {number + 1} of {options.rounds}")
        for market in MARKETS:
            seconds[market].append(_start(market, options))
    for market, values in seconds.items():
        section.rows.append((market, spread(values, 3)))
        section.figures[f"start.{market}_s"] = statistics.median(values)
    section.notes.append("Aim: below 0.5 s. The files of Python itself are in the disk's cache.")
    return section


def _start(market: str, options: Options) -> float:
    with data_directory(options.data) as data:
        started = time.monotonic()
        with run_venue(data, "--market", market, pinned=False) as venue:
            connection = http.client.HTTPConnection("127.0.0.1", venue.port)
            connection.request("GET", "/fapi/v1/ping")
            answer = connection.getresponse().read()
            taken = time.monotonic() - started
            connection.close()
    if answer != b"{}":
        raise SystemExit(f"ping was answered with {answer!r}")
    return taken
