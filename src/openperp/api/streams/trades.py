"""Streams of trades: one by one, and as what one taker did at one price."""

from collections.abc import Iterable
from typing import Final

from openperp.api.streams.channel import USD_MARGINED, MarketChannel, encode
from openperp.api.streams.names import Stream
from openperp.api.view import View
from openperp.api.wire.market import agg_trade_row
from openperp.engine.events import TradeExecuted
from openperp.history.market import AggTrade

FEW: Final = 16
"""Aggregate trades that are looked at before more are asked for."""


class Trades(MarketChannel):
    """Every trade.

    Binance serves it without a description; what clients read shows its fields.
    """

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
    """What a taker did at one price.

    It is read from the history, which numbers aggregate trades.
    """

    follows_trades = True

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._next_id = self._newest_id() + 1

    def reset(self) -> None:
        """Ids may begin anew; what has happened since is still to be told."""
        self._next_id = min(self._next_id, self._newest_id() + 1)

    def speak(self) -> Iterable[bytes]:
        for trade in self._read_new():
            self._next_id = trade.agg_id + 1
            yield self._tell(trade)

    def _read_new(self) -> list[AggTrade]:
        """What was not told yet; the newest are at hand, and ids have no gaps."""
        trades = self._read_newest(FEW)
        missing = trades[-1].agg_id + 1 - self._next_id if trades else 0
        if missing > len(trades):
            trades = self._read_newest(missing)
        return trades[-missing:] if missing > 0 else []

    def _read_newest(self, limit: int) -> list[AggTrade]:
        return self.view.history.market.list_agg_trades(self.stream.symbol, limit=limit)

    def _newest_id(self) -> int:
        newest = self._read_newest(1)
        return newest[-1].agg_id if newest else 0

    def _tell(self, trade: AggTrade) -> bytes:
        head = {"e": "aggTrade", "E": self.view.now_ms(), "s": self.stream.symbol}
        return encode({**head, **agg_trade_row(trade, self.text), "st": USD_MARGINED})
