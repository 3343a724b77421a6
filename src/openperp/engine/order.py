"""A live order: the only mutable form of an order, known to the engine alone."""

from openperp.engine.records import OrderRecord
from openperp.engine.terms import (
    BOTH,
    BY_ACCOUNT,
    CONTRACT_PRICE,
    NEW,
    NO_MATCH,
    NO_STP,
    Cause,
    OrderType,
    Origin,
    PriceMatch,
    Side,
    StpMode,
    TimeInForce,
)


class Extreme:
    """The best price that trailing stops have seen since they follow it.

    All that have seen the same share it.
    """

    __slots__ = ("ticks",)

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks


class Order:
    """An order that rests in a book or waits for its trigger.

    Prices are ticks, quantities lots; zero stands for "none" as in
    `events.OrderRecord`. `position_key` finds its account's position.
    `opening_lots` is the part of the rest that would open a position, `frozen`
    the margin in money that this part holds.

    The links make it a member of two intrusive lists, so that leaving either
    costs the same wherever the order stands: its price level in the book
    (`level_*`) and the arrival order of its account's side (`chain_*`).
    """

    __slots__ = (
        "account",
        "activated",
        "activation_ticks",
        "algo",
        "amendments",
        "armed_lots",
        "callback_ppm",
        "chain_next",
        "chain_prev",
        "client_id",
        "close_position",
        "created_ms",
        "expires_ms",
        "extreme",
        "filled_lots",
        "filled_value",
        "frozen",
        "indexed",
        "level_next",
        "level_prev",
        "lots",
        "opened_epoch",
        "opened_lots",
        "opening_lots",
        "order_id",
        "origin",
        "original_type",
        "parent_id",
        "position_key",
        "position_side",
        "price_match",
        "price_protect",
        "reduce_only",
        "resting",
        "side",
        "status",
        "stp",
        "symbol",
        "ticks",
        "time_in_force",
        "trigger_ticks",
        "triggered_ms",
        "type",
        "updated_ms",
        "waiting",
        "working_type",
    )

    def __init__(
        self,
        order_id: int,
        client_id: str,
        account: int,
        symbol: str,
        side: Side,
        type: OrderType,
        time_in_force: TimeInForce,
        ticks: int,
        lots: int,
        created_ms: int,
    ) -> None:
        self.order_id = order_id
        self.client_id = client_id
        self.account = account
        self.symbol = symbol
        self.side = side
        self.type = type
        self.original_type = type
        self.time_in_force = time_in_force
        self.status = NEW
        self.ticks = ticks
        self.lots = lots
        self.filled_lots = self.filled_value = 0
        self.created_ms = self.updated_ms = created_ms
        self.reduce_only = self.close_position = self.price_protect = False
        self.position_side = BOTH
        self.position_key = symbol
        self.algo = False
        self.amendments = 0
        self.stp: StpMode = NO_STP
        self.expires_ms = 0
        self.price_match: PriceMatch = NO_MATCH
        self.origin: Origin = BY_ACCOUNT

        self.trigger_ticks = 0
        self.working_type = CONTRACT_PRICE
        self.activation_ticks = 0
        self.callback_ppm = 0
        self.activated = False
        self.extreme: Extreme | None = None
        self.triggered_ms = 0
        self.waiting = False
        """Out of every book, until its trigger fires."""
        self.indexed = False
        """In the trigger index of its market."""

        self.parent_id = 0
        self.armed_lots = 0
        self.opened_lots = 0
        """Lots of this order's fills that opened the position of `opened_epoch`."""
        self.opened_epoch = 0
        self.opening_lots = self.frozen = 0
        self.resting = False
        self.level_prev: Order | None = None
        self.level_next: Order | None = None
        self.chain_prev: Order | None = None
        self.chain_next: Order | None = None

    @property
    def remaining_lots(self) -> int:
        return self.lots - self.filled_lots

    @property
    def extreme_ticks(self) -> int:
        """The extreme that a waiting trailing stop has seen; zero before it has activated."""
        return self.extreme.ticks if self.extreme is not None else 0

    @extreme_ticks.setter
    def extreme_ticks(self, ticks: int) -> None:
        self.extreme = Extreme(ticks) if ticks else None

    @property
    def is_dormant(self) -> bool:
        """Whether it is an attached child that has nothing to guard yet."""
        return self.parent_id != 0 and self.armed_lots == 0

    def to_record(self, cause: Cause = Cause.NONE) -> OrderRecord:
        """The order as it is now, as a frozen value."""
        return OrderRecord(
            self.order_id,
            self.client_id,
            self.account,
            self.symbol,
            self.side,
            self.type,
            self.original_type,
            self.time_in_force,
            self.status,
            self.ticks,
            self.lots,
            self.filled_lots,
            self.filled_value,
            self.trigger_ticks,
            self.working_type,
            self.activation_ticks,
            self.callback_ppm,
            self.reduce_only,
            self.close_position,
            self.price_protect,
            self.position_side,
            self.algo,
            self.parent_id,
            self.armed_lots,
            self.created_ms,
            self.updated_ms,
            self.triggered_ms,
            cause,
            self.stp,
            self.expires_ms,
            self.price_match,
            self.origin,
            self.activated,
        )
