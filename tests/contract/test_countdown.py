"""The countdown over a real socket: venue time decides, in each dialect."""

import pytest

from openperp.testing import Account, Venue


@pytest.mark.usefixtures("dialect")
@pytest.mark.parametrize(
    "dialect",
    [
        pytest.param("ztdx", marks=pytest.mark.venue(dialect="ztdx")),
        pytest.param("binance", marks=pytest.mark.venue(dialect="binance")),
    ],
)
def test_an_advance_of_the_clock_lets_it_fire(venue: Venue, alice: Account) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    placed = alice.post("/fapi/v1/order", **order, price="50000", quantity="0.01")
    reply = alice.post("/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=60_000)
    assert reply == {"symbol": "BTCUSDT", "countdownTime": "60000"}
    due = venue.get("/fapi/v1/time")["serverTime"] + 60_000

    venue.advance("59s")
    assert len(alice.get("/fapi/v1/openOrders")) == 1
    venue.advance("1h")
    assert alice.get("/fapi/v1/openOrders") == []
    ended = alice.get("/fapi/v1/order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (ended["status"], ended["updateTime"]) == ("CANCELED", due)
    assert alice.get("/fapi/v2/balance")[0]["availableBalance"] == "10000.00000000"
