"""A liquidation over real sockets: what its accounts, everyone and the operator come to know."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.api.streams.mirror import compare
from tests.contract.test_user_stream import listen, poor
from websockets.sync.client import connect

from openperp.api.dialect import DIALECTS
from openperp.testing import Venue

Place = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    "dialect",
    [pytest.param(name, marks=pytest.mark.venue(dialect=name)) for name in DIALECTS],
)
def test_everyone_hears_of_it(venue: Venue, dialect: str, place: Place) -> None:
    lena, sam = poor(venue, "lena"), poor(venue, "sam")
    with (
        listen(venue, lena) as hers,
        listen(venue, sam) as his,
        connect(f"{venue.ws}/stream?streams=!forceOrder@arr") as everyone,
    ):
        for name, amount in (("lena", "1000"), ("sam", "100000")):
            venue.operator.post(f"accounts/{name}/deposit", asset="USDT", amount=amount)
        place(sam, side="SELL", price="60000", quantity="0.2")
        place(lena, price="60000", quantity="0.2")
        place(sam, price="55100", quantity="0.1")
        venue.price("BTCUSDT", "55200")
        for ear in (hers, his):
            ear.catch_up()
            compare(ear.mirror, ear.account, algos=dialect == "binance")
            assert ear.account.get("/fapi/v3/positionRisk") == []
        message = json.loads(everyone.recv(timeout=10))
    assert message["stream"] == "!forceOrder@arr"
    order = message["data"]["o"]
    assert (order["s"], order["S"], order["X"]) == ("BTCUSDT", "SELL", "EXPIRED")
    assert [float(order[name]) for name in ("q", "z", "p", "ap")] == [0.2, 0.1, 55_030, 55_100]
    forced = lena.get("/fapi/v1/forceOrders")
    assert {row["orderId"] for row in forced} == hers.mirror.forced
    (told,) = venue.operator.get("explain?account=lena")["liquidations"]
    assert told["steps"][0]["words"].startswith("balance 34 <= maintenance 44.16")
    assert float(venue.operator.get("insurance")["balance"]) == 7
    assert venue.status()["invariants"] == "ok"


def test_a_venue_that_opens_now_liquidates(venue: Venue) -> None:
    venue.account("alice")
    assert venue.operator.get("explain?account=alice")["liquidates"] is True
