"""Market streams: what is told to whom, and when, as a pure object.

    absorb(Applied)   each record, as it happens: the channels note what they follow
    collect(wall_ms)  behind a group of records and when time is up: they speak

What changes speaks at the pace of its stream, on the wall clock; where the
venue's clock stands still unless it is moved, everything that changed is told
at once, so that the same commands give the same messages. Steady streams keep
their beat on the wall clock either way. All messages are stamped with venue time.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from openperp.api.streams.burst import fair_share
from openperp.api.streams.channel import NEVER, Channel
from openperp.api.streams.names import Stream
from openperp.api.streams.pace import Beat
from openperp.api.streams.roster import open_channel
from openperp.api.streams.touched import left_key, touched_key
from openperp.api.view import View
from openperp.engine.events import (
    Applied,
    InstrumentDefined,
    ModeChanged,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
    PriceChanged,
    TradeExecuted,
    VenueReset,
)
from openperp.engine.terms import Origin
from openperp.history.base import HistoryUnusable

RETRY_MS: Final = 1_000
"""Until a channel whose time has come, and which could not speak, is woken again."""

_ORDER_EVENTS: Final = frozenset(
    {OrderAccepted, OrderTriggered, OrderAmended, OrderFilled, OrderCanceled, OrderExpired}
)
_TERMS_EVENTS: Final = frozenset({InstrumentDefined, ModeChanged, VenueReset})


class Watched:
    """A channel somebody listens to, and the beat on which it speaks."""

    __slots__ = ("beat", "channel")

    def __init__(self, channel: Channel, beat: Beat) -> None:
        self.channel = channel
        self.beat = beat


class Followers:
    """The channels of one market, by what they follow.

    `change` is the number of the last change of its book that those who follow
    the book know of; nobody keeps it while there are none.
    """

    __slots__ = ("change", "of_book", "of_levels", "of_trades")

    def __init__(self) -> None:
        self.change = 0
        self.of_book: list[Watched] = []
        self.of_levels: list[Watched] = []
        self.of_trades: list[Watched] = []

    def add(self, watched: Watched, change: int) -> None:
        """Between two records; `change` is where the book stands now."""
        channel = watched.channel
        if channel.follows_book:
            self.change = change
            self.of_book.append(watched)
        if channel.follows_levels:
            self.of_levels.append(watched)
        if channel.follows_trades:
            self.of_trades.append(watched)

    def remove(self, watched: Watched) -> None:
        for following in (self.of_book, self.of_levels, self.of_trades):
            if watched in following:
                following.remove(watched)


class MarketFeed:
    """Hears every record and hands out the payloads of the streams that are watched.

    It is one more listener of the records, behind the history. `immediate` says
    whether changes are told without waiting for the pace of their stream.
    """

    def __init__(self, view: View, immediate: Callable[[], bool]) -> None:
        self._view = view
        self._immediate = immediate
        self._watched: dict[str, Watched] = {}
        self._followers: dict[str, Followers] = {}
        self._of_terms: dict[str, Watched] = {}
        self._of_forced: dict[str, Watched] = {}
        self._beats: dict[tuple[int, bool], Beat] = {}
        self._alarm_ms = NEVER

    def watch(self, stream: Stream) -> None:
        """The first listener of `stream` has come."""
        channel = open_channel(stream, self._view)
        key = (stream.topic.pace_ms, channel.steady)
        beat = self._beats.get(key)
        if beat is None:
            beat = self._beats[key] = Beat(stream.topic.pace_ms, steady=channel.steady)
        beat.add(channel)
        watched = self._watched[stream.name] = Watched(channel, beat)
        if channel.follows_terms:
            self._of_terms[stream.name] = watched
        if channel.follows_forced:
            self._of_forced[stream.name] = watched
        if channel.follows_book or channel.follows_trades:
            book = self._view.state.markets[stream.symbol].book
            followers = self._followers.setdefault(stream.symbol, Followers())
            followers.add(watched, book.update_id)

    def unwatch(self, stream: Stream) -> None:
        """The last listener of `stream` has left."""
        watched = self._watched.pop(stream.name)
        watched.beat.remove(stream.name)
        self._of_terms.pop(stream.name, None)
        self._of_forced.pop(stream.name, None)
        followers = self._followers.get(stream.symbol)
        if followers is not None:
            followers.remove(watched)

    def absorb(self, applied: Applied) -> None:
        """Notes what one record did to what is watched; cheap, and nearly free while nothing is."""
        if not self._watched:
            return
        touched: dict[str, None] = {}  # in the order of the events, so that replays tell alike
        for event in applied.events:
            kind = type(event)
            if kind in _ORDER_EVENTS:
                self._hear_order(event, touched)
                if self._of_forced:
                    self._hear_forced(event)
            elif isinstance(event, TradeExecuted):
                self._hear_trade(event, applied.time_ms)
            elif isinstance(event, PriceChanged):
                self._hear_price(event)
            elif kind in _TERMS_EVENTS:
                self._hear_venue(event, touched)
        for symbol in touched:
            self._hear_book(symbol, applied.time_ms)

    def _hear_order(self, event: Any, touched: dict[str, None]) -> None:
        symbol = event.order.symbol
        followers = self._followers.get(symbol)
        if followers is None or not followers.of_book:
            return
        touched[symbol] = None
        if followers.of_levels:
            book = self._view.state.markets[symbol].book
            for key in (touched_key(event, book), left_key(event)):
                if key:
                    for watched in followers.of_levels:
                        watched.channel.hear_level(key)

    def _hear_forced(self, event: Any) -> None:
        kind = type(event)
        if event.order.origin is not Origin.LIQUIDATION:
            return
        if kind is OrderFilled or kind is OrderExpired:
            lots = event.fill.lots if kind is OrderFilled else 0
            for watched in self._of_forced.values():
                if watched.channel.hear_forced(event.order, lots):
                    watched.beat.wake(watched.channel)

    def _hear_trade(self, trade: TradeExecuted, time_ms: int) -> None:
        followers = self._followers.get(trade.symbol)
        if followers is not None:
            for watched in followers.of_trades:
                watched.channel.hear_trade(trade, time_ms)
                watched.beat.wake(watched.channel)

    def _hear_price(self, price: PriceChanged) -> None:
        """The operator may move the last price without a trade."""
        followers = self._followers.get(price.symbol)
        if followers is not None:
            for watched in followers.of_trades:
                if watched.channel.hear_price(price.last_ticks):
                    watched.beat.wake(watched.channel)

    def _hear_venue(self, event: Any, touched: dict[str, None]) -> None:
        for watched in self._of_terms.values():
            watched.channel.hear_terms()
            watched.beat.wake(watched.channel)
        if type(event) is VenueReset:
            touched.update(dict.fromkeys(self._followers))
            for watched in self._watched.values():
                watched.channel.reset()
                watched.beat.wake(watched.channel)

    def _hear_book(self, symbol: str, time_ms: int) -> None:
        """Tells those who follow a book that a record has changed it, if it has."""
        followers = self._followers[symbol]
        change = self._view.state.markets[symbol].book.update_id
        if change != followers.change:
            followers.change = change
            for watched in followers.of_book:
                watched.channel.hear_book(time_ms)
                watched.beat.wake(watched.channel)

    def collect(self, wall_ms: int) -> Iterator[tuple[str, bytes]]:
        """What is due at `wall_ms`: names of streams with payloads, in order within a stream."""
        if not self._watched:
            return
        self._ring()
        immediate = self._immediate()
        due: list[Channel] = []
        for beat in self._beats.values():
            due += beat.take(wall_ms, immediate=immediate)
        self._share_burst(due)
        for channel in due:
            yield from self._let_speak(channel)

    def _share_burst(self, due: list[Channel]) -> None:
        """Where the clock has jumped, what all streams tell at once is bounded."""
        now_ms = self._view.now_ms()
        late = [channel for channel in due if channel.alarm_ms <= now_ms]
        if late:
            share = fair_share([channel.backlog() for channel in late])
            for channel in late:
                channel.share = share

    def _let_speak(self, channel: Channel) -> Iterator[tuple[str, bytes]]:
        name = channel.stream.name
        try:
            for payload in channel.speak():
                yield name, payload
        except HistoryUnusable:
            # The venue says so elsewhere; the other streams go on.
            pass
        alarm_ms = channel.alarm_ms
        if alarm_ms != NEVER:
            now_ms = self._view.now_ms()
            if alarm_ms <= now_ms:
                alarm_ms = now_ms + RETRY_MS
            self._alarm_ms = min(self._alarm_ms, alarm_ms)

    def _ring(self) -> None:
        """Wakes the channels whose time has come on the venue's clock.

        The next alarm of each is heard of when it has spoken.
        """
        now_ms = self._view.now_ms()
        if now_ms < self._alarm_ms:
            return
        self._alarm_ms = NEVER
        for watched in self._watched.values():
            alarm_ms = watched.channel.alarm_ms
            if alarm_ms <= now_ms:
                watched.beat.wake(watched.channel)
            else:
                self._alarm_ms = min(self._alarm_ms, alarm_ms)

    def next_due_ms(self, wall_ms: int) -> int | None:
        """When `collect` has something again, on the wall clock; None while nothing waits."""
        immediate = self._immediate()
        dues = [beat.due_ms(wall_ms, immediate=immediate) for beat in self._beats.values()]
        times = [due for due in dues if due is not None]
        if not immediate and self._alarm_ms != NEVER:
            times.append(wall_ms + max(0, self._alarm_ms - self._view.now_ms()))
        return min(times, default=None)
