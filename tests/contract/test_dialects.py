"""Where the two dialects differ, point by point, and where they agree, through a real socket."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from openperp.testing import Account, Venue, VenueError

BATCH = "/fapi/v1/batchOrders"
ORDER = "/fapi/v1/order"

Place = Callable[..., dict[str, Any]]
Trade = Callable[..., tuple[int, int]]
Available = Callable[[Account], Decimal]

ztdx = pytest.mark.venue(dialect="ztdx")
binance = pytest.mark.venue(dialect="binance")


def limit(account: Account, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": "50000",
        "quantity": "0.01",
    }
    reply: dict[str, Any] = account.post(ORDER, **{**fields, **changes})
    return reply


def refusal(account: Account, **changes: Any) -> tuple[int, int | None, str]:
    with pytest.raises(VenueError) as caught:
        limit(account, **changes)
    return caught.value.status, caught.value.code, caught.value.msg


# Ended orders in a batch cancel.


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param("FILLED", marks=ztdx, id="ztdx"),
        pytest.param(-2011, marks=binance, id="binance"),
    ],
)
def test_a_filled_order_in_a_batch_cancel(
    alice: Account, bob: Account, trade: Trade, expected: object
) -> None:
    filled, _ = trade(alice, bob)
    (entry,) = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[filled])
    assert entry.get("status", entry.get("code")) == expected


# Trigger orders on POST order, and algo orders.


@ztdx
@pytest.mark.parametrize(
    "kind", ["stop", "stop market", "take profit", "take profit market", "trailing"]
)
def test_ztdx_takes_trigger_orders_on_post_order(alice: Account, place: Place, kind: str) -> None:
    order = place(alice, kind)
    assert order["status"] == "NEW"
    assert isinstance(order["orderId"], int)


@binance
@pytest.mark.parametrize(
    "kind", ["stop", "stop market", "take profit", "take profit market", "trailing"]
)
def test_binance_sends_trigger_orders_to_algo_order(
    alice: Account, place: Place, kind: str
) -> None:
    with pytest.raises(VenueError) as caught:
        place(alice, kind)
    assert (caught.value.status, caught.value.code) == (400, -4120)


def algo(account: Account, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "algoType": "CONDITIONAL",
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "STOP_MARKET",
        "triggerPrice": "65000",
        "quantity": "0.01",
    }
    reply: dict[str, Any] = account.post("/fapi/v1/algoOrder", **{**fields, **changes})
    return reply


@pytest.mark.parametrize(
    "dialect", [pytest.param("ztdx", marks=ztdx), pytest.param("binance", marks=binance)]
)
def test_both_take_algo_orders(alice: Account, dialect: str) -> None:
    order = algo(alice, clientAlgoId=f"stop-{dialect}")
    assert isinstance(order["algoId"], int)
    (row,) = alice.get("/fapi/v1/openAlgoOrders")
    assert row["algoId"] == order["algoId"]
    assert row["clientAlgoId"] == f"stop-{dialect}"
    reply = alice.delete("/fapi/v1/algoOrder", algoId=order["algoId"])
    assert (reply["algoId"], reply["code"], reply["msg"]) == (order["algoId"], "200", "success")
    assert alice.get("/fapi/v1/openAlgoOrders") == []


@ztdx
def test_ztdx_has_one_sequence_of_ids_for_all_orders(alice: Account, place: Place) -> None:
    first = algo(alice, clientAlgoId="waits")["algoId"]
    second = place(alice)["orderId"]
    assert second == first + 1
    found = alice.get(ORDER, symbol="BTCUSDT", orderId=first)
    assert (found["orderId"], found["clientOrderId"]) == (first, "waits")
    with pytest.raises(VenueError, match="code -4116"):
        place(alice, newClientOrderId="waits")
    entries = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[first, second])
    assert [entry["status"] for entry in entries] == ["CANCELED", "CANCELED"]


@binance
def test_binance_keeps_algo_ids_apart(alice: Account, place: Place) -> None:
    algo_id = algo(alice, clientAlgoId="same")["algoId"]
    order_id = place(alice, newClientOrderId="same")["orderId"]
    entries = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[algo_id, order_id])
    assert [entry.get("status", entry.get("code")) for entry in entries] == [-2011, "CANCELED"]
    assert [row["algoId"] for row in alice.get("/fapi/v1/openAlgoOrders")] == [algo_id]


# Quantities and prices off the grid.


@ztdx
def test_ztdx_floors_a_quantity_to_the_lot(alice: Account) -> None:
    assert limit(alice, quantity="0.0129")["origQty"] == "0.012"


@ztdx
def test_ztdx_refuses_less_than_one_lot(alice: Account) -> None:
    assert refusal(alice, quantity="0.0009") == (400, -1013, "Filter failure: LOT_SIZE")


@binance
@pytest.mark.parametrize("quantity", ["0.0129", "0.0009"])
def test_binance_refuses_a_quantity_off_the_lot(alice: Account, quantity: str) -> None:
    assert refusal(alice, quantity=quantity)[:2] == (400, -1111)


@pytest.mark.parametrize(
    "dialect", [pytest.param("ztdx", marks=ztdx), pytest.param("binance", marks=binance)]
)
def test_a_price_off_the_tick_is_refused(alice: Account, dialect: str) -> None:
    assert refusal(alice, price="50000.05")[:2] == (400, -4014), dialect
    assert refusal(alice, price="50000.005")[:2] == (400, -1111), dialect


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(-1013, "Filter failure: MIN_NOTIONAL", marks=ztdx, id="ztdx"),
        pytest.param(-4164, None, marks=binance, id="binance"),
    ],
)
def test_a_small_notional_is_refused(alice: Account, code: int, message: str | None) -> None:
    status, found, text = refusal(alice, price="30000", quantity="0.001")
    assert (status, found) == (400, code)
    assert message is None or text == message


# Text of prices and quantities, and fields of replies.


@pytest.mark.parametrize(
    ("price", "quantity", "nothing"),
    [
        pytest.param("50000", "0.01", "0", marks=ztdx, id="ztdx"),
        pytest.param("50000.00", "0.010", "0.000", marks=binance, id="binance"),
    ],
)
def test_decimal_text(alice: Account, price: str, quantity: str, nothing: str) -> None:
    order = limit(alice, price="50000", quantity="0.01")
    assert (order["price"], order["origQty"], order["executedQty"]) == (price, quantity, nothing)


@pytest.mark.parametrize(
    "present", [pytest.param(True, marks=ztdx), pytest.param(False, marks=binance)]
)
def test_average_price_and_quote_of_a_placed_order(alice: Account, present: bool) -> None:
    order = limit(alice)
    assert ("avgPrice" in order) is present
    assert ("cumQuote" in order) is present
    found = alice.get(ORDER, symbol="BTCUSDT", orderId=order["orderId"])
    assert {"avgPrice", "cumQuote"} <= found.keys()


@binance
def test_a_batch_cancel_entry_of_binance(alice: Account) -> None:
    order = limit(alice)
    (entry,) = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[order["orderId"]])
    assert "cumQuote" not in entry
    assert {"priceMatch", "selfTradePreventionMode", "goodTillDate"} <= entry.keys()


# Margin of open orders: both sides, or the larger one.


@pytest.mark.parametrize(
    "frozen",
    [
        pytest.param("65", marks=ztdx, id="ztdx: 25 + 40"),
        pytest.param("40", marks=binance, id="binance: the larger of 25 and 40"),
    ],
)
def test_margin_of_orders_on_both_sides(alice: Account, available: Available, frozen: str) -> None:
    before = available(alice)
    limit(alice, side="BUY", price="50000", quantity="0.01")
    limit(alice, side="SELL", price="80000", quantity="0.01")
    assert before - available(alice) == Decimal(frozen)


# The same in both.


@pytest.mark.parametrize(
    "dialect", [pytest.param("ztdx", marks=ztdx), pytest.param("binance", marks=binance)]
)
def test_money_has_eight_decimals(alice: Account, dialect: str) -> None:
    (row,) = (r for r in alice.get("/fapi/v2/balance") if r["asset"] == "USDT")
    assert row["availableBalance"] == "10000.00000000", dialect


@pytest.mark.parametrize(
    "dialect", [pytest.param("ztdx", marks=ztdx), pytest.param("binance", marks=binance)]
)
def test_numeric_strings_in_id_lists(alice: Account, dialect: str) -> None:
    order_id = limit(alice)["orderId"]
    (entry,) = alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[str(order_id)])
    assert entry["status"] == "CANCELED", dialect


def test_the_dialect_is_fixed_when_the_journal_is_created(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = tmp_path_factory.mktemp("data")
    with Venue(data=data, dialect="binance") as venue:
        assert "avgPrice" not in limit(venue.account("alice"))
    with Venue(data=data, dialect=None) as venue:
        assert "avgPrice" not in limit(venue.account("carol"))


@ztdx
def test_ztdx_takes_a_limit_order_without_time_in_force_as_gtc(alice: Account) -> None:
    assert limit(alice, timeInForce=None)["timeInForce"] == "GTC"


@binance
def test_binance_wants_the_time_in_force_of_a_limit_order(alice: Account) -> None:
    assert refusal(alice, timeInForce=None)[:2] == (400, -1102)


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        pytest.param("10", "10.1", marks=ztdx, id="ztdx"),
        pytest.param("20", "20.1", marks=binance, id="binance"),
    ],
)
def test_the_widest_callback(alice: Account, allowed: str, refused: str) -> None:
    trailing = {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "activatePrice": "58000"}
    assert algo(alice, **trailing, callbackRate=allowed)["algoId"]
    with pytest.raises(VenueError) as caught:
        algo(alice, **trailing, callbackRate=refused)
    assert caught.value.status == 400
