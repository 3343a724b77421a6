"""Streams of klines: the bar that is open while trades change it, and each bar as it closes."""

from collections.abc import Iterable

from openperp.api.streams.burst import STREAM_BURST
from openperp.api.streams.channel import MarketChannel, encode
from openperp.api.streams.names import Kind, Stream
from openperp.api.view import View
from openperp.api.wire.contracts import CONTRACT_TYPE
from openperp.api.wire.market import close_ms
from openperp.api.wire.row import Row
from openperp.engine.events import TradeExecuted
from openperp.history.intervals import DAY, INTERVALS, period_start, shift_period
from openperp.history.market import Bar, BarKind


class Klines(MarketChannel):
    """The open bar, and each bar as it closes.

    Continuous klines leave out periods without trades.
    """

    follows_trades = True
    greets = True

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._continuous = stream.topic.kind is Kind.CONTINUOUS_KLINE
        self._fresh = True
        self._changed = True
        self._last_ticks = self.market.last_ticks
        self._follow(period_start(stream.topic.interval, view.now_ms()))

    def hear_trade(self, trade: TradeExecuted, time_ms: int) -> None:
        del time_ms
        self._last_ticks = trade.ticks
        self._changed = True

    def hear_price(self, last_ticks: int) -> bool:
        if last_ticks == self._last_ticks:
            return False
        self._last_ticks = last_ticks
        self._changed = True
        return True

    def backlog(self) -> int:
        """Months are counted as if they were all short ones."""
        length = INTERVALS[self.stream.topic.interval] or 28 * DAY
        open_ms = period_start(self.stream.topic.interval, self.view.now_ms())
        return min((open_ms - self._open_ms) // length, STREAM_BURST)

    def reset(self) -> None:
        """The bar that is open has begun anew."""
        self._fresh = self._changed = True
        self._last_ticks = self.market.last_ticks

    def speak(self) -> Iterable[bytes]:
        now_ms = self.view.now_ms()
        open_ms = period_start(self.stream.topic.interval, now_ms)
        if open_ms != self._open_ms:
            yield from self._tell_closed(open_ms, now_ms)
            self._follow(open_ms)
        if self._changed:
            bars = self._read(now_ms, limit=1, filled=self._fresh or not self._continuous)
            self._fresh = self._changed = False
            if bars and bars[-1].open_ms == open_ms:
                yield self._tell(bars[-1], now_ms, closed=False)

    def _follow(self, open_ms: int) -> None:
        """The bar that begins at `open_ms` is the open one until its end comes."""
        self._open_ms = open_ms
        self.alarm_ms = shift_period(self.stream.topic.interval, open_ms, 1)

    def _tell_closed(self, open_ms: int, now_ms: int) -> Iterable[bytes]:
        """The bars that ended since this channel spoke last: the newest, if they are many."""
        interval = self.stream.topic.interval
        start_ms = max(self._open_ms, shift_period(interval, open_ms, -self.share))
        bars = self._read(
            now_ms,
            start_ms=start_ms,
            end_ms=open_ms - 1,
            limit=self.share,
            filled=not self._continuous,
        )
        for bar in bars:
            yield self._tell(bar, now_ms, closed=True)

    def _read(
        self,
        now_ms: int,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int,
        filled: bool,
    ) -> list[Bar]:
        return self.view.history.market.list_bars(
            self.stream.symbol,
            BarKind.LAST,
            self.stream.topic.interval,
            start_ms=start_ms,
            end_ms=end_ms,
            limit=limit,
            now_ms=now_ms,
            filled=filled,
        )

    def _tell(self, bar: Bar, now_ms: int, *, closed: bool) -> bytes:
        symbol = self.stream.symbol
        if self._continuous:
            head = {"e": "continuous_kline", "E": now_ms, "ps": symbol, "ct": CONTRACT_TYPE}
            return encode({**head, "k": self._kline(bar, {}, closed=closed)})
        kline = self._kline(bar, {"s": symbol}, closed=closed)
        return encode({"e": "kline", "E": now_ms, "s": symbol, "k": kline})

    def _kline(self, bar: Bar, subject: Row, *, closed: bool) -> Row:
        text, interval = self.text, self.stream.topic.interval
        return {
            "t": bar.open_ms,
            "T": close_ms(interval, bar.open_ms),
            **subject,
            "i": interval,
            "f": bar.first_id if bar.trades else -1,
            "L": bar.last_id if bar.trades else -1,
            "o": text.price[bar.open],
            "c": text.price[bar.close],
            "h": text.price[bar.high],
            "l": text.price[bar.low],
            "v": text.quantity[bar.lots],
            "n": bar.trades,
            "x": closed,
            "q": text.quote_text(bar.value),
            "V": text.quantity[bar.taker_buy_lots],
            "Q": text.quote_text(bar.taker_buy_value),
            "B": "0",
        }
