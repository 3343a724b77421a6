"""Margin calls: who is warned that the prices have come close to a liquidation.

They are advice and change nothing. Like rate limits they belong to this node
alone, neither journaled nor in the digest.
"""

from collections.abc import Collection, Iterator
from typing import Final

from openperp.engine.margin import maintenance_margin, margin_balance
from openperp.engine.numbers import PPM
from openperp.engine.state import Account, State

MARGIN_CALL_PPM: Final = 800_000
"""The share of its margin balance that an account's maintenance margin may take unwarned."""


class MarginCalls:
    """The accounts that stand warned: each is told once, until it has recovered."""

    __slots__ = ("_warned",)

    def __init__(self) -> None:
        self._warned: set[int] = set()

    def find(
        self, state: State, listening: Collection[int], symbols: Collection[str]
    ) -> Iterator[Account]:
        """The accounts among `listening` that new prices of `symbols` have put at risk."""
        self._warned.intersection_update(listening)
        for account_id in listening:
            account = state.accounts.get(account_id)
            if account is None:
                continue
            held = {each.market.spec.symbol for each in account.positions.values() if each.lots}
            if held and held.isdisjoint(symbols):
                continue
            if not is_at_risk(account):
                self._warned.discard(account_id)
            elif account_id not in self._warned:
                self._warned.add(account_id)
                yield account


def is_at_risk(account: Account) -> bool:
    """Whether maintenance takes more of the margin balance than `MARGIN_CALL_PPM`."""
    needed = sum(map(maintenance_margin, account.positions.values()))
    return needed > 0 and needed * PPM > margin_balance(account) * MARGIN_CALL_PPM
