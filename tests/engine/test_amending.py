"""Amending orders: what changes, what is lost, and what is refused with nothing changed."""

from typing import Any

import pytest
from tests.engine.desk import Desk, lots, money, ticks

from openperp.engine import amending
from openperp.engine.commands import AmendOrder, SetLeverage, SetMode
from openperp.engine.events import OrderAmended, OrderCanceled, OrderFilled
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest, dump, load
from openperp.engine.terms import Mode, Side, TimeInForce


def amend(
    desk: Desk, order: OrderRecord, quantity: str, price: str, **fields: Any
) -> OrderAmended | OrderRecord | Reject:
    """Amends as the order's owner would."""
    fields = {"side": order.side, "order_id": order.order_id, **fields}
    reply: OrderAmended | OrderRecord | Reject = desk.do(
        AmendOrder(order.account, "BTCUSDT", lots=lots(quantity), ticks=ticks(price), **fields)
    )
    return reply


def refused(desk: Desk, order: OrderRecord, quantity: str, price: str, **fields: Any) -> str:
    before = digest(desk.state)
    reply = amend(desk, order, quantity, price, **fields)
    assert isinstance(reply, Reject), reply
    assert digest(desk.state) == before
    return reply.reason.name


def queue(desk: Desk, price: str) -> list[int]:
    """The ids of the bids at a price, first come first."""
    bids = desk.state.markets["BTCUSDT"].book.bids
    return [order.order_id for order in bids.orders() if order.ticks == ticks(price)]


def test_price_and_quantity_change_under_the_same_ids() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000", client_id="mine")
    reply = amend(desk, order, "0.5", "51000", client_id="", modify_id=77)
    assert isinstance(reply, OrderAmended)
    after = reply.order
    assert (after.order_id, after.client_id) == (order.order_id, "mine")
    assert (after.lots, after.ticks, after.status.name) == (lots("0.5"), ticks("51000"), "NEW")
    assert (reply.lots_before, reply.ticks_before) == (lots("1"), ticks("50000"))
    assert (reply.amendment_id, reply.count, reply.modify_id) == (1, 1, 77)
    assert desk.events() == [reply]
    assert desk.account("alice").order_margin == money("1275"), "0.5 x 51000 / 20"


def test_a_client_id_names_it_too() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000", client_id="mine")
    reply = amend(desk, order, "2", "50000", order_id=0, client_id="mine")
    assert isinstance(reply, OrderAmended)
    assert queue(desk, "50000") == [order.order_id]


@pytest.mark.parametrize("quantity", ["0.5", "1.5"])
def test_its_place_in_the_queue_is_lost(quantity: str) -> None:
    desk = Desk()
    first = desk.order("alice", "BUY", "1", "50000")
    second = desk.order("bob", "BUY", "1", "50000")
    amend(desk, first, quantity, "50000")
    assert queue(desk, "50000") == [second.order_id, first.order_id]


def test_it_trades_where_the_new_price_crosses() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "0.4", "60000")
    order = desk.order("alice", "BUY", "1", "50000")
    reply = amend(desk, order, "1", "60000")
    assert isinstance(reply, OrderAmended)
    assert (reply.order.status.name, reply.order.filled_lots) == ("PARTIALLY_FILLED", lots("0.4"))
    kinds = [type(event) for event in desk.events()]
    assert kinds.index(OrderAmended) < kinds.index(OrderFilled)
    assert queue(desk, "60000") == [order.order_id]


def test_fills_stay_and_count() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "60000")
    desk.order("bob", "SELL", "0.4", "60000")
    reply = amend(desk, order, "0.5", "59000")
    assert isinstance(reply, OrderAmended)
    assert (reply.order.status.name, reply.order.filled_lots) == ("PARTIALLY_FILLED", lots("0.4"))
    assert desk.account("alice").order_margin == money("295"), "0.1 x 59000 / 20"


@pytest.mark.parametrize("quantity", ["0.4", "0.3"])
def test_no_more_than_was_filled_cancels_the_rest(quantity: str) -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "60000")
    desk.order("bob", "SELL", "0.4", "60000")
    reply = amend(desk, order, quantity, "59000")
    assert isinstance(reply, OrderRecord)
    assert (reply.status.name, reply.lots, reply.filled_lots) == (
        "CANCELED",
        lots("1"),
        lots("0.4"),
    )
    assert [type(event) for event in desk.events()] == [OrderCanceled]
    assert desk.account("alice").order_margin == 0


def test_a_post_only_order_that_would_take_is_cancelled() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    order = desk.order("alice", "BUY", "1", "50000", time_in_force=TimeInForce.GTX)
    reply = amend(desk, order, "1", "60000")
    assert isinstance(reply, OrderRecord)
    assert (reply.status.name, reply.filled_lots) == ("CANCELED", 0)


def test_a_post_only_order_that_still_rests_is_amended() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    order = desk.order("alice", "BUY", "1", "50000", time_in_force=TimeInForce.GTX)
    assert isinstance(amend(desk, order, "1", "59999.9"), OrderAmended)


@pytest.mark.parametrize(
    ("quantity", "price", "fields", "reason"),
    [
        ("1", "50000", {}, "AMENDED_NOTHING"),
        ("2", "50000", {"order_id": 99}, "AMENDED_ORDER_UNKNOWN"),
        ("2", "50000", {"order_id": 0, "client_id": "nobody"}, "AMENDED_ORDER_UNKNOWN"),
        ("2", "50000", {"side": Side.SELL}, "AMENDED_SIDE_INVALID"),
        ("2", "50000", {"reduce_only": True}, "AMENDED_NOT_REDUCE_ONLY"),
        ("0", "50000", {}, "QUANTITY_NOT_POSITIVE"),
        ("1000.001", "50000", {}, "QUANTITY_ABOVE_MAXIMUM"),
        ("1", "0", {}, "PRICE_BELOW_MINIMUM"),
        ("1", "1000000.1", {}, "PRICE_ABOVE_MAXIMUM"),
        ("0.001", "4000", {}, "AMENDED_BELOW_NOTIONAL"),
        ("5", "50000", {}, "MARGIN_INSUFFICIENT"),
        ("60", "59000", {}, "MARGIN_INSUFFICIENT"),
    ],
)
def test_a_refusal_leaves_the_order_where_it_was(
    quantity: str, price: str, fields: dict[str, Any], reason: str
) -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    behind = desk.order("bob", "BUY", "1", "50000")
    assert refused(desk, order, quantity, price, **fields) == reason
    assert queue(desk, "50000") == [order.order_id, behind.order_id]


def test_anothers_order_is_unknown() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    reply = desk.do(AmendOrder(2, "BTCUSDT", Side.BUY, 500, 500_000, order.order_id))
    assert reply.reason.name == "AMENDED_ORDER_UNKNOWN"


@pytest.mark.parametrize("mode", [Mode.CANCEL_ONLY, Mode.HALTED])
@pytest.mark.parametrize("symbol", ["", "BTCUSDT"])
def test_markets_that_do_not_trade_amend_nothing(mode: Mode, symbol: str) -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    desk.do(SetMode(mode, symbol))
    assert refused(desk, order, "2", "50000") == "AMENDED_IN_MODE"


def test_a_trigger_order_can_be_amended_once_it_rests() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "59000", type="STOP", trigger="61000")
    assert refused(desk, order, "0.5", "58000") == "AMENDED_TYPE_INVALID"
    desk.price("61000")
    assert isinstance(amend(desk, order, "0.5", "58000"), OrderAmended)
    assert queue(desk, "58000") == [order.order_id]


def test_what_needs_less_is_never_refused_for_margin() -> None:
    desk = Desk(deposit="2600")
    order = desk.order("alice", "BUY", "1", "50000")
    assert refused(desk, order, "1", "53000") == "MARGIN_INSUFFICIENT"
    assert isinstance(amend(desk, order, "1", "52000"), OrderAmended), "all of the deposit"
    assert desk.free("alice") == 0
    assert isinstance(amend(desk, order, "0.9", "52000"), OrderAmended)


def test_an_order_that_closes_hands_its_share_to_the_next() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "0.5", "60000")
    desk.order("alice", "BUY", "0.5", "60000")
    first = desk.order("alice", "SELL", "0.5", "61000")
    desk.order("alice", "SELL", "0.3", "62000")
    assert desk.account("alice").order_margin == money("930"), "0.3 x 62000 / 20"
    amend(desk, first, "0.5", "63000")
    assert desk.account("alice").order_margin == money("945"), "now the last 0.3 of the first"


@pytest.mark.parametrize(("deposit", "fits"), [("4035", True), ("4034.99999999", False)])
def test_room_is_measured_as_if_the_order_had_left(deposit: str, fits: bool) -> None:
    """The second order takes over 0.3 of the long; of the first, 0.2 closes and 0.8 opens."""
    desk = Desk(deposit=deposit)
    desk.order("bob", "SELL", "0.5", "60000")
    desk.order("alice", "BUY", "0.5", "60000")  # fee 15, margin 1500
    first = desk.order("alice", "SELL", "0.5", "61000")
    desk.order("alice", "SELL", "0.3", "62000")
    reply = amend(desk, first, "1", "63000")  # 0.8 x 63000 / 20 = 2520
    assert isinstance(reply, OrderAmended) is fits
    assert desk.free("alice") == (0 if fits else money(deposit) - money("2445"))


@pytest.mark.parametrize(("quantity", "fits"), [("4.9", True), ("5.1", False)])
def test_the_cap_counts_the_order_once(quantity: str, fits: bool) -> None:
    desk = Desk(deposit="1000000")
    desk.do(SetLeverage(1, "BTCUSDT", 100))
    order = desk.order("alice", "BUY", "4", "60000")
    assert isinstance(amend(desk, order, quantity, "59000"), OrderAmended) is fits


def test_a_reduce_only_order_is_clamped_to_its_position() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "1", "60000")
    desk.order("alice", "BUY", "1", "60000")
    order = desk.order("alice", "SELL", "0.5", "61000", reduce_only=True)
    reply = amend(desk, order, "5", "61000")
    assert isinstance(reply, OrderAmended)
    assert reply.order.lots == lots("1")
    assert refused(desk, order, "5", "61000") == "AMENDED_NOTHING"
    assert refused(desk, order, "0.001", "4000") == "AMENDED_BELOW_NOTIONAL"
    assert isinstance(amend(desk, order, "0.001", "61000", reduce_only=True), OrderAmended)


def test_a_reduce_only_order_that_vouches_for_itself_needs_no_notional() -> None:
    desk = Desk()
    desk.order("bob", "SELL", "0.5", "4000")
    desk.order("alice", "BUY", "0.5", "4000")
    order = desk.order("alice", "SELL", "0.5", "4000.1", reduce_only=True)
    assert refused(desk, order, "0.001", "4000.2") == "AMENDED_BELOW_NOTIONAL"
    assert isinstance(amend(desk, order, "0.001", "4000.2", reduce_only=True), OrderAmended)


def test_children_follow_the_quantity_that_was_theirs() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000", take_profit_ticks="55000")
    own = desk.order(
        "alice",
        "SELL",
        "0.3",
        type="STOP_MARKET",
        trigger="45000",
        parent_id=order.order_id,
    )
    amend(desk, order, "2", "50000")
    children = desk.state.families[order.order_id]
    assert [child.lots for child in children] == [lots("2"), lots("0.3")]
    told = [event.order.order_id for event in desk.events() if isinstance(event, OrderAmended)]
    assert told == [order.order_id, children[0].order_id]
    assert own.order_id not in told


@pytest.mark.parametrize("price", ["55000", "45000"])
def test_the_price_stays_between_those_of_the_children(price: str) -> None:
    desk = Desk()
    order = desk.order(
        "alice", "BUY", "0.1", "50000", take_profit_ticks="55000", stop_loss_ticks="45000"
    )
    assert refused(desk, order, "0.1", price) == "ATTACHED_PRICE_WRONG_SIDE"


def test_there_is_an_end_to_amending() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    desk.state.orders[order.order_id].amendments = amending.AMENDMENT_LIMIT - 1
    reply = amend(desk, order, "2", "50000")
    assert isinstance(reply, OrderAmended)
    assert reply.count == 10_000
    assert refused(desk, order, "1", "50000") == "AMENDED_TOO_OFTEN"


def test_a_snapshot_keeps_the_counts() -> None:
    desk = Desk()
    order = desk.order("alice", "BUY", "1", "50000")
    amend(desk, order, "2", "50000")
    loaded = load(dump(desk.state))
    assert loaded.next_amendment_id == 2
    assert loaded.orders[order.order_id].amendments == 1
