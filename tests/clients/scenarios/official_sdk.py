"""The official SDK: its models parse what comes, on REST and on streams."""

import asyncio
from decimal import Decimal
from typing import Any

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
LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01}
MARKET = {"symbol": SYMBOL, "type": "MARKET", "new_order_resp_type": "RESULT"}


def orders(rest: Any) -> None:
    with step("start-up"):
        assert SYMBOL in {each.symbol for each in rest.exchange_information().data().symbols}
    with step("balance"):
        rows = rest.futures_account_balance_v3().data()
        (usdt,) = [row for row in rows if row.asset == "USDT"]
        assert Decimal(usdt.balance) == 10000
        assert Decimal(rest.account_information_v3().data().total_wallet_balance) == 10000
    with step("leverage"):
        assert rest.change_initial_leverage(SYMBOL, 10).data().leverage == 10
    with step("limit"):
        limits = [rest.new_order(**LIMIT, price=each).data() for each in (50000.0, 50001.0)]
        assert [order.status for order in limits] == ["NEW", "NEW"]
    with step("stop"):
        algo = {"algo_type": "CONDITIONAL", "symbol": SYMBOL, "quantity": 0.01}
        stop = rest.new_algo_order(**algo, side="BUY", type="STOP_MARKET", trigger_price=65000.0)
        stop_id = stop.data().algo_id
    with step("trailing"):
        trailing = rest.new_algo_order(
            **algo,
            side="SELL",
            type="TRAILING_STOP_MARKET",
            callback_rate=0.3,
            activate_price=62000.0,
        )
        trailing_id = trailing.data().algo_id
        open_ids = {each.algo_id for each in rest.current_all_algo_open_orders().data()}
        assert open_ids == {stop_id, trailing_id}
    with step("batch cancel by order ids"):
        ids = [order.order_id for order in limits]
        if ONE_SEQUENCE:
            ids += [stop_id, trailing_id]
        else:
            for algo_id in (stop_id, trailing_id):
                rest.cancel_algo_order(algo_id=algo_id)
        cancelled = rest.cancel_multiple_orders(SYMBOL, order_id_list=ids).data()
        assert [(each.order_id, each.status) for each in cancelled] == [
            (order_id, "CANCELED") for order_id in ids
        ]
    with step("batch cancel by client ids"):
        names = ["first", "second"]
        for name in names:
            rest.new_order(**LIMIT, price=50000.0, new_client_order_id=name)
        reply = rest.cancel_multiple_orders(SYMBOL, orig_client_order_id_list=names)
        assert [each.client_order_id for each in reply.data()] == names
        assert rest.current_all_open_orders(SYMBOL).data() == []


def position(rest: Any) -> None:
    with step("market buy"):
        bought = rest.new_order(**MARKET, side="BUY", quantity=0.02).data()
        assert (bought.status, Decimal(bought.executed_qty)) == ("FILLED", Decimal("0.02"))
    with step("positions"):
        (row,) = rest.position_information_v3(SYMBOL).data()
        assert Decimal(row.position_amt) == Decimal("0.02")
        assert Decimal(row.entry_price) == 60001
    with step("reduce-only sell"):
        sold = rest.new_order(**MARKET, side="SELL", quantity=0.02, reduce_only="true").data()
        assert sold.status == "FILLED"
        rows = rest.position_information_v3(SYMBOL).data()
        assert all(Decimal(row.position_amt) == 0 for row in rows)
    with step("trades"):
        trades = rest.account_trade_list(SYMBOL).data()
        assert [(each.side, Decimal(each.price)) for each in trades] == [
            ("BUY", Decimal(60001)),
            ("SELL", Decimal(59999)),
        ]


async def streams(client: Any) -> None:
    feed = client.websocket_streams
    await feed.create_connection()
    try:
        for name, run in (
            ("user stream", _user_stream),
            ("depth stream", _depth_stream),
            ("mark price stream", _mark_price_stream),
            ("liquidation streams", _liquidation_streams),
        ):
            with step(name) as detail:
                async with asyncio.timeout(STREAM_LIMIT_S):
                    detail(await run(client.rest_api, feed))
    finally:
        await feed.close_connection()


async def _subscribed(feed: Any, subscription: Any) -> asyncio.Queue[Any]:
    """The messages of a stream; returns once the venue has confirmed it."""
    messages: asyncio.Queue[Any] = asyncio.Queue()
    handle = await subscription
    handle.on("message", messages.put_nowait)
    for connection in feed.connections:
        await asyncio.gather(*connection.pending_request.values())
    return messages


async def _user_stream(rest: Any, feed: Any) -> str:
    listen_key = rest.start_user_data_stream().data().listen_key
    messages = await _subscribed(feed, feed.user_data(listen_key))
    await asyncio.to_thread(rest.new_order, **MARKET, side="BUY", quantity=0.01)
    kinds = set()
    filled = ""
    while not (filled and "AccountUpdate" in kinds):
        event = (await messages.get()).actual_instance
        kinds.add(type(event).__name__)
        if type(event).__name__ == "OrderTradeUpdate" and event.o.X == "FILLED":
            filled = event.o.z
    assert Decimal(filled) == Decimal("0.01")
    only = {"reduce_only": "true"}
    await asyncio.to_thread(rest.new_order, **MARKET, **only, side="SELL", quantity=0.01)
    return ""


async def _depth_stream(rest: Any, feed: Any) -> str:
    messages = await _subscribed(feed, feed.diff_book_depth_streams(SYMBOL))
    book = LocalBook(_snapshot(rest))
    order = rest.new_order(**LIMIT, price=50000.0).data()
    while Decimal(50000) not in book.bids:
        book.apply((await messages.get()).to_dict())
    assert book.equals(_snapshot(rest))
    rest.cancel_order(SYMBOL, order_id=order.order_id)
    return "stitched by the documented procedure"


def _snapshot(rest: Any) -> dict[str, Any]:
    snapshot: dict[str, Any] = rest.order_book(SYMBOL, 1000).data().to_dict()
    return snapshot


async def _mark_price_stream(_: Any, feed: Any) -> str:
    messages = await _subscribed(feed, feed.mark_price_stream(SYMBOL, update_speed="1s"))
    assert Decimal((await messages.get()).p) == 60000
    return ""


async def _liquidation_streams(rest: Any, feed: Any) -> str:
    public = await _subscribed(feed, feed.liquidation_order_streams(SYMBOL))
    everyone = await _subscribed(feed, feed.all_market_liquidation_order_streams())
    listen_key = rest.start_user_data_stream().data().listen_key
    own = await _subscribed(feed, feed.user_data(listen_key))
    await asyncio.to_thread(rest.new_order, **MARKET, side="BUY", quantity=0.02)
    await asyncio.to_thread(use_up_margin)
    for messages in (public, everyone):
        order = (await messages.get()).o
        assert_liquidated(order.S, order.X, order.q, order.ap)
    event = (await own.get()).actual_instance
    while type(event).__name__ != "OrderTradeUpdate" or event.o.x != "CALCULATED":
        event = (await own.get()).actual_instance
    assert event.o.o == "LIQUIDATION"
    assert_liquidated(event.o.S, event.o.X, event.o.q, event.o.ap)
    return ""


def liquidations(rest: Any) -> None:
    with step("liquidations"):
        (order,) = rest.users_force_orders(auto_close_type="LIQUIDATION").data()
        assert_liquidated(order.side, order.status, order.orig_qty, order.avg_price)


sdk = client_names()["client"]
orders(sdk.rest_api)
position(sdk.rest_api)
asyncio.run(streams(sdk))
liquidations(sdk.rest_api)
