"""Each row of the table, per dialect, as documented."""

import pytest

from openperp.api.dialect import DEFAULT_DIALECT, DIALECTS


@pytest.mark.parametrize(
    ("point", "ztdx", "binance"),
    [
        ("echoes_terminal_orders", True, False),
        ("triggers_on_order_endpoint", True, False),
        ("floors_quantity", True, False),
        ("shortest_decimals", True, False),
        ("larger_side_margin", False, True),
        ("lot_filter_code", -1013, -1111),
        ("notional_filter_code", -1013, -4164),
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
