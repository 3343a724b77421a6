"""Price-time priority, time in force, and what the book cannot fill."""

import pytest
from tests.engine.desk import Desk, lots, ticks

from openperp.engine.events import OrderFilled, TradeExecuted
from openperp.engine.terms import TimeInForce


def trades(desk: Desk) -> list[tuple[int, int]]:
    return [(e.ticks, e.lots) for e in desk.events() if isinstance(e, TradeExecuted)]


def test_better_price_first_then_earlier_order() -> None:
    desk = Desk()
    late = desk.order("alice", "SELL", "1", "60001")
    first = desk.order("bob", "SELL", "1", "60000")
    second = desk.order("alice", "SELL", "1", "60000")

    taker = desk.order("carol", "BUY", "2.5", "60001")

    makers = [
        e.order.order_id for e in desk.events() if isinstance(e, OrderFilled) and e.fill.maker
    ]
    assert makers == [first.order_id, second.order_id, late.order_id]
    assert trades(desk) == [(600_000, 1000), (600_000, 1000), (600_010, 500)]
    assert taker.status.name == "FILLED"
    assert taker.filled_value == 600_000 * 2000 + 600_010 * 500
    assert desk.status(late.order_id) == "PARTIALLY_FILLED"


def test_the_maker_sets_the_price_and_a_rest_stays_in_the_book() -> None:
    desk = Desk()
    desk.order("alice", "SELL", "1", "60000")

    taker = desk.order("bob", "BUY", "3", "60500")

    assert trades(desk) == [(600_000, 1000)]
    assert taker.status.name == "PARTIALLY_FILLED"
    assert desk.state.markets["BTCUSDT"].book.bids.depth(5) == [(605_000, 2000)]


def test_a_cancel_in_the_middle_keeps_the_queue() -> None:
    desk = Desk()
    one, two, three = (desk.order("alice", "SELL", "1", "60000") for _ in range(3))
    desk.cancel("alice", two.order_id)

    desk.order("bob", "BUY", "1.5", "60000")

    assert desk.status(one.order_id) == "FILLED"
    assert desk.status(three.order_id) == "PARTIALLY_FILLED"
    assert desk.state.markets["BTCUSDT"].book.asks.depth(5) == [(600_000, 500)]


@pytest.mark.parametrize(
    ("time_in_force", "price", "quantity", "outcome", "executed"),
    [
        ("GTC", "60000", "2", "PARTIALLY_FILLED", "1"),
        ("IOC", "60000", "2", "EXPIRED", "1"),
        ("IOC", "59999", "2", "EXPIRED", "0"),
        ("IOC", "60000", "1", "FILLED", "1"),
        ("FOK", "60000", "1", "FILLED", "1"),
        ("FOK", "60001", "3", "FILLED", "3"),
        ("GTX", "59999.9", "2", "NEW", "0"),
    ],
)
def test_time_in_force(
    time_in_force: str, price: str, quantity: str, outcome: str, executed: str
) -> None:
    desk = Desk(deposit="100000")
    desk.order("alice", "SELL", "1", "60000")
    desk.order("alice", "SELL", "2", "60001")

    taker = desk.order("bob", "BUY", quantity, price, time_in_force=TimeInForce[time_in_force])

    assert (taker.status.name, taker.filled_lots) == (outcome, lots(executed))


@pytest.mark.parametrize(
    ("time_in_force", "price", "quantity", "reason"),
    [
        ("FOK", "60000", "1.001", "NOT_FILLABLE"),
        ("FOK", "59999", "1", "NOT_FILLABLE"),
        ("GTX", "60000", "1", "WOULD_TAKE"),
        ("GTX", "70000", "1", "WOULD_TAKE"),
    ],
)
def test_fok_and_gtx_are_refused_and_leave_no_trace(
    time_in_force: str, price: str, quantity: str, reason: str
) -> None:
    desk = Desk(deposit="100000")
    desk.order("alice", "SELL", "1", "60000")

    refused = desk.refused("bob", "BUY", quantity, price, time_in_force=TimeInForce[time_in_force])

    assert refused == reason
    assert desk.events() == []


def test_a_market_order_takes_what_is_there_and_the_rest_expires() -> None:
    desk = Desk()
    desk.order("alice", "SELL", "1", "60000")

    taker = desk.order("bob", "BUY", "1.5")

    assert (taker.status.name, taker.filled_lots) == ("EXPIRED", 1000)
    assert taker.cause.name == "NONE"
    assert desk.last(taker.order_id).cause.name == "NO_LIQUIDITY"


def test_a_market_order_on_an_empty_book_expires() -> None:
    desk = Desk()
    taker = desk.order("bob", "SELL", "1")
    assert (taker.status.name, taker.filled_lots) == ("EXPIRED", 0)


def test_fok_counts_reduce_only_makers_only_as_far_as_they_can_reduce() -> None:
    desk = Desk(deposit="100000")
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    desk.order("alice", "SELL", "1", "60100", reduce_only=True)
    desk.order("alice", "SELL", "0.6", "60050")

    # The plain order fills first and leaves 0.4 for the reduce-only one.
    assert (
        desk.refused("carol", "BUY", "1.5", "60100", time_in_force=TimeInForce.FOK)
        == "NOT_FILLABLE"
    )
    taker = desk.order("carol", "BUY", "1", "60100", time_in_force=TimeInForce.FOK)
    assert taker.status.name == "FILLED"
    assert desk.position("alice").lots == 0


def test_one_account_may_trade_with_itself() -> None:
    desk = Desk()
    desk.order("alice", "SELL", "1", "60000")
    taker = desk.order("alice", "BUY", "1", "60000")
    assert taker.status.name == "FILLED"
    assert desk.position("alice").lots == 0


def test_last_price_follows_the_trades() -> None:
    desk = Desk()
    market = desk.state.markets["BTCUSDT"]
    desk.price("60500", last=False)
    assert market.last_ticks == ticks("60000"), "it was told to stay"
    desk.price("60500", last=None)
    assert market.last_ticks == ticks("60500"), "until the first trade last follows the index"

    desk.order("alice", "SELL", "1", "60010")
    desk.order("bob", "BUY", "1", "60010")
    desk.price("61000", last=None)

    assert (market.last_ticks, market.mark_ticks) == (ticks("60010"), ticks("61000"))


def test_fok_does_not_count_reduce_only_makers_that_a_trade_with_itself_expires() -> None:
    desk = Desk(deposit="100000")
    desk.order("bob", "SELL", "0.1", "60000")
    desk.order("alice", "BUY", "0.1", "60000")
    desk.order("alice", "SELL", "0.1", "60000")
    desk.order("alice", "SELL", "0.1", "60010", reduce_only=True)
    fok = TimeInForce.FOK
    assert desk.refused("alice", "BUY", "0.2", "60010", time_in_force=fok) == "NOT_FILLABLE"
    assert desk.order("alice", "BUY", "0.1", "60010", time_in_force=fok).filled_lots == lots("0.1")
