"""What ccxt does on asyncio, with and without streams."""

from typing import Any

from tests.clients.scenarios.steps import ONE_SEQUENCE, step

SYMBOL = "BTC/USDT:USDT"


async def trade(exchange: Any) -> None:
    """Every step that needs no stream."""
    with step("start-up"):
        assert SYMBOL in await exchange.load_markets()
    with step("balance"):
        assert (await exchange.fetch_balance())["USDT"]["total"] == 10000.0
    with step("leverage"):
        await exchange.set_leverage(10, SYMBOL)
        assert (await exchange.fetch_leverage(SYMBOL))["longLeverage"] == 10
    await _rest_and_cancel(exchange)
    with step("batch cancel by client ids"):
        names = ["first", "second"]
        for name in names:
            await exchange.create_order(
                SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": name}
            )
        cancelled = await exchange.cancel_orders([], SYMBOL, {"clientOrderIds": names})
        assert [order["clientOrderId"] for order in cancelled] == names
        assert await exchange.fetch_open_orders(SYMBOL) == []
    await _open_and_close(exchange)


async def liquidations(exchange: Any) -> None:
    """What remains of a liquidation that came about before."""
    with step("liquidations"):
        (liquidation,) = await exchange.fetch_my_liquidations(SYMBOL)
        assert (liquidation["side"], liquidation["contracts"]) == ("sell", 0.02)
        assert liquidation["price"] == 59999.0


async def _rest_and_cancel(exchange: Any) -> None:
    with step("limit"):
        limits = [
            await exchange.create_order(SYMBOL, "limit", "buy", 0.01, price)
            for price in (50000, 50001)
        ]
        assert [order["status"] for order in limits] == ["open", "open"]
    with step("stop") as detail:
        price = {"stopLossPrice": 65000}
        stop = await exchange.create_order(SYMBOL, "market", "buy", 0.01, None, price)
        triggers = await exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
        assert [order["id"] for order in triggers] == [stop["id"]]
        detail("sent to algoOrder by the client")
    with step("trailing"):
        trail = {"trailingPercent": 0.3, "trailingTriggerPrice": 62000}
        kind = "TRAILING_STOP_MARKET"
        trailing = await exchange.create_order(SYMBOL, kind, "sell", 0.01, None, trail)
        triggers = await exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
        assert {order["id"] for order in triggers} == {stop["id"], trailing["id"]}
    with step("batch cancel by order ids"):
        ids = [order["id"] for order in (*limits, stop, trailing)]
        if not ONE_SEQUENCE:
            for order_id in ids[2:]:
                await exchange.cancel_order(order_id, SYMBOL, {"trigger": True})
            ids = ids[:2]
        cancelled = await exchange.cancel_orders(ids, SYMBOL)
        assert [(order["id"], order["status"]) for order in cancelled] == [
            (order_id, "canceled") for order_id in ids
        ]
        assert await exchange.fetch_open_orders(SYMBOL, params={"trigger": True}) == []


async def _open_and_close(exchange: Any) -> None:
    with step("market buy"):
        bought = await exchange.create_order(SYMBOL, "market", "buy", 0.02)
        assert (bought["status"], bought["filled"]) == ("closed", 0.02)
    with step("positions"):
        (position,) = await exchange.fetch_positions([SYMBOL])
        assert (position["side"], position["contracts"]) == ("long", 0.02)
        assert position["entryPrice"] == 60001.0
    with step("reduce-only sell"):
        only = {"reduceOnly": True}
        sold = await exchange.create_order(SYMBOL, "market", "sell", 0.02, None, only)
        assert sold["status"] == "closed"
        assert all(not row["contracts"] for row in await exchange.fetch_positions([SYMBOL]))
    with step("trades"):
        trades = await exchange.fetch_my_trades(SYMBOL)
        assert [(trade["side"], trade["price"], trade["amount"]) for trade in trades] == [
            ("buy", 60001.0, 0.02),
            ("sell", 59999.0, 0.02),
        ]
