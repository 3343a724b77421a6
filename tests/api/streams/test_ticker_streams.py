"""Streams that keep a beat, and that of contracts, message by message."""

from typing import Any

import pytest
from msgspec import structs
from tests.api.offline import START_MS
from tests.api.streams.listening import Listening

from openperp.engine.assets import AssetSpec
from openperp.engine.commands import (
    DefineAsset,
    DefineInstrument,
    PlaceOrder,
    Reset,
    SetAssetIndex,
    SetMode,
)
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.terms import Mode, OrderType, Side

HOUR = 3_600_000


@pytest.fixture
def desk() -> Listening:
    return Listening()


def trade(desk: Listening, ticks: int, lots: int, symbol: str = "BTCUSDT") -> None:
    alice, bob = desk.state.accounts
    desk.apply(PlaceOrder(alice, symbol, Side.SELL, OrderType.LIMIT, lots, ticks))
    desk.apply(PlaceOrder(bob, symbol, Side.BUY, OrderType.LIMIT, lots, ticks))
    desk.collect()


def test_a_mark_price_agrees_with_rest(desk: Listening) -> None:
    heard = desk.hear("ethusdt@markPrice")
    desk.price("ETHUSDT", 300_150)
    desk.collect()
    rest = desk.get("/fapi/v1/premiumIndex", "symbol=ETHUSDT")
    assert heard == [
        {
            "e": "markPriceUpdate",
            "E": START_MS,
            "s": "ETHUSDT",
            "p": rest["markPrice"],
            "ap": rest["markPrice"],
            "i": rest["indexPrice"],
            "P": rest["estimatedSettlePrice"],
            "r": rest["lastFundingRate"],
            "T": rest["nextFundingTime"],
            "st": 1,
        }
    ]
    assert (rest["markPrice"], rest["nextFundingTime"]) == ("3001.5", START_MS + 8 * HOUR)


def test_all_mark_prices_come_in_one_list(desk: Listening) -> None:
    heard = desk.hear("!markPrice@arr")
    desk.collect()
    (rows,) = heard
    assert [(row["s"], row["p"]) for row in rows] == [
        ("BTCUSDT", "60000"),
        ("ETHUSDT", "3000"),
        ("SOLUSDT", "150"),
    ]


def test_a_ticker(desk: Listening) -> None:
    trade(desk, 600_000, 4)
    trade(desk, 606_000, 2)
    heard = desk.hear("btcusdt@ticker")
    desk.collect()
    (row,) = heard
    assert row == {
        "e": "24hrTicker",
        "E": START_MS,
        "s": "BTCUSDT",
        "ps": "BTCUSDT",
        "p": "600",
        "P": "1.000",
        "w": "60200",
        "c": "60600",
        "Q": "0.002",
        "o": "60000",
        "h": "60600",
        "l": "60000",
        "v": "0.006",
        "q": "361.2",
        "O": row["O"],
        "C": START_MS,
        "F": 1,
        "L": 2,
        "n": 2,
        "st": 1,
    }
    assert START_MS - 25 * HOUR < row["O"] <= START_MS


def test_a_small_ticker_in_the_binance_dialect() -> None:
    desk = Listening("binance")
    trade(desk, 600_000, 4)
    heard = desk.hear("btcusdt@miniTicker")
    desk.collect()
    assert heard == [
        {
            "e": "24hrMiniTicker",
            "E": START_MS,
            "s": "BTCUSDT",
            "ps": "BTCUSDT",
            "c": "60000.00",
            "o": "60000.00",
            "h": "60000.00",
            "l": "60000.00",
            "v": "0.004",
            "q": "240.00000000",
            "st": 1,
        }
    ]


def test_a_ticker_of_a_market_without_trades(desk: Listening) -> None:
    heard = desk.hear("solusdt@ticker")
    desk.collect()
    (row,) = heard
    assert (row["c"], row["o"], row["p"], row["P"]) == ("150", "150", "0", "0.000")
    assert (row["v"], row["Q"], row["w"], row["n"]) == ("0", "0", "0", 0)


@pytest.mark.parametrize("name", ["!ticker@arr", "!miniTicker@arr"])
def test_lists_of_tickers_hold_what_has_changed(desk: Listening, name: str) -> None:
    heard = desk.hear(name)
    desk.elapse(3_000)
    assert [[row["s"] for row in rows] for rows in heard] == [["BTCUSDT", "ETHUSDT", "SOLUSDT"]]
    trade(desk, 300_000, 10, "ETHUSDT")
    desk.elapse(3_000)
    assert [[row["s"] for row in rows] for rows in heard[1:]] == [["ETHUSDT"]]
    # When the trade leaves the window, that is a change as well.
    desk.now_ms += 25 * HOUR
    desk.elapse(1_000)
    assert [[row["s"] for row in rows] for rows in heard[2:]] == [["ETHUSDT"]]
    assert heard[2][0]["v"] == "0"


def test_the_index_of_the_margin_asset_agrees_with_rest(desk: Listening) -> None:
    one, all_of_them = desk.hear("usdtusd@assetIndex"), desk.hear("!assetIndex@arr")
    desk.collect()
    rest = desk.get("/fapi/v1/assetIndex", "symbol=USDTUSD")
    assert all_of_them == [one]
    assert list(one[0].values()) == [
        "assetIndexUpdate",
        START_MS,
        "USDTUSD",
        *list(rest.values())[2:],
    ]


def test_every_asset_has_an_index_of_its_own(desk: Listening) -> None:
    desk.apply(DefineAsset(AssetSpec("BTC", 60_000 * MONEY_ONE, 50_000, 20_000)))
    one, all_of_them = desk.hear("btcusd@assetIndex"), desk.hear("!assetIndex@arr")
    desk.apply(SetAssetIndex("BTC", 50_000 * MONEY_ONE))
    desk.collect()
    assert [row["s"] for row in all_of_them[0]] == ["USDTUSD", "BTCUSD"]
    assert all_of_them[0][1] == one[0]
    assert [one[0][name] for name in "ibaBA"] == [
        "50000.00000000",
        "0.05000000",
        "0.02000000",
        "47500.00000000",
        "51000.00000000",
    ]


# Contracts.


def change(desk: Listening, symbol: str, **terms: Any) -> None:
    market = desk.state.markets["BTCUSDT"]
    spec = structs.replace(market.spec, symbol=symbol, **terms)
    desk.apply(DefineInstrument(spec, market.index_ticks))
    desk.collect()


def test_a_new_contract_is_told_of(desk: Listening) -> None:
    heard = desk.hear("!contractInfo")
    assert desk.collect() == 0
    change(desk, "XRPUSDT", base_asset="XRP", onboard_ms=START_MS)
    assert heard == [
        {
            "e": "contractInfo",
            "E": START_MS,
            "s": "XRPUSDT",
            "ps": "XRPUSDT",
            "ct": "PERPETUAL",
            "dt": 4_133_404_800_000,
            "ot": START_MS,
            "cs": "TRADING",
            "st": 1,
        }
    ]


def test_new_brackets_come_along(desk: Listening) -> None:
    heard = desk.hear("!contractInfo")
    first, second, *_ = desk.state.markets["BTCUSDT"].spec.brackets
    second = structs.replace(second, notional_cap=second.notional_floor + MONEY_ONE * 3 // 2)
    change(desk, "BTCUSDT", brackets=(first, second))
    assert heard[0]["bks"] == [
        {"bs": 1, "bnf": 0, "bnc": 300_000, "mmr": 0.004, "cf": 0, "mi": 101, "ma": 125},
        {"bs": 2, "bnf": 300_000, "bnc": 300_001.5, "mmr": 0.005, "cf": 300, "mi": 1, "ma": 100},
    ]


def test_a_change_of_what_is_accepted(desk: Listening) -> None:
    heard = desk.hear("!contractInfo")
    desk.apply(SetMode(Mode.HALTED, "ETHUSDT"))
    desk.apply(SetMode(Mode.CANCEL_ONLY))
    desk.apply(Reset())
    desk.collect()
    assert [(row["s"], row["cs"]) for row in heard] == [
        ("ETHUSDT", "TRADING_HALT"),
        ("BTCUSDT", "TRADING_CANCEL_ONLY"),
        ("SOLUSDT", "TRADING_CANCEL_ONLY"),
        ("BTCUSDT", "TRADING"),
        ("ETHUSDT", "TRADING"),
        ("SOLUSDT", "TRADING"),
    ]
    assert not any("bks" in row for row in heard)


def test_contracts_are_not_told_of_to_nobody(desk: Listening) -> None:
    desk.hear("ethusdt@depth")
    heard: list[Any] = []
    hear = heard.append
    desk.join("!contractInfo", hear)
    desk.leave("!contractInfo", hear)
    desk.apply(SetMode(Mode.HALTED))
    assert desk.due_in_ms() is None
    desk.join("!contractInfo", hear)
    assert desk.collect() == 0


def test_terms_that_no_contract_info_shows_are_not_told(desk: Listening) -> None:
    heard = desk.hear("!contractInfo")
    change(desk, "BTCUSDT", maker_fee_ppm=1)
    assert heard == []


def test_a_new_contract_is_in_the_lists(desk: Listening) -> None:
    heard = desk.hear("!markPrice@arr@1s")
    change(desk, "XRPUSDT", base_asset="XRP")
    desk.elapse(1_000)
    assert "XRPUSDT" in [row["s"] for row in heard[-1]]
