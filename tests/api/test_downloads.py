"""Files of orders, trades and income: made, found by their owner alone, and gone in time."""

import csv
import io
import json
from collections.abc import Iterable

import pytest
from msgspec.structs import replace
from tests.api.offline import START_MS, header
from tests.api.trader import Trader, trade

from openperp.api.downloads import (
    ACCOUNT_BYTES_MAX,
    ACCOUNT_FILES_MAX,
    BYTES_MAX,
    FILES_MAX,
    KEPT_MS,
    Download,
    Downloads,
)
from openperp.api.endpoints import downloads

DAY = 86_400_000
SPAN = {"startTime": START_MS - DAY, "endTime": START_MS + DAY}


def order_file(trader: Trader, kind: str = "order") -> str:
    made = trader.get(f"/fapi/v1/{kind}/asyn", **SPAN)
    assert isinstance(made["avgCostTimestampOfLast30d"], int)
    download_id: str = made["downloadId"]
    return download_id


def fetch(trader: Trader, kind: str = "order") -> list[dict[str, str]]:
    """The rows of a fresh file."""
    found = trader.get(f"/fapi/v1/{kind}/asyn/id", downloadId=order_file(trader, kind))
    path, _, query = found["url"].partition("?")
    answer = trader.venue.ask("GET", path, query)
    assert answer.status == 200
    assert header(answer, "content-type") == "text/csv; charset=utf-8"
    name = f"{kind}-{SPAN['startTime']}-{SPAN['endTime']}.csv"
    assert header(answer, "content-disposition") == f'attachment; filename="{name}"'
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def test_a_file_of_orders_holds_live_and_ended_ones(alice: Trader, bob: Trader) -> None:
    bought, _ = trade(alice, bob)
    live = alice.limit(newClientOrderId="mine")["orderId"]
    alice.stop()
    rows = fetch(alice)
    assert [row["status"] for row in rows] == ["FILLED", "NEW", "NEW"]
    assert [row["orderId"] for row in rows[:2]] == [str(bought), str(live)]
    assert (rows[1]["clientOrderId"], rows[1]["price"], rows[1]["reduceOnly"]) == (
        "mine",
        "50000",
        "false",
    )


@pytest.mark.parametrize(
    ("kind", "path"), [("trade", "userTrades"), ("order", "allOrders"), ("income", "income")]
)
def test_columns_are_those_of_the_list(either: Trader, kind: str, path: str) -> None:
    trade(either, Trader(either.venue, "bob"))
    rows = either.get(f"/fapi/v1/{path}", symbol="BTCUSDT")
    (row,) = [row for row in fetch(either, kind) if row["symbol"]]
    assert {name: row[name] for name in rows[0]} == {
        name: str(downloads._cell(value)) for name, value in rows[0].items()
    }


def test_a_file_is_the_owners_and_of_one_kind(alice: Trader, bob: Trader) -> None:
    download_id = order_file(alice)
    assert len(download_id) == 64
    found = alice.get("/fapi/v1/order/asyn/id", downloadId=download_id)
    assert found == {
        "downloadId": download_id,
        "status": "completed",
        "url": f"/downloads?id={download_id}",
        "notified": False,
        "expirationTimestamp": START_MS + KEPT_MS,
        "isExpired": "false",
    }
    for trader, path in ((bob, "order"), (alice, "trade"), (alice, "income")):
        refused = trader.refused("GET", f"/fapi/v1/{path}/asyn/id", downloadId=download_id)
        assert refused.code == -1099
    assert alice.venue.ask("GET", "/downloads", "id=unknown").status == 404


def test_a_file_goes_after_a_week(alice: Trader) -> None:
    download_id = order_file(alice)
    alice.venue.now_ms += KEPT_MS - 1
    alice.get("/fapi/v1/order/asyn/id", downloadId=download_id)
    alice.venue.now_ms += 1
    assert alice.refused("GET", "/fapi/v1/order/asyn/id", downloadId=download_id).code == -1099
    assert alice.venue.ask("GET", "/downloads", f"id={download_id}").status == 404


def test_files_go_with_a_reset(alice: Trader) -> None:
    download_id = order_file(alice)
    assert alice.venue.operator("POST", "reset").status == 200
    assert alice.venue.ask("GET", "/downloads", f"id={download_id}").status == 404


def test_the_address_is_the_one_that_was_asked(alice: Trader) -> None:
    venue = alice.venue
    request = venue.sign("GET", "/fapi/v1/order/asyn/id", {"downloadId": order_file(alice)})
    headers = {**request.headers, b"host": b"venue.test:8686"}
    answer = venue.send(replace(request, headers=headers, scheme="https"))
    assert json.loads(answer.body)["url"].startswith("https://venue.test:8686/downloads?id=")


@pytest.mark.parametrize("kind", ["income", "order", "trade"])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"startTime": None}, -1102),
        ({"endTime": None}, -1102),
        ({"startTime": START_MS + 2 * DAY}, -1023),
        ({"startTime": START_MS - 365 * DAY}, -4165),
        ({"startTime": 0}, -4165),
        ({"endTime": 0}, -1023),
    ],
)
def test_spans_are_bounded(
    alice: Trader, kind: str, changes: dict[str, int | None], code: int
) -> None:
    assert alice.refused("GET", f"/fapi/v1/{kind}/asyn", **{**SPAN, **changes}).code == code


def test_a_long_list_is_refused(alice: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "ROWS_MAX", 2)
    for price in ("50000", "50001"):
        alice.limit(price=price)
    assert len(fetch(alice)) == 2
    alice.limit(price="50002")
    assert alice.refused("GET", "/fapi/v1/order/asyn", **SPAN).code == -1127


def test_weights(alice: Trader) -> None:
    assert (
        header(alice.send("GET", "/fapi/v1/order/asyn", **SPAN), "x-mbx-used-weight-1m") == "1000"
    )
    answer = alice.send("GET", "/fapi/v1/order/asyn/id", downloadId="x")
    assert header(answer, "x-mbx-used-weight-1m") == "1010"


def make(number: int, size: int = 1, account: int = 1) -> Download:
    return Download(str(number), account, "order", "order.csv", b"x" * size, START_MS + KEPT_MS)


def kept(files: Downloads, numbers: Iterable[int]) -> list[int]:
    return [number for number in numbers if files.find(str(number), START_MS) is not None]


def test_the_files_of_an_account_are_bounded_in_number_and_size() -> None:
    files = Downloads()
    files.add(make(0, account=2), START_MS)
    for number in range(1, ACCOUNT_FILES_MAX + 2):
        files.add(make(number), START_MS)
    assert kept(files, range(3)) == [0, 2]
    files.add(make(1_000, ACCOUNT_BYTES_MAX - 1), START_MS)
    assert kept(files, range(1_001)) == [0, ACCOUNT_FILES_MAX + 1, 1_000]
    files.add(make(1_001, ACCOUNT_BYTES_MAX), START_MS)
    assert kept(files, range(1_002)) == [0, 1_001]


@pytest.mark.parametrize(
    ("files_each", "size", "accounts"),
    [
        (ACCOUNT_FILES_MAX, 1, FILES_MAX // ACCOUNT_FILES_MAX),
        (2, ACCOUNT_BYTES_MAX // 2, BYTES_MAX // ACCOUNT_BYTES_MAX),
    ],
)
def test_all_files_are_bounded_at_the_expense_of_who_holds_the_most(
    files_each: int, size: int, accounts: int
) -> None:
    files = Downloads()
    files.add(make(0, account=1), START_MS)
    total = 1 + files_each * accounts
    for number in range(1, total):
        files.add(make(number, size, 2 + (number - 1) // files_each), START_MS)
    assert kept(files, range(total)) == [0, *range(2, total)]
    files.add(make(total, size, account=1), START_MS)
    assert kept(files, (0, total)) == [0, total]
    assert len(kept(files, range(total))) == total - 2
    assert kept(files, range(3)) == [0, 2]
    files.clear()
    assert kept(files, range(total)) == []
