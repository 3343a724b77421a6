"""What the venue did to accounts: forced orders, insurance, and the steps of liquidations."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.history.conftest import Make
from tests.history.test_market_restart import make_fifth_format

from openperp.engine.events import AccountCreated, Event, OrderExpired, OrderFilled, VenueReset
from openperp.engine.liquidation_events import (
    InsuranceCleared,
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
    PositionDeleveraged,
)
from openperp.engine.terms import BOTH, Cause, OrderStatus, Origin, Side
from openperp.history.market import MOST, STEPS_KEPT, IncomeKind
from openperp.history.store import SqliteHistory

HOUSE = 9


class Past:
    """A history that may be closed and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open()
        self.absorb(AccountCreated(HOUSE, "house", True))

    def open(self) -> None:
        self.history = SqliteHistory(self.path)
        self.history.add_house_accounts([HOUSE])

    def absorb(self, *events: Event) -> None:
        self.history.absorb(Make.applied(self.history.position + 1, *events))

    def reopen(self) -> None:
        self.history.close()
        self.open()

    def forced(self, account: int = 1, symbol: str = "", **span: Any) -> list[int]:
        orders = self.history.list_forced_orders(account, symbol, **span)
        return [order.order_id for order in orders]

    def steps(self, account: int = 1, limit: int = STEPS_KEPT) -> list[Event]:
        return [step.event for step in self.history.market.list_margin_steps(account, limit=limit)]


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    past = Past(tmp_path / "history.sqlite")
    with closing(past.history):
        yield past
    past.history.close()


@pytest.fixture(params=["unwritten", "written", "reopened"])
def settle(request: pytest.FixtureRequest, past: Past) -> Callable[[], None]:
    waits: dict[str, Callable[[], None]] = {
        "unwritten": lambda: None,
        "written": past.history.flush,
        "reopened": past.reopen,
    }
    return waits[request.param]


def filled(order_id: int, origin: Origin, **changes: Any) -> OrderFilled:
    values = {"status": OrderStatus.FILLED, "filled_lots": 10, **changes}
    fill = Make.fill(order_id, order_id=order_id, account=changes.get("account", 1), fee=0)
    return OrderFilled(Make.order(order_id, origin=origin, **values), fill)


def expired(order_id: int, origin: Origin) -> OrderExpired:
    order = Make.order(
        order_id, origin=origin, status=OrderStatus.EXPIRED, cause=Cause.NO_LIQUIDITY
    )
    return OrderExpired(order)


def cleared(amount: int, account: int = 1) -> InsuranceCleared:
    return InsuranceCleared(account, "BTCUSDT", BOTH, amount, 500 + amount, 0, -amount, 0)


STARTED = LiquidationStarted(1, "", BOTH, 5, 6, 100, 0, 0)
STAGED = LiquidationStaged(1, "BTCUSDT", BOTH, 10, 10, 599_000, 599_900, 5, 6)
ENDED = LiquidationEnded(1, "", BOTH, 0, 0, 95, 0)


def test_forced_orders_by_origin_and_time(past: Past, settle: Callable[[], None]) -> None:
    past.absorb(filled(1, Origin.ACCOUNT))
    past.absorb(filled(2, Origin.LIQUIDATION), expired(3, Origin.LIQUIDATION))
    past.absorb(filled(4, Origin.DELEVERAGING, symbol="ETHUSDT"))
    past.absorb(filled(5, Origin.LIQUIDATION, account=2))
    settle()
    assert past.forced() == [2, 3, 4]
    assert past.forced(symbol="BTCUSDT") == [2, 3]
    assert past.forced(origin=Origin.LIQUIDATION) == [2, 3]
    assert past.forced(origin=Origin.DELEVERAGING) == [4]
    assert past.forced(limit=1) == [4]
    assert past.forced(start_ms=Make.start_ms + 3, limit=1) == [3]
    assert past.forced(end_ms=Make.start_ms + 3) == [2, 3]
    assert past.forced(account=2) == [5]
    assert [order.order_id for order in past.history.list_orders(1, "")] == [1, 2, 3, 4]


def test_a_fill_of_a_part_is_no_ended_order(past: Past) -> None:
    part = filled(2, Origin.LIQUIDATION, status=OrderStatus.PARTIALLY_FILLED)
    past.absorb(part)
    assert past.forced() == []
    assert past.steps() == [part]


def test_insurance_is_income_as_the_account_sees_it(past: Past, settle: Callable[[], None]) -> None:
    past.absorb(cleared(70), cleared(-30))
    settle()
    (kind,) = {row.kind for row in past.history.market.list_income(1, "")}
    assert kind is IncomeKind.INSURANCE_CLEAR
    rows = past.history.market.list_income(1, "BTCUSDT", kind=kind)
    assert [row.amount for row in rows] == [70, -30]
    assert [step.amount for step in past.steps()] == [70, -30]  # type: ignore[union-attr]


def test_the_steps_of_a_liquidation_in_their_order(past: Past, settle: Callable[[], None]) -> None:
    fill = filled(7, Origin.LIQUIDATION)
    told: list[Event] = [STARTED, STAGED, fill, cleared(-3), ENDED]
    taken = PositionDeleveraged(2, "BTCUSDT", BOTH, 3, 599_000, 1, 4, 77, 1, 2, 3, 4)
    past.absorb(filled(6, Origin.ACCOUNT), *told, taken)
    settle()
    assert past.steps() == told
    assert past.steps(2) == [taken]
    assert past.steps(limit=2) == told[-2:]
    (seq,) = {step.seq for step in past.history.market.list_margin_steps(1)}
    assert seq == past.history.position


def test_the_newest_steps_are_kept(past: Past, settle: Callable[[], None]) -> None:
    for number in range(6):
        past.absorb(*(cleared(100 * number + each + 1) for each in range(100)))
        if number % 2:
            past.history.flush()
    past.absorb(STARTED, cleared(1, account=2))
    settle()
    steps = past.steps()
    assert len(steps) == STEPS_KEPT
    assert steps[-1] == STARTED
    assert steps[-2].amount == 600  # type: ignore[union-attr]
    assert len(past.steps(2)) == 1
    past.history.flush()
    with closing(sqlite3.connect(past.path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM margin_steps").fetchone()
    assert count == STEPS_KEPT + 1


def test_a_house_account_leaves_no_trace(past: Past) -> None:
    past.absorb(
        filled(2, Origin.LIQUIDATION, account=HOUSE),
        cleared(5, account=HOUSE),
        PositionDeleveraged(HOUSE, "BTCUSDT", BOTH, 3, 599_000, 1, 4, 77, 1, 2, 3, 4),
    )
    assert past.forced(HOUSE) == []
    assert past.steps(HOUSE) == []
    assert past.history.market.list_income(HOUSE, "") == []


def test_a_reset_forgets(past: Past, settle: Callable[[], None]) -> None:
    past.absorb(STARTED, filled(2, Origin.LIQUIDATION), cleared(5), ENDED)
    past.history.flush()
    past.absorb(VenueReset())
    settle()
    assert (past.forced(), past.steps()) == ([], [])


def test_a_file_from_before_anybody_was_liquidated_is_carried_on(past: Past) -> None:
    past.absorb(filled(1, Origin.ACCOUNT, side=Side.SELL))
    past.history.close()
    make_fifth_format(past.path)
    past.open()
    assert past.history.discarded == ""
    assert (past.forced(), past.steps()) == ([], [])
    assert past.history.find_order(1, "", 1) is not None
    past.absorb(STARTED, filled(2, Origin.LIQUIDATION), ENDED)
    past.reopen()
    assert past.forced() == [2]
    assert len(past.steps()) == 3


def test_a_number_beyond_a_row_is_told_as_the_bound(past: Past, settle: Callable[[], None]) -> None:
    """What many huge orders are worth at another price may need more than 64 bits."""
    past.absorb(LiquidationStarted(1, "", BOTH, -(2**70), 2**64, 100, 0, 0))
    settle()
    assert past.steps() == [LiquidationStarted(1, "", BOTH, -MOST, MOST, 100, 0, 0)]
