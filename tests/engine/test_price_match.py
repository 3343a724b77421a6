"""Orders that take their price from a level of the book."""

import pytest
from tests.engine.desk import Desk, ticks

from openperp.engine.commands import AmendOrder
from openperp.engine.events import OrderAmended
from openperp.engine.snapshot import digest
from openperp.engine.terms import OrderType, PriceMatch, Side


def layered(levels: int = 20) -> Desk:
    """Bids at 59999, 59998 ... and asks at 60001, 60002 ..., as many each."""
    desk = Desk(deposit="1000000")
    for distance in range(1, levels + 1):
        desk.order("bob", "BUY", "0.001", str(60_000 - distance))
        desk.order("carol", "SELL", "0.001", str(60_000 + distance))
    return desk


# Source: the fapi's enum: the n-th best of the other side, or of the order's own.
PRICES = [
    ("OPPONENT", "60001", "59999"),
    ("OPPONENT_5", "60005", "59995"),
    ("OPPONENT_10", "60010", "59990"),
    ("OPPONENT_20", "60020", "59980"),
    ("QUEUE", "59999", "60001"),
    ("QUEUE_5", "59995", "60005"),
    ("QUEUE_10", "59990", "60010"),
    ("QUEUE_20", "59980", "60020"),
]


@pytest.mark.parametrize(("word", "buyer", "seller"), PRICES)
def test_the_price_is_that_of_the_level(word: str, buyer: str, seller: str) -> None:
    for side, price in (("BUY", buyer), ("SELL", seller)):
        desk = layered()
        order = desk.order(
            "alice", side, "0.001", type="LIMIT", price_match=PriceMatch[word], price="1"
        )
        assert order.ticks == ticks(price), "whatever price was given"
        assert order.price_match is PriceMatch[word]
        assert order.status.name == ("FILLED" if "OPPONENT" in word else "NEW")


@pytest.mark.parametrize("word", [row[0] for row in PRICES if row[0][-1].isdigit()])
def test_a_missing_level_is_refused_and_nothing_changes(word: str) -> None:
    desk = layered(int(word.rpartition("_")[2]) - 1)
    before = digest(desk.state)
    refused = desk.refused("alice", "BUY", "1", type="LIMIT", price_match=PriceMatch[word])
    assert refused == "NO_PRICE_TO_MATCH"
    assert digest(desk.state) == before


def test_levels_count_and_not_orders() -> None:
    desk = layered(5)
    desk.order("bob", "BUY", "0.001", "59999")
    order = desk.order("alice", "BUY", "0.001", type="LIMIT", price_match=PriceMatch.QUEUE_5)
    assert order.ticks == ticks("59995")


def test_a_trigger_order_takes_the_price_of_the_moment_when_it_is_placed() -> None:
    desk = layered(5)
    stop = desk.order(
        "alice", "BUY", "0.001", type="STOP", trigger="60500", price_match=PriceMatch.QUEUE
    )
    assert stop.ticks == ticks("59999")


@pytest.mark.parametrize("type", ["MARKET", "STOP_MARKET"])
def test_types_without_a_price_take_none(type: str) -> None:
    desk = layered(5)
    trigger = "" if type == "MARKET" else "60500"
    order = desk.order(
        "alice", "BUY", "0.001", type=type, trigger=trigger, price_match=PriceMatch.QUEUE_20
    )
    assert (order.ticks, order.price_match) == (0, PriceMatch.NONE)
    assert order.original_type is OrderType[type]


def test_margin_is_checked_at_the_matched_price() -> None:
    desk = layered(5)
    assert (
        desk.refused("alice", "BUY", "500", type="LIMIT", price_match=PriceMatch.QUEUE)
        == "MARGIN_INSUFFICIENT"
    )


def test_an_amended_order_takes_the_price_of_the_book_as_it_stands_with_it() -> None:
    desk = layered(5)
    own = desk.order("alice", "BUY", "0.001", "60000")
    terms = (own.account, "BTCUSDT", Side.BUY, 2)
    queued = desk.do(AmendOrder(*terms, 0, own.order_id, price_match=PriceMatch.QUEUE))
    assert isinstance(queued, OrderAmended)
    assert (queued.order.ticks, queued.order.price_match) == (ticks("60000"), PriceMatch.QUEUE)
    back = desk.do(AmendOrder(*terms, ticks("59000"), own.order_id))
    assert (back.order.ticks, back.order.price_match) == (ticks("59000"), PriceMatch.NONE)
    gone = desk.do(AmendOrder(*terms, 0, own.order_id, price_match=PriceMatch.OPPONENT))
    assert gone.order.status.name == "PARTIALLY_FILLED"
