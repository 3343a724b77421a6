"""ccxt, synchronous: all that can be done without streams."""

from tests.clients.scenarios.steps import ONE_SEQUENCE, client_names, step, use_up_margin

SYMBOL = "BTC/USDT:USDT"
exchange = client_names()["exchange"]

with step("start-up"):
    assert SYMBOL in exchange.load_markets()

with step("balance"):
    assert exchange.fetch_balance()["USDT"]["total"] == 10000.0

with step("leverage"):
    exchange.set_leverage(10, SYMBOL)
    assert exchange.fetch_leverage(SYMBOL)["longLeverage"] == 10

with step("limit"):
    limits = [
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, price) for price in (50000, 50001)
    ]
    assert [order["status"] for order in limits] == ["open", "open"]

with step("stop") as detail:
    stop = exchange.create_order(SYMBOL, "market", "buy", 0.01, None, {"stopLossPrice": 65000})
    triggers = exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert [order["id"] for order in triggers] == [stop["id"]]
    detail("sent to algoOrder by the client")

with step("trailing"):
    trail = {"trailingPercent": 0.3, "trailingTriggerPrice": 62000}
    trailing = exchange.create_order(SYMBOL, "TRAILING_STOP_MARKET", "sell", 0.01, None, trail)
    triggers = exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert {order["id"] for order in triggers} == {stop["id"], trailing["id"]}

with step("batch cancel by order ids"):
    ids = [order["id"] for order in (*limits, stop, trailing)]
    if not ONE_SEQUENCE:
        for order_id in ids[2:]:
            exchange.cancel_order(order_id, SYMBOL, {"trigger": True})
        ids = ids[:2]
    cancelled = exchange.cancel_orders(ids, SYMBOL)
    assert [(order["id"], order["status"]) for order in cancelled] == [
        (order_id, "canceled") for order_id in ids
    ]
    assert exchange.fetch_open_orders(SYMBOL, params={"trigger": True}) == []

with step("batch cancel by client ids"):
    names = ["first", "second"]
    for name in names:
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": name})
    cancelled = exchange.cancel_orders([], SYMBOL, {"clientOrderIds": names})
    assert [order["clientOrderId"] for order in cancelled] == names
    assert exchange.fetch_open_orders(SYMBOL) == []

with step("market buy"):
    bought = exchange.create_order(SYMBOL, "market", "buy", 0.02)
    assert (bought["status"], bought["filled"]) == ("closed", 0.02)

with step("positions"):
    (position,) = exchange.fetch_positions([SYMBOL])
    assert (position["side"], position["contracts"]) == ("long", 0.02)
    assert position["entryPrice"] == 60001.0

with step("reduce-only sell"):
    sold = exchange.create_order(SYMBOL, "market", "sell", 0.02, None, {"reduceOnly": True})
    assert sold["status"] == "closed"
    assert all(not row["contracts"] for row in exchange.fetch_positions([SYMBOL]))

with step("trades"):
    trades = exchange.fetch_my_trades(SYMBOL)
    assert [(trade["side"], trade["price"], trade["amount"]) for trade in trades] == [
        ("buy", 60001.0, 0.02),
        ("sell", 59999.0, 0.02),
    ]

with step("liquidations"):
    exchange.create_order(SYMBOL, "market", "buy", 0.02)
    use_up_margin()
    (liquidation,) = exchange.fetch_my_liquidations(SYMBOL)
    assert (liquidation["side"], liquidation["contracts"]) == ("sell", 0.02)
    assert liquidation["price"] == 59999.0
