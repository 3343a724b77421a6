"""Balances, positions and settings through the API."""

import json
from typing import Any

import pytest
from tests.api.trader import Trader

STRICT_ACCOUNT = {
    "feeTier",
    "canTrade",
    "canDeposit",
    "canWithdraw",
    "updateTime",
    "assets",
    "positions",
}
STRICT_ASSET = {
    "asset",
    "walletBalance",
    "unrealizedProfit",
    "marginBalance",
    "maintMargin",
    "initialMargin",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "crossWalletBalance",
    "crossUnPnl",
    "availableBalance",
    "maxWithdrawAmount",
}
STRICT_RISK = {
    "symbol",
    "positionSide",
    "positionAmt",
    "entryPrice",
    "markPrice",
    "unRealizedProfit",
    "liquidationPrice",
    "isolatedMargin",
    "updateTime",
}
"""Fields without which the strictest of known clients raises."""


@pytest.fixture
def holder(either: Trader) -> Trader:
    """Alice, who holds 0.01 BTC bought at 60000, and bids for ETH."""
    Trader(either.venue, "bob").limit(side="SELL", price="60000")
    either.limit(price="60000")
    either.limit(symbol="ETHUSDT", price="2500", quantity="0.1")
    return either


@pytest.mark.parametrize("version", [2, 3])
def test_balance(holder: Trader, version: int) -> None:
    (row,) = holder.get(f"/fapi/v{version}/balance")
    assert (row["asset"], row["balance"]) == ("USDT", "9999.70000000")
    # less 30 for the position and 12.5 for the bid
    assert row["availableBalance"] == "9957.20000000"
    assert row["updateTime"] == holder.venue.now_ms


def test_account_v2_has_every_symbol(holder: Trader) -> None:
    row = holder.get("/fapi/v2/account")
    assert row.keys() >= STRICT_ACCOUNT
    assert row["assets"][0].keys() >= STRICT_ASSET
    symbols = [position["symbol"] for position in row["positions"]]
    assert symbols == list(holder.venue.state.markets)
    assert row["totalInitialMargin"] == "42.50000000"
    assert row["positions"][0]["leverage"] == "20"


def test_account_v3_has_the_symbols_in_use(holder: Trader) -> None:
    row = holder.get("/fapi/v3/account")
    assert [position["symbol"] for position in row["positions"]] == ["BTCUSDT", "ETHUSDT"]
    assert row["assets"][0].keys() >= STRICT_ASSET
    assert row["availableBalance"] == "9957.20000000"
    holder.delete("/fapi/v1/allOpenOrders", symbol="ETHUSDT")
    row = holder.get("/fapi/v3/account")
    assert [position["symbol"] for position in row["positions"]] == ["BTCUSDT"]


@pytest.mark.parametrize("version", [1, 2])
def test_risk_of_every_symbol(holder: Trader, version: int) -> None:
    rows = holder.get(f"/fapi/v{version}/positionRisk")
    assert [row["symbol"] for row in rows] == list(holder.venue.state.markets)
    assert all(row.keys() >= STRICT_RISK for row in rows)
    assert [float(row["positionAmt"]) for row in rows] == [0.01, 0, 0]
    (row,) = holder.get(f"/fapi/v{version}/positionRisk", symbol="SOLUSDT")
    assert (row["symbol"], float(row["entryPrice"])) == ("SOLUSDT", 0)


def test_risk_of_the_symbols_in_use(holder: Trader) -> None:
    rows = holder.get("/fapi/v3/positionRisk")
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT"]
    assert all(row.keys() >= STRICT_RISK for row in rows)
    assert holder.get("/fapi/v3/positionRisk", symbol="SOLUSDT") == []
    refusal = holder.refused("GET", "/fapi/v3/positionRisk", symbol="NOSUCH")
    assert refusal.code == -1121


def test_profit_follows_the_mark_price(holder: Trader) -> None:
    holder.venue.price("BTCUSDT", 605_000)
    (row,) = holder.get("/fapi/v1/positionRisk", symbol="BTCUSDT")
    assert row["unRealizedProfit"] == "5.00000000"
    (row,) = holder.get("/fapi/v2/balance")
    assert row["crossUnPnl"] == "5.00000000"


def test_leverage(either: Trader) -> None:
    reply = either.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
    assert reply["symbol"] == "BTCUSDT"
    assert reply["leverage"] == 50
    cap = either.venue.state.markets["BTCUSDT"].spec.notional_cap(50) // 10**8
    assert reply["maxNotionalValue"] == str(cap)
    (row,) = either.get("/fapi/v1/positionRisk", symbol="BTCUSDT")
    assert (row["leverage"], row["maxNotionalValue"]) == ("50", str(cap))
    (row,) = either.get("/fapi/v1/symbolConfig", symbol="BTCUSDT")
    assert row == {
        "symbol": "BTCUSDT",
        "marginType": "CROSSED",
        "isAutoAddMargin": False,
        "leverage": 50,
        "maxNotionalValue": str(cap),
    }


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"leverage": 0}, -4028),
        ({"leverage": 126}, -4028),
        ({"leverage": "x"}, -1100),
        ({"leverage": None}, -1102),
        ({"leverage": 5, "symbol": "NOSUCH"}, -1121),
    ],
)
def test_leverage_is_refused(either: Trader, fields: dict[str, Any], code: int) -> None:
    refusal = either.refused("POST", "/fapi/v1/leverage", **{"symbol": "BTCUSDT", **fields})
    assert refusal.code == code


def test_leverage_that_cannot_be_paid_for(either: Trader) -> None:
    either.limit(quantity="1")
    refusal = either.refused("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=1)
    assert refusal.code == -2028


def test_leverage_brackets(either: Trader) -> None:
    rows = either.get("/fapi/v1/leverageBracket")
    assert [row["symbol"] for row in rows] == list(either.venue.state.markets)
    (row,) = either.get("/fapi/v1/leverageBracket", symbol="BTCUSDT")
    first, second = row["brackets"][:2]
    assert first == {
        "bracket": 1,
        "initialLeverage": 125,
        "notionalCap": 300_000,
        "notionalFloor": 0,
        "maintMarginRatio": 0.004,
        "cum": 0,
    }
    assert (second["bracket"], second["notionalFloor"], second["cum"]) == (2, 300_000, 300)
    text = either.send("GET", "/fapi/v1/leverageBracket", symbol="BTCUSDT").body
    assert b'"maintMarginRatio":0.004,' in text


def test_settings(either: Trader) -> None:
    assert either.get("/fapi/v1/multiAssetsMargin") == {"multiAssetsMargin": False}
    rows = either.get("/fapi/v1/symbolConfig")
    assert [row["leverage"] for row in rows] == [20, 20, 20]
    config = either.get("/fapi/v1/accountConfig")
    assert (config["canTrade"], config["dualSidePosition"]) == (True, False)
    assert config["tradeGroupId"] == -1


def test_weights(either: Trader) -> None:
    used = []
    for path in ("/fapi/v3/account", "/fapi/v1/positionSide/dual", "/fapi/v1/leverageBracket"):
        answer = either.send("GET", path)
        assert json.loads(answer.body)
        used.append(int(dict(answer.headers)[b"x-mbx-used-weight-1m"]))
    assert used == [5, 35, 36]
