"""Streams of the order book: every change of its levels, pictures of its top, its best prices."""

from collections.abc import Iterable

from openperp.api.streams.channel import USD_MARGINED, Channel, MarketChannel, encode
from openperp.api.streams.names import Stream
from openperp.api.view import View
from openperp.api.wire.book import Levels, list_levels, moved_ms, top_of
from openperp.api.wire.book_ids import first_id, last_id
from openperp.api.wire.numbers import InstrumentFormat
from openperp.api.wire.row import Row
from openperp.engine.book import BookSide
from openperp.engine.state import Market


class BookChannel(MarketChannel):
    """Remembers the change of the book that it told last, and when the book changed last."""

    follows_book = True
    greets = True

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._said = self.market.book.update_id
        self._changed_ms = moved_ms(self.market)

    def hear_book(self, time_ms: int) -> None:
        self._changed_ms = time_ms

    def _update(self, after: int, bids: Levels, asks: Levels) -> bytes:
        """The message that covers every change behind number `after`."""
        now = self.market.book.update_id
        self._said = now
        symbol = self.stream.symbol
        return encode(
            {
                "e": "depthUpdate",
                "E": self.view.now_ms(),
                "T": self._changed_ms,
                "s": symbol,
                "ps": symbol,
                "U": first_id(after + 1),
                "u": last_id(now),
                "pu": max(last_id(after), 0),
                "b": bids,
                "a": asks,
                "st": USD_MARGINED,
            }
        )


class DepthUpdates(BookChannel):
    """Quantities of the levels touched since the last message, "0" where none is left.

    A touched level is told even if it is again what it was: a snapshot taken in
    between has it as it was then.
    """

    follows_levels = True
    greets = False

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._book = self.market.book
        self._touched: set[int] = set()

    def hear_level(self, key: int) -> None:
        self._touched.add(key)

    def reset(self) -> None:
        """All levels of the book that was are gone."""
        self._touched.update(self._book.bids.levels, self._book.asks.levels)
        self._book = self.market.book

    def speak(self) -> Iterable[bytes]:
        book, text = self._book, self.text
        if book.update_id == self._said:
            return
        touched = sorted(self._touched, reverse=True)
        self._touched.clear()
        bids = [_level(book.bids, key, text) for key in touched if key > 0]
        asks = [_level(book.asks, key, text) for key in touched if key < 0]
        yield self._update(self._said, bids, asks)


class DepthPicture(BookChannel):
    """The best levels of both sides, whole each time."""

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        # The first picture tells what is there, as if the latest change had just happened.
        self._said -= 1
        self._fresh = True

    def speak(self) -> Iterable[bytes]:
        book, text = self.market.book, self.text
        if book.update_id == self._said and not self._fresh:
            return
        self._fresh = False
        limit = self.stream.topic.levels
        yield self._update(
            self._said,
            list_levels(book.bids, limit, text),
            list_levels(book.asks, limit, text),
        )


class BookTicker(BookChannel):
    """Each change of the best prices and their quantities, one message per record."""

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._top = top_of(self.market.book)
        self._waiting = [self._tell()]

    def hear_book(self, time_ms: int) -> None:
        super().hear_book(time_ms)
        top = top_of(self.market.book)
        if top != self._top:
            self._top = top
            self._waiting.append(self._tell())

    def speak(self) -> Iterable[bytes]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _tell(self) -> bytes:
        return encode(book_ticker(self.market, self.text, self.view.now_ms(), self._changed_ms))


class BookTickers(Channel):
    """The best prices of every market, a message each."""

    steady = True

    def speak(self) -> Iterable[bytes]:
        now_ms = self.view.now_ms()
        for market in self.view.state.markets.values():
            text = self.view.format_of(market)
            yield encode(book_ticker(market, text, now_ms, moved_ms(market)))


def book_ticker(market: Market, text: InstrumentFormat, now_ms: int, time_ms: int) -> Row:
    top = top_of(market.book)
    symbol = market.spec.symbol
    return {
        "e": "bookTicker",
        "u": last_id(market.book.update_id),
        "E": now_ms,
        "T": time_ms,
        "s": symbol,
        "ps": symbol,
        "b": text.price[top.bid_ticks],
        "B": text.quantity[top.bid_lots],
        "a": text.price[top.ask_ticks],
        "A": text.quantity[top.ask_lots],
        "st": USD_MARGINED,
    }


def _level(side: BookSide, key: int, text: InstrumentFormat) -> tuple[str, str]:
    level = side.levels.get(key)
    return text.price[abs(key)], text.quantity[level.lots if level else 0]
