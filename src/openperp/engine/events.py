"""Everything that can have happened, in the past tense, as frozen values.

History, streams, tests and the command line consume events; none of them
holds a live object of the engine.
"""

import msgspec

from openperp.engine.assets import AssetSpec
from openperp.engine.commands import Command
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.rejects import Reject
from openperp.engine.terms import (
    Cause,
    Mode,
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


class VenueOpened(msgspec.Struct, frozen=True, tag=True):
    dialect: str


class InstrumentDefined(msgspec.Struct, frozen=True, tag=True):
    spec: InstrumentSpec


class AssetDefined(msgspec.Struct, frozen=True, tag=True):
    spec: AssetSpec


class AssetIndexChanged(msgspec.Struct, frozen=True, tag=True):
    """`index` is money per whole asset."""

    asset: str
    index: int


class AccountCreated(msgspec.Struct, frozen=True, tag=True):
    account: int
    name: str
    house: bool


class KeyAdded(msgspec.Struct, frozen=True, tag=True):
    account: int
    api_key: str


class WalletChanged(msgspec.Struct, frozen=True, tag=True):
    """A transfer in or out; `amount` is signed money, `wallet` the balance after it.

    `set_aside` is the part of the wallet that isolated positions hold. Of an asset that is
    not the margin asset both are counts of 10^-8, and nothing is set aside.
    """

    account: int
    asset: str
    amount: int
    wallet: int
    set_aside: int = 0


class OrderAccepted(msgspec.Struct, frozen=True, tag=True):
    order: OrderRecord


class OrderArmed(msgspec.Struct, frozen=True, tag=True):
    """An attached child now protects `order.armed_lots`."""

    order: OrderRecord


class OrderActivated(msgspec.Struct, frozen=True, tag=True):
    """A trailing stop follows the price from now on, which may be right after it was accepted."""

    order: OrderRecord


class OrderTriggered(msgspec.Struct, frozen=True, tag=True):
    order: OrderRecord


class OrderAmended(msgspec.Struct, frozen=True, tag=True):
    """An order has a new price or quantity; it left the queue of `ticks_before`.

    `amendment_id` counts all amendments of the venue, `count` those of the
    order; `modify_id` is the caller's number for it, or zero.
    """

    order: OrderRecord
    ticks_before: int
    lots_before: int
    amendment_id: int
    count: int
    modify_id: int


class OrderFilled(msgspec.Struct, frozen=True, tag=True):
    order: OrderRecord
    fill: Fill


class OrderCanceled(msgspec.Struct, frozen=True, tag=True):
    order: OrderRecord


class OrderExpired(msgspec.Struct, frozen=True, tag=True):
    order: OrderRecord


class TradeExecuted(msgspec.Struct, frozen=True, tag=True):
    symbol: str
    trade_id: int
    ticks: int
    lots: int
    buyer_is_maker: bool


class PositionChanged(msgspec.Struct, frozen=True, tag=True):
    """A position after a fill: `lots` signed, `entry_cost` signed money, `wallet` money.

    `realized` is the money that it has realized in all, before fees. `isolated_wallet` is
    what an isolated position has of the wallet, `set_aside` what all of them have.
    """

    account: int
    symbol: str
    lots: int
    entry_cost: int
    wallet: int
    position_side: PositionSide = PositionSide.BOTH
    realized: int = 0
    isolated: bool = False
    isolated_wallet: int = 0
    set_aside: int = 0


class MarginTypeChanged(msgspec.Struct, frozen=True, tag=True):
    """The account's positions on the symbol, all empty, now have margin of their own or not.

    `positions` are they, after it.
    """

    account: int
    symbol: str
    isolated: bool
    positions: tuple[PositionChanged, ...]


class MarginChanged(msgspec.Struct, frozen=True, tag=True):
    """The owner of an isolated position moved `amount`, signed money, from the cross wallet to it.

    `position` is the position after it.
    """

    account: int
    amount: int
    position: PositionChanged


class PositionModeChanged(msgspec.Struct, frozen=True, tag=True):
    """The account now holds one position per symbol, or LONG and SHORT apart (`hedge`)."""

    account: int
    hedge: bool


class FeeTierChanged(msgspec.Struct, frozen=True, tag=True):
    """The account pays the fees of another tier from now on."""

    account: int
    tier: int


class MultiAssetsChanged(msgspec.Struct, frozen=True, tag=True):
    """All assets of the account are its cross margin now, or the margin asset alone."""

    account: int
    enabled: bool


class AssetExchanged(msgspec.Struct, frozen=True, tag=True):
    """`amount` of an asset went for `received`, in money, to pay a debt of the wallet.

    `balance` of the asset and `wallet` are what the account has after it.
    """

    account: int
    asset: str
    amount: int
    received: int
    balance: int
    wallet: int


class CountdownChanged(msgspec.Struct, frozen=True, tag=True):
    """The orders of a symbol will be cancelled at `due_ms`; zero: that was called off."""

    account: int
    symbol: str
    due_ms: int


class CountdownFired(msgspec.Struct, frozen=True, tag=True):
    """A countdown came to its end; the orders that it cancels are told next."""

    account: int
    symbol: str
    due_ms: int


class LeverageChanged(msgspec.Struct, frozen=True, tag=True):
    account: int
    symbol: str
    leverage: int
    notional_cap: int


class PriceChanged(msgspec.Struct, frozen=True, tag=True):
    symbol: str
    index_ticks: int
    mark_ticks: int
    last_ticks: int


class TimePassed(msgspec.Struct, frozen=True, tag=True):
    """What is told next happened at `time_ms`, before the time of the record."""

    time_ms: int


class PremiumChanged(msgspec.Struct, frozen=True, tag=True):
    """The premium index of a market was sampled anew; in units of 10^-8."""

    symbol: str
    premium: int


class FundingSettled(msgspec.Struct, frozen=True, tag=True):
    """Positions paid and received `rate`, in units of 10^-8, of their value at `mark_ticks`."""

    symbol: str
    rate: int
    mark_ticks: int
    time_ms: int


class FundingPaid(msgspec.Struct, frozen=True, tag=True):
    """What funding made of a wallet: `amount` is signed money, `wallet` the balance after it,
    `set_aside` what of it belongs to isolated positions.

    An isolated position, whose own margin it was, is told next.
    """

    account: int
    symbol: str
    position_side: PositionSide
    amount: int
    wallet: int
    time_ms: int
    set_aside: int = 0


class FundingSkipped(msgspec.Struct, frozen=True, tag=True):
    """The funding of `time_ms` was not paid, nor any other up to the next that is told."""

    symbol: str
    time_ms: int


class LiquidationStarted(msgspec.Struct, frozen=True, tag=True):
    """Margin is used up: `balance` is what is left of it, at most `maintenance`, both money.

    It is the cross margin of the account if `symbol` is empty, and otherwise that of one
    isolated position. What follows up to `LiquidationEnded` is what was done about it.
    """

    account: int
    symbol: str
    position_side: PositionSide
    balance: int
    maintenance: int
    wallet: int
    set_aside: int
    time_ms: int


class LiquidationStaged(msgspec.Struct, frozen=True, tag=True):
    """`lots` of the `held_lots`, signed, of a position are to be closed now.

    `bankruptcy_ticks` is the price at which its share of `balance` would be gone;
    `balance` and `maintenance` are those of the margin on which the position stands,
    in money, with prices at `mark_ticks`.
    """

    account: int
    symbol: str
    position_side: PositionSide
    lots: int
    held_lots: int
    bankruptcy_ticks: int
    mark_ticks: int
    balance: int
    maintenance: int


class PositionDeleveraged(msgspec.Struct, frozen=True, tag=True):
    """A position has to give up `lots` at `ticks`, being `rank` of `holders` on its side.

    `score` is what it was ranked by, profit / wallet x maintenance margin / margin
    balance, in units of 10^-8; the numbers behind it are those before it was closed, in money.
    """

    account: int
    symbol: str
    position_side: PositionSide
    lots: int
    ticks: int
    rank: int
    holders: int
    score: int
    profit: int
    wallet: int
    balance: int
    maintenance: int


class InsuranceCleared(msgspec.Struct, frozen=True, tag=True):
    """`amount`, signed money, went from the insurance fund to an account, or back as its fee.

    `wallet` and `set_aside` are the account's after it, `insurance` is the fund. An empty
    `symbol` stands for no position in particular.
    """

    account: int
    symbol: str
    position_side: PositionSide
    amount: int
    wallet: int
    set_aside: int
    insurance: int
    time_ms: int


class LiquidationEnded(msgspec.Struct, frozen=True, tag=True):
    """What is left after a liquidation; the margin is named as when it started."""

    account: int
    symbol: str
    position_side: PositionSide
    balance: int
    maintenance: int
    wallet: int
    set_aside: int


class InsuranceChanged(msgspec.Struct, frozen=True, tag=True):
    """The operator paid `amount`, signed money, into the insurance fund, which is `insurance`."""

    amount: int
    insurance: int


class ModeChanged(msgspec.Struct, frozen=True, tag=True):
    mode: Mode
    symbol: str


class OrderLimitsChanged(msgspec.Struct, frozen=True, tag=True):
    enabled: bool


class VenueReset(msgspec.Struct, frozen=True, tag=True):
    pass


Event = (
    VenueOpened
    | InstrumentDefined
    | AssetDefined
    | AssetIndexChanged
    | AccountCreated
    | KeyAdded
    | WalletChanged
    | OrderAccepted
    | OrderArmed
    | OrderActivated
    | OrderTriggered
    | OrderAmended
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | TradeExecuted
    | PositionChanged
    | MarginTypeChanged
    | MarginChanged
    | PositionModeChanged
    | FeeTierChanged
    | MultiAssetsChanged
    | AssetExchanged
    | CountdownChanged
    | CountdownFired
    | LeverageChanged
    | PriceChanged
    | TimePassed
    | PremiumChanged
    | FundingSettled
    | FundingPaid
    | FundingSkipped
    | LiquidationStarted
    | LiquidationStaged
    | PositionDeleveraged
    | InsuranceCleared
    | LiquidationEnded
    | InsuranceChanged
    | ModeChanged
    | OrderLimitsChanged
    | VenueReset
)

Single = (
    OrderRecord
    | OrderAmended
    | tuple[OrderRecord, ...]
    | LeverageChanged
    | MarginTypeChanged
    | MarginChanged
    | PositionModeChanged
    | FeeTierChanged
    | MultiAssetsChanged
    | CountdownChanged
    | PriceChanged
    | AssetDefined
    | AssetIndexChanged
    | WalletChanged
    | InsuranceChanged
    | AccountCreated
    | Reject
    | None
)
"""Reply to one command: the order after it, what changed, or why it was refused.

`CancelAllOrders` replies with the orders that its scope reached; children that went with
their parents are told by events alone.
"""

Reply = Single | tuple[Single, ...]
"""A `Batch` replies with one entry per element, in their order."""


class Applied(msgspec.Struct, frozen=True):
    """What one record did."""

    seq: int
    time_ms: int
    command: Command
    reply: Reply
    events: tuple[Event, ...]
