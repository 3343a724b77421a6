"""One command under way: the state it changes and what has happened so far."""

from openperp.engine.events import Event
from openperp.engine.order import Order
from openperp.engine.ranking import Ranking
from openperp.engine.state import Market, State
from openperp.engine.terms import MARK_PRICE, WorkingType

Move = tuple[Market, WorkingType, int, Order | None]
"""A price that trigger orders have yet to see, and the order that watches from it on."""


class Step:
    """`moves` queues prices in the order in which they came about.

    An order that starts to watch is put into the trigger index when its turn in
    the queue comes, so it sees no price from before. `touched` has the accounts whose
    margin may be used up or whose debt may be due now, by their numbers, some of them more
    than once. `told_ms` is the time that the events have told last; zero stands for that of
    the record. `rankings` are those that liquidations have asked for since mark prices
    moved, by market and whether they are of longs.
    """

    __slots__ = ("events", "moves", "now", "rankings", "state", "told_ms", "touched")

    def __init__(self, state: State, now: int) -> None:
        self.state = state
        self.now = now
        self.events: list[Event] = []
        self.moves: list[Move] = []
        self.touched: list[int] = []
        self.rankings: dict[tuple[str, bool], Ranking] | None = None
        self.told_ms = 0

    def price_moved(self, market: Market, working_type: WorkingType, ticks: int) -> None:
        self.moves.append((market, working_type, ticks, None))
        if working_type is MARK_PRICE:
            market.alarms.take(ticks, self.touched)
            self.rankings = None

    def watch(self, market: Market, order: Order, ticks: int) -> None:
        """Lets `order` watch its price from now on, beginning with what it is."""
        self.moves.append((market, order.working_type, ticks, order))

    def rank(self, market: Market, longs: bool) -> Ranking:
        """Who is to give up one side of a market first, now."""
        if self.rankings is None:
            self.rankings = {}
        self._tell_rankings()
        key = (market.symbol, longs)
        ranking = self.rankings.get(key)
        if ranking is None:
            ranking = self.rankings[key] = Ranking(self.state, market, longs)
        ranking.look_again()
        return ranking

    def forget_touched(self) -> None:
        """Those who were touched have been taken note of."""
        self._tell_rankings()
        self.touched.clear()

    def _tell_rankings(self) -> None:
        """Nobody's money or position changes while prices stand without his being touched."""
        if self.rankings is not None:
            for ranking in self.rankings.values():
                ranking.changed.update(self.touched)
