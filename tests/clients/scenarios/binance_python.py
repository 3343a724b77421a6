"""python-binance: its synchronous client for the orders, its asynchronous one for the streams."""

import asyncio
from decimal import Decimal
from typing import Any

from binance import AsyncClient, BinanceSocketManager, FuturesDepthCacheManager
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


def orders(client: Any) -> None:
    with step("start-up"):
        symbols = client.futures_exchange_info()["symbols"]
        assert SYMBOL in {each["symbol"] for each in symbols}
    with step("balance"):
        (usdt,) = [row for row in client.futures_account_balance() if row["asset"] == "USDT"]
        assert Decimal(usdt["balance"]) == 10000
        assert Decimal(client.futures_account()["totalWalletBalance"]) == 10000
    with step("leverage"):
        assert client.futures_change_leverage(symbol=SYMBOL, leverage=10)["leverage"] == 10
    with step("limit"):
        limits = [client.futures_create_order(**LIMIT, price=each) for each in ("50000", "50001")]
        assert [order["status"] for order in limits] == ["NEW", "NEW"]
    with step("stop") as detail:
        fields = {"symbol": SYMBOL, "quantity": "0.01"}
        stop = client.futures_create_order(
            **fields, side="BUY", type="STOP_MARKET", stopPrice="65000"
        )
        assert stop["algoStatus"] == "NEW"
        detail("sent to algoOrder by the client")
    with step("trailing"):
        trailing = client.futures_create_order(
            **fields,
            side="SELL",
            type="TRAILING_STOP_MARKET",
            callbackRate=0.3,
            activatePrice="62000",
        )
        triggers = client.futures_get_open_orders(symbol=SYMBOL, conditional=True)
        assert {each["algoId"] for each in triggers} == {stop["algoId"], trailing["algoId"]}
    with step("batch cancel by order ids"):
        ids = [order["orderId"] for order in limits]
        algo_ids = [stop["algoId"], trailing["algoId"]]
        if ONE_SEQUENCE:
            ids += algo_ids
        else:
            for algo_id in algo_ids:
                client.futures_cancel_order(symbol=SYMBOL, algoId=algo_id)
        cancelled = client.futures_cancel_orders(symbol=SYMBOL, orderidlist=ids)
        assert [(each["orderId"], each["status"]) for each in cancelled] == [
            (order_id, "CANCELED") for order_id in ids
        ]
        assert client.futures_get_open_orders(symbol=SYMBOL, conditional=True) == []
    with step("batch cancel by client ids"):
        names = ["first", "second"]
        for name in names:
            client.futures_create_order(**LIMIT, price="50000", newClientOrderId=name)
        cancelled = client.futures_cancel_orders(symbol=SYMBOL, origclientorderidlist=names)
        assert [each["clientOrderId"] for each in cancelled] == names
        assert client.futures_get_open_orders(symbol=SYMBOL) == []


def position(client: Any) -> None:
    with step("market buy"):
        bought = client.futures_create_order(**MARKET, side="BUY", quantity="0.02")
        assert (bought["status"], Decimal(bought["executedQty"])) == ("FILLED", Decimal("0.02"))
    with step("positions"):
        (row,) = client.futures_position_information(symbol=SYMBOL)
        assert Decimal(row["positionAmt"]) == Decimal("0.02")
        assert Decimal(row["entryPrice"]) == 60001
    with step("reduce-only sell"):
        sold = client.futures_create_order(
            **MARKET, side="SELL", quantity="0.02", reduceOnly="true"
        )
        assert sold["status"] == "FILLED"
        rows = client.futures_position_information(symbol=SYMBOL)
        assert all(Decimal(row["positionAmt"]) == 0 for row in rows)
    with step("trades"):
        trades = client.futures_account_trades(symbol=SYMBOL)
        assert [(each["side"], Decimal(each["price"])) for each in trades] == [
            ("BUY", Decimal(60001)),
            ("SELL", Decimal(59999)),
        ]


async def streams(api_key: str, api_secret: str) -> None:
    client = AsyncClient(api_key, api_secret)
    try:
        manager = BinanceSocketManager(client)
        for name, run in (
            ("user stream", _user_stream),
            ("depth stream", _depth_stream),
            ("mark price stream", _mark_price_stream),
            ("liquidation streams", _liquidation_streams),
        ):
            with step(name) as detail:
                async with asyncio.timeout(STREAM_LIMIT_S):
                    detail(await run(client, manager))
    finally:
        await client.close_connection()


async def _opened(socket: Any) -> Any:
    """Opens a socket for the rest of the process: closing a silent one takes ten seconds."""
    return await socket.__aenter__()


async def _user_stream(client: Any, manager: Any) -> str:
    socket = await _opened(manager.futures_user_socket())
    await client.futures_create_order(**MARKET, side="BUY", quantity="0.01")
    kinds = set()
    filled = ""
    while not (filled and "ACCOUNT_UPDATE" in kinds):
        event = await socket.recv()
        kinds.add(event["e"])
        if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["X"] == "FILLED":
            filled = event["o"]["z"]
    assert Decimal(filled) == Decimal("0.01")
    await client.futures_create_order(**MARKET, side="SELL", quantity="0.01", reduceOnly="true")
    return ""


async def _depth_stream(client: Any, manager: Any) -> str:
    depth = await _opened(FuturesDepthCacheManager(client, SYMBOL, bm=manager))
    order = await client.futures_create_order(**LIMIT, price="50000")
    book = await depth.recv()
    while book.get_bids()[-1][0] != 50000.0:
        book = await depth.recv()
    rest = await client.futures_order_book(symbol=SYMBOL, limit=10)
    for ours, theirs in ((book.get_bids(), rest["bids"]), (book.get_asks(), rest["asks"])):
        assert ours == [[float(price), float(quantity)] for price, quantity in theirs]
    await client.futures_cancel_order(symbol=SYMBOL, orderId=order["orderId"])
    return "ten levels, which is what the client keeps"


async def _mark_price_stream(_: Any, manager: Any) -> str:
    socket = await _opened(manager.symbol_mark_price_socket(SYMBOL))
    event = (await socket.recv())["data"]
    assert event["e"] == "markPriceUpdate"
    assert Decimal(event["p"]) == 60000
    return ""


async def _liquidation_streams(client: Any, manager: Any) -> str:
    streams = ["btcusdt@forceOrder", "!forceOrder@arr"]
    public = await _opened(manager.futures_multiplex_socket(streams))
    own = await _opened(manager.futures_user_socket())
    await client.futures_create_order(**MARKET, side="BUY", quantity="0.02")
    await asyncio.to_thread(use_up_margin)
    messages = [await public.recv(), await public.recv()]
    assert sorted(message["stream"] for message in messages) == sorted(streams)
    for message in messages:
        order = message["data"]["o"]
        assert_liquidated(order["S"], order["X"], order["q"], order["ap"])
    event = await own.recv()
    while event["e"] != "ORDER_TRADE_UPDATE" or event["o"]["x"] != "CALCULATED":
        event = await own.recv()
    order = event["o"]
    assert order["o"] == "LIQUIDATION"
    assert_liquidated(order["S"], order["X"], order["q"], order["ap"])
    return ""


def liquidations(client: Any) -> None:
    with step("liquidations"):
        (order,) = client.futures_liquidation_orders(autoCloseType="LIQUIDATION")
        assert_liquidated(order["side"], order["status"], order["origQty"], order["avgPrice"])


names = client_names()
orders(names["client"])
position(names["client"])
asyncio.run(streams(names["API_KEY"], names["API_SECRET"]))
liquidations(names["client"])
