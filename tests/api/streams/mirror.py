"""A client that asks nothing: it keeps an account's state from its user events alone."""

from decimal import Decimal
from typing import Any, Protocol

from tests.api.streams.listener import Event

Row = dict[str, Any]
ZERO = "0.00000000"
LIVE = {"NEW", "PARTIALLY_FILLED"}

ORDER_FIELDS = {
    "clientOrderId": "c",
    "symbol": "s",
    "side": "S",
    "type": "o",
    "timeInForce": "f",
    "origQty": "q",
    "price": "p",
    "avgPrice": "ap",
    "stopPrice": "sp",
    "status": "X",
    "orderId": "i",
    "executedQty": "z",
    "reduceOnly": "R",
    "workingType": "wt",
    "origType": "ot",
    "positionSide": "ps",
    "closePosition": "cp",
    "activatePrice": "AP",
    "priceRate": "cr",
    "priceProtect": "pP",
    "selfTradePreventionMode": "V",
    "priceMatch": "pm",
    "goodTillDate": "gtd",
}
ALGO_FIELDS = {
    "clientAlgoId": "caid",
    "algoId": "aid",
    "algoType": "at",
    "orderType": "o",
    "symbol": "s",
    "side": "S",
    "positionSide": "ps",
    "timeInForce": "f",
    "quantity": "q",
    "algoStatus": "X",
    "actualOrderId": "ai",
    "actualType": "act",
    "actualPrice": "ap",
    "actualQty": "aq",
    "triggerPrice": "tp",
    "price": "p",
    "selfTradePreventionMode": "V",
    "workingType": "wt",
    "priceMatch": "pm",
    "closePosition": "cp",
    "priceProtect": "pP",
    "reduceOnly": "R",
    "triggerTime": "tt",
    "goodTillDate": "gtd",
}
TRADE_FIELDS = {
    "symbol": "s",
    "id": "t",
    "orderId": "i",
    "side": "S",
    "price": "L",
    "qty": "l",
    "realizedPnl": "rp",
    "time": "T",
    "positionSide": "ps",
    "maker": "m",
}


class Client(Protocol):
    """Whoever can ask for an account's own state."""

    def get(self, path: str, **fields: Any) -> Any: ...


class Mirror:
    """Rows are those of REST; `touched` names the positions of which the last events spoke."""

    def __init__(self) -> None:
        self.balances: dict[str, Row] = {}
        self.multi_assets = False
        self.positions: dict[tuple[str, str], Row] = {}
        self.touched: set[tuple[str, str]] = set()
        self.notionals: dict[tuple[str, str], tuple[str, str]] = {}
        self.leverage: dict[str, int] = {}
        self.orders: dict[int, Row] = {}
        self.algos: dict[int, Row] = {}
        self.trades: list[Row] = []
        self.lite_trades: list[tuple[int, int, str, str, bool]] = []
        self.forced: set[int] = set()
        self._born: dict[int, int] = {}
        self._spent: dict[int, Decimal] = {}

    def hear(self, event: Event) -> None:
        getattr(self, f"_hear_{event['e'].lower()}")(event)

    def _hear_margin_call(self, event: Event) -> None:
        """Advice, and no change of anything."""

    def _hear_account_update(self, event: Event) -> None:
        for row in event["a"]["B"]:
            self._check_change(row, event["a"]["m"])
            self.balances[row["a"]] = row
        for row in event["a"]["P"]:
            self.positions[row["s"], row["ps"]] = row
            self.touched.add((row["s"], row["ps"]))

    def _check_change(self, row: Row, reason: str) -> None:
        change = Decimal(row["bc"])
        assert (change == 0) == (reason in {"ORDER", "MARGIN_TRANSFER"})
        if reason != "ORDER":
            assert Decimal(self.balance(row["a"])["wb"]) + change == Decimal(row["wb"])

    def balance(self, asset: str) -> Row:
        return self.balances.get(asset, {"wb": ZERO, "cw": ZERO})

    def _hear_account_config_update(self, event: Event) -> None:
        if "ai" in event:
            self.multi_assets = event["ai"]["j"]
            return
        self.leverage[event["ac"]["s"]] = event["ac"]["l"]

    def _hear_trade_lite(self, event: Event) -> None:
        self.lite_trades.append((event["t"], event["i"], event["L"], event["l"], event["m"]))

    def _hear_order_trade_update(self, event: Event) -> None:
        told = event["o"]
        order_id = told["i"]
        if told["x"] in {"TRADE", "CALCULATED"}:
            self._add_trade(told)
        if told["x"] == "CALCULATED":
            self.forced.add(order_id)
        self.notionals[told["s"], told["ps"]] = told["b"], told["a"]
        if told["X"] not in LIVE:
            self.orders.pop(order_id, None)
            return
        row = {name: told[key] for name, key in ORDER_FIELDS.items() if key in told}
        row["time"] = self._born.setdefault(order_id, event["T"])
        row["updateTime"] = event["T"]
        row["cumQuote"] = self._spent.get(order_id, Decimal(0))
        self.orders[order_id] = row

    def _add_trade(self, told: Row) -> None:
        quote = Decimal(told["L"]) * Decimal(told["l"])
        self._spent[told["i"]] = self._spent.get(told["i"], Decimal(0)) + quote
        row = {name: told[key] for name, key in TRADE_FIELDS.items()}
        row["commission"] = told.get("n", ZERO)
        row["quoteQty"] = quote
        row["buyer"] = told["S"] == "BUY"
        self.trades.append(row)

    def _hear_algo_update(self, event: Event) -> None:
        told = event["o"]
        row = {name: told[key] for name, key in ALGO_FIELDS.items()}
        row["createTime"] = self._born.setdefault(told["aid"], event["T"])
        row["updateTime"] = event["T"]
        if told["X"] == "NEW" and told.get("ia") and told["aid"] in self.algos:
            return  # activation changes nothing that a query shows, its time included
        if told["X"] == "NEW":
            self.algos[told["aid"]] = row
        else:
            self.algos.pop(told["aid"], None)


def compare(mirror: Mirror, client: Client, *, algos: bool) -> None:
    """What was kept from events is what REST answers.

    `algos` says that trigger orders which wait are algo orders, and no others.
    """
    _compare_account(mirror, client)
    _compare_orders(mirror, client, waiting=not algos)
    _compare_trades(mirror, client)
    if algos:
        _compare_algos(mirror, client)


def _compare_account(mirror: Mirror, client: Client) -> None:
    assert client.get("/fapi/v1/multiAssetsMargin")["multiAssetsMargin"] == mirror.multi_assets
    for balance in client.get("/fapi/v3/balance"):
        told = mirror.balance(balance["asset"])
        assert balance["balance"] == told["wb"]
        assert balance["crossWalletBalance"] == told["cw"]
    for row in client.get("/fapi/v2/positionRisk"):
        key = row["symbol"], row["positionSide"]
        assert row["leverage"] == str(mirror.leverage.get(row["symbol"], 20))
        held = mirror.positions.get(key)
        if held is None:
            assert Decimal(row["positionAmt"]) == 0
            assert row["marginType"] == "cross"
            continue
        assert (row["marginType"], row["isolatedWallet"]) == (held["mt"], held["iw"])
        assert row["positionAmt"] == held["pa"]
        assert row["entryPrice"] == held["ep"]
        assert row["breakEvenPrice"] == held["bep"]
        if key in mirror.touched:
            assert row["unRealizedProfit"] == held["up"]
    for row in client.get("/fapi/v3/positionRisk"):
        key = row["symbol"], row["positionSide"]
        assert (row["bidNotional"], row["askNotional"]) == mirror.notionals[key]


def _compare_orders(mirror: Mirror, client: Client, *, waiting: bool) -> None:
    rows = client.get("/fapi/v1/openOrders")
    assert [row["orderId"] for row in rows] == sorted(mirror.orders)
    for row in rows:
        row["cumQuote"] = Decimal(row["cumQuote"])
        kept = dict(mirror.orders[row["orderId"]])
        if row.pop("parentOrderId", 0):
            # Arming a child changes its time, of which no event could speak.
            assert kept.pop("updateTime") <= row.pop("updateTime")
        assert row == kept
        assert waiting or row["type"] in {"LIMIT", "MARKET"}
        assert row.keys() - ORDER_FIELDS.keys() <= {"time", "updateTime", "cumQuote"}


UNTOLD = (
    *("activatePrice", "callbackRate", "tpOrderType", "tpTriggerPrice", "tpPrice"),
    "slTriggerPrice",
    "slPrice",
)
"""What lists of algo orders have and ALGO_UPDATE has no field for."""


def _compare_algos(mirror: Mirror, client: Client) -> None:
    rows = client.get("/fapi/v1/openAlgoOrders")
    assert [row["algoId"] for row in rows] == sorted(mirror.algos)
    for row in rows:
        kept = dict(mirror.algos[row["algoId"]])
        if row.pop("parentOrderId", 0):
            assert kept.pop("updateTime") <= row.pop("updateTime")
        for name in UNTOLD:
            row.pop(name, None)
        assert row == kept
        assert row.keys() - ALGO_FIELDS.keys() <= {"createTime", "updateTime"}


def _compare_trades(mirror: Mirror, client: Client) -> None:
    rows: list[Row] = []
    for symbol in {row["symbol"] for row in mirror.trades}:
        rows += client.get("/fapi/v1/userTrades", symbol=symbol, limit=1000)
    rows.sort(key=lambda row: (row["id"], not row["buyer"]))
    for row in rows:
        assert row.pop("commissionAsset") == row.pop("marginAsset") == "USDT"
        assert row.pop("baseQty") == row["qty"]
        assert row.pop("pair") == row["symbol"]
        row["quoteQty"] = Decimal(row["quoteQty"])
    kept = sorted(mirror.trades, key=lambda row: (row["id"], not row["buyer"]))
    assert rows == kept
    assert mirror.lite_trades == [
        (row["id"], row["orderId"], row["price"], row["qty"], row["maker"])
        for row in mirror.trades
        if row["orderId"] not in mirror.forced
    ]
