"""Trigger orders as algo order objects."""

from typing import Any

import pytest
from msgspec import structs
from tests.api.test_wire_orders import LIMIT, ORDERS
from tests.engine.desk import BTC

from openperp.api.wire.algo import algo_canceled, algo_entry, algo_order, algo_query, algo_status
from openperp.api.wire.numbers import instrument_format
from openperp.engine.terms import Cause, OrderStatus, OrderType

TEXT = instrument_format(BTC, shortest=True)
STOP = structs.replace(ORDERS["triggered stop"], status=OrderStatus.NEW, type=OrderType.STOP)


@pytest.mark.parametrize(
    ("fired", "status", "cause", "expected"),
    [
        (False, "NEW", "NONE", "NEW"),
        (False, "CANCELED", "CASCADE", "CANCELED"),
        (False, "EXPIRED", "POSITION_GONE", "EXPIRED"),
        (True, "NEW", "NONE", "TRIGGERED"),
        (True, "PARTIALLY_FILLED", "NONE", "TRIGGERED"),
        (True, "FILLED", "NONE", "FINISHED"),
        (True, "CANCELED", "REQUESTED", "FINISHED"),
        (True, "EXPIRED", "NO_LIQUIDITY", "FINISHED"),
        (True, "EXPIRED", "MARGIN_MISSING", "REJECTED"),
        (True, "EXPIRED", "WOULD_TAKE", "REJECTED"),
        (True, "EXPIRED", "BEST_PRICE_TOO_FAR", "REJECTED"),
        (True, "EXPIRED", "BOUND_REACHED", "FINISHED"),
        (True, "EXPIRED", "DISPLACED", "REJECTED"),
        (True, "EXPIRED", "POSITION_GONE", "REJECTED"),
        (True, "EXPIRED", "PRICES_APART", "EXPIRED"),
        (True, "EXPIRED", "DATE_PASSED", "FINISHED"),
        (True, "EXPIRED_IN_MATCH", "SELF_TRADE", "FINISHED"),
        (False, "EXPIRED", "DATE_PASSED", "EXPIRED"),
        (False, "CANCELED", "AGED", "CANCELED"),
    ],
)
def test_status(fired: bool, status: str, cause: str, expected: str) -> None:
    order = structs.replace(
        STOP,
        triggered_ms=STOP.updated_ms if fired else 0,
        status=OrderStatus[status],
        cause=Cause[cause],
        filled_lots=0,
    )
    assert algo_status(order) == expected


@pytest.mark.parametrize("cause", [Cause.POSITION_GONE, Cause.DISPLACED])
@pytest.mark.parametrize("change", [{"updated_ms": STOP.updated_ms + 1}, {"filled_lots": 1}])
def test_what_was_in_the_book_is_finished_however_it_ended(
    cause: Cause, change: dict[str, int]
) -> None:
    ended = structs.replace(
        STOP,
        triggered_ms=STOP.updated_ms,
        status=OrderStatus.EXPIRED,
        cause=cause,
        filled_lots=0,
    )
    assert algo_status(structs.replace(ended, **change)) == "FINISHED"


def test_a_waiting_order() -> None:
    order = structs.replace(STOP, triggered_ms=0, price_protect=True)
    row = algo_query(order, TEXT)
    assert row == {
        "algoId": 2254222045,
        "clientAlgoId": "testOrder/1:a.b_C-9",
        "algoType": "CONDITIONAL",
        "orderType": "STOP",
        "symbol": "BTCUSDT",
        "side": "BUY",
        "positionSide": "BOTH",
        "timeInForce": "GTX",
        "quantity": "0.02",
        "algoStatus": "NEW",
        "triggerPrice": "9000",
        "price": "9020.5",
        "selfTradePreventionMode": "NONE",
        "workingType": "CONTRACT_PRICE",
        "priceMatch": "NONE",
        "closePosition": False,
        "priceProtect": True,
        "reduceOnly": False,
        "createTime": 1_566_818_724_000,
        "updateTime": 1_566_818_724_722,
        "triggerTime": 0,
        "goodTillDate": 0,
        "actualOrderId": "",
        "actualPrice": "0",
        "actualQty": "0",
        "tpOrderType": "",
        "actualType": "",
    }


def test_an_entry_of_a_list_has_prices_that_no_order_has() -> None:
    row, entry = algo_query(STOP, TEXT), algo_entry(STOP, TEXT)
    prices = dict.fromkeys(("tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice"), "0")
    assert entry == {**row, **prices}


def test_a_fired_order_keeps_its_id_in_the_book() -> None:
    order = structs.replace(
        STOP,
        type=OrderType.LIMIT,
        status=OrderStatus.FILLED,
        filled_lots=20,
        filled_value=90_205 * 20,
    )
    row = algo_query(order, TEXT)
    facts = {name: row[name] for name in row if name.startswith("actual")}
    assert facts == {
        "actualOrderId": "2254222045",
        "actualPrice": "9020.5",
        "actualQty": "0.02",
        "actualType": "LIMIT",
    }
    assert row["triggerTime"] == 1_566_818_724_500


def test_only_trailing_orders_have_a_callback_rate() -> None:
    row = algo_order(ORDERS["trailing"], TEXT)
    assert (row["activatePrice"], row["callbackRate"]) == ("9020", "0.3")
    assert not {"activatePrice", "callbackRate", "parentOrderId"} & algo_order(STOP, TEXT).keys()


@pytest.mark.parametrize("name", ORDERS)
def test_no_number_is_an_empty_text(name: str) -> None:
    row: dict[str, Any] = algo_query(ORDERS[name], TEXT)
    words = {"actualOrderId", "actualType", "tpOrderType"}
    assert {key for key, value in row.items() if value == ""} <= words


def test_a_child_names_its_parent() -> None:
    assert algo_order(ORDERS["attached child"], TEXT)["parentOrderId"] == 2254222044


def test_the_code_of_a_cancel_is_a_text() -> None:
    assert algo_canceled(LIMIT) == {
        "algoId": 2254222045,
        "clientAlgoId": "testOrder/1:a.b_C-9",
        "code": "200",
        "msg": "success",
    }
