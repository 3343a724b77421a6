"""How much to measure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`rounds` are interleaved over all candidates of a part; sizes are per round."""

    rounds: int = 5
    requests: int = 2_000
    connections: int = 32
    commands: int = 20_000
    resting_max: int = 1_000_000
    replay_records: int = 200_000
    deliveries: int = 50_000
    subscribers_max: int = 1_000
    data: Path | None = None


TINY = Options(
    rounds=1,
    requests=20,
    connections=4,
    commands=400,
    resting_max=500,
    replay_records=500,
    deliveries=200,
    subscribers_max=5,
)
"""Only to see that every part runs; its figures mean nothing."""
