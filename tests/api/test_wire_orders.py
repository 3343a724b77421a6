"""Order objects in every layout and both dialects, against frozen payloads."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec import structs
from tests.engine.desk import BTC

from openperp.api.dialect import DIALECTS
from openperp.api.wire.orders import ReplyKind, order_writer
from openperp.engine.records import OrderRecord
from openperp.engine.terms import (
    Cause,
    OrderStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    WorkingType,
)

GOLDEN = Path(__file__).parent.parent / "golden"

LIMIT = OrderRecord(
    order_id=2254222045,
    client_id="testOrder/1:a.b_C-9",
    account=1,
    symbol="BTCUSDT",
    side=Side.BUY,
    type=OrderType.LIMIT,
    original_type=OrderType.LIMIT,
    time_in_force=TimeInForce.GTX,
    status=OrderStatus.CANCELED,
    ticks=90_205,
    lots=20,
    filled_lots=0,
    filled_value=0,
    trigger_ticks=0,
    working_type=WorkingType.CONTRACT_PRICE,
    activation_ticks=0,
    callback_ppm=0,
    reduce_only=False,
    close_position=False,
    price_protect=False,
    position_side=PositionSide.BOTH,
    algo=False,
    parent_id=0,
    armed_lots=0,
    created_ms=1_566_818_724_000,
    updated_ms=1_566_818_724_722,
    triggered_ms=0,
    cause=Cause.REQUESTED,
)
ORDERS = {
    "limit": LIMIT,
    "partly filled": structs.replace(
        LIMIT,
        status=OrderStatus.PARTIALLY_FILLED,
        filled_lots=7,
        filled_value=90_205 * 3 + 90_100 * 4,
    ),
    "filled market": structs.replace(
        LIMIT,
        side=Side.SELL,
        type=OrderType.MARKET,
        original_type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC,
        status=OrderStatus.FILLED,
        ticks=0,
        filled_lots=20,
        filled_value=90_205 * 20,
        reduce_only=True,
    ),
    "trailing": structs.replace(
        LIMIT,
        client_id="testOrderBatchCancel1",
        side=Side.SELL,
        type=OrderType.TRAILING_STOP_MARKET,
        original_type=OrderType.TRAILING_STOP_MARKET,
        time_in_force=TimeInForce.GTC,
        ticks=0,
        lots=10_000,
        activation_ticks=90_200,
        callback_ppm=3_000,
    ),
    "closing stop": structs.replace(
        LIMIT,
        type=OrderType.STOP_MARKET,
        original_type=OrderType.STOP_MARKET,
        status=OrderStatus.NEW,
        ticks=0,
        lots=0,
        trigger_ticks=95_001,
        working_type=WorkingType.MARK_PRICE,
        close_position=True,
        price_protect=True,
        algo=True,
    ),
    "attached child": structs.replace(
        LIMIT,
        type=OrderType.TAKE_PROFIT_MARKET,
        original_type=OrderType.TAKE_PROFIT_MARKET,
        status=OrderStatus.EXPIRED,
        ticks=0,
        trigger_ticks=95_001,
        reduce_only=True,
        parent_id=2254222044,
    ),
    "attached trailing": structs.replace(
        LIMIT,
        type=OrderType.TRAILING_STOP_MARKET,
        original_type=OrderType.TRAILING_STOP_MARKET,
        ticks=0,
        callback_ppm=12_345,
        parent_id=2254222044,
    ),
    "triggered stop": structs.replace(
        LIMIT,
        original_type=OrderType.STOP,
        trigger_ticks=90_000,
        triggered_ms=1_566_818_724_500,
    ),
}
SEED_FIELDS = [
    "clientOrderId",
    "cumQty",
    "cumQuote",
    "executedQty",
    "orderId",
    "origQty",
    "origType",
    "price",
    "reduceOnly",
    "side",
    "positionSide",
    "status",
    "stopPrice",
    "closePosition",
    "symbol",
    "timeInForce",
    "type",
    "updateTime",
    "workingType",
    "priceProtect",
]


def write(order: OrderRecord, dialect: str, kind: ReplyKind) -> str:
    return order_writer(BTC, DIALECTS[dialect], kind).write(order)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_payloads_are_those_of_the_golden_file(dialect: str) -> None:
    golden = json.loads((GOLDEN / f"orders-{dialect}.json").read_text())
    written = {
        kind: {name: json.loads(write(order, dialect, kind)) for name, order in ORDERS.items()}
        for kind in get_args(ReplyKind)
    }
    # As text, because the order of the fields counts.
    assert json.dumps(written, indent=1) == json.dumps(golden, indent=1)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kind", get_args(ReplyKind))
@pytest.mark.parametrize("name", ORDERS)
def test_text_is_compact_json(dialect: str, kind: ReplyKind, name: str) -> None:
    text = write(ORDERS[name], dialect, kind)
    assert text == json.dumps(json.loads(text), separators=(",", ":"))


@pytest.mark.parametrize("name", ORDERS)
def test_a_batch_cancel_entry_has_the_twenty_fields_in_their_order(name: str) -> None:
    entry: dict[str, Any] = json.loads(write(ORDERS[name], "ztdx", "batch cancel"))
    trailing = ["activatePrice", "priceRate"] if "trailing" in name else []
    assert list(entry) == [*SEED_FIELDS[:17], *trailing, *SEED_FIELDS[17:]]
    integers = {"orderId", "updateTime"}
    booleans = {"reduceOnly", "closePosition", "priceProtect"}
    for field, value in entry.items():
        assert type(value) is (int if field in integers else bool if field in booleans else str)


def test_the_example_of_the_batch_cancel_page() -> None:
    assert json.loads(write(ORDERS["trailing"], "ztdx", "batch cancel")) == {
        "clientOrderId": "testOrderBatchCancel1",
        "cumQty": "0",
        "cumQuote": "0",
        "executedQty": "0",
        "orderId": 2254222045,
        "origQty": "10",
        "origType": "TRAILING_STOP_MARKET",
        "price": "0",
        "reduceOnly": False,
        "side": "SELL",
        "positionSide": "BOTH",
        "status": "CANCELED",
        "stopPrice": "0",
        "closePosition": False,
        "symbol": "BTCUSDT",
        "timeInForce": "GTC",
        "type": "TRAILING_STOP_MARKET",
        "activatePrice": "9020",
        "priceRate": "0.3",
        "updateTime": 1566818724722,
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
    }


@pytest.mark.parametrize(
    "client_id", ['quote"', "back\\slash", "new\nline", "\x00", "\u20ac", "\ud800", "\u2028", ""]
)
def test_whatever_the_client_id_the_text_is_json(client_id: str) -> None:
    order = structs.replace(LIMIT, client_id=client_id)
    text = write(order, "ztdx", "batch cancel")
    assert json.loads(text)["clientOrderId"] == client_id
    assert text.encode()


def test_a_list_holds_its_orders_in_order() -> None:
    writer = order_writer(BTC, DIALECTS["ztdx"], "batch cancel")
    orders = list(ORDERS.values())
    assert json.loads(writer.write_list(orders)) == [json.loads(writer.write(o)) for o in orders]
    assert writer.write_list([]) == "[]"


def test_orders_alike_but_for_one_fact_are_told_apart() -> None:
    writer = order_writer(BTC, DIALECTS["ztdx"], "query")
    writer.write(LIMIT)
    changes: dict[str, Any] = {
        "side": Side.SELL,
        "type": OrderType.MARKET,
        "original_type": OrderType.STOP,
        "time_in_force": TimeInForce.IOC,
        "status": OrderStatus.EXPIRED,
        "working_type": WorkingType.MARK_PRICE,
        "position_side": PositionSide.LONG,
        "reduce_only": True,
        "close_position": True,
        "price_protect": True,
    }
    texts = {
        writer.write(structs.replace(LIMIT, **{name: value})) for name, value in changes.items()
    }
    assert len(texts | {writer.write(LIMIT)}) == len(changes) + 1
