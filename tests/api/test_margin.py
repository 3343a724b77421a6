"""The margin type of a symbol and the margin of isolated positions, in both dialects."""

from typing import Any

import pytest
from tests.api.offline import OfflineVenue
from tests.api.trader import ALGO, ORDER, Trader, trade

from openperp.api.dialect import DIALECTS
from openperp.engine.commands import SetPrice

V1 = "/fapi/v1/"
TYPE = V1 + "marginType"
MARGIN = V1 + "positionMargin"
CHANGES = V1 + "positionMargin/history"
CHANGE: dict[str, Any] = {"symbol": "BTCUSDT", "amount": "1", "type": "1"}
DAY_MS = 86_400_000


@pytest.fixture(params=DIALECTS)
def alice(request: pytest.FixtureRequest) -> Trader:
    return Trader(OfflineVenue(request.param))


@pytest.fixture
def holder(alice: Trader) -> Trader:
    """Long 1 BTC from 60000 on 3000 of isolated margin; she took, for a fee of 30."""
    isolate(alice)
    trade(alice, Trader(alice.venue, "bob"), quantity="1")
    return alice


def isolate(trader: Trader, symbol: str = "BTCUSDT") -> None:
    assert trader.post(TYPE, symbol=symbol, marginType="ISOLATED") == {
        "code": 200,
        "msg": "success",
    }


def words(trader: Trader) -> set[Any]:
    """Every place that tells the margin type of BTCUSDT."""
    (risk,) = trader.get("/fapi/v2/positionRisk", symbol="BTCUSDT")
    (config,) = trader.get("/fapi/v1/symbolConfig", symbol="BTCUSDT")
    rows = trader.get("/fapi/v2/account")["positions"]
    (isolated,) = [row["isolated"] for row in rows if row["symbol"] == "BTCUSDT"]
    return {risk["marginType"], config["marginType"], isolated}


def test_the_margin_type_is_told_wherever_it_is_asked_for(alice: Trader) -> None:
    assert words(alice) == {"cross", "CROSSED", False}
    isolate(alice)
    assert words(alice) == {"isolated", "ISOLATED", True}
    (other,) = alice.get("/fapi/v2/positionRisk", symbol="ETHUSDT")
    assert other["marginType"] == "cross"
    alice.post(TYPE, symbol="BTCUSDT", marginType="CROSSED")
    assert words(alice) == {"cross", "CROSSED", False}


def test_the_margin_type_is_refused(alice: Trader) -> None:
    def code(kind: str, symbol: str = "BTCUSDT") -> int:
        return alice.refused("POST", TYPE, symbol=symbol, marginType=kind).code

    answer = alice.send("POST", TYPE, symbol="BTCUSDT", marginType="CROSSED")
    assert answer.body == b'{"code":-4046,"msg":"No need to change margin type."}'
    assert code("cross") == -1130
    assert code("CROSSED", "NOSUCH") == -1121
    alice.limit()
    assert code("ISOLATED") == -4047
    alice.delete(V1 + "allOpenOrders", symbol="BTCUSDT")
    form = {"symbol": "BTCUSDT", "side": "BUY", "type": "STOP_MARKET", "quantity": "0.01"}
    alice.post(ALGO, algoType="CONDITIONAL", triggerPrice="65000", **form)
    assert code("ISOLATED") == -4047
    alice.delete(V1 + "algoOpenOrders", symbol="BTCUSDT")
    trade(alice, Trader(alice.venue, "bob"))
    assert code("ISOLATED") == -4048


def test_an_isolated_position_is_told_with_its_own_money(holder: Trader) -> None:
    holder.venue.price("BTCUSDT", 605_000)
    for path in ("/fapi/v2/positionRisk", "/fapi/v3/positionRisk"):
        (row,) = holder.get(path, symbol="BTCUSDT")
        assert row["isolatedWallet"] == "3000.00000000"
        assert row["isolatedMargin"] == "3500.00000000"
        # (60000 - 3000) / (1 - 0.004), where 60 % of the notional still is in the first bracket
        assert float(row["liquidationPrice"]) == pytest.approx(57_228.91566)
    account = holder.get("/fapi/v3/account")
    (asset,) = account["assets"]
    for row in (account, asset):
        prefix = "total" if row is account else ""

        def of(name: str, row: Any = row, prefix: str = prefix) -> str:
            return str(row[prefix + name if prefix else name[0].lower() + name[1:]])

        assert of("WalletBalance") == "9970.00000000"
        assert of("CrossWalletBalance") == "6970.00000000"
        assert of("UnrealizedProfit") == "500.00000000"
        assert of("CrossUnPnl") == "0.00000000"
        assert of("MarginBalance") == "10470.00000000"
        assert row["availableBalance"] == "6970.00000000"
        assert row["maxWithdrawAmount"] == "6970.00000000"
    (position,) = account["positions"]
    assert position["isolatedWallet"] == "3000.00000000"
    (balance,) = holder.get("/fapi/v3/balance")
    assert (balance["balance"], balance["crossWalletBalance"], balance["crossUnPnl"]) == (
        "9970.00000000",
        "6970.00000000",
        "0.00000000",
    )


def test_margin_is_added_and_taken(holder: Trader) -> None:
    text = holder.send("POST", MARGIN, **{**CHANGE, "amount": "12.50"}).body
    assert text == (
        b'{"amount":12.5,"code":200,"msg":"Successfully modify position margin.","type":1}'
    )
    holder.venue.now_ms += 1_000
    holder.post(MARGIN, **{**CHANGE, "amount": "0.5", "type": "2"})
    (row,) = holder.get("/fapi/v2/positionRisk", symbol="BTCUSDT")
    assert row["isolatedWallet"] == "3012.00000000"
    added, taken = holder.get(CHANGES, symbol="BTCUSDT")
    assert added == {
        "symbol": "BTCUSDT",
        "type": 1,
        "deltaType": "USER_ADJUST",
        "amount": "12.50000000",
        "asset": "USDT",
        "time": taken["time"] - 1_000,
        "positionSide": "BOTH",
    }
    assert (taken["type"], taken["amount"]) == (2, "0.50000000")
    assert holder.get(CHANGES, symbol="BTCUSDT", type=1) == [added]
    assert holder.get(CHANGES, symbol="BTCUSDT", type=2) == [taken]
    assert holder.get(CHANGES, symbol="BTCUSDT", limit=1) == [taken]
    assert holder.get(CHANGES, symbol="BTCUSDT", startTime=1, limit=1) == [added]
    assert holder.get(CHANGES, symbol="BTCUSDT", endTime=added["time"]) == [added]
    assert holder.get(CHANGES, symbol="ETHUSDT") == []
    assert len(holder.get("/fapi/v1/income", incomeType="TRANSFER")) == 1, "nothing left the wallet"
    holder.venue.now_ms += 30 * DAY_MS
    assert holder.get(CHANGES, symbol="BTCUSDT") == [taken]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, -4049),
        ({"type": "2"}, -4049),
        ({"positionSide": "LONG"}, -4049),
        ({"positionSide": "UP"}, -4060),
        ({"amount": "0"}, -4055),
        ({"amount": "-1"}, -4055),
        ({"type": "3"}, -1130),
        ({"symbol": "NOPE"}, -1121),
        ({"amount": None}, -1102),
    ],
)
def test_cross_positions_have_no_margin_of_their_own(
    alice: Trader, changes: dict[str, str | None], code: int
) -> None:
    assert alice.refused("POST", MARGIN, **{**CHANGE, **changes}).code == code


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"amount": "6970.00000001"}, -4050, "available 6970 USDT"),
        ({"amount": "0.00000001", "type": "2"}, -4051, "available 0 USDT"),
        ({"amount": "99999999999"}, -1130, "more than this venue can count"),
        ({"positionSide": "LONG"}, -4061, "position side LONG"),
        ({"amount": "0"}, -4055, "amount"),
    ],
)
def test_changes_of_margin_are_refused(
    holder: Trader, changes: dict[str, str], code: int, said: str
) -> None:
    refusal = holder.refused("POST", MARGIN, **{**CHANGE, **changes})
    assert refusal.code == code
    assert said in refusal.explain


def test_margin_needs_a_position(alice: Trader) -> None:
    isolate(alice)
    refusal = alice.refused("POST", MARGIN, **CHANGE)
    assert (refusal.code, refusal.msg) == (-4054, "Cannot add position margin: position is 0.")


def test_leverage_is_not_lowered_with_an_isolated_position(holder: Trader) -> None:
    refusal = holder.refused("POST", V1 + "leverage", symbol="BTCUSDT", leverage=19)
    assert refusal.code == -4161
    assert "leverage before 20" in refusal.explain
    assert holder.post(V1 + "leverage", symbol="BTCUSDT", leverage=25)["leverage"] == 25


def test_the_span_of_the_history_is_bounded(alice: Trader) -> None:
    month = 30 * DAY_MS
    assert alice.get(CHANGES, symbol="BTCUSDT", type=1, startTime=1, endTime=1 + month) == []
    late = alice.refused("GET", CHANGES, symbol="BTCUSDT", startTime=1, endTime=2 + month)
    assert (late.code, late.msg) == (-4165, "Maximum time interval is 30 days")
    assert alice.refused("GET", CHANGES, symbol="BTCUSDT", type=3).code == -1130


def test_hedged_sides_have_margin_of_their_own(alice: Trader) -> None:
    alice.post(V1 + "positionSide/dual", dualSidePosition="true")
    isolate(alice)
    bob = Trader(alice.venue, "bob")
    for side, other, position_side in (("BUY", "SELL", "LONG"), ("SELL", "BUY", "SHORT")):
        bob.limit(side=other, price="60000", quantity="0.1")
        form = {"symbol": "BTCUSDT", "side": side, "positionSide": position_side}
        alice.post(ORDER, **form, type="MARKET", quantity="0.1")
    alice.post(MARGIN, **{**CHANGE, "amount": "60"}, positionSide="SHORT")
    assert alice.refused("POST", MARGIN, **CHANGE).code == -4061
    long, short = alice.get("/fapi/v3/positionRisk", symbol="BTCUSDT")
    assert (long["isolatedWallet"], short["isolatedWallet"]) == ("300.00000000", "360.00000000")
    # (6000 - 300) / (0.1 x 0.996) and (6000 + 360) / (0.1 x 1.004)
    assert float(long["liquidationPrice"]) == pytest.approx(57_228.91566)
    assert float(short["liquidationPrice"]) == pytest.approx(63_346.61355)
    (row,) = alice.get(CHANGES, symbol="BTCUSDT")
    assert row["positionSide"] == "SHORT"
    (place,) = alice.get(V1 + "adlQuantile")
    assert place["adlQuantile"].keys() == {"LONG", "SHORT", "BOTH"}


def test_an_isolated_loss_leaves_the_liquidation_price_of_cross_positions(holder: Trader) -> None:
    trade(holder, Trader(holder.venue, "bob"), symbol="ETHUSDT", price="3000", quantity="1")

    def told() -> str:
        (row,) = holder.get("/fapi/v2/positionRisk", symbol="ETHUSDT")
        return str(row["liquidationPrice"])

    before = told()
    holder.venue.apply(SetPrice("BTCUSDT", 590_000))
    assert told() == before


def test_a_reset_forgets_margin_types_and_changes(holder: Trader) -> None:
    holder.post(MARGIN, **CHANGE)
    holder.venue.operator("POST", "reset")
    assert holder.get(CHANGES, symbol="BTCUSDT") == []
    assert words(holder) == {"cross", "CROSSED", False}
