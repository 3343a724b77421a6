"""The last 24 hours of a market as texts, which REST and the ticker streams tell alike."""

import msgspec

from openperp.api.wire.numbers import InstrumentFormat, decimal_text
from openperp.engine.numbers import divide_nearest
from openperp.history.market import Bar, MarketHistory

PERCENT_DECIMALS = 3


class RollingDay(msgspec.Struct, frozen=True):
    """Prices and quantities as the dialect writes them; percent at three decimals.

    `change` is what the price has gained since the window began. `average` is
    weighted by quantity, and zero without a trade.
    """

    open: str
    high: str
    low: str
    close: str
    change: str
    change_percent: str
    average: str
    volume: str
    quote_volume: str


def rolling_day(day: Bar, text: InstrumentFormat) -> RollingDay:
    """The texts of a bar of `MarketHistory.rolling_day`."""
    gain = day.close - day.open
    percent = divide_nearest(gain * 100 * 10**PERCENT_DECIMALS, day.open) if day.open else 0
    return RollingDay(
        open=text.price[day.open],
        high=text.price[day.high],
        low=text.price[day.low],
        close=text.price[day.close],
        change=text.price[gain],
        change_percent=decimal_text(percent, PERCENT_DECIMALS, shortest=False),
        average=text.derived_price(day.value, day.lots),
        volume=text.quantity[day.lots],
        quote_volume=text.quote_text(day.value),
    )


def last_lots(history: MarketHistory, symbol: str) -> int:
    """The size of the last trade of all, which a day without trades tells as well; zero if none."""
    newest = history.list_trades(symbol, limit=1)
    return newest[-1].lots if newest else 0
