"""Trades, bars and day tickers as rows."""

from typing import Any, Final

from openperp.api.wire.numbers import InstrumentFormat, decimal_text
from openperp.api.wire.rolling_day import rolling_day
from openperp.api.wire.row import Row
from openperp.engine.state import Market
from openperp.history.intervals import INTERVALS, shift_period
from openperp.history.market import AggTrade, Bar, BarKind, Trade

CONTINUOUS_KLINE_INTERVALS: Final = tuple(INTERVALS)
KLINE_INTERVALS: Final = tuple(name for name in INTERVALS if name != "1s")
"""Bars of a second are told of a pair alone."""

_FILLER: Final = "0"
"""Stands where a bar of a price that nobody trades has no volume to tell."""


def trade_row(trade: Trade, instrument: InstrumentFormat) -> Row:
    """One trade; there are none with hidden retail orders here."""
    return {
        "id": trade.trade_id,
        "price": instrument.price[trade.ticks],
        "qty": instrument.quantity[trade.lots],
        "quoteQty": instrument.quote_text(trade.ticks * trade.lots),
        "time": trade.time_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isRPITrade": False,
    }


def agg_trade_row(trade: AggTrade, instrument: InstrumentFormat) -> Row:
    """Trades taken together; `nq`, without hidden retail orders, is all of `q`."""
    quantity = instrument.quantity[trade.lots]
    return {
        "a": trade.agg_id,
        "p": instrument.price[trade.ticks],
        "q": quantity,
        "nq": quantity,
        "f": trade.first_id,
        "l": trade.last_id,
        "T": trade.time_ms,
        "m": trade.buyer_is_maker,
    }


def close_ms(interval: str, open_ms: int) -> int:
    """The last millisecond of the period that begins at `open_ms`."""
    return shift_period(interval, open_ms, 1) - 1


def bar_row(bar: Bar, kind: BarKind, interval: str, instrument: InstrumentFormat) -> list[Any]:
    """Twelve columns; only bars of the last price have volumes."""
    row: list[Any] = [bar.open_ms, *bar_prices(bar, kind, instrument)]
    end_ms = close_ms(interval, bar.open_ms)
    if kind is not BarKind.LAST:
        return [*row, _FILLER, end_ms, _FILLER, bar.trades, _FILLER, _FILLER, _FILLER]
    return [
        *row,
        instrument.quantity[bar.lots],
        end_ms,
        instrument.quote_text(bar.value),
        bar.trades,
        instrument.quantity[bar.taker_buy_lots],
        instrument.quote_text(bar.taker_buy_value),
        _FILLER,
    ]


def bar_prices(bar: Bar, kind: BarKind, instrument: InstrumentFormat) -> list[str]:
    """Open, high, low and close; those of the premium index are rates."""
    prices = (bar.open, bar.high, bar.low, bar.close)
    if kind is BarKind.PREMIUM:
        return [decimal_text(rate, 8, shortest=False) for rate in prices]
    return [instrument.price[ticks] for ticks in prices]


def day_ticker_row(
    market: Market, day: Bar, last_lots: int, instrument: InstrumentFormat, now_ms: int
) -> Row:
    """A market over the 24 hours of `day`; `last_lots` is the size of its last trade."""
    texts = rolling_day(day, instrument)
    return {
        "symbol": market.spec.symbol,
        "priceChange": texts.change,
        "priceChangePercent": texts.change_percent,
        "weightedAvgPrice": texts.average,
        "lastPrice": texts.close,
        "lastQty": instrument.quantity[last_lots],
        "openPrice": texts.open,
        "highPrice": texts.high,
        "lowPrice": texts.low,
        "volume": texts.volume,
        "quoteVolume": texts.quote_volume,
        "openTime": day.open_ms,
        "closeTime": now_ms,
        "firstId": day.first_id,
        "lastId": day.last_id,
        "count": day.trades,
    }
