"""Streams of trades: one by one, and as what one taker did at one price."""

from collections.abc import Iterable
from typing import Final

from openperp.api.streams.channel import USD_MARGINED, MarketChannel, encode
from openperp.api.streams.names import Stream
from openperp.api.view import View
from openperp.engine.events import TradeExecuted
from openperp.history.market import AggTrade

READ_AT_ONCE: Final = 1_000


class Trades(MarketChannel):
    """A message per trade. Binance serves it without a description; clients show its fields."""

    follows_trades = True

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._waiting: list[bytes] = []

    def hear_trade(self, trade: TradeExecuted, time_ms: int) -> None:
        text = self.text
        row = {
            "e": "trade",
            "E": self.view.now_ms(),
            "T": time_ms,
            "s": trade.symbol,
            "t": trade.trade_id,
            "p": text.price[trade.ticks],
            "q": text.quantity[trade.lots],
            "X": "MARKET",
            "m": trade.buyer_is_maker,
        }
        self._waiting.append(encode(row))

    def speak(self) -> Iterable[bytes]:
        waiting, self._waiting = self._waiting, []
        return waiting


class AggTrades(MarketChannel):
    """A message per aggregate trade, read from the history, which numbers them."""

    follows_trades = True

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._next_id = self._newest_id() + 1

    def reset(self) -> None:
        """Ids may begin anew; what has happened since is still to be told."""
        self._next_id = min(self._next_id, self._newest_id() + 1)

    def speak(self) -> Iterable[bytes]:
        while True:
            trades = self.view.history.list_agg_trades(
                self.stream.symbol, from_id=self._next_id, limit=READ_AT_ONCE
            )
            for trade in trades:
                self._next_id = trade.agg_id + 1
                yield self._tell(trade)
            if len(trades) < READ_AT_ONCE:
                return

    def _newest_id(self) -> int:
        newest = self.view.history.list_agg_trades(self.stream.symbol, limit=1)
        return newest[-1].agg_id if newest else 0

    def _tell(self, trade: AggTrade) -> bytes:
        text = self.text
        quantity = text.quantity[trade.lots]
        return encode(
            {
                "e": "aggTrade",
                "E": self.view.now_ms(),
                "s": self.stream.symbol,
                "a": trade.agg_id,
                "p": text.price[trade.ticks],
                "q": quantity,
                "nq": quantity,
                "f": trade.first_id,
                "l": trade.last_id,
                "T": trade.time_ms,
                "m": trade.buyer_is_maker,
                "st": USD_MARGINED,
            }
        )
