"""Hedge mode over a real socket, from the switch to the last close, in each dialect."""

from decimal import Decimal
from typing import Any

import pytest

from openperp.testing import Account, Venue, VenueError

ORDER = "/fapi/v1/order"
MODE = "/fapi/v1/positionSide/dual"


@pytest.fixture(
    params=[
        pytest.param("ztdx", marks=pytest.mark.venue(dialect="ztdx")),
        pytest.param("binance", marks=pytest.mark.venue(dialect="binance")),
    ]
)
def hedged(request: pytest.FixtureRequest) -> Account:
    """Alice in hedge mode, with bob's quotes of 0.1 at 59900 and 60000 before her."""
    venue: Venue = request.getfixturevalue("venue")
    bob = venue.account("bob", deposit="10000")
    for side, price in (("BUY", "59900"), ("SELL", "60000")):
        order(bob, side, "0.1", price)
    alice = venue.account("alice", deposit="10000")
    assert alice.post(MODE, dualSidePosition=True) == {"code": 200, "msg": "success"}
    return alice


def order(
    account: Account, side: str, quantity: str, price: str = "", position_side: str | None = None
) -> dict[str, Any]:
    kind = {"type": "LIMIT", "timeInForce": "GTC", "price": price} if price else {"type": "MARKET"}
    reply: dict[str, Any] = account.post(
        ORDER, symbol="BTCUSDT", side=side, quantity=quantity, positionSide=position_side, **kind
    )
    return reply


def held(account: Account) -> dict[str, Decimal]:
    rows = account.get("/fapi/v2/positionRisk", symbol="BTCUSDT")
    return {row["positionSide"]: Decimal(row["positionAmt"]) for row in rows}


def test_from_the_switch_to_the_last_close(hedged: Account) -> None:
    before = Decimal(hedged.get("/fapi/v2/balance")[0]["balance"])
    order(hedged, "BUY", "0.02", "", "LONG")
    order(hedged, "SELL", "0.01", "", "SHORT")
    assert held(hedged) == {"LONG": Decimal("0.02"), "SHORT": Decimal("-0.01")}

    take_profit = order(hedged, "SELL", "0.02", "61000", "LONG")
    assert (take_profit["positionSide"], take_profit["reduceOnly"]) == ("LONG", True)
    with pytest.raises(VenueError) as caught:
        hedged.post(MODE, dualSidePosition=False)
    assert caught.value.code == -4067
    hedged.delete("/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    with pytest.raises(VenueError) as caught:
        hedged.post(MODE, dualSidePosition=False)
    assert caught.value.code == -4068

    order(hedged, "SELL", "0.02", "", "LONG")
    order(hedged, "BUY", "0.01", "", "SHORT")
    assert held(hedged) == {"LONG": 0, "SHORT": 0}
    fills = hedged.get("/fapi/v1/userTrades", symbol="BTCUSDT")
    assert [(fill["side"], fill["positionSide"]) for fill in fills] == [
        ("BUY", "LONG"),
        ("SELL", "SHORT"),
        ("SELL", "LONG"),
        ("BUY", "SHORT"),
    ]
    kept = sum(Decimal(fill["realizedPnl"]) - Decimal(fill["commission"]) for fill in fills)
    assert Decimal(hedged.get("/fapi/v2/balance")[0]["balance"]) == before + kept

    hedged.post(MODE, dualSidePosition="False")
    assert held(hedged) == {"BOTH": 0}
    order(hedged, "BUY", "0.01")
    assert held(hedged) == {"BOTH": Decimal("0.01")}


@pytest.mark.parametrize(
    ("side", "position_side", "code"),
    [
        ("BUY", None, -4061),
        ("SELL", "BOTH", -4061),
        ("SELL", "LONG", -2022),
        ("BUY", "SHORT", -2022),
        ("BUY", "up", -4060),
    ],
)
def test_a_refused_order_changes_nothing(
    venue: Venue, hedged: Account, side: str, position_side: str | None, code: int
) -> None:
    before = venue.status()["digest"]
    with pytest.raises(VenueError) as caught:
        order(hedged, side, "0.01", "60000", position_side)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert venue.status()["digest"] == before
