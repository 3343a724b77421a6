"""PUT order and PUT batchOrders: what callers may write, and what they are told."""

from typing import Any

import pytest
from tests.api.caller import Caller
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, STOP, Trader, statuses, trade

from openperp.engine.commands import SetMode
from openperp.engine.terms import Mode

FIELDS = {
    "orderId": int,
    "symbol": str,
    "pair": str,
    "status": str,
    "clientOrderId": str,
    "price": str,
    "origQty": str,
    "executedQty": str,
    "cumQty": str,
    "timeInForce": str,
    "type": str,
    "reduceOnly": bool,
    "closePosition": bool,
    "side": str,
    "positionSide": str,
    "stopPrice": str,
    "workingType": str,
    "priceProtect": bool,
    "origType": str,
    "priceMatch": str,
    "selfTradePreventionMode": str,
    "goodTillDate": int,
    "updateTime": int,
}
VALUES = {"avgPrice": str, "cumQuote": str}
"""What the older dialect tells beside them."""

NEW: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "price": "51000",
    "quantity": "0.02",
}


@pytest.mark.parametrize(
    "name",
    [
        "takeProfitPrice",
        "stopLossPrice",
        "takeProfitClientOrderId",
        "stopLossClientOrderId",
        "attachedWorkingType",
        "parentOrderId",
        "parentClientOrderId",
    ],
)
@pytest.mark.parametrize("value", ["45000", "x", ""])
def test_an_amendment_attaches_nothing_and_says_so(either: Trader, name: str, value: str) -> None:
    order = either.limit()
    form = {**NEW, "orderId": order["orderId"], name: value}
    refusal = either.refused("PUT", ORDER, **form)
    assert refusal.code == -1106
    assert refusal.msg == f"Parameter '{name}' sent when not required."
    (entry,) = either.ask("PUT", BATCH, batchOrders=[{**form, "orderId": str(order["orderId"])}])
    assert entry["code"] == -1106
    answer = Caller(either.venue).call("order.modify", **form)
    assert answer["error"]["code"] == -1106
    (same,) = either.get("/fapi/v1/openOrders")
    assert (same["price"], same["origQty"]) == (order["price"], order["origQty"])


def test_the_reply_is_the_order_after_it(either: Trader) -> None:
    order = either.limit()
    reply = either.ask("PUT", ORDER, **NEW, orderId=order["orderId"], modifyId=12)
    modern = either.venue.view.dialect.name == "binance"
    expected = FIELDS | {"modifyId": int} | ({} if modern else VALUES)
    assert {name: type(value) for name, value in reply.items()} == expected
    kept = ("orderId", "clientOrderId", "status", "side", "type", "timeInForce")
    assert {name: reply[name] for name in kept} == {name: order[name] for name in kept}
    assert (float(reply["price"]), float(reply["origQty"])) == (51_000, 0.02)
    assert (reply["modifyId"], reply["pair"]) == (12, "BTCUSDT")
    found = either.get(ORDER, symbol="BTCUSDT", orderId=order["orderId"])
    assert (found["price"], found["origQty"]) == (reply["price"], reply["origQty"])
    again = either.ask("PUT", ORDER, **{**NEW, "price": "52000"}, orderId=order["orderId"])
    assert again["modifyId"] == 0


def test_a_client_id_names_it_and_an_order_id_wins(either: Trader) -> None:
    first, second = either.limit(newClientOrderId="first"), either.limit(newClientOrderId="second")
    reply = either.ask("PUT", ORDER, **NEW, origClientOrderId="first")
    assert reply["orderId"] == first["orderId"]
    reply = either.ask("PUT", ORDER, **NEW, orderId=second["orderId"], origClientOrderId="first")
    assert reply["clientOrderId"] == "second"


def test_it_may_trade(either: Trader) -> None:
    either.venue.price("BTCUSDT", 510_000)
    Trader(either.venue, "bob").limit(side="SELL", price="51000", quantity="0.01")
    order = either.limit()
    reply = either.ask("PUT", ORDER, **NEW, orderId=order["orderId"])
    assert (reply["status"], float(reply["executedQty"])) == ("PARTIALLY_FILLED", 0.01)


def test_it_may_be_cancelled_instead(either: Trader) -> None:
    order = either.limit(price="60000", quantity="0.03")
    Trader(either.venue, "bob").limit(side="SELL", price="60000", quantity="0.02")
    reply = either.ask("PUT", ORDER, **NEW, orderId=order["orderId"], modifyId=5)
    assert (reply["status"], float(reply["origQty"])) == ("CANCELED", 0.03)
    assert reply["modifyId"] == 5
    assert either.get("/fapi/v1/openOrders") == []


REFUSED = [
    ("no symbol", {"symbol": None}, -1102),
    ("no side", {"side": None}, -1102),
    ("no quantity", {"quantity": None}, -1102),
    ("no price", {"price": None}, -1102),
    ("no id", {"orderId": None}, -1102),
    ("another symbol", {"symbol": "NOSUCH"}, -1121),
    ("the order is of a different symbol", {"symbol": "ETHUSDT", "price": "3000"}, -2013),
    ("another side", {"side": "SELL"}, -1117),
    ("no side at all", {"side": "HOLD"}, -1117),
    ("an unknown id", {"orderId": 99}, -2013),
    ("an unknown client id", {"orderId": None, "origClientOrderId": "nobody"}, -2013),
    ("nothing new", {"price": "50000", "quantity": "0.01"}, -5027),
    ("a price off the tick", {"price": "51000.05"}, -4014),
    ("too many decimals", {"price": "51000.001"}, -1111),
    ("too low a price", {"price": "0"}, -4013),
    ("too high a price", {"price": "99999999999"}, -4002),
    ("no quantity left", {"quantity": "0"}, -4003),
    ("too little money", {"price": "1000", "quantity": "0.001"}, -5029),
    ("too much margin", {"quantity": "10"}, -2019),
    ("a price match in an empty book", {"price": None, "priceMatch": "OPPONENT"}, -5041),
    ("a price and a match", {"priceMatch": "OPPONENT"}, -1106),
    ("a price match that is none", {"priceMatch": "BEST"}, -5037),
    ("no reduce-only order", {"reduceOnly": "true"}, -5047),
    ("no number", {"modifyId": "x"}, -1100),
]


@pytest.mark.parametrize(
    ("changes", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_an_amendment_is_refused(either: Trader, changes: dict[str, Any], code: int) -> None:
    order = either.limit()
    before = either.get("/fapi/v1/openOrders")
    form = {**NEW, "orderId": order["orderId"], **changes}
    refusal = either.refused("PUT", ORDER, **form)
    assert (refusal.status, refusal.code) == (400, code), refusal
    sent = {name: value for name, value in form.items() if value is not None}
    (entry,) = either.ask("PUT", BATCH, batchOrders=[sent])
    assert (entry["code"], entry["msg"]) == (code, refusal.msg)
    assert either.get("/fapi/v1/openOrders") == before


def test_ended_orders_say_so(either: Trader) -> None:
    bid, _ = trade(either, Trader(either.venue, "bob"))
    refusal = either.refused("PUT", ORDER, **NEW, orderId=bid)
    assert refusal.code == -2013
    assert "FILLED" in refusal.explain


def test_a_market_that_does_not_trade(either: Trader) -> None:
    order = either.limit()
    either.venue.apply(SetMode(Mode.CANCEL_ONLY))
    refusal = either.refused("PUT", ORDER, **NEW, orderId=order["orderId"])
    assert (refusal.code, refusal.msg) == (
        -5024,
        "Symbol is not in trading status. Order amendment is not permitted.",
    )


def test_a_trigger_order_that_waits(alice: Trader, modern: Trader) -> None:
    order = alice.stop()
    assert alice.refused("PUT", ORDER, **NEW, orderId=order["orderId"]).code == -5025
    algo = modern.post(ALGO, **{**STOP, "stopPrice": None}, triggerPrice="65000")
    assert modern.refused("PUT", ORDER, **NEW, orderId=algo["algoId"]).code == -2013


def test_elements_of_a_batch_stand_alone(either: Trader) -> None:
    ids = [either.limit()["orderId"] for _ in range(3)]
    entries = either.ask(
        "PUT",
        BATCH,
        batchOrders=[
            {**NEW, "orderId": ids[0], "modifyId": 3},
            {**NEW, "orderId": 99},
            {**NEW, "orderId": ids[1], "price": "abc"},
            {**NEW, "orderId": str(ids[2]), "price": 52000, "quantity": 0.03},
        ],
    )
    assert statuses(entries) == ["NEW", -2013, -1100, "NEW"]
    assert [entry.get("orderId") for entry in entries] == [ids[0], None, None, ids[2]]
    assert [entry.get("modifyId") for entry in entries] == [3, None, None, 0]
    assert float(entries[3]["origQty"]) == 0.03


@pytest.mark.parametrize(("count", "code"), [(6, -4082), (0, None)])
def test_the_size_of_a_batch(either: Trader, count: int, code: int | None) -> None:
    placed = either.refused("POST", BATCH, batchOrders=[LIMIT] * count)
    amended = either.refused("PUT", BATCH, batchOrders=[{**NEW, "orderId": 1}] * count)
    assert amended.code == placed.code
    assert code in {None, amended.code}


def test_what_it_costs(either: Trader) -> None:
    order = either.limit()
    single = either.send("PUT", ORDER, **NEW, orderId=order["orderId"])
    batch = either.send("PUT", BATCH, batchOrders=[{**NEW, "orderId": order["orderId"]}])
    names = (b"x-mbx-used-weight-1m", b"x-mbx-order-count-10s", b"x-mbx-order-count-1m")
    costs = [[int(dict(answer.headers)[name]) for name in names] for answer in (single, batch)]
    assert costs == [[0, 2, 2], [5, 7, 3]]


def test_a_hedged_order_keeps_its_side(either: Trader) -> None:
    either.post("/fapi/v1/positionSide/dual", dualSidePosition="true")
    order = either.limit(positionSide="LONG")
    reply = either.ask("PUT", ORDER, **NEW, orderId=order["orderId"])
    assert (reply["positionSide"], reply["reduceOnly"]) == ("LONG", False)


def test_order_modify_of_the_websocket_api(either: Trader) -> None:
    order = either.limit()
    caller = Caller(either.venue)
    answer = caller.call("order.modify", **NEW, orderId=order["orderId"], modifyId=8)
    assert answer["status"] == 200
    assert (answer["result"]["orderId"], answer["result"]["modifyId"]) == (order["orderId"], 8)
    again = caller.call("order.modify", **NEW, orderId=order["orderId"])
    assert (again["status"], again["error"]["code"]) == (400, -5027)


HISTORY = "/fapi/v1/orderAmendment"


@pytest.fixture
def amended(either: Trader) -> Trader:
    """Alice amended her first order twice and her second once, a second between each."""
    for name in ("first", "second"):
        either.limit(newClientOrderId=name)
    for name, price, modify_id in (("first", "51000", 4), ("second", "52000", None)):
        either.venue.now_ms += 1_000
        either.ask(
            "PUT", ORDER, **{**NEW, "price": price}, origClientOrderId=name, modifyId=modify_id
        )
    either.venue.now_ms += 1_000
    either.ask("PUT", ORDER, **{**NEW, "quantity": "0.03"}, origClientOrderId="first")
    return either


def test_amendments_are_told_with_what_they_changed(amended: Trader) -> None:
    rows = amended.get(HISTORY, symbol="BTCUSDT")
    assert [(row["amendmentId"], row["clientOrderId"]) for row in rows] == [
        (1, "first"),
        (2, "second"),
        (3, "first"),
    ]
    padded = not amended.venue.view.dialect.shortest_decimals
    assert rows[0] == {
        "amendmentId": 1,
        "symbol": "BTCUSDT",
        "pair": "BTCUSDT",
        "orderId": 1,
        "clientOrderId": "first",
        "time": amended.venue.now_ms - 2_000,
        "amendment": {
            "price": {
                "before": "50000.00" if padded else "50000",
                "after": "51000.00" if padded else "51000",
            },
            "origQty": {
                "before": "0.010" if padded else "0.01",
                "after": "0.020" if padded else "0.02",
            },
            "count": 1,
            "modifyId": 4,
        },
    }
    assert (rows[2]["amendment"]["count"], rows[2]["amendment"]["modifyId"]) == (2, 0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"orderId": 1}, [1, 3]),
        ({"origClientOrderId": "second"}, [2]),
        ({"orderId": 1, "origClientOrderId": "second"}, [1, 3]),
        ({"limit": 2}, [2, 3]),
        ({"startTime": -2_000}, [1, 2, 3]),
        ({"startTime": -2_000, "limit": 1}, [1]),
        ({"startTime": 1}, []),
        ({"endTime": 1}, [1, 2, 3]),
        ({"startTime": -1_999, "endTime": -1_000}, [2]),
        ({"endTime": -1_001}, [1]),
    ],
)
def test_some_of_the_amendments(
    amended: Trader, fields: dict[str, Any], expected: list[int]
) -> None:
    now_ms = amended.venue.now_ms
    spans = {name: now_ms + fields[name] for name in ("startTime", "endTime") if name in fields}
    rows = amended.get(HISTORY, symbol="BTCUSDT", **(fields | spans))
    assert [row["amendmentId"] for row in rows] == expected


def test_amendments_of_others_are_not_told(amended: Trader) -> None:
    assert Trader(amended.venue, "bob").get(HISTORY, symbol="BTCUSDT") == []
    assert amended.get(HISTORY, symbol="ETHUSDT") == []


def test_an_order_that_has_ended_keeps_its_amendments(amended: Trader) -> None:
    """Also when, being without fills, it cannot be queried any more."""
    amended.delete(ORDER, symbol="BTCUSDT", origClientOrderId="first")
    amended.venue.now_ms += 10 * 86_400_000
    assert amended.refused("GET", ORDER, symbol="BTCUSDT", orderId=1).code == -2013
    for named in ({"orderId": 1}, {"origClientOrderId": "first"}):
        rows = amended.get(HISTORY, symbol="BTCUSDT", **named)
        assert [row["amendmentId"] for row in rows] == [1, 3]
    amended.limit(newClientOrderId="first")
    assert amended.get(HISTORY, symbol="BTCUSDT", origClientOrderId="first") == [], "a later order"


def test_ids_of_others_are_unknown(amended: Trader) -> None:
    bob = Trader(amended.venue, "bob")
    assert bob.refused("GET", HISTORY, symbol="BTCUSDT", orderId=1).code == -2013


def test_old_amendments_are_not_told_any_more(amended: Trader) -> None:
    amended.venue.now_ms += 90 * 86_400_000 - 1_500
    assert [row["amendmentId"] for row in amended.get(HISTORY, symbol="BTCUSDT")] == [2, 3]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"symbol": None}, -1102),
        ({"symbol": "NOSUCH"}, -1121),
        ({"orderId": 99}, -2013),
        ({"orderId": 99, "origClientOrderId": "first"}, -2013),
        ({"symbol": "ETHUSDT", "orderId": 1}, -2013),
        ({"origClientOrderId": "nobody"}, -2013),
        ({"limit": 0}, -1130),
        ({"startTime": "soon"}, -1100),
        ({"startTime": 2, "endTime": 1}, -1023),
        ({"limit": 101}, -1130),
    ],
)
def test_amendments_asked_for_badly(amended: Trader, fields: dict[str, Any], code: int) -> None:
    assert amended.refused("GET", HISTORY, **{"symbol": "BTCUSDT", **fields}).code == code
