"""Everything that can have happened, in the past tense, as frozen values.

History, streams, tests and the command line consume events; none of them
holds a live object of the engine. The orders and fills that they carry stand in
`records`, what a liquidation tells in `liquidation_events`; `Event` is the union of all.
"""

import msgspec

from openperp.engine.assets import AssetSpec
from openperp.engine.commands import Command
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.liquidation_events import (
    InsuranceChanged,
    InsuranceCleared,
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
    PositionDeleveraged,
)
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.terms import Mode, PositionSide


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
