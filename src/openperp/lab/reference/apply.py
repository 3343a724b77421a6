"""The slow engine's door: a record in, what it did out."""

from collections.abc import Callable
from decimal import localcontext
from typing import Any

from openperp.engine.commands import (
    AddKey,
    AmendOrder,
    Batch,
    CancelAllOrders,
    CancelOrder,
    ChangeMargin,
    CreateAccount,
    DefineAsset,
    DefineInstrument,
    Deposit,
    FundInsurance,
    OpenVenue,
    PlaceOrder,
    Pulse,
    Record,
    Reset,
    Resume,
    SetAssetIndex,
    SetCountdown,
    SetFeeTier,
    SetLeverage,
    SetMarginType,
    SetMode,
    SetMultiAssets,
    SetOrderLimits,
    SetPositionMode,
    SetPrice,
    Single,
    Withdraw,
)
from openperp.engine.events import Event
from openperp.engine.events import Single as Reply
from openperp.lab.reference import accounts, amending, assets, insurance, isolated, placing
from openperp.lab.reference.amounts import EXACT
from openperp.lab.reference.fees import set_fee_tier
from openperp.lab.reference.funding import HORIZON_MS
from openperp.lab.reference.liquidation import settle_down
from openperp.lab.reference.passing import pass_time
from openperp.lab.reference.venue import Refused, Venue

Outcome = Reply | Refused
"""The reply to one command, or every reason to refuse it."""


def _pulse(venue: Venue, command: Pulse | Resume) -> None:
    """Time has passed, and what was due has happened."""


HANDLERS: dict[type, Callable[[Venue, Any], Reply]] = {
    OpenVenue: accounts.open_venue,
    DefineInstrument: accounts.define_instrument,
    DefineAsset: assets.define_asset,
    SetAssetIndex: assets.set_asset_index,
    SetMultiAssets: assets.set_multi_assets,
    CreateAccount: accounts.create_account,
    AddKey: accounts.add_key,
    Deposit: accounts.deposit,
    Withdraw: accounts.withdraw,
    FundInsurance: insurance.fund_insurance,
    SetLeverage: accounts.set_leverage,
    SetPositionMode: accounts.set_position_mode,
    SetMarginType: isolated.set_margin_type,
    ChangeMargin: isolated.change_margin,
    SetFeeTier: set_fee_tier,
    SetPrice: accounts.set_price,
    SetMode: accounts.set_mode,
    SetOrderLimits: accounts.set_order_limits,
    Reset: accounts.reset,
    PlaceOrder: placing.place,
    AmendOrder: amending.amend,
    CancelOrder: amending.cancel_one,
    CancelAllOrders: amending.cancel_all,
    SetCountdown: amending.set_countdown,
    Pulse: _pulse,
    Resume: _pulse,
}


def apply(venue: Venue, record: Record) -> tuple[list[Outcome], list[Event]]:
    """Applies a record: one outcome for each command in it, and all events.

    What is due by its time happens before it, and each command's consequences
    before the next command.
    """
    venue.events, venue.told_ms = [], None
    with localcontext(EXACT):
        now = max(venue.now, record.time_ms)
        command = record.command
        funded_until = 0 if isinstance(command, Resume) else venue.now + HORIZON_MS
        pass_time(venue, now, funded_until)
        singles = command.commands if isinstance(command, Batch) else (command,)
        outcomes = [_apply_one(venue, single) for single in singles]
    return outcomes, venue.events


def _apply_one(venue: Venue, command: Single) -> Outcome:
    try:
        reply = HANDLERS[type(command)](venue, command)
    except Refused as refused:
        return refused
    settle_down(venue)
    return reply
