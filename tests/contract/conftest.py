"""Orders in the words of the API, with defaults that rest: far from the index of 60000."""

from collections.abc import Callable
from typing import Any

import pytest

from openperp.testing import Account

Place = Callable[..., dict[str, Any]]

KINDS: dict[str, dict[str, Any]] = {
    "limit": {"type": "LIMIT", "timeInForce": "GTC", "price": "50000"},
    "stop": {"type": "STOP", "stopPrice": "65000", "price": "65100"},
    "stop market": {"type": "STOP_MARKET", "stopPrice": "65000"},
    "take profit": {"type": "TAKE_PROFIT", "stopPrice": "55000", "price": "55100"},
    "take profit market": {"type": "TAKE_PROFIT_MARKET", "stopPrice": "55000"},
    "trailing": {"type": "TRAILING_STOP_MARKET", "activationPrice": "58000", "callbackRate": "0.3"},
}


@pytest.fixture
def place() -> Place:
    """Places an order: `place(alice)` is a resting LIMIT, `place(alice, "stop")` waits."""

    def place_order(account: Account, kind: str = "limit", **changes: Any) -> dict[str, Any]:
        fields = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", **KINDS[kind], **changes}
        reply: dict[str, Any] = account.post("/fapi/v1/order", **fields)
        return reply

    return place_order


@pytest.fixture
def trade(place: Place) -> Callable[[Account, Account], tuple[int, int]]:
    """Trades 0.01 BTC at 60000 from seller to buyer; the two order ids, buyer's first."""

    def trade_once(buyer: Account, seller: Account, quantity: str = "0.01") -> tuple[int, int]:
        ask = place(seller, side="SELL", price="60000", quantity=quantity)
        bid = place(buyer, side="BUY", price="60000", quantity=quantity)
        return bid["orderId"], ask["orderId"]

    return trade_once
