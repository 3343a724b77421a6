"""Hedge mode through the API: the switch, orders of either side, and what replies tell of them."""

from decimal import Decimal
from typing import Any

import pytest
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, STOP, Trader, statuses

from openperp.engine.commands import Reset

MODE = "/fapi/v1/positionSide/dual"
LONG: dict[str, Any] = {"positionSide": "LONG"}
SHORT: dict[str, Any] = {"positionSide": "SHORT"}
MARKET: dict[str, Any] = {"symbol": "BTCUSDT", "type": "MARKET", "quantity": "0.01"}


@pytest.fixture
def hedged(either: Trader) -> Trader:
    """Alice in hedge mode, in each dialect."""
    assert either.post(MODE, dualSidePosition="true") == {"code": 200, "msg": "success"}
    return either


@pytest.fixture
def holder(hedged: Trader) -> Trader:
    """Alice, who is long 0.02 at 60000 and short 0.01 at 59900; bob keeps a book."""
    bob = Trader(hedged.venue, "bob")
    bob.limit(side="SELL", price="60000", quantity="0.1")
    bob.limit(price="59900", quantity="0.1")
    hedged.post(ORDER, **{**MARKET, "quantity": "0.02"}, side="BUY", **LONG)
    hedged.post(ORDER, **MARKET, side="SELL", **SHORT)
    return hedged


@pytest.mark.parametrize("words", [("true", "false"), ("True", "False"), ("TRUE", "FALSE")])
def test_the_mode_is_switched_and_told(either: Trader, words: tuple[str, str]) -> None:
    assert either.get(MODE) == {"dualSidePosition": False}
    for word, hedge in zip(words, (True, False), strict=True):
        assert either.post(MODE, dualSidePosition=word) == {"code": 200, "msg": "success"}
        assert either.get(MODE) == {"dualSidePosition": hedge}
        assert either.get("/fapi/v1/accountConfig")["dualSidePosition"] is hedge


@pytest.mark.parametrize(
    ("fields", "code", "msg"),
    [
        ({"dualSidePosition": "true"}, -4059, "No need to change position side."),
        (
            {"dualSidePosition": None},
            -1102,
            "Mandatory parameter 'dualSidePosition' was not sent, was empty/null, or malformed.",
        ),
        ({"dualSidePosition": "maybe"}, -1130, None),
    ],
)
def test_a_switch_that_makes_no_sense(
    hedged: Trader, fields: dict[str, Any], code: int, msg: str | None
) -> None:
    refusal = hedged.refused("POST", MODE, **fields)
    assert (refusal.status, refusal.code) == (400, code)
    assert msg is None or refusal.msg == msg


def test_no_switch_with_open_orders(hedged: Trader) -> None:
    order = hedged.limit(**LONG)
    refusal = hedged.refused("POST", MODE, dualSidePosition="false")
    assert (refusal.code, refusal.msg) == (
        -4067,
        "Position side cannot be changed if there exists open orders.",
    )
    hedged.delete(ORDER, symbol="BTCUSDT", orderId=order["orderId"])
    hedged.post(ALGO, **{**STOP, "stopPrice": None}, triggerPrice="65000", **LONG)
    assert hedged.refused("POST", MODE, dualSidePosition="false").code == -4067


def test_no_switch_with_a_position(holder: Trader) -> None:
    refusal = holder.refused("POST", MODE, dualSidePosition="false")
    assert (refusal.code, refusal.msg) == (
        -4068,
        "Position side cannot be changed if there exists position.",
    )


@pytest.mark.parametrize(
    ("mode", "fields", "code"),
    [
        ("hedge", {}, -4061),
        ("hedge", {"positionSide": "BOTH"}, -4061),
        ("one-way", LONG, -4061),
        ("one-way", SHORT, -4061),
        ("hedge", {**LONG, "side": "SELL"}, -2022),
        ("hedge", SHORT, -2022),
        ("hedge", {**LONG, "reduceOnly": "true"}, -1106),
        ("hedge", {**LONG, "reduceOnly": "false"}, -1106),
        ("hedge", {**SHORT, "reduceOnly": "true"}, -1106),
        ("hedge", {"positionSide": "UP"}, -4060),
    ],
)
def test_orders_that_do_not_fit_the_mode(
    either: Trader, mode: str, fields: dict[str, Any], code: int
) -> None:
    if mode == "hedge":
        either.post(MODE, dualSidePosition="true")
    order = {**LIMIT, "price": "60000", **fields}
    refusal = either.refused("POST", ORDER, **order)
    assert (refusal.status, refusal.code) == (400, code)
    (entry,) = either.post(BATCH, batchOrders=[order])
    assert (entry["code"], entry["msg"]) == (code, refusal.msg)
    assert either.refused("POST", f"{ORDER}/test", **order).code == code
    stop = {**STOP, **fields, "stopPrice": None, "triggerPrice": "65000"}
    if stop["side"] == "SELL":
        stop["triggerPrice"] = "55000"
    assert either.refused("POST", ALGO, **stop).code == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({**LONG, "side": "BUY", "triggerPrice": "65000"}, -4061),
        ({**SHORT, "side": "SELL", "triggerPrice": "55000"}, -4061),
        ({**LONG, "side": "SELL", "triggerPrice": "55000", "quantity": "1"}, -4137),
        ({**LONG, "side": "SELL", "triggerPrice": "55000", "reduceOnly": "true"}, -4138),
    ],
)
def test_close_position_is_for_orders_that_close(
    holder: Trader, fields: dict[str, Any], code: int
) -> None:
    form = {"symbol": "BTCUSDT", "type": "STOP_MARKET", "closePosition": "true"}
    assert holder.refused("POST", ALGO, **form, **fields).code == code


def test_closing_one_side_whole(holder: Trader) -> None:
    order = holder.post(
        ALGO,
        symbol="BTCUSDT",
        type="STOP_MARKET",
        closePosition="true",
        side="SELL",
        triggerPrice="55000",
        **LONG,
    )
    assert (order["positionSide"], order["closePosition"], order["reduceOnly"]) == (
        "LONG",
        True,
        True,
    )
    holder.venue.price("BTCUSDT", 550_000)
    (row,) = holder.get("/fapi/v3/positionRisk")
    assert (row["positionSide"], Decimal(row["positionAmt"])) == ("SHORT", Decimal("-0.01"))


def test_replies_tell_the_side(holder: Trader) -> None:
    opening = holder.limit(**LONG)
    closing = holder.limit(side="SELL", price="70000", **LONG)
    (batched,) = holder.post(BATCH, batchOrders=[{**LIMIT, **SHORT, "price": "50001"}])
    orders = (opening, closing, batched)
    assert [(order["positionSide"], order["reduceOnly"]) for order in orders] == [
        ("LONG", False),
        ("LONG", True),
        ("SHORT", True),
    ]
    tried = holder.post(f"{ORDER}/test", **{**LIMIT, "side": "SELL", "price": "70000"}, **LONG)
    assert (tried["positionSide"], tried["reduceOnly"]) == ("LONG", True)
    listed = holder.get("/fapi/v1/openOrders", symbol="BTCUSDT")
    assert [order["positionSide"] for order in listed] == ["LONG", "LONG", "SHORT"]
    ids = [order["orderId"] for order in orders]
    ended = holder.delete(BATCH, symbol="BTCUSDT", orderIdList=ids)
    assert statuses(ended) == ["CANCELED"] * 3
    assert [order["positionSide"] for order in ended] == ["LONG", "LONG", "SHORT"]
    trades = holder.get("/fapi/v1/userTrades", symbol="BTCUSDT")
    assert [(trade["side"], trade["positionSide"]) for trade in trades] == [
        ("BUY", "LONG"),
        ("SELL", "SHORT"),
    ]


def test_children_tell_their_parents_side(holder: Trader) -> None:
    parent = holder.limit(takeProfitPrice="61000", stopLossPrice="49000", **LONG)
    children = [
        order
        for path in ("openOrders", "openAlgoOrders")
        for order in holder.get(f"/fapi/v1/{path}")
        if order.get("parentOrderId") == parent["orderId"] and "algoId" in order
    ]
    assert [(child["side"], child["positionSide"], child["reduceOnly"]) for child in children] == [
        ("SELL", "LONG", True),
        ("SELL", "LONG", True),
    ]


def amounts(rows: list[dict[str, Any]]) -> list[tuple[str, str, Decimal]]:
    return [(row["symbol"], row["positionSide"], Decimal(row["positionAmt"])) for row in rows]


BOTH_SIDES = [("BTCUSDT", "LONG", Decimal("0.02")), ("BTCUSDT", "SHORT", Decimal("-0.01"))]


@pytest.mark.parametrize("path", ["/fapi/v1/positionRisk", "/fapi/v2/positionRisk"])
def test_positions_of_every_symbol_have_two_rows(holder: Trader, path: str) -> None:
    rows = holder.get(path)
    assert len(rows) == 2 * len(holder.venue.state.markets)
    assert amounts(rows)[:2] == BOTH_SIDES
    assert {row["positionSide"] for row in rows} == {"LONG", "SHORT"}
    assert amounts(holder.get(path, symbol="BTCUSDT")) == BOTH_SIDES


def test_the_account_has_two_rows_for_every_symbol(holder: Trader) -> None:
    rows = holder.get("/fapi/v2/account")["positions"]
    assert len(rows) == 2 * len(holder.venue.state.markets)
    assert amounts(rows)[:2] == BOTH_SIDES


def test_newer_replies_show_the_sides_in_use(holder: Trader) -> None:
    assert amounts(holder.get("/fapi/v3/positionRisk")) == BOTH_SIDES
    assert amounts(holder.get("/fapi/v3/account")["positions"]) == BOTH_SIDES
    holder.limit(symbol="ETHUSDT", price="2500", quantity="0.1", **LONG)
    assert amounts(holder.get("/fapi/v3/positionRisk"))[2:] == [("ETHUSDT", "LONG", Decimal(0))]


def test_each_side_has_its_own_figures(holder: Trader) -> None:
    long, short = holder.get("/fapi/v3/positionRisk")
    holder.limit(**LONG)
    assert [Decimal(row["entryPrice"]) for row in (long, short)] == [60000, 59900]
    assert [Decimal(row["unRealizedProfit"]) for row in (long, short)] == [0, -1]
    assert [Decimal(row["initialMargin"]) for row in (long, short)] == [60, 30]
    assert long["liquidationPrice"] == short["liquidationPrice"]
    assert [Decimal(row["breakEvenPrice"]) for row in (long, short)] == [
        Decimal("60060.03002"),
        Decimal("59840.12994"),
    ]
    long, short = holder.get("/fapi/v3/positionRisk")
    assert [Decimal(row["bidNotional"]) for row in (long, short)] == [500, 0]


def test_totals_are_the_sums_of_the_sides(holder: Trader) -> None:
    holder.limit(**LONG)
    holder.limit(side="SELL", price="70000", **SHORT)
    for version in (2, 3):
        account = holder.get(f"/fapi/v{version}/account")
        for total, part in (
            ("totalInitialMargin", "initialMargin"),
            ("totalMaintMargin", "maintMargin"),
            ("totalUnrealizedProfit", "unrealizedProfit"),
        ):
            parts = sum(Decimal(row[part]) for row in account["positions"])
            assert Decimal(account[total]) == parts
        assert Decimal(account["availableBalance"]) == Decimal(
            account["totalMarginBalance"]
        ) - Decimal(account["totalInitialMargin"])


def test_leverage_is_one_per_symbol(hedged: Trader) -> None:
    hedged.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
    assert [row["leverage"] for row in hedged.get("/fapi/v2/positionRisk")] == [
        "7",
        "7",
        "20",
        "20",
        "20",
        "20",
    ]
    rows = hedged.get("/fapi/v1/symbolConfig")
    assert [(row["symbol"], row["leverage"]) for row in rows] == [
        ("BTCUSDT", 7),
        ("ETHUSDT", 20),
        ("SOLUSDT", 20),
    ]


def test_a_reset_returns_to_one_way_mode(hedged: Trader) -> None:
    hedged.venue.apply(Reset())
    assert hedged.get(MODE) == {"dualSidePosition": False}
