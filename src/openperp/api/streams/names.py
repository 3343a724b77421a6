"""The names of market streams: one table that says which exist and how often they speak.

A name is a subject and a topic, "btcusdt@depth5@100ms", or a topic of the whole
venue, "!ticker@arr". Subjects are symbols in lower case; other cases are taken
too, and stand for the same stream, unless names are to be exact.
"""

from enum import Enum, auto
from typing import Final

import msgspec

from openperp.api.wire.asset_index import find_pair
from openperp.api.wire.market import CONTINUOUS_KLINE_INTERVALS, KLINE_INTERVALS
from openperp.engine.state import State

CONTRACT: Final = "_perpetual"
"""What follows a pair in the subject of continuous klines; all contracts here are perpetual."""

DEPTH_SPEEDS: Final = {"": 250, "@100ms": 100, "@250ms": 250, "@500ms": 500}
DEPTH_LEVELS: Final = (5, 10, 20)


class Kind(Enum):
    """What a stream tells."""

    TRADE = auto()
    AGG_TRADE = auto()
    KLINE = auto()
    CONTINUOUS_KLINE = auto()
    MARK_PRICE = auto()
    MARK_PRICES = auto()
    MINI_TICKER = auto()
    MINI_TICKERS = auto()
    TICKER = auto()
    TICKERS = auto()
    BOOK_TICKER = auto()
    BOOK_TICKERS = auto()
    DEPTH_PICTURE = auto()
    DEPTH_UPDATE = auto()
    FORCE_ORDER = auto()
    FORCE_ORDERS = auto()
    COMPOSITE_INDEX = auto()
    ASSET_INDEX = auto()
    ASSET_INDEXES = auto()
    CONTRACT_INFO = auto()
    TRADING_SESSION = auto()


class Topic(msgspec.Struct, frozen=True):
    """A stream without its subject: it speaks at most every `pace_ms`, or at once where that is 0.

    `interval` belongs to klines and `levels` to pictures of the top of a book.
    """

    kind: Kind
    pace_ms: int
    interval: str = ""
    levels: int = 0


class Stream(msgspec.Struct, frozen=True):
    """One stream that exists. `symbol` is empty where it is about the whole venue.

    `name` is written as listeners are told it; two names for one stream are one name here.
    """

    name: str
    symbol: str
    topic: Topic


def _market_topics() -> dict[str, Topic]:
    topics = {
        "trade": Topic(Kind.TRADE, 0),
        "aggTrade": Topic(Kind.AGG_TRADE, 100),
        "markPrice": Topic(Kind.MARK_PRICE, 3_000),
        "markPrice@1s": Topic(Kind.MARK_PRICE, 1_000),
        "miniTicker": Topic(Kind.MINI_TICKER, 2_000),
        "ticker": Topic(Kind.TICKER, 2_000),
        "bookTicker": Topic(Kind.BOOK_TICKER, 0),
        "forceOrder": Topic(Kind.FORCE_ORDER, 1_000),
        "compositeIndex": Topic(Kind.COMPOSITE_INDEX, 1_000),
        # Clients ask for 0 ms and get what is fastest.
        "depth@0ms": Topic(Kind.DEPTH_UPDATE, 100),
        # No order here is hidden from the book, so both books are one.
        "rpiDepth@500ms": Topic(Kind.DEPTH_UPDATE, 500),
    }
    for speed, pace_ms in DEPTH_SPEEDS.items():
        topics[f"depth{speed}"] = Topic(Kind.DEPTH_UPDATE, pace_ms)
        for levels in DEPTH_LEVELS:
            topic = Topic(Kind.DEPTH_PICTURE, pace_ms, levels=levels)
            topics[f"depth{levels}{speed}"] = topic
    for interval in KLINE_INTERVALS:
        topics[f"kline_{interval}"] = Topic(Kind.KLINE, 250, interval)
    return topics


MARKET_TOPICS: Final = _market_topics()
"""Topics of a symbol."""

PAIR_TOPICS: Final = {
    f"continuousKline_{interval}": Topic(Kind.CONTINUOUS_KLINE, 250, interval)
    for interval in CONTINUOUS_KLINE_INTERVALS
}
"""Topics of a pair and a contract type."""

ASSET_TOPICS: Final = {"assetIndex": Topic(Kind.ASSET_INDEX, 1_000)}
"""Topics of an asset."""

VENUE_TOPICS: Final = {
    "!markPrice@arr": Topic(Kind.MARK_PRICES, 3_000),
    "!markPrice@arr@1s": Topic(Kind.MARK_PRICES, 1_000),
    "!miniTicker@arr": Topic(Kind.MINI_TICKERS, 1_000),
    "!ticker@arr": Topic(Kind.TICKERS, 1_000),
    "!bookTicker": Topic(Kind.BOOK_TICKERS, 5_000),
    "!forceOrder@arr": Topic(Kind.FORCE_ORDERS, 1_000),
    "!contractInfo": Topic(Kind.CONTRACT_INFO, 0),
    "!assetIndex@arr": Topic(Kind.ASSET_INDEXES, 1_000),
    "tradingSession": Topic(Kind.TRADING_SESSION, 1_000),
}
"""Whole names."""


def parse(name: str, state: State, *, exact: bool = False) -> Stream | None:
    """The stream of a name, if there is one now; `exact` takes subjects in lower case alone."""
    topic = VENUE_TOPICS.get(name)
    if topic is not None:
        return Stream(name, "", topic)
    asked, _, rest = name.partition("@")
    subject = asked.lower()
    if not asked.isascii() or (exact and subject != asked):
        return None
    found = _find(subject, rest, state)
    if found is None:
        return None
    symbol, topic = found
    return Stream(f"{subject}@{rest}", symbol, topic)


def _find(subject: str, rest: str, state: State) -> tuple[str, Topic] | None:
    """Symbol and topic of a subject in lower case and what follows it."""
    topic = MARKET_TOPICS.get(rest)
    if topic is None:
        topic = PAIR_TOPICS.get(rest)
        if topic is None:
            topic = ASSET_TOPICS.get(rest)
            pair = subject.upper()
            return (pair, topic) if topic and find_pair(state, pair) is not None else None
        if not subject.endswith(CONTRACT):
            return None
        subject = subject.removesuffix(CONTRACT)
    symbol = subject.upper()
    return (symbol, topic) if symbol in state.markets else None
