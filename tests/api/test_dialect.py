"""Each row of the table, per dialect, as documented."""

import pytest
from msgspec import structs
from tests.api.offline import OfflineVenue
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, STOP, Trader, statuses

from openperp.api.dialect import DEFAULT_DIALECT, DIALECTS, Refusal


@pytest.mark.parametrize(
    ("point", "ztdx", "binance"),
    [
        ("echoes_terminal_orders", True, False),
        ("triggers_on_order_endpoint", True, False),
        ("floors_quantity", True, False),
        ("shortest_decimals", True, False),
        ("larger_side_margin", False, True),
        ("lot_filter", Refusal(-1013, ("LOT_SIZE",)), Refusal(-1111)),
        (
            "notional_filter",
            Refusal(-1013, ("MIN_NOTIONAL",)),
            Refusal(-4164, ("{min_notional}",)),
        ),
        ("seed_cancel_fields", True, False),
        ("value_in_order_replies", True, False),
        ("separate_trigger_ids", False, True),
    ],
)
def test_the_dialects_differ_as_documented(point: str, ztdx: object, binance: object) -> None:
    assert getattr(DIALECTS["ztdx"], point) == ztdx
    assert getattr(DIALECTS["binance"], point) == binance


def test_every_dialect_is_found_by_its_own_name() -> None:
    assert {name: dialect.name for name, dialect in DIALECTS.items()} == {
        "ztdx": "ztdx",
        "binance": "binance",
    }
    assert DEFAULT_DIALECT == "ztdx"


THIRD = structs.replace(
    DIALECTS["binance"],
    name="third",
    echoes_terminal_orders=True,
    floors_quantity=True,
    lot_filter=Refusal(-4004),
    notional_filter=Refusal(-1013, ("NOTIONAL {min_notional}",)),
    seed_cancel_fields=True,
    callback_max_ppm=50_000,
)
"""A column that is in no table, and mixes what the others do."""


def test_a_third_dialect_is_one_more_column() -> None:
    trader = Trader(OfflineVenue(THIRD))
    assert trader.venue.state.dialect == "third"

    placed = trader.limit(quantity="0.0109")
    assert (placed["origQty"], "avgPrice" in placed) == ("0.010", False)
    assert trader.refused("POST", ORDER, **STOP).code == -4120
    refusal = trader.refused("POST", ORDER, **{**LIMIT, "quantity": "0.0001"})
    assert (refusal.code, refusal.msg) == (-4004, "Quantity less than min quantity.")
    refusal = trader.refused("POST", ORDER, **{**LIMIT, "quantity": "0.001", "price": "100"})
    assert (refusal.code, refusal.msg) == (-1013, "Filter failure: NOTIONAL 50")
    trailing = {**STOP, "type": "TRAILING_STOP_MARKET", "stopPrice": None}
    assert trader.refused("POST", ALGO, **trailing, callbackRate="5.1").code == -1130
    algo = trader.post(ALGO, **trailing, callbackRate="5")["algoId"]

    ids = [placed["orderId"], placed["orderId"], algo]
    entries = trader.delete(BATCH, symbol="BTCUSDT", orderIdList=ids)
    assert statuses(entries) == ["CANCELED", "CANCELED", -2011]
    assert entries[0]["cumQuote"] == "0.00000000"
    assert [row["algoId"] for row in trader.get("/fapi/v1/openAlgoOrders")] == [algo]
