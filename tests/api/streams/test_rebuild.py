"""State that is kept from user events alone equals what REST answers, after every step."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from tests.api.offline import api_key
from tests.api.streams.listener import HeardVenue, Listener
from tests.api.streams.mirror import ALGO_FIELDS, ORDER_FIELDS, Mirror, Row
from tests.api.trader import ALGO, BATCH, ORDER

from openperp.api.dialect import DIALECTS
from openperp.engine.commands import CreateAccount, Deposit, SetPrice, Withdraw
from openperp.engine.numbers import MONEY_ONE

NAMES = ("carol", "dave", "erin")
SYMBOLS = {"BTCUSDT": (60_000, "0.001", 0.1), "ETHUSDT": (3_000, "0.01", 0.01)}
"""Middle of the prices, smallest quantity and tick."""
STEPS = 250
TRIGGERS = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")


class Crowd:
    """Traders who act at random, each with a mirror that hears what comes of it."""

    def __init__(self, dialect: str, seed: int) -> None:
        self.random = Random(seed)
        self.venue = HeardVenue(dialect, limits_on=False)
        self.modern = not self.venue.view.dialect.triggers_on_order_endpoint
        self.traders = []
        self.mirrors = []
        for name in NAMES:
            self.venue.apply(CreateAccount(name, 0))
            self.venue.add_key(api_key(name), name)
            self.traders.append(Listener(self.venue, name))
            self.mirrors.append(Mirror())
            self.venue.apply(Deposit(name, "USDT", 20_000 * MONEY_ONE))

    def step(self) -> None:
        acts: list[tuple[Callable[[Listener], None], int]] = [
            (self.place, 30),
            (self.place_trigger, 15),
            (self.place_batch, 5),
            (self.cancel, 8),
            (self.cancel_batch, 6),
            (self.cancel_all, 2),
            (self.set_leverage, 3),
            (self.move_price, 20),
            (self.transfer, 3),
            (self.attach, 4),
        ]
        (act,) = self.random.choices([act for act, _ in acts], [weight for _, weight in acts])
        self.venue.now_ms += self.random.choice((0, 1, 1_000))
        act(self.random.choice(self.traders))

    def symbol(self) -> str:
        return self.random.choice(list(SYMBOLS))

    def price(self, symbol: str, spread: float = 0.01) -> str:
        middle, _, tick = SYMBOLS[symbol]
        ticks = round(middle * self.random.uniform(1 - spread, 1 + spread) / tick / 20) * 20
        return f"{ticks * tick:.2f}".rstrip("0").rstrip(".")

    def order(self) -> dict[str, Any]:
        choice = self.random.choice
        symbol = self.symbol()
        order = {
            "symbol": symbol,
            "side": choice(("BUY", "SELL")),
            "type": choice(("LIMIT", "LIMIT", "MARKET")),
            "quantity": str(Decimal(SYMBOLS[symbol][1]) * self.random.randint(5, 60)),
        }
        if self.random.random() < 0.2:
            order["reduceOnly"] = "true"
        if order["type"] == "LIMIT":
            order["price"] = self.price(symbol)
            order["timeInForce"] = choice(("GTC", "GTC", "GTC", "IOC", "FOK", "GTX"))
            if self.random.random() < 0.25:
                self._protect(order)
        return order

    def _protect(self, order: dict[str, Any]) -> None:
        """Attaches children, with prices on the right sides of the order's."""
        middle = SYMBOLS[order["symbol"]][0]
        up, down = str(round(middle * 1.015)), str(round(middle * 0.985))
        buys = order["side"] == "BUY"
        order["takeProfitPrice"], order["stopLossPrice"] = (up, down) if buys else (down, up)

    def place(self, trader: Listener) -> None:
        trader.send("POST", ORDER, **self.order())

    def place_batch(self, trader: Listener) -> None:
        trader.send("POST", BATCH, batchOrders=[self.order() for _ in range(4)])

    def trigger(self) -> dict[str, Any]:
        symbol = self.symbol()
        type = self.random.choice(TRIGGERS)
        order = {
            "symbol": symbol,
            "side": self.random.choice(("BUY", "SELL")),
            "type": type,
            "quantity": str(Decimal(SYMBOLS[symbol][1]) * self.random.randint(5, 60)),
            "workingType": self.random.choice(("MARK_PRICE", "CONTRACT_PRICE")),
        }
        if type == "TRAILING_STOP_MARKET":
            order["callbackRate"] = self.random.choice(("0.1", "0.5"))
            if self.random.random() < 0.5:
                order["activatePrice"] = self.price(symbol)
        else:
            order["triggerPrice"] = self.price(symbol)
        if type in {"STOP", "TAKE_PROFIT"}:
            order["price"] = self.price(symbol)
        elif self.random.random() < 0.3 and type != "TRAILING_STOP_MARKET":
            del order["quantity"]
            order["closePosition"] = "true"
        return order

    def place_trigger(self, trader: Listener) -> None:
        order = self.trigger()
        if self.modern or self.random.random() < 0.5:
            trader.send("POST", ALGO, algoType="CONDITIONAL", **order)
        else:
            order["stopPrice"] = order.pop("triggerPrice", None)
            order["activationPrice"] = order.pop("activatePrice", None)
            trader.send("POST", ORDER, **order)

    def attach(self, trader: Listener) -> None:
        """A child for an order that exists already; often refused."""
        live = trader.get("/fapi/v1/openOrders")
        if live:
            parent = self.random.choice(live)
            order = {**self.trigger(), "symbol": parent["symbol"]}
            order["side"] = "SELL" if parent["side"] == "BUY" else "BUY"
            trailing = {"callbackRate", "activatePrice", "closePosition"} & order.keys()
            if not trailing and order["type"].endswith("_MARKET"):
                order["triggerPrice"] = self.price(parent["symbol"], 0.03)
                fields = {**order, "parentOrderId": parent["orderId"]}
                trader.send("POST", ALGO, algoType="CONDITIONAL", **fields)

    def cancel(self, trader: Listener) -> None:
        live = trader.get("/fapi/v1/openOrders")
        waiting = trader.get("/fapi/v1/openAlgoOrders")
        if live and (not waiting or self.random.random() < 0.5):
            row = self.random.choice(live)
            trader.send("DELETE", ORDER, symbol=row["symbol"], orderId=row["orderId"])
        elif waiting:
            trader.send("DELETE", ALGO, algoId=self.random.choice(waiting)["algoId"])

    def cancel_batch(self, trader: Listener) -> None:
        symbol = self.symbol()
        rows = trader.get("/fapi/v1/openOrders", symbol=symbol)
        ids = [row["orderId"] for row in self.random.sample(rows, min(4, len(rows)))]
        trader.send("DELETE", BATCH, symbol=symbol, orderIdList=[*ids, 1])

    def cancel_all(self, trader: Listener) -> None:
        path = self.random.choice(("/fapi/v1/allOpenOrders", "/fapi/v1/algoOpenOrders"))
        trader.send("DELETE", path, symbol=self.symbol())

    def set_leverage(self, trader: Listener) -> None:
        leverage = self.random.choice((5, 20, 50))
        trader.send("POST", "/fapi/v1/leverage", symbol=self.symbol(), leverage=leverage)

    def move_price(self, _trader: Listener) -> None:
        symbol = self.symbol()
        middle, _, tick = SYMBOLS[symbol]
        ticks = round(middle * self.random.uniform(0.985, 1.015) / tick)
        moves_last = self.random.random() < 0.5
        self.venue.apply(SetPrice(symbol, ticks, moves_last=moves_last))

    def transfer(self, trader: Listener) -> None:
        command = self.random.choice((Deposit, Withdraw))
        self.venue.apply(command(trader.name, "USDT", self.random.randint(1, 10**11)))

    def compare(self) -> None:
        for trader, mirror in zip(self.traders, self.mirrors, strict=True):
            mirror.touched.clear()
            for event in trader.hear():
                mirror.hear(event)
            compare_account(mirror, trader)
            compare_orders(mirror, trader, waiting=not self.modern)
            compare_trades(mirror, trader)
            if self.modern:
                compare_algos(mirror, trader)


def compare_account(mirror: Mirror, trader: Listener) -> None:
    (balance,) = trader.get("/fapi/v3/balance")
    assert balance["balance"] == balance["crossWalletBalance"] == mirror.wallet
    for row in trader.get("/fapi/v2/positionRisk"):
        key = row["symbol"], row["positionSide"]
        assert row["leverage"] == str(mirror.leverage.get(row["symbol"], 20))
        held = mirror.positions.get(key)
        if held is None:
            assert Decimal(row["positionAmt"]) == 0
            continue
        assert row["positionAmt"] == held["pa"]
        assert row["entryPrice"] == held["ep"]
        assert row["breakEvenPrice"] == held["bep"]
        if key in mirror.touched:
            assert row["unRealizedProfit"] == held["up"]
    for row in trader.get("/fapi/v3/positionRisk"):
        key = row["symbol"], row["positionSide"]
        assert (row["bidNotional"], row["askNotional"]) == mirror.notionals[key]


def compare_orders(mirror: Mirror, trader: Listener, *, waiting: bool) -> None:
    rows = trader.get("/fapi/v1/openOrders")
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


def compare_algos(mirror: Mirror, trader: Listener) -> None:
    rows = trader.get("/fapi/v1/openAlgoOrders")
    assert [row["algoId"] for row in rows] == sorted(mirror.algos)
    for row in rows:
        kept = dict(mirror.algos[row["algoId"]])
        if row.pop("parentOrderId", 0):
            assert kept.pop("updateTime") <= row.pop("updateTime")
        for name in ("activatePrice", "callbackRate"):
            row.pop(name, None)  # ALGO_UPDATE has no field for them
        assert row == kept
        assert row.keys() - ALGO_FIELDS.keys() <= {"createTime", "updateTime"}


def compare_trades(mirror: Mirror, trader: Listener) -> None:
    rows: list[Row] = []
    for symbol in SYMBOLS:
        rows += trader.get("/fapi/v1/userTrades", symbol=symbol, limit=1000)
    rows.sort(key=lambda row: (row["id"], not row["buyer"]))
    for row in rows:
        assert row.pop("commissionAsset") == row.pop("marginAsset") == "USDT"
        assert row.pop("baseQty") == row["qty"]
        assert row.pop("pair") == row["symbol"]
        row["quoteQty"] = Decimal(row["quoteQty"])
    kept = sorted(mirror.trades, key=lambda row: (row["id"], not row["buyer"]))
    assert rows == kept
    assert mirror.lite_trades == [
        (row["id"], row["orderId"], row["price"], row["qty"], row["maker"]) for row in mirror.trades
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("seed", range(4))
def test_events_alone_rebuild_the_state(dialect: str, seed: int) -> None:
    crowd = Crowd(dialect, seed)
    for _ in range(STEPS):
        crowd.step()
        crowd.compare()
    assert sum(len(mirror.trades) for mirror in crowd.mirrors) > 50
