"""Streams that speak on every beat: mark prices, rolling days and asset indexes."""

from collections.abc import Iterable

from openperp.api.streams.channel import USD_MARGINED, Channel, MarketChannel, encode
from openperp.api.streams.names import Kind, Stream
from openperp.api.view import View
from openperp.api.wire.asset_index import asset_index_row, find_pair
from openperp.api.wire.contracts import funding_rate, next_funding_ms
from openperp.api.wire.rolling_day import last_lots, rolling_day
from openperp.api.wire.row import Row
from openperp.engine.state import Asset, Market
from openperp.history.market import Bar


class MarkPrice(MarketChannel):
    """Mark and index price of a market, and its funding."""

    steady = True

    def speak(self) -> Iterable[bytes]:
        yield encode(mark_price(self.view, self.market))


class MarkPrices(Channel):
    """The mark prices of all markets, in one list."""

    steady = True

    def speak(self) -> Iterable[bytes]:
        yield encode([mark_price(self.view, market) for market in _markets(self.view)])


class Ticker(MarketChannel):
    """The rolling day of a market, whole or in short."""

    steady = True

    def speak(self) -> Iterable[bytes]:
        day = self.view.history.market.rolling_day(self.stream.symbol, self.view.now_ms())
        describe = mini_ticker if self.stream.topic.kind is Kind.MINI_TICKER else ticker
        yield encode(describe(self.view, self.market, day))


class Tickers(Channel):
    """The rolling days of the markets that have changed since the last list.

    The days themselves move on all the time, and that alone is no change.
    """

    steady = True

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._told: dict[str, Bar] = {}

    def speak(self) -> Iterable[bytes]:
        now_ms = self.view.now_ms()
        describe = mini_ticker if self.stream.topic.kind is Kind.MINI_TICKERS else ticker
        rows = []
        for market in _markets(self.view):
            day = self.view.history.market.rolling_day(market.spec.symbol, now_ms)
            if not _is_same(day, self._told.get(market.spec.symbol)):
                self._told[market.spec.symbol] = day
                rows.append(describe(self.view, market, day))
        if rows:
            yield encode(rows)


class AssetIndex(Channel):
    """The index of an asset; in a list where all are asked for."""

    steady = True

    def speak(self) -> Iterable[bytes]:
        state, now_ms = self.view.state, self.view.now_ms()
        if self.stream.topic.kind is Kind.ASSET_INDEXES:
            yield encode([asset_index(asset, now_ms) for asset in state.assets.values()])
            return
        asset = find_pair(state, self.stream.symbol)
        if asset is not None:
            yield encode(asset_index(asset, now_ms))


def mark_price(view: View, market: Market) -> Row:
    text, now_ms = view.format_of(market), view.now_ms()
    mark, index = text.price[market.mark_ticks], text.price[market.index_ticks]
    return {
        "e": "markPriceUpdate",
        "E": now_ms,
        "s": market.spec.symbol,
        "p": mark,
        "ap": mark,
        "i": index,
        "P": index,
        "r": funding_rate(view.state, market),
        "T": next_funding_ms(market, now_ms),
        "st": USD_MARGINED,
    }


def mini_ticker(view: View, market: Market, day: Bar) -> Row:
    texts = rolling_day(day, view.format_of(market))
    symbol = market.spec.symbol
    return {
        "e": "24hrMiniTicker",
        "E": view.now_ms(),
        "s": symbol,
        "ps": symbol,
        "c": texts.close,
        "o": texts.open,
        "h": texts.high,
        "l": texts.low,
        "v": texts.volume,
        "q": texts.quote_volume,
        "st": USD_MARGINED,
    }


def ticker(view: View, market: Market, day: Bar) -> Row:
    text, now_ms = view.format_of(market), view.now_ms()
    texts = rolling_day(day, text)
    symbol = market.spec.symbol
    return {
        "e": "24hrTicker",
        "E": now_ms,
        "s": symbol,
        "ps": symbol,
        "p": texts.change,
        "P": texts.change_percent,
        "w": texts.average,
        "c": texts.close,
        "Q": text.quantity[last_lots(view.history.market, symbol)],
        "o": texts.open,
        "h": texts.high,
        "l": texts.low,
        "v": texts.volume,
        "q": texts.quote_volume,
        "O": day.open_ms,
        "C": now_ms,
        "F": day.first_id,
        "L": day.last_id,
        "n": day.trades,
        "st": USD_MARGINED,
    }


def asset_index(asset: Asset, now_ms: int) -> Row:
    row = asset_index_row(asset, now_ms)
    return {
        "e": "assetIndexUpdate",
        "E": now_ms,
        "s": row["symbol"],
        "i": row["index"],
        "b": row["bidBuffer"],
        "a": row["askBuffer"],
        "B": row["bidRate"],
        "A": row["askRate"],
        "q": row["autoExchangeBidBuffer"],
        "g": row["autoExchangeAskBuffer"],
        "Q": row["autoExchangeBidRate"],
        "G": row["autoExchangeAskRate"],
    }


def _markets(view: View) -> Iterable[Market]:
    return view.state.markets.values()


def _is_same(day: Bar, told: Bar | None) -> bool:
    return told is not None and _content(day) == _content(told)


def _content(day: Bar) -> tuple[int, ...]:
    return day.open, day.high, day.low, day.close, day.lots, day.trades, day.last_id
