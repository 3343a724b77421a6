"""binance-futures-connector, which knows no algo orders: they go through its `sign_request`."""

import json
from collections.abc import Callable, Generator
from decimal import Decimal
from queue import Queue
from typing import Any

from binance.error import ClientError
from tests.clients.scenarios.local_book import LocalBook
from tests.clients.scenarios.steps import (
    ONE_SEQUENCE,
    STREAM_LIMIT_S,
    assert_liquidated,
    client_names,
    step,
    use_up_margin,
)

SYMBOL = "BTCUSDT"
LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
MARKET = {"symbol": SYMBOL, "type": "MARKET", "newOrderRespType": "RESULT"}
names = client_names()
client = names["client"]


def place_trigger(fields: dict[str, Any], trigger: dict[str, str]) -> tuple[int, str]:
    """Sends a trigger order as the client does; its id, and what came of it."""
    order = {"symbol": SYMBOL, "quantity": "0.01", **fields}
    try:
        return client.new_order(**order, **trigger)["orderId"], "taken by order"
    except ClientError as error:
        if ONE_SEQUENCE or error.error_code != -4120:
            raise
    rename = {"stopPrice": "triggerPrice", "activationPrice": "activatePrice"}
    order |= {rename.get(name, name): value for name, value in trigger.items()}
    reply = client.sign_request("POST", "/fapi/v1/algoOrder", {"algoType": "CONDITIONAL", **order})
    return reply["algoId"], "-4120 from order, taken by algoOrder"


def orders() -> None:
    with step("start-up"):
        assert SYMBOL in {each["symbol"] for each in client.exchange_info()["symbols"]}
    with step("balance"):
        (usdt,) = [row for row in client.balance() if row["asset"] == "USDT"]
        assert Decimal(usdt["balance"]) == 10000
        assert Decimal(client.account()["totalWalletBalance"]) == 10000
    with step("leverage"):
        assert client.change_leverage(symbol=SYMBOL, leverage=10)["leverage"] == 10
    with step("limit"):
        limits = [client.new_order(**LIMIT, price=each) for each in ("50000", "50001")]
        assert [order["status"] for order in limits] == ["NEW", "NEW"]
    with step("stop") as detail:
        kind = {"side": "BUY", "type": "STOP_MARKET"}
        stop, outcome = place_trigger(kind, {"stopPrice": "65000"})
        detail(outcome)
    with step("trailing") as detail:
        kind = {"side": "SELL", "type": "TRAILING_STOP_MARKET", "callbackRate": "0.3"}
        trailing, outcome = place_trigger(kind, {"activationPrice": "62000"})
        detail(outcome)
    with step("batch cancel by order ids"):
        ids = [order["orderId"] for order in limits]
        if ONE_SEQUENCE:
            ids += [stop, trailing]
        else:
            for algo_id in (stop, trailing):
                client.sign_request("DELETE", "/fapi/v1/algoOrder", {"algoId": algo_id})
        cancelled = client.cancel_batch_order(SYMBOL, ids, [])
        assert [(each["orderId"], each["status"]) for each in cancelled] == [
            (order_id, "CANCELED") for order_id in ids
        ]
    with step("batch cancel by client ids"):
        ids = ["first", "second"]
        for name in ids:
            client.new_order(**LIMIT, price="50000", newClientOrderId=name)
        cancelled = client.cancel_batch_order(SYMBOL, [], ids)
        assert [each["clientOrderId"] for each in cancelled] == ids
        assert client.get_orders(symbol=SYMBOL) == []


def position() -> None:
    with step("market buy"):
        bought = client.new_order(**MARKET, side="BUY", quantity="0.02")
        assert (bought["status"], Decimal(bought["executedQty"])) == ("FILLED", Decimal("0.02"))
    with step("positions"):
        (row,) = client.get_position_risk(symbol=SYMBOL)
        assert Decimal(row["positionAmt"]) == Decimal("0.02")
        assert Decimal(row["entryPrice"]) == 60001
    with step("reduce-only sell"):
        sold = client.new_order(**MARKET, side="SELL", quantity="0.02", reduceOnly="true")
        assert sold["status"] == "FILLED"
        rows = client.get_position_risk(symbol=SYMBOL)
        assert all(Decimal(row["positionAmt"]) == 0 for row in rows)
    with step("trades"):
        trades = client.get_account_trades(symbol=SYMBOL)
        assert [(each["side"], Decimal(each["price"])) for each in trades] == [
            ("BUY", Decimal(60001)),
            ("SELL", Decimal(59999)),
        ]


def events(subscribe: Callable[[Any], None]) -> Generator[dict[str, Any]]:
    """Messages of a socket of its own, from the answer to the subscription on."""
    queue: Queue[str] = Queue()
    socket = names["connect_streams"](lambda _, message: queue.put(message))
    try:
        subscribe(socket)
        while True:
            yield json.loads(queue.get(timeout=STREAM_LIMIT_S))
    finally:
        socket.stop()


def streams() -> None:
    with step("user stream"):
        listen_key = client.new_listen_key()["listenKey"]
        feed = events(lambda socket: socket.user_data(listen_key))
        assert next(feed)["result"] is None
        client.new_order(**MARKET, side="BUY", quantity="0.01")
        kinds = set()
        filled = ""
        while not (filled and "ACCOUNT_UPDATE" in kinds):
            event = next(feed)
            kinds.add(event["e"])
            if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["X"] == "FILLED":
                filled = event["o"]["z"]
        assert Decimal(filled) == Decimal("0.01")
        feed.close()
        client.new_order(**MARKET, side="SELL", quantity="0.01", reduceOnly="true")
    with step("depth stream") as detail:
        feed = events(lambda socket: socket.diff_book_depth(SYMBOL))
        assert next(feed)["result"] is None
        book = LocalBook(client.depth(SYMBOL, limit=1000))
        order = client.new_order(**LIMIT, price="50000")
        while Decimal(50000) not in book.bids:
            book.apply(next(feed))
        assert book.equals(client.depth(SYMBOL, limit=1000))
        detail("stitched by the documented procedure")
        feed.close()
        client.cancel_order(SYMBOL, orderId=order["orderId"])
    with step("mark price stream"):
        feed = events(lambda socket: socket.mark_price(SYMBOL, speed=1))
        assert next(feed)["result"] is None
        assert Decimal(next(feed)["p"]) == 60000
        feed.close()


def liquidation_streams() -> None:
    with step("liquidation streams"):
        public = events(lambda socket: socket.liquidation_order(SYMBOL))
        everyone = events(lambda socket: socket.liquidation_order(None))
        listen_key = client.new_listen_key()["listenKey"]
        own = events(lambda socket: socket.user_data(listen_key))
        for feed in (public, everyone, own):
            assert next(feed)["result"] is None
        client.new_order(**MARKET, side="BUY", quantity="0.02")
        use_up_margin()
        event = next(own)
        while event["e"] != "ORDER_TRADE_UPDATE" or event["o"]["x"] != "CALCULATED":
            event = next(own)
        assert event["o"]["o"] == "LIQUIDATION"
        for order in (next(public)["o"], next(everyone)["o"], event["o"]):
            assert_liquidated(order["S"], order["X"], order["q"], order["ap"])
        for feed in (public, everyone, own):
            feed.close()


def liquidations() -> None:
    with step("liquidations"):
        (order,) = client.force_orders(autoCloseType="LIQUIDATION")
        assert_liquidated(order["side"], order["status"], order["origQty"], order["avgPrice"])


orders()
position()
streams()
liquidation_streams()
liquidations()
