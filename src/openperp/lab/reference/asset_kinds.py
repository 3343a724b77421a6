"""What a run has come across of multi-assets mode, in a few words."""

from collections.abc import Iterator

from openperp.engine.commands import SetAssetIndex, Withdraw
from openperp.engine.events import (
    Applied,
    AssetExchanged,
    FundingPaid,
    MultiAssetsChanged,
    OrderFilled,
    WalletChanged,
)
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.rejects import Reason, Reject
from openperp.engine.state import State

REFUSALS = {
    Reason.MULTI_ASSETS_UNCHANGED: "mode is that already",
    Reason.MULTI_ASSETS_WITH_ORDERS: "mode with orders",
    Reason.MULTI_ASSETS_WITH_ISOLATED: "mode with isolated margin",
    Reason.MULTI_ASSETS_WITH_DEBT: "mode with a debt",
    Reason.MULTI_ASSETS_MARGIN_INSUFFICIENT: "wallet alone is too little",
    Reason.ISOLATED_IN_MULTI_ASSETS: "isolated margin in the mode",
    Reason.ASSET_INVALID: "asset is not sound",
}

ASSET_KINDS = (
    *REFUSALS.values(),
    "mode on",
    "mode off",
    "order on assets",
    "funding on assets",
    "debt stands",
    "assets exchanged",
    "several assets exchanged",
    "exchange leaves a debt",
    "asset leaves in the mode",
    "asset has to stay",
    "index too large",
)


def find_asset_kinds(applied: Applied, state: State) -> Iterator[str]:
    """The kinds of things that a record has brought about; `state` is that after it."""
    exchanged: list[AssetExchanged] = []
    for event in applied.events:
        match event:
            case MultiAssetsChanged(enabled=enabled):
                yield "mode on" if enabled else "mode off"
            case OrderFilled(fill=fill) if _owes(state, fill.account):
                yield "order on assets"
            case FundingPaid(account=account) if _owes(state, account):
                yield "funding on assets"
            case AssetExchanged():
                exchanged.append(event)
    if any(_owes(state, number) for number in state.multi_assets):
        yield "debt stands"
    yield from _find_exchanges(exchanged)
    for reply in applied.reply if isinstance(applied.reply, tuple) else (applied.reply,):
        if isinstance(reply, Reject) and reply.reason in REFUSALS:
            yield REFUSALS[reply.reason]
    yield from _find_transfer(applied, state)


def _owes(state: State, account: int) -> bool:
    return account in state.multi_assets and state.accounts[account].wallet < 0


def _find_exchanges(exchanged: list[AssetExchanged]) -> Iterator[str]:
    if exchanged:
        yield "assets exchanged"
        if exchanged[-1].wallet < 0:
            yield "exchange leaves a debt"
    if len({each.asset for each in exchanged}) > 1:
        yield "several assets exchanged"


def _find_transfer(applied: Applied, state: State) -> Iterator[str]:
    command, reply = applied.command, applied.reply
    if isinstance(command, SetAssetIndex) and isinstance(reply, Reject):
        if reply.reason is Reason.AMOUNT_TOO_LARGE:
            yield "index too large"
    elif isinstance(command, Withdraw) and command.asset != MARGIN_ASSET:
        names = [state.accounts[number].name for number in state.multi_assets]
        if command.account not in names:
            return
        if isinstance(reply, WalletChanged):
            yield "asset leaves in the mode"
        elif isinstance(reply, Reject) and reply.reason is Reason.BALANCE_INSUFFICIENT:
            yield "asset has to stay"
