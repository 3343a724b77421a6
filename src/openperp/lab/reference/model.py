"""What the slow engine keeps: orders, positions, accounts, markets. Plain values, no rules."""

from dataclasses import dataclass, field
from decimal import Decimal

from openperp.engine.assets import AssetSpec
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.terms import (
    Mode,
    OrderScope,
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
from openperp.lab.reference.amounts import ZERO


@dataclass(slots=True, eq=False)
class Order:
    """A live order.

    `arrival` numbers the moments at which orders came to rest in a book; zero
    for one that waits or is trading just now. `watching` says that a waiting
    order sees prices. `opened` is what its fills have opened of the position
    number `opened_in`; `best_price` the extreme that a trailing stop has seen
    since its activation.
    """

    order_id: int
    client_id: str
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    type: OrderType
    original_type: OrderType
    time_in_force: TimeInForce
    price: Decimal
    quantity: Decimal
    created_ms: int
    updated_ms: int
    status: OrderStatus = OrderStatus.NEW
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO
    arrival: int = 0
    reduce_only: bool = False
    close_position: bool = False
    price_protect: bool = False
    algo: bool = False
    amendments: int = 0
    stp: StpMode = StpMode.NONE
    expires_ms: int = 0
    price_match: PriceMatch = PriceMatch.NONE
    origin: Origin = Origin.ACCOUNT

    waiting: bool = False
    watching: bool = False
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    trigger_price: Decimal = ZERO
    activation_price: Decimal = ZERO
    callback_ppm: int = 0
    best_price: Decimal | None = None
    triggered_ms: int = 0

    parent_id: int = 0
    armed: Decimal = ZERO
    opened: Decimal = ZERO
    opened_in: int = 0

    @property
    def left(self) -> Decimal:
        return self.quantity - self.filled


@dataclass(slots=True, eq=False)
class Position:
    """`quantity` and `cost` are signed; `number` counts the positions that have gone.

    `own` is what an isolated position has of the wallet.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realized: Decimal = ZERO
    number: int = 0
    own: Decimal = ZERO


@dataclass(slots=True, eq=False)
class Account:
    """`wallet` is all its money; positions of the symbols in `isolated` stand on their own.

    `balances` has its other assets, which in `multi_assets` mode count as margin.
    """

    account_id: int
    name: str
    first_deposit: Decimal
    wallet: Decimal = ZERO
    hedge: bool = False
    fee_tier: int = 0
    leverages: dict[str, int] = field(default_factory=dict)
    isolated: set[str] = field(default_factory=set)
    positions: dict[tuple[str, PositionSide], Position] = field(default_factory=dict)
    multi_assets: bool = False
    balances: dict[str, Decimal] = field(default_factory=dict)

    @property
    def set_aside(self) -> Decimal:
        """What isolated positions have of the wallet."""
        return sum([position.own for position in self.positions.values()], ZERO)

    @property
    def cross_wallet(self) -> Decimal:
        return self.wallet - self.set_aside


@dataclass(slots=True)
class Asset:
    """An asset with its index, in money for a whole one."""

    spec: AssetSpec
    index: Decimal


@dataclass(slots=True, eq=False)
class Market:
    """An instrument with its prices and its mode.

    Its next funding comes at `funding_ms`, zero for never; its period began at
    `period_ms`. `premiums` has the samples of the period that were not zero, with
    their numbers; `premium` is the latest. `basis` has the samples that the mark
    price averages, with `formula`; `funding_rate` was paid last.
    """

    spec: InstrumentSpec
    tick: Decimal
    lot: Decimal
    first_price: Decimal
    index: Decimal
    mark: Decimal
    last: Decimal
    traded: bool = False
    mode: Mode = Mode.NORMAL
    formula: bool = False
    basis: list[Decimal] = field(default_factory=list)
    premium: Decimal = ZERO
    premiums: list[tuple[int, Decimal]] = field(default_factory=list)
    period_ms: int = 0
    funding_ms: int = 0
    funding_rate: Decimal = ZERO


@dataclass(slots=True)
class Countdown:
    due_ms: int
    scope: OrderScope
