"""Balances and whole accounts."""

from collections.abc import Iterable

from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.engine import margin
from openperp.engine.state import Account


def balance_row(account: Account, asset: str) -> Row:
    """The one balance of an account; v2 and v3 tell the same."""
    return {
        "accountAlias": account.name,
        "asset": asset,
        "balance": money_text(account.wallet),
        "crossWalletBalance": money_text(account.cross_wallet),
        "crossUnPnl": money_text(margin.cross_profit(account)),
        "availableBalance": money_text(margin.available_balance(account)),
        "maxWithdrawAmount": money_text(margin.withdrawable(account)),
        "marginAvailable": True,
        "updateTime": account.updated_ms,
    }


class _Totals:
    """Sums over an account's positions, as texts."""

    __slots__ = (
        "cross_profit",
        "cross_wallet",
        "held",
        "initial",
        "maintenance",
        "margin_balance",
        "orders",
        "profit",
        "wallet",
    )

    def __init__(self, account: Account) -> None:
        positions = account.positions.values()
        held = sum(map(margin.position_margin, positions))
        equity = margin.margin_balance(account)
        self.held = money_text(held)
        self.orders = money_text(account.order_margin)
        self.initial = money_text(held + account.order_margin)
        self.maintenance = money_text(sum(map(margin.maintenance_margin, positions)))
        self.wallet = money_text(account.wallet)
        self.profit = money_text(equity - account.wallet)
        self.margin_balance = money_text(equity)
        self.cross_wallet = money_text(account.cross_wallet)
        self.cross_profit = money_text(margin.cross_profit(account))


def account_v2(account: Account, asset: str, positions: Iterable[Row]) -> Row:
    """A v2 account reply, with its configuration fields."""
    return {
        "feeTier": account.fee_tier,
        "feeBurn": False,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": account.updated_ms,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        **_body(account, asset, positions, {"marginAvailable": True}),
    }


def account_v3(account: Account, asset: str, positions: Iterable[Row]) -> Row:
    """A v3 account reply."""
    return _body(account, asset, positions, {})


def _body(account: Account, asset: str, positions: Iterable[Row], asset_extras: Row) -> Row:
    totals = _Totals(account)
    available = money_text(margin.available_balance(account))
    withdrawable = money_text(margin.withdrawable(account))
    return {
        "totalInitialMargin": totals.initial,
        "totalMaintMargin": totals.maintenance,
        "totalWalletBalance": totals.wallet,
        "totalUnrealizedProfit": totals.profit,
        "totalMarginBalance": totals.margin_balance,
        "totalPositionInitialMargin": totals.held,
        "totalOpenOrderInitialMargin": totals.orders,
        "totalCrossWalletBalance": totals.cross_wallet,
        "totalCrossUnPnl": totals.cross_profit,
        "availableBalance": available,
        "maxWithdrawAmount": withdrawable,
        "assets": [
            {
                "asset": asset,
                "walletBalance": totals.wallet,
                "unrealizedProfit": totals.profit,
                "marginBalance": totals.margin_balance,
                "maintMargin": totals.maintenance,
                "initialMargin": totals.initial,
                "positionInitialMargin": totals.held,
                "openOrderInitialMargin": totals.orders,
                "crossWalletBalance": totals.cross_wallet,
                "crossUnPnl": totals.cross_profit,
                "availableBalance": available,
                "maxWithdrawAmount": withdrawable,
                **asset_extras,
                # Clients skip assets that were never updated.
                "updateTime": account.updated_ms,
            }
        ],
        "positions": list(positions),
    }
