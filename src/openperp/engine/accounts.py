"""Accounts: opening, keys, transfers, fee tiers and leverage."""

from openperp.engine.bounds import check_payment, note_growth
from openperp.engine.collateral import deposits_at_index, value_at, withdrawable_amount
from openperp.engine.commands import (
    AddKey,
    CreateAccount,
    Deposit,
    SetFeeTier,
    SetLeverage,
    SetPositionMode,
    Withdraw,
)
from openperp.engine.events import (
    AccountCreated,
    FeeTierChanged,
    KeyAdded,
    LeverageChanged,
    PositionModeChanged,
    WalletChanged,
)
from openperp.engine.fees import HIGHEST_TIER
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.lookup import get_account, get_market, list_sides, open_orders
from openperp.engine.margin import (
    combine_sides,
    exposure,
    free_margin,
    notional,
    position_margin,
    refreeze,
    withdrawable,
)
from openperp.engine.multi_assets import get_asset, move_asset
from openperp.engine.numbers import NOTIONAL_LIMIT, STAKES_LIMIT, divide_up
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, Key, Market, Position, State
from openperp.engine.step import Step
from openperp.engine.terms import BUY, SELL

_NAME_LENGTH = 64


def create_account(step: Step, command: CreateAccount) -> AccountCreated:
    state = step.state
    name = command.name
    if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable() or "/" in name:
        refuse(Reason.ACCOUNT_NAME_INVALID, name=name[:_NAME_LENGTH])
    if name in state.account_ids:
        refuse(Reason.ACCOUNT_EXISTS, name=name)
    if command.deposit < 0:
        refuse(Reason.AMOUNT_NOT_POSITIVE, amount=command.deposit)
    _check_total(state, command.deposit)
    _check_first_deposits(state, command.deposit)
    if command.api_key in state.keys:
        refuse(Reason.KEY_EXISTS, account=name)
    account = Account(len(state.accounts) + 1, name, command.deposit, command.house)
    state.accounts[account.account_id] = account
    state.account_ids[name] = account.account_id
    state.first_deposits += command.deposit
    created = AccountCreated(account.account_id, name, command.house)
    step.events.append(created)
    if command.deposit:
        _transfer(step, account, command.deposit)
    account.updated_ms = step.now
    if command.api_key:
        kind, sealed = command.kind, command.sealed_secret
        _give_key(step, account, AddKey(name, command.api_key, kind, sealed))
    return created


def add_key(step: Step, command: AddKey) -> None:
    state = step.state
    account = _find_account(state, command.account)
    if command.api_key in state.keys:
        refuse(Reason.KEY_EXISTS, account=command.account)
    _give_key(step, account, command)


def _give_key(step: Step, account: Account, command: AddKey) -> None:
    step.state.keys[command.api_key] = Key(
        command.api_key,
        account.account_id,
        command.kind,
        command.sealed_secret,
        command.permissions,
        command.ips,
    )
    step.events.append(KeyAdded(account.account_id, command.api_key))


def deposit(step: Step, command: Deposit) -> WalletChanged:
    state = step.state
    account = _find_account(state, command.account)
    asset = get_asset(state, command.asset)
    _check_amount(command.amount)
    _check_total(state, value_at(asset, command.amount, 0))
    if command.asset == MARGIN_ASSET:
        check_payment(state, account.cross_wallet, command.amount)
        return _transfer(step, account, command.amount)
    if asset.net_deposits + command.amount >= NOTIONAL_LIMIT:
        refuse(Reason.AMOUNT_TOO_LARGE, asset=command.asset)
    return move_asset(step, account, command.asset, command.amount)


def withdraw(step: Step, command: Withdraw) -> WalletChanged:
    state = step.state
    account = _find_account(state, command.account)
    get_asset(state, command.asset)
    _check_amount(command.amount)
    if command.asset == MARGIN_ASSET:
        available = withdrawable(account)
        if command.amount > available:
            refuse(Reason.BALANCE_INSUFFICIENT, needed=command.amount, available=available)
        step.touched.append(account.account_id)
        return _transfer(step, account, -command.amount)
    available = withdrawable_amount(state, account, command.asset)
    if command.amount > available:
        refuse(
            Reason.BALANCE_INSUFFICIENT,
            asset=command.asset,
            needed_amount=command.amount,
            available_amount=available,
        )
    return move_asset(step, account, command.asset, -command.amount)


def set_fee_tier(step: Step, command: SetFeeTier) -> FeeTierChanged:
    account = _find_account(step.state, command.account)
    if not 0 <= command.tier <= HIGHEST_TIER:
        refuse(Reason.FEE_TIER_UNKNOWN, tier=command.tier)
    account.fee_tier = command.tier
    account.updated_ms = step.now
    changed = FeeTierChanged(account.account_id, command.tier)
    step.events.append(changed)
    return changed


def set_leverage(step: Step, command: SetLeverage) -> LeverageChanged:
    """Changes the leverage of an account in one market, for both sides; open orders freeze anew."""
    state = step.state
    account = get_account(state, command.account)
    market = get_market(state, command.symbol)
    _check_leverage_range(market, command.leverage)
    sides = list_sides(account, market)
    _check_leverage(state, account, sides, command.leverage)

    for position in sides:
        account.positions[position.key] = position
        position.set_leverage(command.leverage)
        refreeze(state, account, position)
    account.updated_ms = step.now
    changed = LeverageChanged(
        command.account,
        command.symbol,
        command.leverage,
        market.leverage_caps[command.leverage],
    )
    step.events.append(changed)
    return changed


def _check_leverage_range(market: Market, leverage: int) -> None:
    if not 1 <= leverage <= market.spec.max_leverage:
        refuse(Reason.LEVERAGE_INVALID, leverage=leverage, max_leverage=market.spec.max_leverage)


def _check_leverage(state: State, account: Account, sides: list[Position], leverage: int) -> None:
    """Position and orders must fit the cap at the new leverage, and the margin must be there.

    An isolated position keeps what was set aside for it, so its leverage cannot be lowered.
    """
    more = 0
    for position in sides:
        if position.isolated and position.lots and leverage < position.leverage:
            refuse(
                Reason.ISOLATED_LEVERAGE_LOWERED,
                leverage=leverage,
                leverage_before=position.leverage,
            )
        size = max(notional(position), exposure(position, BUY), exposure(position, SELL))
        cap = position.market.leverage_caps[leverage]
        if size > cap:
            refuse(Reason.POSITION_LIMIT_EXCEEDED, notional=size, cap=cap, leverage=leverage)
        more += _frozen_at(state, position, leverage)
        more -= position.order_margin
        if not position.isolated:
            more += divide_up(notional(position), leverage) - position_margin(position)
    available = free_margin(account)
    if more > max(0, available):
        refuse(
            Reason.LEVERAGE_MARGIN_INSUFFICIENT,
            needed=more,
            available=max(0, available),
            leverage=leverage,
        )


def _frozen_at(state: State, position: Position, leverage: int) -> int:
    """What the orders of the position would freeze at another leverage."""
    return combine_sides(
        state, position.buys.frozen_at(leverage), position.sells.frozen_at(leverage)
    )


def set_position_mode(step: Step, command: SetPositionMode) -> PositionModeChanged:
    """Changes between one-way and hedge mode, which takes that nothing is open.

    Leverage and margin type stay; what positions have realized is counted anew.
    """
    account = get_account(step.state, command.account)
    if account.hedge == command.hedge:
        refuse(Reason.POSITION_MODE_UNCHANGED, mode="hedge" if command.hedge else "one-way")
    orders = open_orders(account)
    if orders:
        refuse(Reason.OPEN_ORDERS_EXIST, open=len(orders))
    for position in account.positions.values():
        if position.lots:
            refuse(Reason.POSITION_EXISTS, symbol=position.market.spec.symbol)

    before = list(account.positions.values())
    account.positions = {}
    account.hedge = command.hedge
    for old in before:
        for position in list_sides(account, old.market):
            position.take_terms(old)
            account.positions[position.key] = position
    account.updated_ms = step.now
    changed = PositionModeChanged(command.account, command.hedge)
    step.events.append(changed)
    return changed


def _find_account(state: State, name: str) -> Account:
    account_id = state.account_ids.get(name)
    if account_id is None:
        refuse(Reason.ACCOUNT_UNKNOWN, account=name)
    return state.accounts[account_id]


def _check_amount(amount: int) -> None:
    if amount <= 0:
        refuse(Reason.AMOUNT_NOT_POSITIVE, amount=amount)
    if amount >= NOTIONAL_LIMIT:
        refuse(Reason.AMOUNT_TOO_LARGE, amount=amount)


def _check_total(state: State, amount: int) -> None:
    """All that was ever paid in stays countable: no wallet can win more than that."""
    total = deposits_at_index(state)
    if amount + total >= NOTIONAL_LIMIT:
        refuse(Reason.AMOUNT_TOO_LARGE, amount=amount, wallet=total)


def _check_first_deposits(state: State, amount: int) -> None:
    """A reset, which nobody can refuse, gives every account its first deposit again."""
    check_payment(state, 0, amount)
    total = state.first_deposits + amount
    if state.bounds_stakes and total >= STAKES_LIMIT:
        refuse(
            Reason.AMOUNT_TOO_LARGE,
            amount=amount,
            first_deposits=state.first_deposits,
            stakes_max=STAKES_LIMIT,
        )


def _transfer(step: Step, account: Account, amount: int) -> WalletChanged:
    account.wallet += amount
    note_growth(step.state, abs(amount))
    step.state.net_deposits += amount
    account.updated_ms = step.now
    changed = WalletChanged(
        account.account_id, MARGIN_ASSET, amount, account.wallet, account.set_aside
    )
    step.events.append(changed)
    return changed
