"""Assets beside the margin asset: what accounts have of them, and debts that they pay.

An asset has its index price; it counts as margin, or is exchanged, below that by a buffer.
"""

from decimal import Decimal

from openperp.engine.assets import find_asset_fault
from openperp.engine.commands import DefineAsset, SetAssetIndex, SetMultiAssets
from openperp.engine.events import (
    AssetDefined,
    AssetExchanged,
    AssetIndexChanged,
    MultiAssetsChanged,
    WalletChanged,
)
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.rejects import Reason
from openperp.lab.reference import margin
from openperp.lab.reference.amounts import (
    ONE,
    ZERO,
    from_money,
    money_down,
    money_up,
    ratio,
    to_money,
)
from openperp.lab.reference.model import Account, Asset, Market
from openperp.lab.reference.venue import Refused, Venue

MOST_MONEY = to_money(NOTIONAL_LIMIT)


def define_asset(venue: Venue, command: DefineAsset) -> AssetDefined:
    """A new asset, or new terms for one, and a new index if there is one."""
    spec = command.spec
    if find_asset_fault(spec):
        raise Refused([Reason.ASSET_INVALID])
    if spec.asset in venue.assets:
        if command.index:
            set_asset_index(venue, SetAssetIndex(spec.asset, command.index))
        venue.assets[spec.asset].spec = spec
    else:
        venue.assets[spec.asset] = Asset(spec, to_money(spec.index))
    defined = AssetDefined(spec)
    venue.events.append(defined)
    return defined


def set_asset_index(venue: Venue, command: SetAssetIndex) -> AssetIndexChanged:
    if command.asset not in venue.assets:
        raise Refused([Reason.ASSET_UNKNOWN])
    if command.asset == MARGIN_ASSET or not 1 <= command.index < NOTIONAL_LIMIT:
        raise Refused([Reason.ASSET_INVALID])
    asset, index = venue.assets[command.asset], to_money(command.index)
    before = asset.index
    asset.index = index
    if index > before and paid_in(venue) >= MOST_MONEY:
        asset.index = before
        raise Refused([Reason.AMOUNT_TOO_LARGE])
    changed = AssetIndexChanged(command.asset, command.index)
    venue.events.append(changed)
    return changed


def follow_price(venue: Venue, market: Market, price: Decimal) -> None:
    """The base asset of BASEUSDT is worth what the price says, where there is such an asset."""
    name = market.spec.base_asset
    if name not in venue.assets or market.spec.symbol != name + MARGIN_ASSET:
        return
    if venue.assets[name].index != price:
        set_asset_index(venue, SetAssetIndex(name, from_money(price)))


def held_by_all(venue: Venue, name: str) -> Decimal:
    """What all accounts have of an asset: what was paid in, less what went."""
    return sum([each.balances.get(name, ZERO) for each in venue.accounts.values()], ZERO)


def paid_in(venue: Venue) -> Decimal:
    """All deposits at the index, each asset rounded down."""
    others = [
        money_down(held_by_all(venue, name) * asset.index, ONE)
        for name, asset in venue.assets.items()
    ]
    return venue.deposits + sum(others, ZERO)


def set_multi_assets(venue: Venue, command: SetMultiAssets) -> MultiAssetsChanged:
    """Switches the mode while nothing is open or owed that stands on the other one."""
    account = venue.account(command.account)
    found = []
    if account.multi_assets is command.enabled:
        found.append(Reason.MULTI_ASSETS_UNCHANGED)
    if any(order.account == command.account for order in venue.orders):
        found.append(Reason.MULTI_ASSETS_WITH_ORDERS)
    if command.enabled and account.isolated:
        found.append(Reason.MULTI_ASSETS_WITH_ISOLATED)
    if account.wallet < 0:
        found.append(Reason.MULTI_ASSETS_WITH_DEBT)
    alone = margin.free(venue, account) - margin.collateral(venue, account)
    if not command.enabled and alone < 0:
        found.append(Reason.MULTI_ASSETS_MARGIN_INSUFFICIENT)
    if found:
        raise Refused(found)
    account.multi_assets = command.enabled
    changed = MultiAssetsChanged(command.account, command.enabled)
    venue.events.append(changed)
    return changed


def move_asset(venue: Venue, account: Account, name: str, amount: Decimal) -> WalletChanged:
    """Pays an amount in, or out where it is negative."""
    account.balances[name] = account.balances.get(name, ZERO) + amount
    balance = from_money(account.balances[name])
    changed = WalletChanged(account.account_id, name, from_money(amount), balance)
    venue.events.append(changed)
    return changed


def removable(venue: Venue, account: Account, name: str) -> Decimal:
    """What may leave of an asset: in the mode as much as what is left still counts for what
    the account needs. Profits that are not realized stand for nothing.
    """
    held = account.balances.get(name, ZERO)
    if not account.multi_assets or not held:
        return held
    asset, counted = venue.assets[name], margin.collateral(venue, account)
    spare = min(margin.free(venue, account), account.cross_wallet + counted, counted)
    needed = margin.counted(asset, held) - max(ZERO, spare)
    if needed <= 0:
        return held
    return held - money_up(needed, margin.bid_rate(asset))


def exchange_debts(venue: Venue) -> None:
    """Accounts in the mode pay with their assets what they owe beyond the threshold, or at all
    once they have no position.
    """
    for account in venue.accounts.values():
        if account.multi_assets and _is_due(venue, account):
            for name, asset in venue.assets.items():
                if account.wallet < 0:
                    _exchange(venue, account, name, asset)


def _is_due(venue: Venue, account: Account) -> bool:
    if account.wallet >= 0:
        return False
    threshold = to_money(venue.assets[MARGIN_ASSET].spec.exchange_threshold)
    held = any(position.quantity for position in account.positions.values())
    return -account.wallet > threshold or not held


def _exchange(venue: Venue, account: Account, name: str, asset: Asset) -> None:
    """Gives the least that pays the debt, as far as it is there and makes money."""
    rate = asset.index * (1 - ratio(asset.spec.exchange_bid_buffer_ppm))
    amount = min(account.balances.get(name, ZERO), money_up(-account.wallet, rate))
    received = money_down(amount * rate, ONE)
    if not received:
        return
    account.balances[name] -= amount
    account.wallet += received
    venue.deposits += received
    venue.events.append(
        AssetExchanged(
            account=account.account_id,
            asset=name,
            amount=from_money(amount),
            received=from_money(received),
            balance=from_money(account.balances[name]),
            wallet=from_money(account.wallet),
        )
    )
