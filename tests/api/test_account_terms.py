"""Fees, limits, and the modes that an account cannot take yet."""

import json

import pytest
from tests.api.offline import START_MS, header
from tests.api.trader import Trader, trade

V1 = "/fapi/v1/"


def test_fees_are_those_of_the_instrument(alice: Trader) -> None:
    assert alice.get(V1 + "commissionRate", symbol="BTCUSDT") == {
        "symbol": "BTCUSDT",
        "makerCommissionRate": "0.0002",
        "takerCommissionRate": "0.0005",
        "rpiCommissionRate": "0.0002",
    }
    assert alice.refused("GET", V1 + "commissionRate", symbol="NOPE").code == -1121
    assert alice.refused("GET", V1 + "commissionRate").code == -1102


def test_another_fee_tier_is_seen_wherever_fees_are(alice: Trader, bob: Trader) -> None:
    change = alice.venue.operator("POST", "accounts/alice/fee_tier", tier=3)
    assert json.loads(change.body) == {"name": "alice", "tier": 3}
    (row, _) = json.loads(alice.venue.operator("GET", "accounts").body)
    assert (row["name"], row["fee_tier"]) == ("alice", 3)
    rates = alice.get(V1 + "commissionRate", symbol="BTCUSDT")
    assert rates["makerCommissionRate"] == rates["rpiCommissionRate"] == "0.00012"
    assert rates["takerCommissionRate"] == "0.00032"
    assert alice.get(V1 + "accountConfig")["feeTier"] == 3
    account = alice.get("/fapi/v2/account")
    assert account["feeTier"] == 3
    assert bob.get(V1 + "accountConfig")["feeTier"] == 0

    trade(alice, bob)  # alice takes 0.01 at 60000
    (fill,) = alice.get(V1 + "userTrades", symbol="BTCUSDT")
    assert fill["commission"] == "0.19200000"
    (paid,) = alice.get(V1 + "income", incomeType="COMMISSION")
    assert paid["income"] == "-0.19200000"
    price = str(round(60000 * 1.00032 / 0.99968, 5))
    risk = alice.get("/fapi/v2/positionRisk", symbol="BTCUSDT")[0]
    held = alice.get("/fapi/v2/account")["positions"][0]
    assert risk["breakEvenPrice"] == held["breakEvenPrice"] == price
    (other,) = bob.get(V1 + "income", incomeType="COMMISSION")
    assert other["income"] == "-0.12000000"


def test_order_limits(alice: Trader) -> None:
    assert alice.get(V1 + "rateLimit/order") == [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    ]


def test_nobody_is_measured(alice: Trader) -> None:
    expected = {"indicators": {}, "updateTime": START_MS}
    assert alice.get(V1 + "apiTradingStatus") == expected
    assert alice.get(V1 + "apiTradingStatus", symbol="BTCUSDT") == expected


def test_quantiles_of_held_positions(alice: Trader, bob: Trader) -> None:
    assert alice.get(V1 + "adlQuantile") == []
    trade(alice, bob)
    row = {"symbol": "BTCUSDT", "adlQuantile": {"LONG": 0, "SHORT": 0, "BOTH": 0}}
    assert alice.get(V1 + "adlQuantile") == [row]
    assert bob.get(V1 + "adlQuantile", symbol="BTCUSDT") == [row]
    assert alice.get(V1 + "adlQuantile", symbol="ETHUSDT") == []
    assert alice.refused("GET", V1 + "adlQuantile", symbol="NOPE").code == -1121


def test_fees_are_never_burnt(alice: Trader) -> None:
    assert alice.get(V1 + "feeBurn") == {"feeBurn": False}
    assert alice.post(V1 + "feeBurn", feeBurn="false") == {"code": 200, "msg": "success"}
    assert alice.refused("POST", V1 + "feeBurn", feeBurn="true").code == -4084


CHANGE = {"symbol": "BTCUSDT", "amount": "1", "type": "1"}


def test_agreements_and_portfolio_margin(alice: Trader) -> None:
    assert alice.post(V1 + "stock/contract") == {"code": 200, "msg": "success"}
    assert alice.get(V1 + "pmAccountInfo", asset="USDT") == {
        "maxWithdrawAmountUSD": "10000.00000000",
        "asset": "USDT",
        "maxWithdrawAmount": "10000.00000000",
    }
    assert alice.refused("GET", V1 + "pmAccountInfo", asset="BNB").code == -1108


@pytest.mark.parametrize(
    ("method", "path", "fields", "weight"),
    [
        ("GET", "commissionRate", {"symbol": "BTCUSDT"}, 20),
        ("GET", "rateLimit/order", {}, 1),
        ("GET", "apiTradingStatus", {"symbol": "BTCUSDT"}, 1),
        ("GET", "apiTradingStatus", {}, 10),
        ("GET", "adlQuantile", {}, 5),
        ("GET", "forceOrders", {"symbol": "BTCUSDT"}, 20),
        ("GET", "forceOrders", {}, 50),
        ("GET", "feeBurn", {}, 30),
        ("POST", "feeBurn", {"feeBurn": "false"}, 1),
        ("POST", "multiAssetsMargin", {"multiAssetsMargin": "false"}, 1),
        ("POST", "positionMargin", CHANGE, 1),
        ("GET", "positionMargin/history", {"symbol": "BTCUSDT"}, 1),
        ("POST", "stock/contract", {}, 50),
        ("GET", "pmAccountInfo", {"asset": "USDT"}, 5),
    ],
)
def test_weights(
    alice: Trader, method: str, path: str, fields: dict[str, str], weight: int
) -> None:
    answer = alice.send(method, V1 + path, **fields)
    assert header(answer, "x-mbx-used-weight-1m") == str(weight)
