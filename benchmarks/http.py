"""What one signed batch cancel of ten live orders costs the server, beside two floors."""

import statistics
from contextlib import ExitStack

from benchmarks.load import (
    BATCH,
    Outcome,
    cancel_requests,
    check_canceled,
    measure,
    place_orders,
    request_bytes,
    send_all,
)
from benchmarks.options import Options
from benchmarks.process import Server, data_directory, pin_generator, run_server, run_venue
from benchmarks.report import Section, progress, spread

SECRET = "floor-secret"
KEY = "k" * 64


def run(options: Options) -> Section:
    section = Section(
        "HTTP: signed DELETE batchOrders of 10 live orders, answered after the durable write",
        ("server", "CPU us per request", "requests/s"),
    )
    section.notes.append(f"{options.connections} keep-alive connections; {pin_generator()}.")
    section.notes.append("Each request cancels ten orders placed together, in random turn.")
    with ExitStack() as stack:
        data = stack.enter_context(data_directory(options.data))
        section.notes.append(
            f"Journal under {data.parent}; its syncs take as long as that disk does."
        )
        venue = stack.enter_context(run_venue(data, "--market", "quiet", "--no-limits"))
        floor = stack.enter_context(run_server("benchmarks.floor_protocol", SECRET))
        rounds = _rounds(venue, floor, options, stack)
    _report(section, rounds)
    return section


def _rounds(
    venue: Server, floor: Server, options: Options, stack: ExitStack
) -> dict[str, list[Outcome]]:
    """Interleaved rounds; the first of each server only warms it up."""
    size = _measure_venue(venue, options)[1]
    constant = stack.enter_context(run_server("benchmarks.floor_constant", str(size)))
    _measure_floor(floor, options, 0)
    _measure_constant(constant, options)
    rounds: dict[str, list[Outcome]] = {"venue": [], "floor": [], "constant": []}
    for number in range(options.rounds):
        progress(f"http: round {number + 1} of {options.rounds}")
        rounds["venue"].append(_measure_venue(venue, options)[0])
        rounds["floor"].append(_measure_floor(floor, options, number + 1))
        rounds["constant"].append(_measure_constant(constant, options))
    return rounds


def _measure_venue(venue: Server, options: Options) -> tuple[Outcome, int]:
    """One round, and the size of an answer."""
    ids = place_orders(venue, options.requests * BATCH, options.connections)
    requests = cancel_requests(ids, venue.api_key, venue.api_secret)
    outcome, bodies = measure(venue, requests, options.connections)
    check_canceled(bodies)
    return outcome, len(bodies[0])


def _measure_floor(floor: Server, options: Options, number: int) -> Outcome:
    count = options.requests * BATCH
    first = 1 + number * count
    send_all(floor, [request_bytes("PUT", f"/orders?first={first}&count={count}", KEY)], 1)
    ids = list(range(first, first + count))
    outcome, bodies = measure(floor, cancel_requests(ids, KEY, SECRET), options.connections)
    check_canceled(bodies)
    return outcome


def _measure_constant(constant: Server, options: Options) -> Outcome:
    ids = range(options.requests * BATCH)
    return measure(constant, cancel_requests(ids, KEY, SECRET), options.connections)[0]


def _report(section: Section, rounds: dict[str, list[Outcome]]) -> None:
    names = {
        "venue": "openperp",
        "floor": "floor: protocol, httptools, HMAC, dict",
        "constant": "floor: uvicorn, constant answer",
    }
    medians = {}
    for name, outcomes in rounds.items():
        medians[name] = statistics.median(outcome.cpu_ns for outcome in outcomes)
        section.rows.append(
            (
                names[name],
                spread(outcome.cpu_ns / 1_000 for outcome in outcomes),
                spread((outcome.per_second for outcome in outcomes), 0),
            )
        )
        section.figures[f"http.{name}_us"] = medians[name] / 1_000
    for name in ("floor", "constant"):
        # Round by round, since the machine changes its pace between rounds.
        section.figures[f"http.ratio_{name}"] = statistics.median(
            venue.cpu_ns / other.cpu_ns
            for venue, other in zip(rounds["venue"], rounds[name], strict=True)
        )
    section.notes.append(
        f"openperp is {section.figures['http.ratio_floor']:.2f} x the protocol floor (aim: at most "
        f"2.5) and {section.figures['http.ratio_constant']:.2f} x uvicorn's constant."
    )
