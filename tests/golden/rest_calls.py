"""A venue with some life in it, and calls that make every endpoint answer with all it has."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from tests.api.offline import START_MS, OfflineVenue
from tests.api.trader import ALGO, ORDER, Trader, trade

from openperp.engine.commands import DefineInstrument, Pulse

SYMBOL = "BTCUSDT"
MINUTE = 60_000
TIMES = {"startTime": START_MS, "endTime": START_MS + 60 * MINUTE}

LIMIT = {
    "symbol": SYMBOL,
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000",
    "quantity": "0.01",
}
TRAILING = {
    "symbol": SYMBOL,
    "side": "SELL",
    "type": "TRAILING_STOP_MARKET",
    "activatePrice": "70000",
    "callbackRate": "1",
    "quantity": "0.01",
}


FIRING = {**TRAILING, "activatePrice": None}


@dataclass
class Scene:
    """Alice is long. She has a limit order, a trailing stop that waits and one that has fired;
    `algo` and `fired_algo` are the stops' ids as algo orders, `fired` that of its order.
    """

    alice: Trader
    live: int
    algo: int
    fired_algo: int
    fired: int

    @property
    def stops_are_orders(self) -> bool:
        return self.alice.venue.view.dialect.triggers_on_order_endpoint


Fields = dict[str, Any]
Call = Fields | Callable[[Scene], Fields | None]


def play(dialect: str) -> Scene:
    """Trades over more than five minutes, a trailing stop that fires, and orders that wait."""
    venue = OfflineVenue(dialect)
    alice, bob = Trader(venue), Trader(venue, "bob")
    trade(alice, bob, quantity="0.04")
    fired_algo = place_stop(alice, FIRING)
    bob.limit(price="59000", quantity="0.05")
    move(venue, "BTCUSDT", "60500")
    move(venue, "BTCUSDT", "59000")
    trade(bob, alice)
    live = alice.limit(newClientOrderId="live")["orderId"]
    bob.limit(price="61000", side="SELL")
    algo = place_stop(alice, TRAILING)
    fired = alice.get(ALGO, algoId=fired_algo)["actualOrderId"]
    return Scene(alice, live, algo, fired_algo, int(fired))


def place_stop(trader: Trader, terms: Mapping[str, str | None]) -> int:
    placed: int = trader.post(ALGO, **terms, algoType="CONDITIONAL")["algoId"]
    return placed


def move(venue: OfflineVenue, symbol: str, price: str) -> None:
    """Moves all prices of a market, five minutes later."""
    venue.now_ms += 5 * MINUTE
    spec = venue.state.markets[symbol].spec
    venue.price(symbol, int(price) * 10**spec.price_precision // spec.tick_units)


def listed(*elements: Fields) -> Fields:
    return {"batchOrders": json.dumps(list(elements))}


def live(scene: Scene) -> Fields:
    return {"symbol": SYMBOL, "orderId": scene.live}


def fired(scene: Scene) -> Fields:
    return {"symbol": SYMBOL, "orderId": scene.fired}


def waiting(scene: Scene) -> Fields | None:
    """The trailing stop that waits, where the order endpoints reach it."""
    return {"symbol": SYMBOL, "orderId": scene.algo} if scene.stops_are_orders else None


def trial(scene: Scene) -> Fields | None:
    return TRAILING if scene.stops_are_orders else None


def amended(scene: Scene) -> Fields:
    return {**live(scene), "side": "BUY", "quantity": "0.02", "price": "50010"}


def flat(scene: Scene) -> Fields:
    """The other position mode, once nothing stands in its way."""
    alice = scene.alice
    for path in ("allOpenOrders", "algoOpenOrders"):
        alice.delete(f"/fapi/v1/{path}", symbol=SYMBOL)
    alice.post(ORDER, symbol=SYMBOL, side="SELL", type="MARKET", quantity="0.02")
    return {"dualSidePosition": "true"}


def pooled(scene: Scene) -> Fields:
    """The other asset mode, once nothing stands in its way."""
    flat(scene)
    return {"multiAssetsMargin": "true"}


def isolated(scene: Scene) -> Fields:
    """More margin, once there is an isolated position."""
    alice, symbol = scene.alice, "ETHUSDT"
    alice.post("/fapi/v1/marginType", symbol=symbol, marginType="ISOLATED")
    trade(alice, Trader(alice.venue, "bob"), symbol=symbol, price="3000", quantity="0.1")
    return {"symbol": symbol, "amount": "1.5", "type": 1}


def with_margin_change(scene: Scene) -> Fields:
    scene.alice.post("/fapi/v1/positionMargin", **isolated(scene))
    return {"symbol": "ETHUSDT"}


def after_funding(scene: Scene) -> Fields:
    venue = scene.alice.venue
    venue.now_ms = START_MS + 8 * 60 * MINUTE
    venue.apply(Pulse())
    return {"symbol": SYMBOL}


def with_own_terms(scene: Scene) -> Fields:
    """A contract that pays more often than the others."""
    venue = scene.alice.venue
    market = venue.state.markets[SYMBOL]
    venue.apply(DefineInstrument(replace(market.spec, funding_hours=4), market.initial_ticks))
    return {}


def after_liquidation(scene: Scene) -> Fields:
    """Alice has lost in ETH what she had, and nobody has bought it from her."""
    venue, symbol = scene.alice.venue, "ETHUSDT"
    bob = Trader(venue, "bob")
    bob.delete("/fapi/v1/allOpenOrders", symbol=SYMBOL)
    trade(scene.alice, bob, symbol=symbol, price="3000", quantity="30")
    venue.price(symbol, 250_000)
    return {"symbol": symbol}


def with_listen_key(scene: Scene) -> Fields:
    scene.alice.post("/fapi/v1/listenKey")
    return {}


def with_amendment(scene: Scene) -> Fields:
    scene.alice.ask("PUT", ORDER, **amended(scene))
    return live(scene)


def file_of(kind: str) -> Callable[[Scene], Fields]:
    def find(scene: Scene) -> Fields:
        return {"downloadId": scene.alice.get(f"/fapi/v1/{kind}/asyn", **TIMES)["downloadId"]}

    return find


ONE: Fields = {"symbol": SYMBOL}
PAIR: Fields = {"pair": SYMBOL}
BARS: Fields = {"interval": "1m", "limit": 1_500}
PERIODS: Fields = {"period": "5m"}
NONE: Fields = {}

CALLS: dict[str, list[Call]] = {
    # Market data.
    "GET /fapi/v1/ping": [NONE],
    "GET /fapi/v1/time": [NONE],
    "GET /fapi/v1/exchangeInfo": [NONE],
    "GET /fapi/v1/depth": [ONE],
    "GET /fapi/v1/rpiDepth": [ONE],
    "GET /fapi/v1/trades": [ONE],
    "GET /fapi/v1/historicalTrades": [ONE],
    "GET /fapi/v1/aggTrades": [ONE],
    "GET /fapi/v1/klines": [{**ONE, **BARS}],
    "GET /fapi/v1/continuousKlines": [{**PAIR, **BARS, "contractType": "PERPETUAL"}],
    "GET /fapi/v1/indexPriceKlines": [{**PAIR, **BARS}],
    "GET /fapi/v1/markPriceKlines": [{**ONE, **BARS}],
    "GET /fapi/v1/premiumIndexKlines": [{**ONE, **BARS}],
    "GET /fapi/v1/premiumIndex": [ONE, NONE],
    "GET /fapi/v1/ticker/24hr": [ONE, NONE],
    "GET /fapi/v1/ticker/price": [ONE, NONE],
    "GET /fapi/v2/ticker/price": [ONE, NONE],
    "GET /fapi/v1/ticker/bookTicker": [ONE, NONE],
    "GET /fapi/v1/openInterest": [ONE],
    "GET /fapi/v1/fundingRate": [after_funding],
    "GET /fapi/v1/fundingInfo": [with_own_terms],
    "GET /fapi/v1/constituents": [ONE],
    "GET /fapi/v1/insuranceBalance": [ONE, NONE],
    "GET /fapi/v1/symbolAdlRisk": [ONE, NONE],
    "GET /fapi/v1/tradingSchedule": [NONE],
    "GET /fapi/v1/indexInfo": [NONE],
    "GET /fapi/v1/assetIndex": [{"symbol": "USDTUSD"}, NONE],
    "GET /futures/data/openInterestHist": [{**ONE, **PERIODS}],
    "GET /futures/data/topLongShortPositionRatio": [{**ONE, **PERIODS}],
    "GET /futures/data/topLongShortAccountRatio": [{**ONE, **PERIODS}],
    "GET /futures/data/globalLongShortAccountRatio": [{**ONE, **PERIODS}],
    "GET /futures/data/takerlongshortRatio": [{**ONE, **PERIODS}],
    "GET /futures/data/basis": [{**PAIR, **PERIODS, "contractType": "PERPETUAL"}],
    "GET /futures/data/delivery-price": [PAIR],
    # Orders.
    "POST /fapi/v1/order": [LIMIT],
    "POST /fapi/v1/order/test": [LIMIT, trial],
    "PUT /fapi/v1/order": [amended],
    "GET /fapi/v1/order": [live, fired],
    "DELETE /fapi/v1/order": [live, waiting],
    "POST /fapi/v1/batchOrders": [listed(LIMIT, {**LIMIT, "price": "0.05"})],
    "PUT /fapi/v1/batchOrders": [
        lambda scene: listed(amended(scene), {**amended(scene), "orderId": 1})
    ],
    "DELETE /fapi/v1/batchOrders": [
        lambda scene: {**ONE, "orderIdList": json.dumps([scene.live, scene.algo, 999_999])}
    ],
    "DELETE /fapi/v1/allOpenOrders": [ONE],
    "POST /fapi/v1/countdownCancelAll": [{**ONE, "countdownTime": 60_000}],
    "GET /fapi/v1/openOrder": [live, waiting],
    "GET /fapi/v1/openOrders": [ONE],
    "GET /fapi/v1/allOrders": [ONE],
    "GET /fapi/v1/orderAmendment": [with_amendment],
    "GET /fapi/v1/userTrades": [ONE],
    "GET /fapi/v1/forceOrders": [after_liquidation],
    # Algo orders.
    "POST /fapi/v1/algoOrder": [{**TRAILING, "algoType": "CONDITIONAL"}],
    "GET /fapi/v1/algoOrder": [
        lambda scene: {"algoId": scene.algo},
        lambda scene: {"algoId": scene.fired_algo},
    ],
    "DELETE /fapi/v1/algoOrder": [lambda scene: {"algoId": scene.algo}],
    "DELETE /fapi/v1/algoOpenOrders": [ONE],
    "GET /fapi/v1/openAlgoOrders": [NONE],
    "GET /fapi/v1/allAlgoOrders": [ONE],
    # The account.
    "GET /fapi/v2/account": [NONE],
    "GET /fapi/v3/account": [NONE],
    "GET /fapi/v2/balance": [NONE],
    "GET /fapi/v3/balance": [NONE],
    "GET /fapi/v1/positionRisk": [NONE],
    "GET /fapi/v2/positionRisk": [NONE],
    "GET /fapi/v3/positionRisk": [NONE],
    "GET /fapi/v1/accountConfig": [NONE],
    "GET /fapi/v1/symbolConfig": [NONE],
    "GET /fapi/v1/leverageBracket": [NONE, ONE],
    "POST /fapi/v1/leverage": [{**ONE, "leverage": 10}],
    "POST /fapi/v1/marginType": [{"symbol": "ETHUSDT", "marginType": "ISOLATED"}],
    "GET /fapi/v1/positionSide/dual": [NONE],
    "POST /fapi/v1/positionSide/dual": [flat],
    "GET /fapi/v1/multiAssetsMargin": [NONE],
    "POST /fapi/v1/multiAssetsMargin": [pooled],
    "POST /fapi/v1/positionMargin": [isolated],
    "GET /fapi/v1/positionMargin/history": [with_margin_change],
    "GET /fapi/v1/adlQuantile": [NONE],
    "GET /fapi/v1/commissionRate": [ONE],
    "GET /fapi/v1/rateLimit/order": [NONE],
    "GET /fapi/v1/apiTradingStatus": [NONE],
    "GET /fapi/v1/feeBurn": [NONE],
    "POST /fapi/v1/feeBurn": [{"feeBurn": "false"}],
    "POST /fapi/v1/stock/contract": [NONE],
    "GET /fapi/v1/pmAccountInfo": [{"asset": "USDT"}],
    "GET /fapi/v1/income": [NONE],
    "GET /fapi/v1/income/asyn": [TIMES],
    "GET /fapi/v1/income/asyn/id": [file_of("income")],
    "GET /fapi/v1/order/asyn": [TIMES],
    "GET /fapi/v1/order/asyn/id": [file_of("order")],
    "GET /fapi/v1/trade/asyn": [TIMES],
    "GET /fapi/v1/trade/asyn/id": [file_of("trade")],
    # The user data stream.
    "POST /fapi/v1/listenKey": [NONE],
    "PUT /fapi/v1/listenKey": [with_listen_key],
    "DELETE /fapi/v1/listenKey": [with_listen_key],
}
