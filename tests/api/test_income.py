"""Why the wallet changed."""

from typing import Any

import pytest
from tests.api.offline import START_MS, header
from tests.api.trader import Trader, trade

from openperp.api.wire.income import INCOME_TYPES
from openperp.history.market import IncomeKind

DAY = 86_400_000
PATH = "/fapi/v1/income"


def kinds(trader: Trader, **fields: Any) -> list[str]:
    return [row["incomeType"] for row in trader.get(PATH, **fields)]


def test_every_kind_of_income_is_a_type_of_fapi() -> None:
    assert {kind.name for kind in IncomeKind} <= set(INCOME_TYPES)


def test_a_round_trip(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    bob.limit(price="61000", quantity="0.01")
    alice.post("/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
    rows = alice.get(PATH)
    assert [row["tranId"] for row in rows] == sorted({row["tranId"] for row in rows})
    assert rows[0] == {
        "symbol": "",
        "incomeType": "TRANSFER",
        "income": "10000.00000000",
        "asset": "USDT",
        "info": rows[0]["info"],
        "time": START_MS,
        "tranId": rows[0]["tranId"],
        "tradeId": "",
    }
    by_kind = {(row["incomeType"], row["income"]) for row in rows[1:]}
    assert by_kind == {
        ("COMMISSION", "-0.30000000"),
        ("COMMISSION", "-0.30500000"),
        ("REALIZED_PNL", "10.00000000"),
    }
    trades = {str(row["id"]) for row in alice.get("/fapi/v1/userTrades", symbol="BTCUSDT")}
    assert {row["tradeId"] for row in rows[1:]} == trades
    wallet = sum(round(float(row["income"]) * 1e8) for row in rows)
    assert f"{wallet / 1e8:.8f}" == alice.get("/fapi/v3/balance")[0]["balance"]


def test_filters(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    assert kinds(alice, symbol="BTCUSDT") == ["COMMISSION"]
    assert kinds(alice, symbol="ETHUSDT") == []
    assert kinds(alice, incomeType="TRANSFER") == ["TRANSFER"]
    assert kinds(alice, incomeType="FUNDING_FEE") == []
    assert kinds(alice, limit=1) == ["COMMISSION"]
    assert kinds(alice, startTime=START_MS, limit=1) == ["TRANSFER"]
    assert kinds(alice, startTime=START_MS + 1) == []
    assert kinds(alice, endTime=START_MS - 1) == []


def test_a_week_unless_a_time_is_named_and_three_months_at_most(alice: Trader) -> None:
    alice.venue.now_ms += 7 * DAY
    assert kinds(alice) == ["TRANSFER"]
    alice.venue.now_ms += 1
    assert kinds(alice) == []
    assert kinds(alice, startTime=START_MS) == kinds(alice, endTime=START_MS) == ["TRANSFER"]
    alice.venue.now_ms = START_MS + 90 * DAY + 1
    assert kinds(alice, startTime=START_MS) == kinds(alice, endTime=START_MS) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"symbol": "NOPE"}, -1121),
        ({"incomeType": "LUCK"}, -1130),
        ({"limit": 1_001}, -1130),
        ({"startTime": 2, "endTime": 1}, -1023),
    ],
)
def test_refusals(alice: Trader, fields: dict[str, Any], code: int) -> None:
    assert alice.refused("GET", PATH, **fields).code == code


def test_a_file_of_income(alice: Trader, bob: Trader) -> None:
    trade(alice, bob)
    made = alice.get(f"{PATH}/asyn", startTime=START_MS, endTime=START_MS)
    answer = alice.venue.ask("GET", "/downloads", f"id={made['downloadId']}")
    lines = answer.body.decode().splitlines()
    assert lines[0] == "symbol,incomeType,income,asset,info,time,tranId,tradeId"
    assert [line.split(",")[1] for line in lines[1:]] == ["TRANSFER", "COMMISSION"]


def test_weight(alice: Trader) -> None:
    assert header(alice.send("GET", PATH), "x-mbx-used-weight-1m") == "30"
