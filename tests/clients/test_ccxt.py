"""ccxt as it is on PyPI: an order of each kind, batch cancels, a position, trades."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import ccxt
import pytest

from openperp.cli.clients import CLIENTS, Access
from openperp.testing import Account, Venue

SYMBOL = "BTC/USDT:USDT"

pytestmark = [
    pytest.mark.venue(clock="real"),
    pytest.mark.parametrize(
        "dialect",
        [
            pytest.param("ztdx", marks=pytest.mark.venue(dialect="ztdx")),
            pytest.param("binance", marks=pytest.mark.venue(dialect="binance")),
        ],
    ),
]


@pytest.fixture
def exchange(venue: Venue) -> Iterator[Any]:
    """ccxt as `openperp doctor ccxt` configures it."""
    alice = venue.account("alice", deposit="10000")
    snippet = CLIENTS["ccxt"].snippet(Access(venue.rest, alice.api_key, alice.api_secret))
    names: dict[str, Any] = {}
    setup, _, _ = snippet.partition("print(")
    exec(setup, names)
    made = names["exchange"]
    hosts = {urlsplit(url).netloc for url in made.urls["api"].values() if isinstance(url, str)}
    assert hosts == {urlsplit(venue.rest).netloc}, "a key must not reach another host"
    yield made
    made.session.close()


@pytest.fixture
def maker(venue: Venue) -> Account:
    """Quotes 0.1 BTC on either side of 60000."""
    bob = venue.account("bob", deposit="100000")
    fields = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    bob.post("/fapi/v1/order", **fields, side="BUY", price="59999")
    bob.post("/fapi/v1/order", **fields, side="SELL", price="60001")
    return bob


def test_markets_and_balance(exchange: Any, dialect: str) -> None:
    markets = exchange.load_markets()
    assert {SYMBOL, "ETH/USDT:USDT", "SOL/USDT:USDT"} <= markets.keys(), dialect
    assert markets[SYMBOL]["precision"] == {
        **markets[SYMBOL]["precision"],
        "price": 0.1,
        "amount": 0.001,
    }
    assert exchange.fetch_balance()["USDT"]["total"] == 10000.0


def test_limit_stop_and_trailing_orders_and_their_batch_cancel(exchange: Any, dialect: str) -> None:
    first = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50000)
    second = exchange.create_order(SYMBOL, "limit", "buy", 0.02, 50001)
    stop = exchange.create_order(SYMBOL, "market", "buy", 0.01, None, {"stopLossPrice": 65000})
    trailing = exchange.create_order(
        SYMBOL,
        "TRAILING_STOP_MARKET",
        "sell",
        0.01,
        None,
        {"trailingPercent": 0.3, "trailingTriggerPrice": 62000},
    )
    assert [order["status"] for order in (first, second)] == ["open", "open"]
    triggers = exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert {order["id"] for order in triggers} == {stop["id"], trailing["id"]}
    books = [first["id"], second["id"]]
    if dialect == "ztdx":  # one sequence of ids: a batch cancel reaches trigger orders too
        ids = [*books, stop["id"], trailing["id"]]
        cancelled = exchange.cancel_orders(ids, SYMBOL)
        assert [order["id"] for order in cancelled] == ids
        assert {order["status"] for order in cancelled} == {"canceled"}
    else:
        cancelled = exchange.cancel_orders(books, SYMBOL)
        assert [order["status"] for order in cancelled] == ["canceled", "canceled"]
        for order in (stop, trailing):
            exchange.cancel_order(order["id"], SYMBOL, {"trigger": True})
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert exchange.fetch_open_orders(SYMBOL, params={"trigger": True}) == []
    assert exchange.fetch_balance()["USDT"]["free"] == 10000.0


def test_batch_cancel_by_client_ids(exchange: Any, dialect: str) -> None:
    ids = [f"{dialect}-{number}" for number in range(3)]
    for client_id in ids:
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": client_id})
    cancelled = exchange.cancel_orders([], SYMBOL, {"clientOrderIds": ids})
    assert [order["clientOrderId"] for order in cancelled] == ids
    assert {order["status"] for order in cancelled} == {"canceled"}


def test_a_batch_of_orders(exchange: Any, dialect: str) -> None:
    order = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01}
    made = exchange.create_orders([{**order, "price": 50000}, {**order, "price": 50001}])
    assert [row["status"] for row in made] == ["open", "open"], dialect
    assert len(exchange.fetch_open_orders(SYMBOL)) == 2
    exchange.cancel_all_orders(SYMBOL)
    assert exchange.fetch_open_orders(SYMBOL) == []


def test_a_position_is_opened_shown_and_closed(exchange: Any, maker: Account, dialect: str) -> None:
    assert maker.get("/fapi/v1/openOrders"), dialect
    exchange.set_leverage(10, SYMBOL)
    bought = exchange.create_order(SYMBOL, "market", "buy", 0.02)
    assert (bought["status"], bought["filled"], bought["remaining"]) == ("closed", 0.02, 0.0)
    (position,) = exchange.fetch_positions([SYMBOL])
    assert (position["side"], position["contracts"]) == ("long", 0.02)
    assert position["entryPrice"] == 60001.0
    sold = exchange.create_order(SYMBOL, "market", "sell", 0.02, None, {"reduceOnly": True})
    assert sold["status"] == "closed"
    assert [p for p in exchange.fetch_positions([SYMBOL]) if p["contracts"]] == []
    trades = exchange.fetch_my_trades(SYMBOL)
    assert [(trade["side"], trade["price"], trade["amount"]) for trade in trades] == [
        ("buy", 60001.0, 0.02),
        ("sell", 59999.0, 0.02),
    ]
    closed = exchange.fetch_closed_orders(SYMBOL)
    assert {order["id"] for order in closed} == {bought["id"], sold["id"]}


@pytest.mark.usefixtures("maker")
def test_an_isolated_position_gets_and_gives_margin(exchange: Any, dialect: str) -> None:
    exchange.set_margin_mode("isolated", SYMBOL)
    exchange.create_order(SYMBOL, "market", "buy", 0.05)
    (position,) = exchange.fetch_positions([SYMBOL])
    assert (position["marginMode"], position["collateral"]) == ("isolated", 149.9525), dialect
    exchange.add_margin(SYMBOL, 20)
    exchange.reduce_margin(SYMBOL, 5)
    (position,) = exchange.fetch_positions([SYMBOL])
    assert position["collateral"] == 164.9525
    added, taken = exchange.fetch_margin_adjustment_history(SYMBOL)
    assert (added["type"], added["amount"]) == ("add", 20.0)
    assert (taken["type"], taken["amount"]) == ("reduce", 5.0)
    assert exchange.fetch_margin_mode(SYMBOL)["marginMode"] == "isolated"


def test_errors_arrive_as_the_classes_of_ccxt(exchange: Any, dialect: str) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(SYMBOL, "limit", "buy", 100, 50000)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("999999", SYMBOL)
    with pytest.raises(ccxt.InvalidOrder):
        exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
    exchange.secret = "wrong" + dialect
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()


@pytest.mark.usefixtures("maker")
def test_stops_that_are_tied_to_a_position(exchange: Any, dialect: str) -> None:
    """They need one, there is one of a kind that closes all, and they end with it."""
    tied = {"stopLossPrice": 55000, "timeInForce": "GTE_GTC", "reduceOnly": True}
    whole = {"stopLossPrice": 55000, "timeInForce": "GTE_GTC", "closePosition": True}
    with pytest.raises(ccxt.ExchangeError, match="-4509"):
        exchange.create_order(SYMBOL, "market", "sell", 0.01, None, tied)
    exchange.create_order(SYMBOL, "market", "buy", 0.01)
    stop = exchange.create_order(SYMBOL, "market", "sell", 0.01, None, tied)
    exchange.create_order(SYMBOL, "market", "sell", 0.01, None, whole)
    with pytest.raises(ccxt.ExchangeError, match="-4130"):
        exchange.create_order(SYMBOL, "market", "sell", 0.01, None, whole)
    waiting = exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert {order["info"]["timeInForce"] for order in waiting} == {"GTE_GTC"}, dialect
    assert stop["id"] in {order["id"] for order in waiting}
    exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
    assert exchange.fetch_open_orders(SYMBOL, params={"trigger": True}) == []
