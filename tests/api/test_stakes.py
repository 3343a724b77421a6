"""How callers hear of the limit of what is at stake."""

import json

import pytest
from tests.api.offline import OfflineVenue, fault, header

from openperp.engine.snapshot import digest, dump

WIDE = {
    "base": "WIDE",
    "tick": "1",
    "lot": "1",
    "price": "1",
    "min_price": "1",
    "max_price": "40000",
    "max_quantity": "1000000",
    "market_max_quantity": "1000000",
    "brackets": [{"leverage": 20, "cap": "100000000", "rate": "0.01"}],
}
ORDER = "symbol=WIDEUSDT&type=LIMIT&timeInForce=GTC&quantity=1000000"


@pytest.fixture
def offline() -> OfflineVenue:
    """alice has a million bought at 1 of bob, and offers it at 40000."""
    venue = OfflineVenue(clock_mode="virtual")
    assert venue.operator("POST", "instruments", symbol="WIDEUSDT", **WIDE).status == 200
    for name in ("alice", "bob"):
        venue.operator("POST", f"accounts/{name}/deposit", amount="1000000")
    for name, rest in (("alice", "side=BUY&price=1"), ("bob", "side=SELL&price=1")):
        assert venue.signed("POST", "/fapi/v1/order", f"{ORDER}&{rest}", name=name).status == 200
    answer = venue.signed("POST", "/fapi/v1/order", f"{ORDER}&side=SELL&price=40000")
    assert answer.status == 200
    return venue


def test_an_order_without_room_says_how_much_could_trade(offline: OfflineVenue) -> None:
    before = digest(offline.state)
    answer = offline.signed("POST", "/fapi/v1/order", f"{ORDER}&side=BUY&price=40000", name="bob")
    assert fault(answer) == (400, -2010, "NEW_ORDER_REJECTED")
    assert header(answer, "x-explain") == (
        "stakes too high: notional 40000000000 USDT, notional max 2881551261.51711743 USDT,"
        " stakes 6020000 USDT, stakes max 23058430092.13693952 USDT"
    )
    assert digest(offline.state) == before


def test_what_can_trade_leaves_a_venue_that_can_be_written_down(offline: OfflineVenue) -> None:
    order = f"{ORDER.replace('1000000', '72000')}&side=BUY&price=40000"
    assert offline.signed("POST", "/fapi/v1/order", order, name="bob").status == 200
    assert offline.operator("GET", "status").status == 200
    assert dump(offline.state)
    deposit = offline.operator("POST", "accounts/bob/deposit", amount="20000000000")
    assert fault(deposit)[:2] == (400, -1130)
    assert "stakes max 23058430092.13693952 USDT" in (header(deposit, "x-explain") or "")
    fund = json.loads(offline.operator("GET", "insurance").body)
    assert fund["balance"].startswith("-28")
