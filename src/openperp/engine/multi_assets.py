"""Multi-assets mode: assets beside the margin asset as cross margin, and debts paid with them.

Source of the rules: the fapi's pages on the multi-assets mode and on the index of assets.
What an account has of an asset counts below its index by the bid buffer. While nothing else
is due a wallet may be below zero: then other assets stand for it, until they are exchanged.
"""

from openperp.engine.assets import find_asset_fault
from openperp.engine.bounds import note_growth
from openperp.engine.collateral import (
    amount_at,
    count_collateral,
    deposits_at_index,
    price_in_money,
    value_at,
)
from openperp.engine.commands import DefineAsset, SetAssetIndex, SetMultiAssets
from openperp.engine.events import (
    AssetDefined,
    AssetExchanged,
    AssetIndexChanged,
    MultiAssetsChanged,
    WalletChanged,
)
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.lookup import get_account, open_orders
from openperp.engine.margin import free_margin
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, Asset, Market, State
from openperp.engine.step import Step


def define_asset(step: Step, command: DefineAsset) -> AssetDefined:
    """Adds an asset, or changes its terms; what accounts have of it stays, and its index unless
    it is to move along, which may be refused.
    """
    spec = command.spec
    fault = find_asset_fault(spec)
    if fault:
        refuse(Reason.ASSET_INVALID, asset=spec.asset[:20], fault=fault)
    asset = step.state.assets.get(spec.asset)
    if asset is None:
        step.state.assets[spec.asset] = Asset(spec)
    else:
        if command.index:
            move_index(step, asset, command.index)
        asset.spec = spec
        _touch_holders(step, spec.asset)
    defined = AssetDefined(spec)
    step.events.append(defined)
    return defined


def set_asset_index(step: Step, command: SetAssetIndex) -> AssetIndexChanged:
    """Moves the index of an asset, and with it the collateral of those who hold it."""
    return move_index(step, get_asset(step.state, command.asset), command.index)


def move_index(step: Step, asset: Asset, index: int) -> AssetIndexChanged:
    """Checks and moves an index; a refusal has changed nothing."""
    name = asset.spec.asset
    if name == MARGIN_ASSET or not 1 <= index < NOTIONAL_LIMIT:
        fault = "its index price must be positive, and that of the margin asset is 1"
        refuse(Reason.ASSET_INVALID, asset=name, fault=fault)
    before = asset.index
    asset.index = index
    total = deposits_at_index(step.state)
    if index > before and total >= NOTIONAL_LIMIT:
        asset.index = before
        refuse(Reason.AMOUNT_TOO_LARGE, amount=total)
    _touch_holders(step, name)
    changed = AssetIndexChanged(name, index)
    step.events.append(changed)
    return changed


def follow_price(step: Step, market: Market, ticks: int) -> None:
    """Moves the index of the base asset to a price of the market that it is counted by."""
    spec = market.spec
    asset = step.state.assets.get(spec.base_asset)
    if asset is None or spec.symbol != f"{spec.base_asset}{MARGIN_ASSET}":
        return
    index = price_in_money(spec, ticks)
    if index != asset.index:
        move_index(step, asset, index)


def set_multi_assets(step: Step, command: SetMultiAssets) -> MultiAssetsChanged:
    """Switches the mode of an account, which takes that nothing stands on the other one."""
    state = step.state
    account = get_account(state, command.account)
    if account.multi_assets == command.enabled:
        mode = "multi-assets" if command.enabled else "single-asset"
        refuse(Reason.MULTI_ASSETS_UNCHANGED, mode=mode)
    _check_change(account, command.enabled)

    account.multi_assets = command.enabled
    if command.enabled:
        state.multi_assets[account.account_id] = account
    else:
        del state.multi_assets[account.account_id]
    touch(step, account)
    account.updated_ms = step.now
    changed = MultiAssetsChanged(command.account, command.enabled)
    step.events.append(changed)
    return changed


def _check_change(account: Account, enabled: bool) -> None:
    """Nothing is open in isolated margin, nothing is owed, and enough margin is left."""
    orders = open_orders(account)
    if orders:
        refuse(Reason.MULTI_ASSETS_WITH_ORDERS, open=len(orders))
    if enabled:
        for position in account.positions.values():
            if position.isolated:
                refuse(Reason.MULTI_ASSETS_WITH_ISOLATED, symbol=position.market.symbol)
    if account.wallet < 0:
        refuse(Reason.MULTI_ASSETS_WITH_DEBT, wallet=account.wallet)
    left = free_margin(account) - account.collateral
    if not enabled and left < 0:
        refuse(Reason.MULTI_ASSETS_MARGIN_INSUFFICIENT, needed=-left)


def get_asset(state: State, name: str) -> Asset:
    """The asset of a name; refuses the command under way if there is none."""
    asset = state.assets.get(name)
    if asset is None:
        refuse(Reason.ASSET_UNKNOWN, asset=name[:20])
    return asset


def move_asset(step: Step, account: Account, name: str, amount: int) -> WalletChanged:
    """Pays an amount of an asset in, or out where it is negative."""
    _change_balance(step, account, name, amount)
    changed = WalletChanged(account.account_id, name, amount, account.balances[name])
    step.events.append(changed)
    return changed


def touch(step: Step, account: Account) -> None:
    """Brings an account up to date whose assets, or what they count, have changed."""
    account.collateral = count_collateral(step.state, account)
    step.touched.append(account.account_id)


def _touch_holders(step: Step, name: str) -> None:
    """Touches whoever has the asset as margin; the terms of the margin asset hold for all."""
    in_mode = step.state.multi_assets
    for account_id in sorted(in_mode):
        account = in_mode[account_id]
        if name == MARGIN_ASSET or account.balances.get(name, 0):
            touch(step, account)


def _change_balance(step: Step, account: Account, name: str, amount: int) -> None:
    account.balances[name] = account.balances.get(name, 0) + amount
    step.state.assets[name].net_deposits += amount
    account.updated_ms = step.now
    touch(step, account)


def exchange_debts(step: Step) -> None:
    """Exchanges assets of everyone touched whose debt is due, in the order of their definition.

    Nobody's debt comes due by anything that does not touch him. Accounts go by their number.
    """
    state = step.state
    for account_id in sorted(set(step.touched)):
        account = state.multi_assets.get(account_id)
        if account is not None and is_debt_due(state, account):
            for name in state.assets:
                _exchange(step, account, name)


def is_debt_due(state: State, account: Account) -> bool:
    """A debt is due beyond the threshold of the margin asset, and once no position is left."""
    if account.wallet >= 0:
        return False
    if -account.wallet > state.assets[MARGIN_ASSET].spec.exchange_threshold:
        return True
    return all(not position.lots for position in account.positions.values())


def _exchange(step: Step, account: Account, name: str) -> None:
    """Exchanges as much of an asset as the debt needs: a withdrawal of it, a deposit of money.

    An amount that would make no money at all stays.
    """
    held = account.balances.get(name, 0)
    if account.wallet >= 0 or not held:
        return
    state = step.state
    asset = state.assets[name]
    buffer_ppm = asset.spec.exchange_bid_buffer_ppm
    amount = min(held, amount_at(asset, -account.wallet, buffer_ppm))
    received = value_at(asset, amount, buffer_ppm)
    if not received:
        return
    account.wallet += received
    state.net_deposits += received
    note_growth(state, received)
    _change_balance(step, account, name, -amount)
    step.events.append(
        AssetExchanged(
            account.account_id, name, amount, received, account.balances[name], account.wallet
        )
    )
