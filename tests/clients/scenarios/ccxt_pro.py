"""ccxt.pro: the streams, stitched and parsed by ccxt itself."""

import asyncio
from typing import Any

from tests.clients.scenarios.ccxt_steps import SYMBOL, liquidations, trade
from tests.clients.scenarios.steps import STREAM_LIMIT_S, client_names, step, use_up_margin


async def watch(exchange: Any) -> None:
    with step("user stream"):
        async with asyncio.timeout(STREAM_LIMIT_S):
            await _user_stream(exchange)
    with step("depth stream") as detail:
        async with asyncio.timeout(STREAM_LIMIT_S):
            await _depth_stream(exchange)
        detail("stitched by the client")
    with step("mark price stream"):
        async with asyncio.timeout(STREAM_LIMIT_S):
            assert (await exchange.watch_mark_price(SYMBOL))["markPrice"] == 60000.0
    with step("liquidation streams") as detail:
        async with asyncio.timeout(STREAM_LIMIT_S):
            await _liquidation_streams(exchange)
        # Without it an ACCOUNT_UPDATE ends the client's loop that receives, with a KeyError.
        detail("watch_my_liquidations after watch_balance, which the client needs for it")


async def _user_stream(exchange: Any) -> None:
    orders = asyncio.create_task(_closed_orders(exchange, 2))
    balance = asyncio.create_task(exchange.watch_balance())
    while not _connected(exchange):  # noqa: ASYNC110  ccxt has no call that waits for that
        await asyncio.sleep(0.01)
    await exchange.create_order(SYMBOL, "market", "buy", 0.01)
    await exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
    assert [(order["side"], order["filled"]) for order in await orders] == [
        ("buy", 0.01),
        ("sell", 0.01),
    ]
    assert 9990 < (await balance)["USDT"]["total"] < 10000


def _connected(exchange: Any) -> bool:
    sockets = exchange.clients.items()
    return any("listenKey" in url and socket.connection for url, socket in sockets)


async def _closed_orders(exchange: Any, count: int) -> list[Any]:
    closed: dict[str, Any] = {}
    while len(closed) < count:
        for order in await exchange.watch_orders(SYMBOL):
            if order["status"] == "closed":
                closed[order["id"]] = order
    return list(closed.values())


async def _depth_stream(exchange: Any) -> None:
    book = await exchange.watch_order_book(SYMBOL)
    order = await exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50000)
    while book["bids"][-1][0] != 50000.0:
        book = await exchange.watch_order_book(SYMBOL)
    rest = await exchange.fetch_order_book(SYMBOL)
    assert (book["bids"], book["asks"]) == (rest["bids"], rest["asks"])
    await exchange.cancel_order(order["id"], SYMBOL)


async def _liquidation_streams(exchange: Any) -> None:
    everyone = asyncio.create_task(exchange.watch_liquidations(SYMBOL))
    own = asyncio.create_task(_own_liquidation(exchange))
    while not _subscribed(exchange, "btcusdt@forceOrder"):  # noqa: ASYNC110  as above
        await asyncio.sleep(0.01)
    await exchange.create_order(SYMBOL, "market", "buy", 0.02)
    await asyncio.to_thread(use_up_margin)
    (told,) = await everyone
    for liquidation in (told, await own):
        assert (liquidation["side"], liquidation["contracts"]) == ("sell", 0.02)
        assert liquidation["price"] == 59999.0


def _subscribed(exchange: Any, stream: str) -> bool:
    return any(
        stream in each.subscriptions and each.connection for each in exchange.clients.values()
    )


async def _own_liquidation(exchange: Any) -> Any:
    """What the client keeps of the fill: it came right behind the order, which is told alone."""
    (ordered,) = await exchange.watch_my_liquidations(SYMBOL)
    assert ordered["contracts"] == 0
    while not exchange.myLiquidations[-1]["contracts"]:  # noqa: ASYNC110  as above
        await asyncio.sleep(0.01)
    return exchange.myLiquidations[-1]


async def main(exchange: Any) -> None:
    try:
        await trade(exchange)
        await watch(exchange)
        await liquidations(exchange)
    finally:
        await exchange.close()


asyncio.run(main(client_names()["exchange"]))
