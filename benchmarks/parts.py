"""Where the time of one batch cancel goes, part by part, in one process without sockets.

The same functions that serve a request are called in loops over many requests,
one part after the other, on a venue with a real journal and history. The parts
are those of `http.venue`; what HTTP itself costs is `http.constant`, measured
there.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from benchmarks.load import BATCH, PATH, cancel_query, place_query, signed_query
from benchmarks.options import Options
from benchmarks.process import data_directory
from benchmarks.report import Section, progress
from openperp.api.dispatch import ROUTES, Pending, finish, prepare
from openperp.api.endpoint import Call, Request
from openperp.api.params import read_fields
from openperp.api.security import authenticate
from openperp.bootstrap import build
from openperp.engine.commands import Record
from openperp.engine.events import Applied
from openperp.engine.records import OrderRecord
from openperp.node.config import load_config
from openperp.node.node import Node

GROUP = 8
"""Records in one journal write, about what 32 connections bring together."""

PREPARE = "prepare"
IN_PREPARE = ("names and values", "signature, key, time", "parameters", "command")
ORDER = (
    *IN_PREPARE,
    "prepare: rest",
    "journal",
    "engine",
    "history: absorb",
    "history: write",
    "response",
)

T = TypeVar("T")
R = TypeVar("R")


class Bench:
    """A started venue whose parts are called by hand; `spent` is CPU us per request."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.spent: dict[str, list[float]] = {}
        self._headers = {b"x-mbx-apikey": node.access.account.api_key.encode()}

    def run_round(self, requests: int) -> None:
        deletes = self._place_orders(requests)
        view = self.node.view
        now_ms = view.now_ms()
        endpoint = ROUTES[PATH]["DELETE"]
        call = Call(view, 1, now_ms, deletes[0])
        fields = self._time("names and values", lambda r: read_fields(r.query, r.body), deletes)
        self._time(
            "signature, key, time",
            lambda pair: authenticate(pair[0], pair[1], endpoint.security, view, now_ms),
            list(zip(deletes, fields, strict=True)),
        )
        params = self._time("parameters", endpoint.reader.read, fields)
        self._time("command", lambda values: endpoint.handle(call, values), params)
        prepared = self._time(PREPARE, lambda request: prepare(request, view), deletes)
        pendings = [pending for pending in prepared if isinstance(pending, Pending)]
        assert len(pendings) == requests, prepared[0]
        self._carry_out(pendings)

    def _carry_out(self, pendings: list[Pending]) -> None:
        node = self.node
        state = node.view.state
        records = [
            Record(seq, node.view.now_ms(), pending.submission.command)
            for seq, pending in enumerate(pendings, start=state.seq + 1)
        ]
        groups = [records[start : start + GROUP] for start in range(0, len(records), GROUP)]
        self._time("journal", node.journal.append, groups, len(records))
        outcomes = self._time("engine", node.machine.apply, records)
        pairs = list(zip(pendings, outcomes, strict=True))
        answers = self._time("response", lambda pair: finish(*pair), pairs)
        assert all(answer.body.count(b'"CANCELED"') == BATCH for answer in answers)
        self._remember(outcomes)

    def _remember(self, outcomes: list[Applied]) -> None:
        """What is not spent in this thread is spent in the history's own."""
        history = self.node.view.history
        started = time.process_time_ns()
        self._time("history: absorb", history.absorb, outcomes)
        history.flush()
        both = (time.process_time_ns() - started) / 1_000 / len(outcomes)
        absorbed = self.spent["history: absorb"][-1]
        self.spent.setdefault("history: write", []).append(both - absorbed)

    def _place_orders(self, requests: int) -> list[Request]:
        """Places ten orders for each request, unmeasured; the signed cancels of them."""
        ids: list[int] = []
        for first in range(0, requests * BATCH, 5):
            pending = prepare(self._request("POST", place_query(first, 5)), self.node.view)
            assert isinstance(pending, Pending), pending
            reply = self._apply(pending).reply
            assert isinstance(reply, tuple), reply
            ids += [order.order_id for order in reply if isinstance(order, OrderRecord)]
        assert len(ids) == requests * BATCH, "an order was refused"
        cancels = [
            self._request("DELETE", cancel_query(ids[start : start + BATCH]))
            for start in range(0, len(ids), BATCH)
        ]
        random.Random(1).shuffle(cancels)
        return cancels

    def _apply(self, pending: Pending) -> Applied:
        node = self.node
        record = Record(node.view.state.seq + 1, node.view.now_ms(), pending.submission.command)
        node.journal.append([record])
        applied = node.machine.apply(record)
        node.view.history.absorb(applied)
        return applied

    def _request(self, method: str, query: str) -> Request:
        signed = signed_query(query, self.node.access.account.api_secret)
        return Request(method, PATH, signed.encode(), b"", self._headers, "127.0.0.1")

    def _time(
        self, part: str, function: Callable[[T], R], values: Sequence[T], requests: int = 0
    ) -> list[R]:
        """Calls `function` with each value; notes this thread's CPU time."""
        started = time.thread_time_ns()
        results = [function(value) for value in values]
        spent = (time.thread_time_ns() - started) / 1_000
        self.spent.setdefault(part, []).append(spent / (requests or len(values)))
        return results


def run(options: Options) -> Section:
    section = Section(
        "Parts: CPU us of one batch cancel of ten orders, by part, without sockets",
        ("part", "CPU us per request"),
    )
    with data_directory(options.data) as data:
        config = load_config(data=str(data), market="quiet", limits=False)
        spent = asyncio.run(_measure(build(config).node, options))
    medians = {part: statistics.median(values) for part, values in spent.items()}
    medians["prepare: rest"] = medians[PREPARE] - sum(medians[part] for part in IN_PREPARE)
    for part in ORDER:
        section.rows.append((part, f"{medians[part]:.1f}"))
        section.figures[f"parts.{part.replace(': ', '_').replace(' ', '_')}_us"] = medians[part]
    total = sum(medians[part] for part in ORDER)
    section.rows.append(("sum", f"{total:.1f}"))
    section.figures["parts.sum_us"] = total
    section.notes += [
        f"Journal in groups of {GROUP}. Warm loops: in a server each part finds a colder cache.",
        "HTTP, the event loop and the two threads' hand-over come on top (see http).",
    ]
    return section


async def _measure(node: Node, options: Options) -> dict[str, list[float]]:
    await node.start()
    bench = Bench(node)
    for number in range(options.rounds + 1):
        progress(f"parts: round {number} of {options.rounds}")
        bench.run_round(options.requests)
        if number == 0:
            bench.spent.clear()  # a warm-up
    await node.stop()
    return bench.spent
