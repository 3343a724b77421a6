"""Which channel tells a stream of which kind."""

from typing import Final

from openperp.api.streams.channel import Channel, Silent
from openperp.api.streams.contracts import ContractInfo
from openperp.api.streams.depth import BookTicker, BookTickers, DepthPicture, DepthUpdates
from openperp.api.streams.forced import ForceOrders
from openperp.api.streams.klines import Klines
from openperp.api.streams.names import Kind, Stream
from openperp.api.streams.tickers import AssetIndex, MarkPrice, MarkPrices, Ticker, Tickers
from openperp.api.streams.trades import AggTrades, Trades
from openperp.api.view import View

CHANNELS: Final[dict[Kind, type[Channel]]] = {
    Kind.TRADE: Trades,
    Kind.AGG_TRADE: AggTrades,
    Kind.KLINE: Klines,
    Kind.CONTINUOUS_KLINE: Klines,
    Kind.MARK_PRICE: MarkPrice,
    Kind.MARK_PRICES: MarkPrices,
    Kind.MINI_TICKER: Ticker,
    Kind.MINI_TICKERS: Tickers,
    Kind.TICKER: Ticker,
    Kind.TICKERS: Tickers,
    Kind.BOOK_TICKER: BookTicker,
    Kind.BOOK_TICKERS: BookTickers,
    Kind.DEPTH_PICTURE: DepthPicture,
    Kind.DEPTH_UPDATE: DepthUpdates,
    Kind.FORCE_ORDER: ForceOrders,
    Kind.FORCE_ORDERS: ForceOrders,
    # No symbol stands for a basket of others.
    Kind.COMPOSITE_INDEX: Silent,
    Kind.ASSET_INDEX: AssetIndex,
    Kind.ASSET_INDEXES: AssetIndex,
    Kind.CONTRACT_INFO: ContractInfo,
    # No contract follows a market that opens and closes.
    Kind.TRADING_SESSION: Silent,
}


def open_channel(stream: Stream, view: View) -> Channel:
    return CHANNELS[stream.topic.kind](stream, view)
