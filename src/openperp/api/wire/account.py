"""Balances and whole accounts.

Totals are those of the margin asset alone, and in multi-assets mode all assets together
at what they count as margin: then they are in dollars, of which the margin asset is one.
"""

from collections.abc import Iterable, Iterator

from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.engine import margin
from openperp.engine.collateral import collateral_amount, withdrawable_amount
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.state import Account, State

_NOTHING = money_text(0)


def balance_rows(state: State, account: Account) -> list[Row]:
    """The balance of each asset; v2 and v3 tell the same."""
    own = {
        "accountAlias": account.name,
        "asset": MARGIN_ASSET,
        "balance": money_text(account.wallet),
        "crossWalletBalance": money_text(account.cross_wallet),
        "crossUnPnl": money_text(margin.cross_profit(account)),
        "availableBalance": money_text(margin.available_balance(account)),
        "maxWithdrawAmount": money_text(margin.withdrawable(account)),
        "marginAvailable": True,
        "updateTime": account.updated_ms,
    }
    return [own, *(_balance(state, account, name) for name in _others(state))]


def _others(state: State) -> Iterator[str]:
    return (name for name in state.assets if name != MARGIN_ASSET)


def _balance(state: State, account: Account, name: str) -> Row:
    amount = money_text(account.balances.get(name, 0))
    return {
        "accountAlias": account.name,
        "asset": name,
        "balance": amount,
        "crossWalletBalance": amount,
        "crossUnPnl": _NOTHING,
        "availableBalance": _available(state, account, name),
        "maxWithdrawAmount": money_text(withdrawable_amount(state, account, name)),
        "marginAvailable": True,
        "updateTime": _updated_ms(account, name),
    }


def _available(state: State, account: Account, name: str) -> str:
    """What orders may use, in the asset: in multi-assets mode that is one sum for all."""
    if not account.multi_assets:
        return money_text(account.balances.get(name, 0))
    return money_text(collateral_amount(state.assets[name], margin.available_balance(account)))


def _updated_ms(account: Account, name: str) -> int:
    """Zero for an asset that the account never had: clients skip those."""
    return account.updated_ms if name in account.balances else 0


class _Sums:
    """Sums over an account's positions, as texts."""

    __slots__ = ("cross_profit", "held", "initial", "maintenance", "orders", "profit")

    def __init__(self, account: Account) -> None:
        positions = account.positions.values()
        held = sum(map(margin.position_margin, positions))
        self.held = money_text(held)
        self.orders = money_text(account.order_margin)
        self.initial = money_text(held + account.order_margin)
        self.maintenance = money_text(sum(map(margin.maintenance_margin, positions)))
        self.profit = money_text(margin.margin_balance(account) - account.wallet)
        self.cross_profit = money_text(margin.cross_profit(account))


def account_v2(state: State, account: Account, positions: Iterable[Row]) -> Row:
    """A v2 account reply, with its configuration fields."""
    return {
        "feeTier": account.fee_tier,
        "feeBurn": False,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": account.updated_ms,
        "multiAssetsMargin": account.multi_assets,
        "tradeGroupId": -1,
        **_body(state, account, positions, {"marginAvailable": True}),
    }


def account_v3(state: State, account: Account, positions: Iterable[Row]) -> Row:
    """A v3 account reply."""
    return _body(state, account, positions, {})


def _body(state: State, account: Account, positions: Iterable[Row], asset_extras: Row) -> Row:
    sums = _Sums(account)
    collateral = account.collateral
    spare = margin.withdrawable(account) + margin.spare_collateral(account)
    available = margin.available_balance(account)
    return {
        "totalInitialMargin": sums.initial,
        "totalMaintMargin": sums.maintenance,
        "totalWalletBalance": money_text(account.wallet + collateral),
        "totalUnrealizedProfit": sums.profit,
        "totalMarginBalance": money_text(margin.margin_balance(account) + collateral),
        "totalPositionInitialMargin": sums.held,
        "totalOpenOrderInitialMargin": sums.orders,
        "totalCrossWalletBalance": money_text(account.cross_wallet + collateral),
        "totalCrossUnPnl": sums.cross_profit,
        "availableBalance": money_text(available),
        "maxWithdrawAmount": money_text(min(spare, available)),
        "assets": [
            _margin_asset(account, sums, asset_extras),
            *(_asset(state, account, name, asset_extras) for name in _others(state)),
        ],
        "positions": list(positions),
    }


def _margin_asset(account: Account, sums: _Sums, extras: Row) -> Row:
    return {
        "asset": MARGIN_ASSET,
        "walletBalance": money_text(account.wallet),
        "unrealizedProfit": sums.profit,
        "marginBalance": money_text(margin.margin_balance(account)),
        "maintMargin": sums.maintenance,
        "initialMargin": sums.initial,
        "positionInitialMargin": sums.held,
        "openOrderInitialMargin": sums.orders,
        "crossWalletBalance": money_text(account.cross_wallet),
        "crossUnPnl": sums.cross_profit,
        "availableBalance": money_text(margin.available_balance(account)),
        "maxWithdrawAmount": money_text(margin.withdrawable(account)),
        **extras,
        # Clients skip assets that were never updated.
        "updateTime": account.updated_ms,
    }


def _asset(state: State, account: Account, name: str, extras: Row) -> Row:
    """No position is counted in an asset that is collateral only."""
    amount = money_text(account.balances.get(name, 0))
    return {
        "asset": name,
        "walletBalance": amount,
        "unrealizedProfit": _NOTHING,
        "marginBalance": amount,
        "maintMargin": _NOTHING,
        "initialMargin": _NOTHING,
        "positionInitialMargin": _NOTHING,
        "openOrderInitialMargin": _NOTHING,
        "crossWalletBalance": amount,
        "crossUnPnl": _NOTHING,
        "availableBalance": _available(state, account, name),
        "maxWithdrawAmount": money_text(withdrawable_amount(state, account, name)),
        **extras,
        "updateTime": _updated_ms(account, name),
    }
