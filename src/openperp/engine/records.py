"""An order at one moment and one side of a trade: what events and replies carry, frozen."""

import msgspec

from openperp.engine.terms import (
    Cause,
    OrderStatus,
    OrderType,
    Origin,
    PositionSide,
    PriceMatch,
    Side,
    StpMode,
    TimeInForce,
    WorkingType,
)


class OrderRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One order at one moment.

    Prices are ticks, quantities lots. `filled_value` is the sum of ticks x lots
    over its fills, so the average price is `filled_value / filled_lots`. Zero
    stands for "none" in `trigger_ticks`, `activation_ticks`, `callback_ppm`,
    `parent_id`, `triggered_ms` and `expires_ms`. `armed_lots` is what an attached child would
    close if it fired now; a child with none is dormant. `activated` trailing stops follow
    the price.
    """

    order_id: int
    client_id: str
    account: int
    symbol: str
    side: Side
    type: OrderType
    original_type: OrderType
    time_in_force: TimeInForce
    status: OrderStatus
    ticks: int
    lots: int
    filled_lots: int
    filled_value: int
    trigger_ticks: int
    working_type: WorkingType
    activation_ticks: int
    callback_ppm: int
    reduce_only: bool
    close_position: bool
    price_protect: bool
    position_side: PositionSide
    algo: bool
    parent_id: int
    armed_lots: int
    created_ms: int
    updated_ms: int
    triggered_ms: int
    cause: Cause
    stp: StpMode = StpMode.NONE
    expires_ms: int = 0
    price_match: PriceMatch = PriceMatch.NONE
    origin: Origin = Origin.ACCOUNT
    activated: bool = False


class Fill(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One side of a trade: `fee` and `realized` (PnL before the fee) are money."""

    trade_id: int
    order_id: int
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    ticks: int
    lots: int
    fee: int
    realized: int
    maker: bool
    time_ms: int
