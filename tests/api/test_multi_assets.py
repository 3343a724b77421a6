"""Multi-assets mode from outside, in both dialects: what is shown, and what is refused."""

import json
from typing import Any

import pytest
from tests.api.offline import OfflineVenue, fault
from tests.api.trader import Trader, trade

from openperp.api.dialect import DIALECTS
from openperp.engine.commands import DefineAsset, Deposit, SetMultiAssets
from openperp.engine.numbers import MONEY_ONE
from openperp.node.assets import BUILT_IN_ASSETS

V1 = "/fapi/v1/"
MODE = V1 + "multiAssetsMargin"
DONE = {"code": 200, "msg": "success"}


@pytest.fixture(params=DIALECTS)
def alice(request: pytest.FixtureRequest) -> Trader:
    """She has 1 BTC and 2000 USDC beside her 10000 USDT."""
    venue = OfflineVenue(request.param)
    for spec in BUILT_IN_ASSETS:
        venue.apply(DefineAsset(spec))
    venue.apply(Deposit("alice", "BTC", MONEY_ONE))
    venue.apply(Deposit("alice", "USDC", 2_000 * MONEY_ONE))
    return Trader(venue)


@pytest.fixture
def pooled(alice: Trader) -> Trader:
    """Alice with all her assets as margin."""
    assert alice.post(MODE, multiAssetsMargin="true") == DONE
    return alice


def rows_by_asset(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["asset"]: row for row in rows}


def test_the_mode_is_told_wherever_it_is_asked_for(alice: Trader) -> None:
    for enabled in (False, True, False):
        if alice.get(MODE)["multiAssetsMargin"] is not enabled:
            assert alice.post(MODE, multiAssetsMargin=str(enabled).lower()) == DONE
        told = [
            alice.get(path)["multiAssetsMargin"]
            for path in (MODE, V1 + "accountConfig", "/fapi/v2/account")
        ]
        assert told == [enabled] * 3


def test_single_asset_mode_counts_usdt_alone(alice: Trader) -> None:
    for version in ("v2", "v3"):
        account = alice.get(f"/fapi/{version}/account")
        totals = [account[name] for name in ("totalWalletBalance", "availableBalance")]
        assert totals == ["10000.00000000"] * 2
        rows = rows_by_asset(account["assets"])
        assert list(rows) == ["USDT", "USDC", "BTC"]
        assert rows["BTC"]["walletBalance"] == rows["BTC"]["maxWithdrawAmount"] == "1.00000000"
        assert rows["BTC"]["availableBalance"] == "1.00000000"
        balances = rows_by_asset(alice.get(f"/fapi/{version}/balance"))
        assert [row["balance"] for row in balances.values()] == [
            "10000.00000000",
            "2000.00000000",
            "1.00000000",
        ]


def test_multi_assets_mode_counts_in_dollars(pooled: Trader) -> None:
    bob = Trader(pooled.venue, "bob")
    trade(bob, pooled, quantity="1", price="60000")  # she sells: margin 3000, fee 12
    for version in ("v2", "v3"):
        account = pooled.get(f"/fapi/{version}/account")
        # USDC count 99.99 % and BTC 95 %: 1999.8 + 57000.
        told = [
            account[name]
            for name in (
                "totalWalletBalance",
                "totalMarginBalance",
                "totalCrossWalletBalance",
                "availableBalance",
                "maxWithdrawAmount",
            )
        ]
        assert told == [
            "68987.80000000",
            "68987.80000000",
            "68987.80000000",
            "65987.80000000",
            "65987.80000000",
        ], version
        rows = rows_by_asset(account["assets"])
        assert [row["walletBalance"] for row in rows.values()] == [
            "9988.00000000",
            "2000.00000000",
            "1.00000000",
        ]
        assert rows["USDT"]["initialMargin"] == "3000.00000000"
        assert rows["USDT"]["availableBalance"] == "65987.80000000"
        assert rows["BTC"]["availableBalance"] == "1.15768070"  # 65987.8 / 57000
        assert rows["BTC"]["updateTime"] > 0
        balances = rows_by_asset(pooled.get(f"/fapi/{version}/balance"))
        assert balances["BTC"]["availableBalance"] == "1.15768070"
        assert balances["BTC"]["maxWithdrawAmount"] == "1.00000000"


def test_an_asset_that_was_never_held_was_never_updated(alice: Trader) -> None:
    bob = Trader(alice.venue, "bob")
    times = [row["updateTime"] for row in bob.get("/fapi/v2/balance")]
    assert times[0] > 0
    assert times[1:] == [0, 0]


def test_collateral_moves_the_liquidation_price(alice: Trader) -> None:
    trade(alice, Trader(alice.venue, "bob"), quantity="3", price="60000")
    (before,) = alice.get("/fapi/v3/positionRisk", symbol="BTCUSDT")
    alice.post(MODE, multiAssetsMargin="true")
    (after,) = alice.get("/fapi/v3/positionRisk", symbol="BTCUSDT")
    # 180000 - 9910 over 3 x 0.996; then 58999.8 less to lose.
    assert before["liquidationPrice"].startswith("56924.3")
    assert after["liquidationPrice"].startswith("37178.7")


def test_refusals(alice: Trader) -> None:
    assert alice.refused("POST", MODE, multiAssetsMargin="false").code == -4171
    assert alice.refused("POST", MODE, multiAssetsMargin="maybe").code == -1130
    alice.limit()
    assert alice.refused("POST", MODE, multiAssetsMargin="true").code == -4170
    alice.delete(V1 + "allOpenOrders", symbol="BTCUSDT")
    alice.post(V1 + "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    refusal = alice.refused("POST", MODE, multiAssetsMargin="true")
    assert refusal.code == -4167
    assert "under isolated-margin mode" in refusal.msg
    alice.post(V1 + "marginType", symbol="BTCUSDT", marginType="CROSSED")
    assert alice.post(MODE, multiAssetsMargin="True") == DONE
    assert alice.refused("POST", MODE, multiAssetsMargin="true").code == -4171
    isolate = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
    assert alice.refused("POST", V1 + "marginType", **isolate).code == -4168
    trade(alice, Trader(alice.venue, "bob"), quantity="3", price="60000")
    alice.venue.operator("POST", "accounts/alice/withdraw", amount="9000")
    refusal = alice.refused("POST", MODE, multiAssetsMargin="false")
    assert refusal.code == -4169
    assert "needed 8090 USDT" in refusal.explain  # 9000 for the position, 910 are there
    trade(Trader(alice.venue, "bob"), alice, quantity="3", price="60000")
    alice.venue.operator("POST", "accounts/alice/withdraw", amount="874")
    trade(alice, Trader(alice.venue, "bob"), quantity="0.1", price="60000")
    refusal = alice.refused("POST", MODE, multiAssetsMargin="false")
    assert refusal.code == -4172


def test_the_indices_are_told_with_what_follows_from_them(alice: Trader) -> None:
    venue = alice.venue
    rows = venue.get(V1 + "assetIndex")
    assert [row["symbol"] for row in rows] == ["USDTUSD", "USDCUSD", "BTCUSD"]
    venue.operator("POST", "assets", asset="BTC", index="61234.56789012")
    row = venue.get(V1 + "assetIndex", "symbol=BTCUSD")
    assert row == {
        "symbol": "BTCUSD",
        "time": venue.now_ms,
        "index": "61234.56789012",
        "bidBuffer": "0.05000000",
        "askBuffer": "0.05000000",
        "bidRate": "58172.83949561",
        "askRate": "64296.29628462",
        "autoExchangeBidBuffer": "0.02500000",
        "autoExchangeAskBuffer": "0.02500000",
        "autoExchangeBidRate": "59703.70369286",
        "autoExchangeAskRate": "62765.43208737",
    }
    for unknown in ("BTC", "USD", "BTCUSDT", "ADAUSD"):
        assert fault(venue.ask("GET", V1 + "assetIndex", f"symbol={unknown}"))[1] == -1121
    assert venue.get(V1 + "exchangeInfo")["assets"] == [
        {"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"},
        {"asset": "USDC", "marginAvailable": True, "autoAssetExchange": "-10000"},
        {"asset": "BTC", "marginAvailable": True, "autoAssetExchange": "-0.1"},
    ]


def test_debts_are_exchanged_and_told_as_income(pooled: Trader) -> None:
    venue, bob = pooled.venue, Trader(pooled.venue, "bob")
    venue.operator("POST", "accounts/bob/deposit", amount="1000000")
    venue.operator("POST", "instruments", symbol="BTCUSDT", price_guards=False)
    trade(pooled, bob, quantity="1", price="60000")
    trade(bob, pooled, quantity="1", price="48000")
    # 10000 less 12000, and 30 and 9.6 of fees: 2039.6 are owed, and USDC make 1999.8.
    rows = pooled.get(V1 + "income", incomeType="AUTO_EXCHANGE")
    assert [(row["asset"], row["income"]) for row in rows] == [
        ("USDC", "-2000.00000000"),
        ("USDT", "1999.80000000"),
        ("BTC", "-0.00068035"),  # 39.8 / 58500 = 0.000680341...
        ("USDT", "39.80047500"),
    ]
    assert len({row["tranId"] for row in rows}) == 4
    for asset, balance in (("USDT", "0.00047500"), ("USDC", "0"), ("BTC", "0.99931965")):
        income = [row["income"] for row in pooled.get(V1 + "income") if row["asset"] == asset]
        assert sum(map(_units, income)) == _units(balance)


def _units(text: str) -> int:
    return round(float(text) * MONEY_ONE)


def test_the_operator_moves_assets(alice: Trader) -> None:
    venue = alice.venue
    answer = venue.operator("POST", "accounts/bob/deposit", asset="BTC", amount="0.5")
    assert json.loads(answer.body) == {
        "name": "bob",
        "asset": "BTC",
        "amount": "0.50000000",
        "balance": "0.50000000",
    }
    venue.apply(SetMultiAssets(2, True))
    (row,) = [
        row for row in json.loads(venue.operator("GET", "accounts").body) if row["name"] == "bob"
    ]
    assert row["balances"] == {"BTC": "0.50000000"}
    assert (row["multi_assets"], row["available"]) == (True, "38500.00000000")
    too_much = venue.operator("POST", "accounts/bob/withdraw", asset="BTC", amount="0.50000001")
    assert fault(too_much)[1] == -2018
    unknown = venue.operator("POST", "accounts/bob/deposit", asset="DOGE", amount="1")
    assert fault(unknown)[1] == -1108
    assert alice.get(V1 + "pmAccountInfo", asset="BTC") == {
        "maxWithdrawAmountUSD": "57000.00000000",
        "asset": "BTC",
        "maxWithdrawAmount": "1.00000000",
    }


def test_the_operator_defines_assets(alice: Trader) -> None:
    venue = alice.venue
    assert fault(venue.operator("POST", "assets", asset="ETH"))[1] == -1102
    answer = venue.operator("POST", "assets", asset="ETH", index="3000", bid_buffer="0.1")
    row = json.loads(answer.body)
    assert (row["index"], row["bid_buffer"]) == ("3000.00000000", "0.10000000")
    assert row["auto_exchange_threshold"] == "0.00000000"
    answer = venue.operator("POST", "assets", asset="ETH", index="2500", ask_buffer="0.2")
    row = json.loads(answer.body)
    assert (row["index"], row["first_index"]) == ("2500.00000000", "3000.00000000")
    assert (row["bid_buffer"], row["ask_buffer"]) == ("0.10000000", "0.20000000")
    assert json.loads(venue.operator("POST", "assets", asset="ETH").body) == row
    assert json.loads(venue.operator("GET", "assets").body)[-1] == row
    usdt = venue.operator("POST", "assets", asset="USDT", auto_exchange_threshold="5", index="1")
    assert json.loads(usdt.body)["auto_exchange_threshold"] == "5.00000000"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"asset": "eth", "index": "1"}, -1130),
        ({"asset": "ETH", "index": "0"}, -1130),
        ({"asset": "ETH", "index": "-1"}, -4055),
        ({"asset": "ETH", "index": "99999999999999"}, -1130),
        ({"asset": "ETH", "index": "1", "bid_buffer": "1"}, -1130),
        ({"asset": "ETH", "index": "1", "bid_buffer": "-0.1"}, -1130),
        ({"asset": "ETH", "index": "1", "bid_buffer": "0.0000001"}, -1111),
        ({"asset": "ETH", "index": "1", "ask_buffer": "99999999999999999"}, -1130),
        ({"asset": "BTC", "auto_exchange_bid_buffer": "0.06"}, -1130),
        ({"asset": "USDT", "index": "1.1"}, -1130),
        ({"asset": "USDT", "bid_buffer": "0.1"}, -1130),
    ],
)
def test_assets_that_there_cannot_be(alice: Trader, fields: dict[str, str], code: int) -> None:
    answer = alice.venue.operator("POST", "assets", **fields)
    assert fault(answer)[:2] == (400, code)


@pytest.mark.parametrize(
    "fields",
    [
        {"index": "1", "ask_buffer": "1"},
        {"index": "0", "bid_buffer": "0.2"},
        {"index": "99999999999", "bid_buffer": "0.2"},
        {"index": "90000", "bid_buffer": "0.2"},  # all deposits together are worth too much
    ],
)
def test_index_and_terms_change_together_or_not_at_all(
    alice: Trader, fields: dict[str, str]
) -> None:
    deposit = alice.venue.operator("POST", "accounts/alice/deposit", asset="BTC", amount="600000")
    assert deposit.status == 200
    before = json.loads(alice.venue.operator("GET", "assets").body)
    assert fault(alice.venue.operator("POST", "assets", asset="BTC", **fields))[0] == 400
    assert json.loads(alice.venue.operator("GET", "assets").body) == before


def test_the_index_of_an_asset_follows_the_price_of_its_pair(alice: Trader) -> None:
    venue = alice.venue
    for price in ("65000", "55000", "55000"):
        answer = venue.operator("POST", "price", symbol="BTCUSDT", price=price)
        assert json.loads(answer.body)["index"].startswith(price)
        index = venue.get(V1 + "assetIndex", "symbol=BTCUSD")["index"]
        assert index == f"{price}.00000000"
    venue.operator("POST", "price", symbol="ETHUSDT", price="2000")
    assert venue.get(V1 + "assetIndex", "symbol=BTCUSD")["index"] == "55000.00000000"
