"""The engine's only door: one journal record in, everything that it did out.

    state, Record(seq, time, command)  ->  Applied(seq, time, command, reply, events)

A live node, a restart and a test all call `apply`; they differ only in where
records come from and who listens. It reads no clock and does no I/O, so the
same records give the same state, replies and events for ever.

What is due by the time of a record happens before it, each at its own time.
Each command has one handler. A handler checks first and changes then: whatever
it refuses is refused before its first change. After it come its consequences:
trigger orders see the prices it moved until nothing fires any more, debts are paid with
collateral, and whose margin is used up by then is liquidated, until nobody's is.
"""

from collections.abc import Callable
from typing import Any

from openperp.engine import (
    accounts,
    amending,
    canceling,
    countdowns,
    funding,
    insurance,
    isolation,
    multi_assets,
    passing,
    placing,
    venue,
)
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
    Withdraw,
)
from openperp.engine.commands import Single as SingleCommand
from openperp.engine.consequences import run_consequences
from openperp.engine.events import Applied, Reply
from openperp.engine.events import Single as SingleReply
from openperp.engine.rejects import Rejected
from openperp.engine.state import State
from openperp.engine.step import Step

HANDLERS: dict[type, Callable[[Step, Any], SingleReply]] = {
    OpenVenue: venue.open_venue,
    DefineInstrument: venue.define_instrument,
    DefineAsset: multi_assets.define_asset,
    SetAssetIndex: multi_assets.set_asset_index,
    CreateAccount: accounts.create_account,
    AddKey: accounts.add_key,
    Deposit: accounts.deposit,
    Withdraw: accounts.withdraw,
    FundInsurance: insurance.fund_insurance,
    PlaceOrder: placing.place_order,
    AmendOrder: amending.amend_order,
    CancelOrder: canceling.cancel_order,
    CancelAllOrders: canceling.cancel_all_orders,
    SetCountdown: countdowns.set_countdown,
    SetLeverage: accounts.set_leverage,
    SetPositionMode: accounts.set_position_mode,
    SetMarginType: isolation.set_margin_type,
    ChangeMargin: isolation.change_margin,
    SetFeeTier: accounts.set_fee_tier,
    SetMultiAssets: multi_assets.set_multi_assets,
    SetPrice: venue.set_price,
    SetMode: venue.set_mode,
    SetOrderLimits: venue.set_order_limits,
    Reset: venue.reset,
    Pulse: venue.pulse,
    Resume: venue.pulse,
}


def apply(state: State, record: Record) -> Applied:
    """Applies one record. A refusal is a reply, never an exception.

    Time never runs backwards: the record happens at the later of its own stamp
    and the time of the record before it.
    """
    assert record.seq == state.seq + 1, f"record {record.seq} follows {state.seq}"
    state.seq = record.seq
    command = record.command
    since = state.time_ms
    now = state.time_ms = max(since, record.time_ms)
    step = Step(state, now)
    if 0 < state.due_ms <= now or state.sample_ms <= now:
        resumes = isinstance(command, Resume)
        passing.pass_time(step, 0 if resumes else since + funding.HORIZON_MS)
    reply: Reply
    if isinstance(command, Batch):
        reply = tuple([_apply_one(step, single) for single in command.commands])
    else:
        reply = _apply_one(step, command)
    return Applied(record.seq, now, command, reply, tuple(step.events))


def _apply_one(step: Step, command: SingleCommand) -> SingleReply:
    try:
        reply = HANDLERS[type(command)](step, command)
    except Rejected as rejected:
        return rejected.reject
    if step.moves or step.touched:
        run_consequences(step)
    return reply
