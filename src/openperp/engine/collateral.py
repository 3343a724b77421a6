"""What assets beside the margin asset are worth: pure reads.

An amount counts at index x (1 - bid buffer), rounded down for each asset: the bidRate that
the fapi tells of it.
"""

from openperp.engine.instruments import InstrumentSpec
from openperp.engine.margin import spare_collateral
from openperp.engine.numbers import MONEY_DECIMALS, MONEY_ONE, PPM, divide_up
from openperp.engine.state import Account, Asset, State

_WHOLE = MONEY_ONE * PPM


def value_at(asset: Asset, amount: int, buffer_ppm: int) -> int:
    """Money that an amount of the asset makes below its index by a buffer, rounded down."""
    return amount * asset.index * (PPM - buffer_ppm) // _WHOLE


def amount_at(asset: Asset, money: int, buffer_ppm: int) -> int:
    """The least amount of the asset that makes `money` in that way."""
    return divide_up(money * _WHOLE, asset.index * (PPM - buffer_ppm))


def collateral_value(asset: Asset, amount: int) -> int:
    """What an amount counts as margin."""
    return value_at(asset, amount, asset.spec.bid_buffer_ppm)


def count_collateral(state: State, account: Account) -> int:
    """What all assets of an account count as margin, if they do."""
    total = 0
    if account.multi_assets:
        for name, amount in account.balances.items():
            total += collateral_value(state.assets[name], amount)
    return total


def withdrawable_amount(state: State, account: Account, name: str) -> int:
    """What may leave of an asset: all of it, less what the account needs as margin."""
    amount = account.balances.get(name, 0)
    if not account.multi_assets:
        return amount
    asset = state.assets[name]
    needed = collateral_value(asset, amount) - spare_collateral(account)
    if needed <= 0:
        return amount
    return amount - amount_at(asset, needed, asset.spec.bid_buffer_ppm)


def collateral_amount(asset: Asset, money: int) -> int:
    """What money is worth in the asset as collateral counts it, rounded down."""
    return money * _WHOLE // (asset.index * (PPM - asset.spec.bid_buffer_ppm))


def deposits_at_index(state: State) -> int:
    """What all that was paid in is worth at index prices, in money."""
    total = state.net_deposits
    for asset in state.assets.values():
        total += value_at(asset, asset.net_deposits, 0)
    return total


def price_in_money(spec: InstrumentSpec, ticks: int) -> int:
    """A price of an instrument as money per whole base asset."""
    scale: int = 10 ** (MONEY_DECIMALS - spec.price_precision)
    return ticks * spec.tick_units * scale
