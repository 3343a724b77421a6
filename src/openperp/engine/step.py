"""One command under way: the state it changes and what has happened so far."""

from openperp.engine.events import Event
from openperp.engine.state import Market, State
from openperp.engine.terms import WorkingType


class Step:
    """`moves` queues prices that trigger orders have yet to see, oldest first."""

    __slots__ = ("events", "moves", "now", "state")

    def __init__(self, state: State, now: int) -> None:
        self.state = state
        self.now = now
        self.events: list[Event] = []
        self.moves: list[tuple[Market, WorkingType, int]] = []

    def price_moved(self, market: Market, working_type: WorkingType, ticks: int) -> None:
        self.moves.append((market, working_type, ticks))
