"""Orders and fills as the engine gives them out, each like another but for what is named."""

import msgspec
import pytest

from openperp.engine.commands import Pulse
from openperp.engine.events import Applied, Event, OrderAmended
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.terms import (
    Cause,
    OrderStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    WorkingType,
)

START_MS = 1_767_225_600_000

ORDER = OrderRecord(
    order_id=1,
    client_id="one",
    account=1,
    symbol="BTCUSDT",
    side=Side.BUY,
    type=OrderType.LIMIT,
    original_type=OrderType.LIMIT,
    time_in_force=TimeInForce.GTC,
    status=OrderStatus.CANCELED,
    ticks=600_000,
    lots=10,
    filled_lots=0,
    filled_value=0,
    trigger_ticks=0,
    working_type=WorkingType.CONTRACT_PRICE,
    activation_ticks=0,
    callback_ppm=0,
    reduce_only=False,
    close_position=False,
    price_protect=False,
    position_side=PositionSide.BOTH,
    algo=False,
    parent_id=0,
    armed_lots=0,
    created_ms=START_MS,
    updated_ms=START_MS,
    triggered_ms=0,
    cause=Cause.REQUESTED,
)

FILL = Fill(
    trade_id=1,
    order_id=1,
    account=1,
    symbol="BTCUSDT",
    side=Side.BUY,
    position_side=PositionSide.BOTH,
    ticks=600_000,
    lots=10,
    fee=300,
    realized=-5,
    maker=True,
    time_ms=START_MS,
)


class Make:
    """Values of the engine's own types."""

    @staticmethod
    def order(order_id: int, **changes: object) -> OrderRecord:
        """A cancelled order, created `order_id` milliseconds after the start."""
        created_ms = START_MS + order_id
        values = {"client_id": f"client-{order_id}", "created_ms": created_ms, **changes}
        return msgspec.structs.replace(ORDER, order_id=order_id, **values)

    @staticmethod
    def fill(trade_id: int, **changes: object) -> Fill:
        """A fill, `trade_id` milliseconds after the start."""
        values = {"time_ms": START_MS + trade_id, **changes}
        return msgspec.structs.replace(FILL, trade_id=trade_id, **values)

    @staticmethod
    def amended(amendment_id: int, order_id: int, **changes: object) -> OrderAmended:
        """An order that had 590000 ticks and 5 lots, `amendment_id` milliseconds after the start."""
        now = START_MS + amendment_id
        live = {"status": OrderStatus.NEW, "updated_ms": now, **changes}
        order = Make.order(order_id, **live)
        return OrderAmended(order, 590_000, 5, amendment_id, 1, 70 + amendment_id)

    @staticmethod
    def applied(seq: int, *events: Event) -> Applied:
        return Applied(seq, START_MS, Pulse(), None, events)

    start_ms = START_MS


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
