"""Names of market streams: which exist, and what they stand for."""

import pytest
from tests.api.offline import OfflineVenue

from openperp.api.streams.names import Kind, parse
from openperp.engine.state import State


@pytest.fixture(scope="module")
def state() -> State:
    return OfflineVenue().state


TABLE = [
    ("btcusdt@aggTrade", "BTCUSDT", Kind.AGG_TRADE, 100),
    ("btcusdt@trade", "BTCUSDT", Kind.TRADE, 0),
    ("ethusdt@markPrice", "ETHUSDT", Kind.MARK_PRICE, 3_000),
    ("ethusdt@markPrice@1s", "ETHUSDT", Kind.MARK_PRICE, 1_000),
    ("!markPrice@arr", "", Kind.MARK_PRICES, 3_000),
    ("!markPrice@arr@1s", "", Kind.MARK_PRICES, 1_000),
    ("btcusdt@kline_1m", "BTCUSDT", Kind.KLINE, 250),
    ("btcusdt@kline_1M", "BTCUSDT", Kind.KLINE, 250),
    ("btcusdt_perpetual@continuousKline_1s", "BTCUSDT", Kind.CONTINUOUS_KLINE, 250),
    ("btcusdt_perpetual@continuousKline_1w", "BTCUSDT", Kind.CONTINUOUS_KLINE, 250),
    ("btcusdt@miniTicker", "BTCUSDT", Kind.MINI_TICKER, 2_000),
    ("!miniTicker@arr", "", Kind.MINI_TICKERS, 1_000),
    ("btcusdt@ticker", "BTCUSDT", Kind.TICKER, 2_000),
    ("!ticker@arr", "", Kind.TICKERS, 1_000),
    ("btcusdt@bookTicker", "BTCUSDT", Kind.BOOK_TICKER, 0),
    ("!bookTicker", "", Kind.BOOK_TICKERS, 5_000),
    ("btcusdt@forceOrder", "BTCUSDT", Kind.FORCE_ORDER, 1_000),
    ("!forceOrder@arr", "", Kind.FORCE_ORDERS, 1_000),
    ("btcusdt@depth5", "BTCUSDT", Kind.DEPTH_PICTURE, 250),
    ("btcusdt@depth10@250ms", "BTCUSDT", Kind.DEPTH_PICTURE, 250),
    ("btcusdt@depth20@500ms", "BTCUSDT", Kind.DEPTH_PICTURE, 500),
    ("btcusdt@depth5@100ms", "BTCUSDT", Kind.DEPTH_PICTURE, 100),
    ("btcusdt@depth", "BTCUSDT", Kind.DEPTH_UPDATE, 250),
    ("btcusdt@depth@500ms", "BTCUSDT", Kind.DEPTH_UPDATE, 500),
    ("btcusdt@depth@100ms", "BTCUSDT", Kind.DEPTH_UPDATE, 100),
    ("btcusdt@depth@0ms", "BTCUSDT", Kind.DEPTH_UPDATE, 100),
    ("btcusdt@rpiDepth@500ms", "BTCUSDT", Kind.DEPTH_UPDATE, 500),
    ("btcusdt@compositeIndex", "BTCUSDT", Kind.COMPOSITE_INDEX, 1_000),
    ("!contractInfo", "", Kind.CONTRACT_INFO, 0),
    ("!assetIndex@arr", "", Kind.ASSET_INDEXES, 1_000),
    ("usdtusd@assetIndex", "USDTUSD", Kind.ASSET_INDEX, 1_000),
    ("tradingSession", "", Kind.TRADING_SESSION, 1_000),
]


@pytest.mark.parametrize(("name", "symbol", "kind", "pace_ms"), TABLE)
def test_streams_that_exist(state: State, name: str, symbol: str, kind: Kind, pace_ms: int) -> None:
    stream = parse(name, state, exact=True)
    assert stream is not None
    assert (stream.name, stream.symbol) == (name, symbol)
    assert (stream.topic.kind, stream.topic.pace_ms) == (kind, pace_ms)


def test_every_kind_has_a_name() -> None:
    assert {kind for _, _, kind, _ in TABLE} == set(Kind)


def test_what_a_name_says_beside_its_kind(state: State) -> None:
    picture = parse("btcusdt@depth20@100ms", state)
    kline = parse("btcusdt@kline_15m", state)
    assert picture is not None
    assert kline is not None
    assert picture.topic.levels == 20
    assert kline.topic.interval == "15m"


def test_the_case_of_a_subject_is_forgiven_unless_names_are_exact(state: State) -> None:
    for asked, name in (
        ("BTCUSDT@depth@100ms", "btcusdt@depth@100ms"),
        ("BtcUsdt_PERPETUAL@continuousKline_1M", "btcusdt_perpetual@continuousKline_1M"),
    ):
        assert parse(asked, state) == parse(name, state) is not None
        assert parse(asked, state, exact=True) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "@",
        "btcusdt",
        "btcusdt@",
        "@depth",
        "nope@depth",
        "btcusdt@Depth",
        "btcusdt@aggtrade",
        "btcusdt@depth7",
        "btcusdt@depth@1s",
        "btcusdt@depth5@0ms",
        "btcusdt@kline_1s",
        "btcusdt@kline_2m",
        "btcusdt@continuousKline_1m",
        "btcusdt_current_quarter@continuousKline_1m",
        "_perpetual@continuousKline_1m",
        "btcusdt@markPrice@3s",
        "btcusdt@assetIndex",
        "btcusd@assetIndex",
        "usd@assetIndex",
        "!ticker",
        "!TICKER@arr",
        "!ticker@arr@btcusdt",
        "btcusdt@depth@depth",
        "btcusdt@!ticker@arr",
        # In upper case this letter is an S.
        "\u017folusdt@depth",
        "bt\u0441usdt@depth",
        "x" * 100_000 + "@depth",
    ],
)
def test_names_of_nothing(state: State, name: str) -> None:
    assert parse(name, state) is None
