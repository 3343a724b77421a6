"""Streams of the book, message by message."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.api.offline import START_MS
from tests.api.streams.listening import Listening

from openperp.engine.commands import (
    Batch,
    CancelOrder,
    DefineInstrument,
    PlaceOrder,
    Reset,
)
from openperp.engine.terms import OrderType, Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def desk() -> Listening:
    return Listening()


def order(desk: Listening, side: Side, ticks: int, lots: int, **more: Any) -> PlaceOrder:
    account = desk.state.account_ids["alice" if side is BUY else "bob"]
    kind = OrderType.LIMIT if ticks else OrderType.MARKET
    return PlaceOrder(account, "BTCUSDT", side, kind, lots, ticks, **more)


def place(desk: Listening, side: Side, ticks: int, lots: int, **more: Any) -> None:
    desk.apply(order(desk, side, ticks, lots, **more))
    desk.collect()


def levels(message: dict[str, Any]) -> tuple[list[list[str]], list[list[str]]]:
    return message["b"], message["a"]


def test_an_update_of_the_book(desk: Listening) -> None:
    heard = desk.hear("btcusdt@depth")
    desk.now_ms += 7
    place(desk, BUY, 599_995, 500)
    assert heard == [
        {
            "e": "depthUpdate",
            "E": START_MS + 7,
            "T": START_MS + 7,
            "s": "BTCUSDT",
            "ps": "BTCUSDT",
            "U": 2,
            "u": 3,
            "pu": 1,
            "b": [["59999.5", "0.5"]],
            "a": [],
            "st": 1,
        }
    ]
    place(desk, SELL, 600_000, 2)
    assert (heard[1]["U"], heard[1]["u"], heard[1]["pu"]) == (4, 5, 3)
    assert levels(heard[1]) == ([], [["60000", "0.002"]])


def test_an_update_in_the_binance_dialect() -> None:
    desk = Listening("binance")
    heard = desk.hear("btcusdt@depth")
    place(desk, BUY, 599_990, 500)
    assert levels(heard[0]) == ([["59999.00", "0.500"]], [])


def test_levels_are_told_best_first_with_what_they_hold_by_now(desk: Listening) -> None:
    heard = desk.hear("btcusdt@depth")
    prices = [(BUY, 599_000), (SELL, 601_000), (BUY, 599_990), (SELL, 600_010), (BUY, 599_000)]
    desk.apply(Batch(tuple(order(desk, side, ticks, 5) for side, ticks in prices)))
    desk.collect()
    bids = [["59999", "0.005"], ["59900", "0.01"]]
    asks = [["60001", "0.005"], ["60100", "0.005"]]
    assert levels(heard[0]) == (bids, asks)


def test_a_level_that_is_gone_has_the_quantity_zero(desk: Listening) -> None:
    heard = desk.hear("btcusdt@depth")
    place(desk, SELL, 600_000, 5)
    place(desk, BUY, 600_000, 2)
    place(desk, BUY, 600_000, 3)
    assert [levels(message) for message in heard[1:]] == [
        ([], [["60000", "0.003"]]),
        ([], [["60000", "0"]]),
    ]


def test_orders_that_never_rest_leave_no_trace(desk: Listening) -> None:
    heard = desk.hear("btcusdt@depth")
    place(desk, BUY, 590_000, 5, time_in_force=TimeInForce.IOC)
    place(desk, BUY, 0, 5)
    place(desk, BUY, 590_000, 5, time_in_force=TimeInForce.FOK)
    alice = desk.state.account_ids["alice"]
    stop = PlaceOrder(
        alice, "BTCUSDT", BUY, OrderType.STOP, 5, ticks=610_000, trigger_ticks=609_000
    )
    waiting = desk.apply(stop).reply
    desk.apply(CancelOrder(alice, "BTCUSDT", waiting.order_id))  # type: ignore[union-attr]
    desk.collect()
    assert heard == []
    place(desk, SELL, 600_000, 5)
    place(desk, BUY, 605_000, 5)
    assert [levels(message) for message in heard] == [
        ([], [["60000", "0.005"]]),
        ([], [["60000", "0"]]),
    ]


def test_what_is_again_as_it_was_is_told_all_the_same() -> None:
    """A client may have taken its snapshot in between."""
    desk = Listening(immediate=False)
    heard = desk.hear("btcusdt@depth")
    place(desk, SELL, 600_000, 5)
    place(desk, SELL, 600_000, 2)
    snapshot = desk.get("/fapi/v1/depth", "symbol=BTCUSDT")
    place(desk, BUY, 600_000, 2)
    desk.elapse(250)
    assert snapshot["asks"] == [["60000", "0.007"]]
    assert heard[1]["U"] <= snapshot["lastUpdateId"] <= heard[1]["u"]
    assert levels(heard[1]) == ([], [["60000", "0.005"]])


def test_a_reset_takes_every_level_away(desk: Listening) -> None:
    place(desk, BUY, 590_000, 5)
    place(desk, SELL, 610_000, 5)
    heard = desk.hear("btcusdt@depth")
    desk.apply(Reset())
    place(desk, BUY, 580_000, 5)
    assert levels(heard[0]) == ([["59000", "0"], ["58000", "0.005"]], [["61000", "0"]])
    desk.apply(Reset())
    desk.collect()
    assert levels(heard[1]) == ([["58000", "0"]], [])
    assert heard[1]["pu"] == heard[0]["u"] < heard[1]["U"]


def test_two_markets_can_change_in_one_record(desk: Listening) -> None:
    bitcoin, ether = desk.hear("btcusdt@depth"), desk.hear("ethusdt@depth")
    alice = desk.state.account_ids["alice"]
    prices = {"BTCUSDT": 590_000, "ETHUSDT": 290_000}
    orders = [
        PlaceOrder(alice, symbol, BUY, OrderType.LIMIT, 100, ticks)
        for symbol, ticks in prices.items()
    ]
    desk.apply(Batch(tuple(orders)))
    desk.collect()
    assert (bitcoin[0]["b"], ether[0]["b"]) == ([["59000", "0.1"]], [["2900", "0.1"]])


def test_what_one_record_did_is_told_in_its_order(desk: Listening) -> None:
    """The same commands give the same messages, in whatever order a set would have them."""
    names = [f"{letter}USDT" for letter in "PQRSTUVW"]
    heard: list[str] = []
    for name in names:
        spec = desk.state.markets["BTCUSDT"].spec
        desk.apply(DefineInstrument(replace(spec, symbol=name), 600_000))
        desk.join(f"{name.lower()}@depth", lambda message: heard.append(message["s"]))
    alice = desk.state.account_ids["alice"]
    asked = [*reversed(names[:4]), *reversed(names[4:])]
    orders = [PlaceOrder(alice, name, BUY, OrderType.LIMIT, 5, 590_000) for name in asked]
    desk.apply(Batch(tuple(orders)))
    desk.collect()
    assert heard == asked


@pytest.mark.parametrize("name", ["btcusdt@depth", "btcusdt@depth5", "btcusdt@bookTicker"])
def test_orders_that_wait_outside_the_book_wake_nobody(name: str) -> None:
    desk = Listening(immediate=False)
    desk.hear(name)
    desk.elapse(1_000)
    alice = desk.state.account_ids["alice"]
    desk.apply(PlaceOrder(alice, "BTCUSDT", BUY, OrderType.STOP_MARKET, 5, trigger_ticks=610_000))
    assert desk.due_in_ms() is None


@pytest.mark.parametrize("name", ["btcusdt@depth", "btcusdt@depth5", "btcusdt@bookTicker"])
def test_a_book_that_moved_while_nobody_listened_wakes_nobody(name: str) -> None:
    desk = Listening(immediate=False)
    heard: list[Any] = []
    hear = heard.append
    desk.join(name, hear)
    desk.leave(name, hear)
    desk.apply(order(desk, BUY, 590_000, 5))
    desk.join(name, hear)
    desk.elapse(1_000)
    alice = desk.state.account_ids["alice"]
    desk.apply(PlaceOrder(alice, "BTCUSDT", BUY, OrderType.STOP_MARKET, 5, trigger_ticks=610_000))
    assert desk.due_in_ms() is None


def test_each_stream_has_a_chain_of_its_own() -> None:
    desk = Listening(immediate=False)
    fast, slow = desk.hear("btcusdt@depth@100ms"), desk.hear("btcusdt@depth@500ms")
    for number in range(10):
        desk.apply(order(desk, BUY, 590_000 + number, 5))
        desk.elapse(100)
    desk.elapse(500)
    assert len(fast) > len(slow) > 1
    for heard in (fast, slow):
        assert [message["pu"] for message in heard[1:]] == [m["u"] for m in heard[:-1]]
    assert fast[-1]["u"] == slow[-1]["u"]


def test_a_stream_that_is_taken_up_again_begins_where_the_book_is(desk: Listening) -> None:
    heard: list[Any] = []
    hear = heard.append
    desk.join("btcusdt@depth", hear)
    place(desk, BUY, 590_000, 5)
    desk.leave("btcusdt@depth", hear)
    place(desk, BUY, 590_010, 5)
    desk.join("btcusdt@depth", hear)
    snapshot = desk.get("/fapi/v1/depth", "symbol=BTCUSDT")
    place(desk, BUY, 590_020, 5)
    assert [message["b"] for message in heard] == [[["59000", "0.005"]], [["59002", "0.005"]]]
    assert heard[1]["U"] == snapshot["lastUpdateId"]


def test_a_picture_shows_the_top_whole_each_time(desk: Listening) -> None:
    for number in range(7):
        place(desk, BUY, 590_000 + number * 10, 5)
    heard = desk.hear("btcusdt@depth5")
    desk.collect()
    place(desk, SELL, 610_000, 5)
    top = [[str(59_006 - number), "0.005"] for number in range(5)]
    assert [levels(message) for message in heard] == [(top, []), (top, [["61000", "0.005"]])]
    assert (heard[0]["U"], heard[0]["u"], heard[0]["pu"]) == (14, 15, 13)
    assert (heard[1]["U"], heard[1]["u"], heard[1]["pu"]) == (16, 17, 15)
    assert desk.collect() == 0


def test_the_first_picture_of_an_untouched_book(desk: Listening) -> None:
    heard = desk.hear("btcusdt@depth20@100ms")
    desk.collect()
    assert levels(heard[0]) == ([], [])
    assert (heard[0]["U"], heard[0]["u"], heard[0]["pu"]) == (0, 1, 0)


def test_best_prices_speak_once_per_change_of_the_top(desk: Listening) -> None:
    heard = desk.hear("btcusdt@bookTicker")
    desk.collect()
    place(desk, BUY, 590_000, 5)
    place(desk, BUY, 580_000, 5)
    place(desk, BUY, 590_000, 1)
    place(desk, SELL, 600_000, 3)
    place(desk, BUY, 600_000, 3)
    desk.apply(Reset())
    desk.collect()
    tops = [(row["b"], row["B"], row["a"], row["A"]) for row in heard]
    assert tops == [
        ("0", "0", "0", "0"),
        ("59000", "0.005", "0", "0"),
        ("59000", "0.006", "0", "0"),
        ("59000", "0.006", "60000", "0.003"),
        ("59000", "0.006", "0", "0"),
        ("0", "0", "0", "0"),
    ]
    ids = [row["u"] for row in heard]
    assert ids == sorted(set(ids))


def test_best_prices_agree_with_rest(desk: Listening) -> None:
    heard = desk.hear("btcusdt@bookTicker")
    place(desk, BUY, 590_000, 5)
    row = desk.get("/fapi/v1/ticker/bookTicker", "symbol=BTCUSDT")
    assert heard[-1] == {
        "e": "bookTicker",
        "u": row["lastUpdateId"],
        "E": START_MS,
        "T": START_MS,
        "s": "BTCUSDT",
        "ps": "BTCUSDT",
        "b": row["bidPrice"],
        "B": row["bidQty"],
        "a": row["askPrice"],
        "A": row["askQty"],
        "st": 1,
    }


def test_all_best_prices_come_one_by_one(desk: Listening) -> None:
    heard = desk.hear("!bookTicker")
    place(desk, BUY, 590_000, 5)
    assert [row["s"] for row in heard] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert heard[0]["b"] == "59000"
