"""Price guards as an operator asks for them and callers meet them."""

import pytest
from tests.api.trader import ALGO, LIMIT, ORDER, Trader

TERMS = {"symbol": "XYZUSDT", "tick": "0.1", "lot": "0.001", "price": "100"}
STOP_ALGO = {
    "algoType": "CONDITIONAL",
    "symbol": "XYZUSDT",
    "type": "STOP",
    "timeInForce": "GTC",
    "quantity": "1",
}


@pytest.fixture
def guarded(either: Trader) -> Trader:
    answer = either.venue.operator("POST", "instruments", **TERMS, price_guards=True)
    assert answer.status == 200, answer.body
    return either


@pytest.mark.parametrize(
    ("side", "price", "code"), [("BUY", "105.1", -4016), ("SELL", "94.9", -4024)]
)
def test_a_price_beyond_its_bound(guarded: Trader, side: str, price: str, code: int) -> None:
    order = {**LIMIT, "symbol": "XYZUSDT", "side": side, "price": price, "quantity": "1"}
    assert guarded.refused("POST", ORDER, **order).code == code


@pytest.mark.parametrize(
    ("side", "trigger", "price", "code"),
    [("BUY", "101", "106.1", -4183), ("SELL", "99", "94", -4184)],
)
def test_a_limit_price_far_from_its_trigger(
    guarded: Trader, side: str, trigger: str, price: str, code: int
) -> None:
    order = {**STOP_ALGO, "side": side, "triggerPrice": trigger, "price": price}
    assert guarded.refused("POST", ALGO, **order).code == code


def test_a_market_order_far_from_mark(guarded: Trader) -> None:
    ask = {**LIMIT, "symbol": "XYZUSDT", "side": "SELL", "price": "106", "quantity": "1"}
    guarded.post(ORDER, **ask)
    market = {"symbol": "XYZUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
    assert guarded.refused("POST", ORDER, **market).code == -4131


@pytest.mark.parametrize(
    ("side", "prices", "filled"),
    [
        ("BUY", ("100", "105", "105.1"), "2"),
        ("SELL", ("100", "95", "94.9"), "2"),
        ("BUY", ("100", "106"), "1"),
        ("BUY", ("104", "105"), "2"),
    ],
)
def test_a_market_order_sweeps_no_further_than_its_bound(
    guarded: Trader, side: str, prices: tuple[str, ...], filled: str
) -> None:
    bob = Trader(guarded.venue, "bob")
    opposite = "SELL" if side == "BUY" else "BUY"
    for price in prices:
        bob.limit(symbol="XYZUSDT", side=opposite, price=price, quantity="1")
    terms = {"symbol": "XYZUSDT", "side": side, "type": "MARKET", "quantity": "3"}
    order = guarded.post(ORDER, **terms, newOrderRespType="RESULT")
    assert (order["status"], float(order["executedQty"])) == ("EXPIRED", float(filled))
    assert len(bob.get("/fapi/v1/openOrders", symbol="XYZUSDT")) == len(prices) - int(filled)
    assert float(guarded.get("/fapi/v3/account")["totalOpenOrderInitialMargin"]) == 0
    if len(prices) > int(filled):
        assert guarded.refused("POST", ORDER, **terms).code == -4131


def test_without_guards_a_market_order_sweeps_on(either: Trader) -> None:
    either.venue.operator("POST", "instruments", **TERMS)
    bob = Trader(either.venue, "bob")
    for price in ("100", "120"):
        bob.limit(symbol="XYZUSDT", side="SELL", price=price, quantity="1")
    terms = {"symbol": "XYZUSDT", "side": "BUY", "type": "MARKET", "quantity": "2"}
    assert either.post(ORDER, **terms, newOrderRespType="RESULT")["status"] == "FILLED"


def test_exchange_info_shows_the_filter_where_it_holds(guarded: Trader) -> None:
    guarded.venue.operator("POST", "instruments", **{**TERMS, "symbol": "OPENUSDT"})
    shown = {
        row["symbol"]: [row for row in row["filters"] if row["filterType"] == "PERCENT_PRICE"]
        for row in guarded.venue.get("/fapi/v1/exchangeInfo")["symbols"]
    }
    assert shown["OPENUSDT"] == []
    assert (
        shown["BTCUSDT"]
        == shown["XYZUSDT"]
        == [
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            }
        ]
    )
