"""Everything that can be asked of the engine: the journal's vocabulary.

A command is imperative and frozen. The tagged union `Command` is what the
journal stores, what `engine.apply` dispatches on and what tests generate. A
meaning never changes once it is journaled: a change is a new field at the end
with the old behaviour as its default, or a new command.

Accounts are named by number in trading commands (the number comes from the
API key) and by name in the operator's.
"""

from typing import Final

import msgspec

from openperp.engine.assets import AssetSpec
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.terms import (
    Mode,
    OrderScope,
    OrderType,
    PositionSide,
    PriceMatch,
    Side,
    StpMode,
    TimeInForce,
    WorkingType,
)


class OpenVenue(msgspec.Struct, frozen=True, array_like=True, tag="open_venue", tag_field="do"):
    """The first record of every journal: facts that hold for its whole life.

    `larger_side_margin` counts the larger of the buy and sell margin of open
    orders instead of their sum; `separate_trigger_ids` gives trigger orders a
    client-id space of their own. Both follow from the dialect. `displaces_reducers`
    keeps reduce-only orders from resting that together exceed their position; venues
    from before that let them rest. `order_life_ms` is how long GTC orders stay open
    without a fill; zero stands for ever. `liquidates` says that positions are closed once
    their margin is used up; venues from before that go on without. `bounds_stakes` holds
    all that is at stake below a limit; venues from before that have none. `single_closers`
    lets one stop and one take profit wait to close the whole of a position; venues from
    before that any number. `names_fired_orders` has the orders of the book that trigger
    orders have become found by their client ids; venues from before that find none of them.
    `isolated_pays` has an isolated position pay what a fill of it costs beyond the cross
    wallet; in venues from before that it is a debt of the wallet. `bounds_sweeps` has MARKET
    orders trade up to the bound of their best price; in venues from before that they sweep on.
    """

    dialect: str
    larger_side_margin: bool = False
    separate_trigger_ids: bool = False
    displaces_reducers: bool = False
    order_life_ms: int = 0
    liquidates: bool = False
    bounds_stakes: bool = False
    single_closers: bool = False
    names_fired_orders: bool = False
    isolated_pays: bool = False
    bounds_sweeps: bool = False


VENUE_RULES: Final = tuple([name for name in OpenVenue.__struct_fields__ if name != "dialect"])
"""What one venue does otherwise than another, by name: states and snapshots have them all."""


class DefineInstrument(
    msgspec.Struct, frozen=True, array_like=True, tag="define_instrument", tag_field="do"
):
    """Adds an instrument, or changes the terms of one whose tick and lot stay the same."""

    spec: InstrumentSpec
    index_ticks: int


class DefineAsset(msgspec.Struct, frozen=True, array_like=True, tag="define_asset", tag_field="do"):
    """Adds an asset, or changes the terms of one.

    The index price of a known one stays as it is, or moves to `index` at the same moment.
    """

    spec: AssetSpec
    index: int = 0


class SetAssetIndex(
    msgspec.Struct, frozen=True, array_like=True, tag="set_asset_index", tag_field="do"
):
    """Sets the index price of an asset: `index` is money per whole asset."""

    asset: str
    index: int


class CreateAccount(
    msgspec.Struct, frozen=True, array_like=True, tag="create_account", tag_field="do"
):
    """Opens an account with a first deposit, in money, and its first API key if one is given.

    A house account belongs to the venue's own traders: its orders stay out of
    the history. The secret is sealed before it gets here.
    """

    name: str
    deposit: int
    house: bool = False
    api_key: str = ""
    kind: str = "hmac"
    sealed_secret: bytes = b""


class AddKey(msgspec.Struct, frozen=True, array_like=True, tag="add_key", tag_field="do"):
    """Gives an account an API key; the secret is sealed before it gets here."""

    account: str
    api_key: str
    kind: str
    sealed_secret: bytes
    permissions: tuple[str, ...] = ("read", "trade")
    ips: tuple[str, ...] = ()


class Deposit(msgspec.Struct, frozen=True, array_like=True, tag="deposit", tag_field="do"):
    """`amount` is money, or 10^-8 of an asset that is not the margin asset."""

    account: str
    asset: str
    amount: int


class Withdraw(msgspec.Struct, frozen=True, array_like=True, tag="withdraw", tag_field="do"):
    """`amount` is as in `Deposit`; refused when it exceeds what is available."""

    account: str
    asset: str
    amount: int


class FundInsurance(
    msgspec.Struct, frozen=True, array_like=True, tag="fund_insurance", tag_field="do"
):
    """Pays `amount`, signed money, into the insurance fund, or takes it out."""

    amount: int


class PlaceOrder(
    msgspec.Struct, frozen=True, array_like=True, gc=False, tag="place_order", tag_field="do"
):
    """Places an order, with up to two attached children.

    Prices are ticks, `lots` the quantity, `callback_ppm` the trailing distance
    in parts per million; zero stands for "not given". An empty `client_id` is
    filled in by the engine. `algo` says that the order came as an algo order,
    which matters where trigger orders have their own client-id space.
    `parent_id` or `parent_client_id` attaches a trigger order to a live order.
    `stp` says what happens where the order would trade with its own account,
    `expires_ms` until when an order is GTD; what goes beyond whole seconds does not count.
    `price_match` takes the price of a level of the book in place of `ticks`.
    """

    account: int
    symbol: str
    side: Side
    type: OrderType
    lots: int = 0
    ticks: int = 0
    time_in_force: TimeInForce = TimeInForce.GTC
    client_id: str = ""
    reduce_only: bool = False
    close_position: bool = False
    trigger_ticks: int = 0
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    activation_ticks: int = 0
    callback_ppm: int = 0
    price_protect: bool = False
    algo: bool = False
    position_side: PositionSide = PositionSide.BOTH
    parent_id: int = 0
    parent_client_id: str = ""
    take_profit_ticks: int = 0
    take_profit_client_id: str = ""
    stop_loss_ticks: int = 0
    stop_loss_client_id: str = ""
    attached_working_type: WorkingType = WorkingType.MARK_PRICE
    stp: StpMode = StpMode.NONE
    expires_ms: int = 0
    price_match: PriceMatch = PriceMatch.NONE


class AmendOrder(
    msgspec.Struct, frozen=True, array_like=True, gc=False, tag="amend_order", tag_field="do"
):
    """Gives a live LIMIT order a new quantity and a new price, at the end of the queue there.

    It is found as by `CancelOrder`. `side` must be that of the order. `modify_id`
    is the caller's own number for the change. `reduce_only` vouches that the
    order is reduce-only, and frees the change from the smallest notional.
    `price_match` takes the price of a level of the book in place of `ticks`.
    """

    account: int
    symbol: str
    side: Side
    lots: int
    ticks: int
    order_id: int = 0
    client_id: str = ""
    scope: OrderScope = OrderScope.ANY
    modify_id: int = 0
    reduce_only: bool = False
    price_match: PriceMatch = PriceMatch.NONE


class CancelOrder(
    msgspec.Struct, frozen=True, array_like=True, gc=False, tag="cancel_order", tag_field="do"
):
    """Cancels one live order by `order_id`, or by `client_id` where that is zero.

    An empty `symbol` stands for any.
    """

    account: int
    symbol: str
    order_id: int = 0
    client_id: str = ""
    scope: OrderScope = OrderScope.ANY


class CancelAllOrders(
    msgspec.Struct, frozen=True, array_like=True, tag="cancel_all_orders", tag_field="do"
):
    """Cancels every live order of an account on one symbol, as far as `scope` reaches."""

    account: int
    symbol: str
    scope: OrderScope = OrderScope.ANY


class SetCountdown(
    msgspec.Struct, frozen=True, array_like=True, tag="set_countdown", tag_field="do"
):
    """Has an account's orders on one symbol cancelled `duration_ms` from now, as far as `scope`
    reaches, unless another such command comes before; zero calls it off.
    """

    account: int
    symbol: str
    duration_ms: int
    scope: OrderScope = OrderScope.ANY


class SetLeverage(msgspec.Struct, frozen=True, array_like=True, tag="set_leverage", tag_field="do"):
    account: int
    symbol: str
    leverage: int


class SetMarginType(
    msgspec.Struct, frozen=True, array_like=True, tag="set_margin_type", tag_field="do"
):
    """Gives an account's positions on one symbol margin of their own, or cross margin."""

    account: int
    symbol: str
    isolated: bool


class ChangeMargin(
    msgspec.Struct, frozen=True, array_like=True, tag="change_margin", tag_field="do"
):
    """Sets aside more for an isolated position, or takes back (`removes`); `amount` is money."""

    account: int
    symbol: str
    amount: int
    removes: bool = False
    position_side: PositionSide = PositionSide.BOTH


class SetPositionMode(
    msgspec.Struct, frozen=True, array_like=True, tag="set_position_mode", tag_field="do"
):
    """One position per symbol, or LONG and SHORT apart (`hedge`); for all symbols at once."""

    account: int
    hedge: bool


class SetFeeTier(msgspec.Struct, frozen=True, array_like=True, tag="set_fee_tier", tag_field="do"):
    """Has an account pay the fees of another tier, from its next fill on."""

    account: str
    tier: int


class SetMultiAssets(
    msgspec.Struct, frozen=True, array_like=True, tag="set_multi_assets", tag_field="do"
):
    """Lets all assets of an account be its cross margin, or the margin asset alone."""

    account: int
    enabled: bool


class SetPrice(msgspec.Struct, frozen=True, array_like=True, tag="set_price", tag_field="do"):
    """Sets the index price, and mark with it.

    Last moves along if `moves_last`, and otherwise follows the index until the
    first trade, unless `keeps_last`. With `formula` the mark price is the
    documented median from now on, until a command without it. With `moves_asset` the
    index of the base asset, if the instrument is what it is counted by, moves at the same
    moment: no margin is looked at with only one of the two.
    """

    symbol: str
    ticks: int
    moves_last: bool = False
    keeps_last: bool = False
    formula: bool = False
    moves_asset: bool = False


class SetMode(msgspec.Struct, frozen=True, array_like=True, tag="set_mode", tag_field="do"):
    """Changes what is accepted, on one symbol or (empty) on the whole venue."""

    mode: Mode
    symbol: str = ""


class SetOrderLimits(
    msgspec.Struct, frozen=True, array_like=True, tag="set_order_limits", tag_field="do"
):
    """Switches the limits on the number of open orders on or off."""

    enabled: bool


class Reset(msgspec.Struct, frozen=True, array_like=True, tag="reset", tag_field="do"):
    """Back to the start: accounts keep keys and first deposits, everything else goes."""


class Pulse(msgspec.Struct, frozen=True, array_like=True, tag="pulse", tag_field="do"):
    """Nothing but the passing of time, which its record carries."""


class Resume(msgspec.Struct, frozen=True, array_like=True, tag="resume", tag_field="do"):
    """The venue was away until now: the funding that came due meanwhile is not paid."""


Single = (
    OpenVenue
    | DefineInstrument
    | DefineAsset
    | SetAssetIndex
    | CreateAccount
    | AddKey
    | Deposit
    | Withdraw
    | FundInsurance
    | PlaceOrder
    | AmendOrder
    | CancelOrder
    | CancelAllOrders
    | SetCountdown
    | SetLeverage
    | SetPositionMode
    | SetMarginType
    | ChangeMargin
    | SetFeeTier
    | SetMultiAssets
    | SetPrice
    | SetMode
    | SetOrderLimits
    | Reset
    | Pulse
    | Resume
)


class Batch(msgspec.Struct, frozen=True, array_like=True, tag="batch", tag_field="do"):
    """Several commands under one record; each is applied or refused alone."""

    commands: tuple[Single, ...]


Command = Single | Batch


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One command with its place in the total order and its time.

    `seq` counts from 1 without gaps; `time_ms` is the sequencer's stamp in
    milliseconds since the Unix epoch.
    """

    seq: int
    time_ms: int
    command: Command
