"""State that is kept from user events alone equals what REST answers, after every step."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from tests.api.offline import api_key
from tests.api.streams.listener import HeardVenue, Listener
from tests.api.streams.mirror import Mirror, compare
from tests.api.trader import ALGO, BATCH, ORDER

from openperp.api.dialect import DIALECTS
from openperp.engine.commands import CreateAccount, Deposit, SetPrice, Withdraw
from openperp.engine.numbers import MONEY_ONE

NAMES = ("carol", "dave", "erin")
SYMBOLS = {"BTCUSDT": (60_000, "0.001", 0.1), "ETHUSDT": (3_000, "0.01", 0.01)}
"""Middle of the prices, smallest quantity and tick."""
PREVENTIONS = (*("NONE",) * 9, "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
STEPS = 300
TRIGGERS = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
MARGIN_TYPE = "/fapi/v1/marginType"


class Crowd:
    """Traders who act at random, each with a mirror that hears what comes of it.

    The last of them trades in hedge mode; the first has isolated margin everywhere.
    """

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
        self.hedger = self.traders[-1]
        self.hedger.post("/fapi/v1/positionSide/dual", dualSidePosition="true")
        for symbol in SYMBOLS:
            self.traders[0].post(MARGIN_TYPE, symbol=symbol, marginType="ISOLATED")

    def step(self) -> None:
        acts: list[tuple[Callable[[Listener], None], int]] = [
            (self.place, 30),
            (self.place_trigger, 15),
            (self.place_batch, 5),
            (self.amend, 8),
            (self.cancel, 8),
            (self.cancel_batch, 6),
            (self.cancel_all, 2),
            (self.set_leverage, 3),
            (self.set_margin_type, 1),
            (self.change_margin, 4),
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
        order["selfTradePreventionMode"] = choice(PREVENTIONS)
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

    def fit(self, trader: Listener, order: dict[str, Any]) -> dict[str, Any]:
        """The order with a side of the position, where the trader has two of them."""
        if trader is not self.hedger:
            return order
        kept = {name: value for name, value in order.items() if name != "reduceOnly"}
        return {**kept, "positionSide": self.random.choice(("LONG", "SHORT"))}

    def place(self, trader: Listener) -> None:
        trader.send("POST", ORDER, **self.fit(trader, self.order()))

    def place_batch(self, trader: Listener) -> None:
        orders = [self.fit(trader, self.order()) for _ in range(4)]
        trader.send("POST", BATCH, batchOrders=orders)

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
        order = self.fit(trader, self.trigger())
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
            order["positionSide"] = parent["positionSide"]
            order["side"] = "SELL" if parent["side"] == "BUY" else "BUY"
            trailing = {"callbackRate", "activatePrice", "closePosition"} & order.keys()
            if not trailing and order["type"].endswith("_MARKET"):
                order["triggerPrice"] = self.price(parent["symbol"], 0.03)
                fields = {**order, "parentOrderId": parent["orderId"]}
                trader.send("POST", ALGO, algoType="CONDITIONAL", **fields)

    def amend(self, trader: Listener) -> None:
        """A new price and quantity for a resting order; often refused."""
        live = [row for row in trader.get("/fapi/v1/openOrders") if row["type"] == "LIMIT"]
        if live:
            row = self.random.choice(live)
            form = {name: row[name] for name in ("symbol", "side", "orderId")}
            quantity = str(Decimal(SYMBOLS[row["symbol"]][1]) * self.random.randint(5, 60))
            form |= {"price": self.price(row["symbol"]), "quantity": quantity}
            if self.random.random() < 0.5:
                form["modifyId"] = self.random.randint(1, 9)
            if self.random.random() < 0.5:
                trader.send("PUT", ORDER, **form)
            else:
                trader.send("PUT", BATCH, batchOrders=[form])

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

    def set_margin_type(self, trader: Listener) -> None:
        symbol = self.symbol()
        if self.random.random() < 0.5:
            trader.send("DELETE", "/fapi/v1/allOpenOrders", symbol=symbol)
            trader.send("DELETE", "/fapi/v1/algoOpenOrders", symbol=symbol)
        kind = self.random.choice(("ISOLATED", "CROSSED"))
        trader.send("POST", MARGIN_TYPE, symbol=symbol, marginType=kind)

    def change_margin(self, trader: Listener) -> None:
        form = {"symbol": self.symbol(), "type": self.random.choice((1, 2))}
        amount = self.random.choice(("0.00000001", "10", "1000"))
        trader.send(
            "POST", "/fapi/v1/positionMargin", **self.fit(trader, {**form, "amount": amount})
        )

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
            compare(mirror, trader, algos=self.modern)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("seed", range(4))
def test_events_alone_rebuild_the_state(dialect: str, seed: int) -> None:
    crowd = Crowd(dialect, seed)
    for _ in range(STEPS):
        crowd.step()
        crowd.compare()
    assert sum(len(mirror.trades) for mirror in crowd.mirrors) > 50
