"""Client ids of trigger orders that have fired, where trigger orders have ids of their own."""

from typing import Any

import pytest
from tests.engine.desk import Desk, lots, ticks

from openperp.engine.commands import AmendOrder, CancelOrder
from openperp.engine.lookup import find_order
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest, dump, load
from openperp.engine.terms import OrderScope, Side

SEPARATE: dict[str, Any] = {"separate_trigger_ids": True, "names_fired_orders": True}


def wait(desk: Desk, client_id: str = "a", trigger: str = "60500", **fields: Any) -> OrderRecord:
    """A stop to buy, which rests in the book once it has fired."""
    terms: dict[str, Any] = {"type": "STOP", "trigger": trigger, "algo": True, **fields}
    return desk.order("alice", "BUY", "0.1", "59000", client_id=client_id, **terms)


def rest(desk: Desk, client_id: str = "a", **fields: Any) -> OrderRecord:
    return desk.order("alice", "BUY", "0.1", "58000", client_id=client_id, **fields)


def fired_desk(**rules: Any) -> tuple[Desk, OrderRecord]:
    desk = Desk(**(rules or SEPARATE))
    order = wait(desk)
    desk.price("60500")
    return desk, order


def find(desk: Desk, scope: OrderScope, symbol: str = "BTCUSDT", client_id: str = "a") -> int:
    number = desk.account("alice").account_id
    order = find_order(desk.state, number, symbol, 0, client_id, scope)
    return order.order_id if order is not None else 0


def cancel(desk: Desk, scope: OrderScope, client_id: str = "a") -> Any:
    number = desk.account("alice").account_id
    return desk.do(CancelOrder(number, "BTCUSDT", 0, client_id, scope))


def test_what_waits_has_no_name_in_the_book() -> None:
    desk = Desk(**SEPARATE)
    order = wait(desk)
    assert find(desk, OrderScope.BOOK) == 0
    assert isinstance(cancel(desk, OrderScope.BOOK), Reject)
    assert find(desk, OrderScope.TRIGGER) == order.order_id
    rest(desk)


@pytest.mark.parametrize("scope", OrderScope)
def test_what_has_fired_is_found_by_its_name_everywhere(scope: OrderScope) -> None:
    desk, order = fired_desk()
    assert find(desk, scope) == find(desk, scope, "") == order.order_id
    assert find(desk, scope, "ETHUSDT") == 0
    desk.state = load(dump(desk.state))
    assert find(desk, scope) == order.order_id
    assert cancel(desk, scope).order_id == order.order_id
    assert desk.status(order.order_id) == "CANCELED"
    assert find(desk, scope) == 0


def test_it_is_amended_by_its_name() -> None:
    desk, order = fired_desk()
    number = desk.account("alice").account_id
    size, price, scope = lots("0.2"), ticks("58500"), OrderScope.BOOK
    desk.do(AmendOrder(number, "BTCUSDT", Side.BUY, size, price, client_id="a", scope=scope))
    assert desk.last(order.order_id).lots == size


def test_nothing_new_in_the_book_has_the_name_of_what_has_fired() -> None:
    desk, order = fired_desk()
    for fields in ({}, {"algo": True, "type": "STOP", "trigger": "61000"}):
        assert desk.refused("alice", "BUY", "0.1", "58000", client_id="a", **fields) == (
            "CLIENT_ID_DUPLICATE"
        )
    desk.order("bob", "BUY", "0.1", "58000", client_id="a")
    desk.cancel("alice", order.order_id)
    rest(desk)


def test_a_made_up_name_is_another_than_that_of_what_has_fired() -> None:
    desk = Desk(**SEPARATE)
    wait(desk, "auto_2")
    desk.price("60500")
    assert rest(desk, "").client_id == "auto_2_"


@pytest.mark.parametrize("scope", [OrderScope.BOOK, OrderScope.ANY])
def test_of_two_in_the_book_the_name_means_the_one_that_was_placed_there(
    scope: OrderScope,
) -> None:
    desk = Desk(**SEPARATE)
    fired = wait(desk)
    placed = rest(desk)
    desk.price("60500")
    assert desk.state.orders[fired.order_id].resting
    assert find(desk, scope) == placed.order_id
    assert find(desk, OrderScope.TRIGGER) == fired.order_id
    assert cancel(desk, scope).order_id == placed.order_id
    # Now the name is that of the other, and still taken.
    assert find(desk, scope) == fired.order_id
    assert desk.refused("alice", "BUY", "0.1", "58000", client_id="a") == "CLIENT_ID_DUPLICATE"
    assert cancel(desk, scope).order_id == fired.order_id


def test_on_another_symbol_the_name_means_another_order() -> None:
    desk = Desk(**SEPARATE)
    fired = wait(desk)
    on_eth = desk.order("alice", "BUY", "1", "2900", client_id="a", symbol="ETHUSDT")
    desk.price("60500")
    assert find(desk, OrderScope.BOOK) == fired.order_id
    assert find(desk, OrderScope.BOOK, "ETHUSDT") == on_eth.order_id


def test_where_there_is_one_space_nothing_is_new() -> None:
    desk, order = fired_desk(names_fired_orders=True)
    assert find(desk, OrderScope.BOOK) == order.order_id
    assert desk.refused("alice", "BUY", "0.1", "58000", client_id="a") == "CLIENT_ID_DUPLICATE"


def test_older_venues_know_it_by_its_algo_name_alone() -> None:
    desk, order = fired_desk(separate_trigger_ids=True)
    assert isinstance(cancel(desk, OrderScope.BOOK), Reject)
    placed = rest(desk)
    assert find(desk, OrderScope.BOOK) == placed.order_id
    assert find(desk, OrderScope.TRIGGER) == order.order_id


def test_a_snapshot_keeps_the_rule() -> None:
    desk, order = fired_desk()
    loaded = load(dump(desk.state))
    assert digest(loaded) == digest(desk.state)
    assert loaded.names_fired_orders
    desk.state = loaded
    assert desk.refused("alice", "BUY", "0.1", "58000", client_id="a") == "CLIENT_ID_DUPLICATE"
    assert cancel(desk, OrderScope.BOOK).order_id == order.order_id


@pytest.mark.parametrize("names", [False, True])
def test_an_order_of_another_symbol_is_in_the_way_in_venues_from_before_alone(names: bool) -> None:
    desk = Desk(separate_trigger_ids=True, names_fired_orders=names)
    placed = rest(desk)
    waiting = desk.order(
        "alice", "BUY", "0.1", "2900", symbol="ETHUSDT", client_id="a",
        type="STOP", trigger="3100", algo=True,
    )  # fmt: skip
    assert find(desk, OrderScope.ANY) == find(desk, OrderScope.ANY, "") == placed.order_id
    assert find(desk, OrderScope.ANY, "ETHUSDT") == (waiting.order_id if names else 0)
