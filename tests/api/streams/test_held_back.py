"""What `priceProtect` holds back at its trigger: how streams and queries tell it."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.api.streams.listener import HeardVenue, Listener, tell
from tests.api.trader import ALGO, ORDER

from openperp.engine.commands import DefineInstrument, SetPrice

STOP: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "triggerPrice": "63500",
    "quantity": "0.01",
    "workingType": "MARK_PRICE",
    "priceProtect": "true",
}
KINDS: list[dict[str, Any]] = [{"type": "STOP_MARKET"}, {"type": "STOP", "price": "63600"}]


def held_back(dialect: str, path: str, kind: dict[str, Any]) -> Listener:
    """Mark has gone past the trigger, and last price has stayed 6 % behind."""
    venue = HeardVenue(dialect)
    spec = replace(
        venue.state.markets["BTCUSDT"].spec,
        guards_prices=True,
        multiplier_up_ppm=1_200_000,
        multiplier_down_ppm=800_000,
        trigger_protect_ppm=50_000,
    )
    venue.apply(DefineInstrument(spec, 600_000))
    alice = Listener(venue)
    alice.post(path, **STOP, **kind, **({"algoType": "CONDITIONAL"} if path == ALGO else {}))
    alice.hear()
    venue.apply(SetPrice("BTCUSDT", 636_000, keeps_last=True))
    return alice


@pytest.mark.parametrize("dialect", ["ztdx", "binance"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_algo_order_is_over_before_it_is_one_of_the_book(
    dialect: str, kind: dict[str, Any]
) -> None:
    alice = held_back(dialect, ALGO, kind)
    events = alice.hear()
    became = "MARKET" if kind["type"] == "STOP_MARKET" else "LIMIT"
    own = [f"order 1 {became} EXPIRED EXPIRED er 8"]
    told = ["algo 1 TRIGGERING", "algo 1 EXPIRED", *(own if dialect == "ztdx" else [])]
    assert [tell(event) for event in events] == told
    ended = events[1]["o"]
    assert (ended["ai"], ended["act"]) == ("", "")
    assert ended["rm"] == "The gap between mark price and last price exceeds triggerProtect."
    row = alice.get(ALGO, algoId=1)
    assert (row["algoStatus"], row["actualOrderId"], row["actualType"]) == ("EXPIRED", "", "")
    assert alice.get(ORDER, symbol="BTCUSDT", orderId=1)["status"] == "EXPIRED"


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_of_the_order_endpoint_says_that_it_has_expired(kind: dict[str, Any]) -> None:
    alice = held_back("ztdx", ORDER, kind)
    became = "MARKET" if kind["type"] == "STOP_MARKET" else "LIMIT"
    assert alice.hear_told() == [f"order 1 {became} EXPIRED EXPIRED er 8"]
