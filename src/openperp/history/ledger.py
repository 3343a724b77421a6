"""Who has and holds what, followed from events, for the statistics of a market."""

from collections.abc import Container
from heapq import nlargest

from openperp.history.market import Statistics
from openperp.history.market_rows import HoldingKey, MarketRows, Wallet


class Ledger:
    """Wallets of all accounts, and what they hold by market and side of a position."""

    def __init__(self) -> None:
        self._wallets: dict[int, Wallet] = {}
        self._holdings: dict[str, dict[tuple[int, int], int]] = {}
        self._open_interest: dict[str, int] = {}
        self._changed_wallets: set[int] = set()
        self._changed_holdings: set[HoldingKey] = set()

    def open_account(self, account: int, first_deposit: int) -> None:
        """An account whose first deposit will follow as a change of its wallet."""
        self.set_wallet(account, Wallet(0, first_deposit))

    def set_wallet(self, account: int, wallet: Wallet) -> None:
        self._wallets[account] = wallet
        self._changed_wallets.add(account)

    def change_balance(self, account: int, balance: int) -> None:
        known = self._wallets.get(account)
        self.set_wallet(account, Wallet(balance, 0 if known is None else known.first_deposit))

    def hold(self, account: int, symbol: str, side: int, lots: int) -> None:
        """`lots` are signed; `side` tells positions of one account in one market apart."""
        holdings = self._holdings.setdefault(symbol, {})
        before = holdings.get((account, side), 0)
        if lots:
            holdings[account, side] = lots
        else:
            holdings.pop((account, side), None)
        change = max(lots, 0) - max(before, 0)
        self._open_interest[symbol] = self._open_interest.get(symbol, 0) + change
        self._changed_holdings.add((account, symbol, side))

    def release_all(self) -> None:
        """Nobody holds anything, until told otherwise."""
        for symbol, holdings in self._holdings.items():
            for account, side in tuple(holdings):
                self.hold(account, symbol, side, 0)

    def reset(self) -> None:
        """Everybody has the first deposit and holds nothing."""
        self._holdings = {}
        self._open_interest = {}
        self._changed_holdings = set()
        for account, wallet in self._wallets.items():
            self._wallets[account] = Wallet(wallet.first_deposit, wallet.first_deposit)
        self._changed_wallets = set(self._wallets)

    def find_top(self, house: Container[int]) -> set[int]:
        """The fifth (rounded up) of the accounts, those of the house aside, that has most."""
        balances = [
            (wallet.balance, -account)
            for account, wallet in self._wallets.items()
            if account not in house
        ]
        return {-negated for _, negated in nlargest(-(-len(balances) // 5), balances)}

    def count(
        self, symbol: str, time_ms: int, mark_ticks: int, house: Container[int], top: Container[int]
    ) -> Statistics:
        net: dict[int, int] = {}
        top_long_lots = top_short_lots = 0
        for (account, _), lots in self._holdings.get(symbol, {}).items():
            if account in house:
                continue
            net[account] = net.get(account, 0) + lots
            if account in top:
                top_long_lots += max(lots, 0)
                top_short_lots += max(-lots, 0)
        longs = [account for account, lots in net.items() if lots > 0]
        shorts = [account for account, lots in net.items() if lots < 0]
        open_interest = self._open_interest.get(symbol, 0)
        return Statistics(
            time_ms,
            open_interest,
            open_interest * mark_ticks,
            len(longs),
            len(shorts),
            sum(account in top for account in longs),
            sum(account in top for account in shorts),
            top_long_lots,
            top_short_lots,
        )

    def seal(self, rows: MarketRows) -> None:
        """Hands over what changed since the last time."""
        for account in self._changed_wallets:
            rows.wallets[account] = self._wallets[account]
        for account, symbol, side in self._changed_holdings:
            lots = self._holdings.get(symbol, {}).get((account, side), 0)
            rows.holdings[account, symbol, side] = lots
        self.forget_changes()

    def forget_changes(self) -> None:
        """All there is has been handed over, or was read from where it would go."""
        self._changed_wallets = set()
        self._changed_holdings = set()
