"""A run of random commands from one seed through both engines."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from openperp.engine.events import Applied, TradeExecuted
from openperp.lab.reference.asset_kinds import ASSET_KINDS, find_asset_kinds
from openperp.lab.reference.brink import BRINK_KINDS, find_brink_kinds
from openperp.lab.reference.comparison import Comparison, Difference
from openperp.lab.reference.kinds import KINDS, find_kinds
from openperp.lab.reference.naming import NAMING_KINDS, find_naming_kinds
from openperp.lab.reference.price_kinds import PRICE_KINDS, find_price_kinds
from openperp.lab.reference.traffic import START_MS, Traffic

ALL_KINDS = (*KINDS, *PRICE_KINDS, *ASSET_KINDS, *BRINK_KINDS, *NAMING_KINDS)

_FINDERS = (find_kinds, find_price_kinds, find_asset_kinds, find_brink_kinds, find_naming_kinds)


@dataclass(slots=True)
class Tally:
    """What runs have seen so far, and how often each of the things that are rare."""

    commands: int = 0
    refused: int = 0
    trades: int = 0
    events: int = 0
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ALL_KINDS, 0))


def run_session(
    seed: int, commands: int, accounts: int, tally: Tally, whole_every: int = 100
) -> Iterator[Applied]:
    """Compares the engines over `commands` records; yields each, and counts in `tally`.

    The records that open the venue and its accounts come first and do not count.

    Raises:
        Difference: the engines disagree.
    """
    comparison = Comparison(whole_every)
    traffic = Traffic(seed, comparison.state, accounts)
    time_ms = START_MS
    for command in traffic.opening():
        comparison.do(command, time_ms)
    opened = comparison.refused
    for _ in range(commands):
        time_ms += traffic.delay_ms()
        applied = comparison.do(traffic.next(), time_ms)
        tally.commands += 1
        tally.events += len(applied.events)
        tally.trades += sum(isinstance(event, TradeExecuted) for event in applied.events)
        for find in _FINDERS:
            for kind in find(applied, comparison.state):
                tally.kinds[kind] += 1
        yield applied
    tally.refused += comparison.refused - opened
    sentences = comparison.compare_all()
    if sentences:
        raise Difference(comparison.last_record, sentences)
