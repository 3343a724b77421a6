"""What each event leaves behind, without a store."""

from typing import Any

from openperp.engine.commands import Pulse
from openperp.engine.events import (
    AccountCreated,
    Applied,
    Event,
    OrderAccepted,
    OrderArmed,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
    VenueReset,
)
from openperp.engine.terms import OrderStatus
from openperp.history.absorb import Rows, absorb, find_house_accounts
from openperp.history.memory import Memory


def absorbed(*events: Event, house: set[int] | None = None) -> Rows:
    rows = Rows()
    house = set() if house is None else house
    absorb(Applied(1, 2_000, Pulse(), None, events), rows, house, Memory())
    return rows


def test_orders_that_ended_are_kept(make: Any) -> None:
    canceled = make.order(1, status=OrderStatus.CANCELED)
    expired = make.order(2, status=OrderStatus.EXPIRED)
    rows = absorbed(OrderCanceled(canceled), OrderExpired(expired))
    assert rows.orders == [canceled, expired]
    assert rows.fills == []
    assert len(rows) == 2


def test_a_fill_is_kept_and_its_order_once_it_is_filled(make: Any) -> None:
    partial = make.order(1, status=OrderStatus.PARTIALLY_FILLED)
    filled = make.order(2, status=OrderStatus.FILLED)
    rows = absorbed(
        OrderFilled(partial, make.fill(5, order_id=1)),
        OrderFilled(filled, make.fill(5, order_id=2)),
    )
    assert rows.fills == [make.fill(5, order_id=1), make.fill(5, order_id=2)]
    assert rows.orders == [filled]


def test_live_orders_leave_nothing(make: Any) -> None:
    live = make.order(1, status=OrderStatus.NEW)
    rows = absorbed(OrderAccepted(live), OrderArmed(live), OrderTriggered(live))
    assert len(rows) == 0
    assert not rows.cleared


def test_house_accounts_stay_out_and_the_other_side_of_their_trades_stays_in(make: Any) -> None:
    rows = absorbed(
        OrderFilled(
            make.order(1, status=OrderStatus.FILLED, account=9), make.fill(5, order_id=1, account=9)
        ),
        OrderFilled(make.order(2, status=OrderStatus.FILLED), make.fill(5, order_id=2)),
        OrderCanceled(make.order(3, status=OrderStatus.CANCELED, account=9)),
        OrderExpired(make.order(4, status=OrderStatus.EXPIRED, account=9)),
        house={9},
    )
    assert rows.orders == [make.order(2, status=OrderStatus.FILLED)]
    assert rows.fills == [make.fill(5, order_id=2)]


def test_a_house_account_is_known_from_its_creation_on() -> None:
    house: set[int] = set()
    created = (AccountCreated(1, "alice", house=False), AccountCreated(9, "maker", house=True))
    absorbed(*created, house=house)
    assert house == {9}
    assert find_house_accounts(Applied(1, 0, Pulse(), None, created)) == [9]


def test_a_reset_clears_what_came_before_it_alone(make: Any) -> None:
    before, after = (
        make.order(1, status=OrderStatus.CANCELED),
        make.order(2, status=OrderStatus.CANCELED),
    )
    house = {9}
    rows = absorbed(
        OrderFilled(before, make.fill(5, order_id=1)),
        VenueReset(),
        OrderCanceled(after),
        house=house,
    )
    assert rows.cleared
    assert rows.orders == [after]
    assert rows.fills == []
    assert len(rows) == 2
    assert house == {9}
