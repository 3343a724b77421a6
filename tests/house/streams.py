"""The page of market streams, from the table of their names."""

import inspect
import re

from openperp.api.streams.names import (
    ASSET_TOPICS,
    DEPTH_LEVELS,
    MARKET_TOPICS,
    PAIR_TOPICS,
    VENUE_TOPICS,
    Topic,
)
from openperp.api.streams.roster import CHANNELS
from openperp.api.wire.market import KLINE_INTERVALS

SUBJECTS = {
    "<symbol>@": MARKET_TOPICS,
    "<pair>_perpetual@": PAIR_TOPICS,
    "<asset>usd@": ASSET_TOPICS,
    "": VENUE_TOPICS,
}


def streams() -> str:
    rows: dict[str, str] = {}
    for subject, topics in SUBJECTS.items():
        for name, topic in topics.items():
            rows.setdefault(f"| `{subject}{_pattern(name, topic)}` ", _cells(topic))
    lines = "\n".join(f"{name}{cells}" for name, cells in rows.items())
    return f"""\
# Market streams

Generated from the table in `src/openperp/api/streams/names.py` by `make docs`.
Addresses and messages are on [another page](websockets.md).

Subjects are in lower case; other cases are taken too, unless `--strict streams`
is on. A stream of changes speaks at once and then no sooner than its period; with
a virtual clock it speaks behind each group of commands. The others keep a beat.

Intervals are {", ".join(f"`{interval}`" for interval in KLINE_INTERVALS)}, and `1s`
for continuous klines. Levels are {", ".join(f"`{count}`" for count in DEPTH_LEVELS)}.

| stream | period | tells |
| --- | --- | --- |
{lines}
"""


def _pattern(name: str, topic: Topic) -> str:
    """The name with what may vary in it left open."""
    if topic.interval:
        return name.removesuffix(topic.interval) + "<interval>"
    return re.sub(r"depth\d+", "depth<levels>", name)


def _cells(topic: Topic) -> str:
    channel = CHANNELS[topic.kind]
    period = f"{topic.pace_ms} ms" if topic.pace_ms else "none"
    told = (inspect.getdoc(channel) or "").partition("\n")[0]
    return f"| {period}{', a beat' if channel.steady else ''} | {told} |"
