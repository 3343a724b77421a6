"""Long lists of an account as a file: asked for, made, and fetched from the venue itself.

Binance makes such files in its own time and keeps them elsewhere. Here a file is
there when its request is answered.
"""

import csv
import io
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

import msgspec

from openperp.api.downloads import KEPT_MS, Download
from openperp.api.endpoint import Call, Document, Endpoint, Security
from openperp.api.endpoints.order_reading import list_live
from openperp.api.endpoints.spans import check_ends
from openperp.api.errors import ApiError
from openperp.api.kinds import Long, Text
from openperp.api.params import Params
from openperp.api.wire.income import income_row
from openperp.api.wire.orders import order_writer
from openperp.api.wire.row import Row
from openperp.api.wire.trades import user_trade
from openperp.engine.records import OrderRecord
from openperp.engine.terms import OrderScope

ROWS_MAX: Final = 5_000
"""Rows of one file; a longer list is refused, for the request waits until it is made."""
SPAN_DAYS: Final = 365
PATH: Final = "/downloads"

INCOME_HEADER: Final = "symbol,incomeType,income,asset,info,time,tranId,tradeId"
TRADE_HEADER: Final = (
    "symbol,id,orderId,side,price,qty,realizedPnl,marginAsset,quoteQty,baseQty,commission,"
    "commissionAsset,time,positionSide,buyer,maker,pair"
)
ORDER_HEADER: Final = (
    "orderId,clientOrderId,symbol,pair,side,positionSide,type,origType,timeInForce,status,price,"
    "avgPrice,origQty,executedQty,cumQuote,stopPrice,workingType,priceProtect,activatePrice,"
    "priceRate,reduceOnly,closePosition,priceMatch,selfTradePreventionMode,goodTillDate,"
    "parentOrderId,time,updateTime"
)


class Span(Params, frozen=True):
    start_time: Annotated[int, Long()]
    end_time: Annotated[int, Long()]


class DownloadId(Params, frozen=True):
    download_id: Annotated[str, Text()]


class FileId(Params, frozen=True):
    id: Annotated[str, Text()]


def make_income_file(call: Call, params: Span) -> Row:
    _check(params)
    rows = call.view.history.market.list_income(
        call.account,
        "",
        start_ms=params.start_time,
        end_ms=_end(call, params),
        limit=ROWS_MAX + 1,
    )
    return _keep(call, "income", params, INCOME_HEADER, map(income_row, rows), len(rows))


def make_order_file(call: Call, params: Span) -> Row:
    """Live and ended orders that were created in the span."""
    _check(params)
    end_ms = _end(call, params)
    ended = call.view.history.list_orders(
        call.account, "", start_ms=params.start_time, end_ms=end_ms, limit=ROWS_MAX + 1
    )
    orders = {order.order_id: order for order in ended}
    for order in list_live(call, "", OrderScope.ANY):
        if params.start_time <= order.created_ms <= end_ms:
            orders[order.order_id] = order
    rows = (_order_row(call, orders[order_id]) for order_id in sorted(orders))
    return _keep(call, "order", params, ORDER_HEADER, rows, len(orders))


def _order_row(call: Call, order: OrderRecord) -> Row:
    view = call.view
    writer = order_writer(view.state.markets[order.symbol].spec, view.dialect, "all orders")
    row: Row = msgspec.json.decode(writer.write(order))
    return row


def make_trade_file(call: Call, params: Span) -> Row:
    _check(params)
    fills = call.view.history.list_fills(
        call.account,
        "",
        start_ms=params.start_time,
        end_ms=_end(call, params),
        limit=ROWS_MAX + 1,
    )
    markets = call.view.state.markets
    rows = (
        user_trade(fill, call.view.format_of(market), market.spec.quote_asset)
        for fill in fills
        for market in [markets[fill.symbol]]
    )
    return _keep(call, "trade", params, TRADE_HEADER, rows, len(fills))


def _check(params: Span) -> None:
    check_ends(params.start_time, params.end_time, days_max=SPAN_DAYS)


def _end(call: Call, params: Span) -> int:
    return min(params.end_time, call.now_ms)


def _keep(call: Call, kind: str, params: Span, header: str, rows: Iterable[Row], count: int) -> Row:
    """Writes the file and says by which id to ask for its address."""
    if count > ROWS_MAX:
        raise ApiError(-1127, explain=f"more than {ROWS_MAX} rows; take a shorter span")
    download = Download(
        call.view.mint().api_key,
        call.account,
        kind,
        f"{kind}-{params.start_time}-{params.end_time}.csv",
        write_csv(header, rows),
        call.now_ms + KEPT_MS,
    )
    call.view.downloads.add(download, call.now_ms)
    return {"avgCostTimestampOfLast30d": 0, "downloadId": download.download_id}


def write_csv(header: str, rows: Iterable[Row]) -> bytes:
    """The header, then the rows under it; flags as in JSON, what a row does not have empty."""
    columns = header.split(",")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in map(row.get, columns)])
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if value is True:
        return "true"
    return "false" if value is False else value


def find_file(kind: str) -> Callable[[Call, DownloadId], Row]:
    """Tells the address of a file of one kind to the account that asked for it."""

    def find(call: Call, params: DownloadId) -> Row:
        download = call.view.downloads.find(params.download_id, call.now_ms)
        if download is None or (download.account, download.kind) != (call.account, kind):
            raise ApiError(-1099, explain=f"this account has no such {kind} file, or no more")
        return {
            "downloadId": download.download_id,
            "status": "completed",
            "url": f"{_root(call)}{PATH}?id={download.download_id}",
            "notified": False,
            "expirationTimestamp": download.expires_at_ms,
            "isExpired": "false",
        }

    return find


def _root(call: Call) -> str:
    """The venue as the caller addressed it."""
    host = call.request.headers.get(b"host", b"").decode("ascii", "replace")
    return f"{call.request.scheme}://{host}" if host else ""


def fetch_file(call: Call, params: FileId) -> Document:
    download = call.view.downloads.find(params.id, call.now_ms)
    if download is None:
        raise ApiError(-1099, status=404, explain="there is no such file, or no more")
    return Document("text/csv; charset=utf-8", download.body, download.name)


def _pair(
    kind: str, make: Callable[[Call, Span], Row], what: str
) -> tuple[Endpoint[Any], Endpoint[Any]]:
    path, signed = f"/fapi/v1/{kind}/asyn", Security.USER_DATA
    return (
        Endpoint("GET", path, signed, Span, make, f"Ask for a file of {what}", 1_000),
        Endpoint(
            "GET",
            f"{path}/id",
            signed,
            DownloadId,
            find_file(kind),
            f"Address of a file of {what}",
            10,
        ),
    )


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    *_pair("income", make_income_file, "income"),
    *_pair("order", make_order_file, "orders"),
    *_pair("trade", make_trade_file, "own trades"),
    Endpoint("GET", PATH, Security.NONE, FileId, fetch_file, "Fetch a file that was asked for", 10),
)
