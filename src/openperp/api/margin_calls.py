"""Margin calls: who is warned that the prices have come close to a liquidation.

They are advice and change nothing. Like rate limits they belong to this node
alone, neither journaled nor in the digest. What shares margin is warned of
together: the cross positions of an account, and each isolated one by itself.
"""

from collections.abc import Collection, Iterator
from typing import Final

from openperp.engine.margin import cross_balance, maintenance_margin, unrealized_pnl
from openperp.engine.numbers import PPM
from openperp.engine.state import Account, Position, State

MARGIN_CALL_PPM: Final = 800_000
"""The share of its margin balance that maintenance margin may take unwarned."""

_CROSS: Final = ""

MarginCall = tuple[Account, list[Position]]
"""Who is warned, and of which positions that share one margin."""


class MarginCalls:
    """What stands warned: each account is told once of each margin, until it has recovered."""

    __slots__ = ("_warned",)

    def __init__(self) -> None:
        self._warned: dict[int, set[str]] = {}

    def find(
        self, state: State, listening: Collection[int], symbols: Collection[str]
    ) -> Iterator[MarginCall]:
        """The accounts among `listening` that new prices of `symbols` have put at risk."""
        self._warned = {each: keys for each, keys in self._warned.items() if each in listening}
        for account_id in listening:
            account = state.accounts.get(account_id)
            if account is not None:
                yield from self._find_calls(account, symbols)

    def _find_calls(self, account: Account, symbols: Collection[str]) -> list[MarginCall]:
        margins = _find_margins(account)
        calls = []
        warned = self._warned.setdefault(account.account_id, set())
        warned.intersection_update(margins)
        for key, positions in margins.items():
            if not any(held.market.symbol in symbols for held in positions):
                continue
            if not _is_at_risk(account, positions):
                warned.discard(key)
            elif key not in warned:
                warned.add(key)
                calls.append((account, positions))
        return calls


def _find_margins(account: Account) -> dict[str, list[Position]]:
    """The open positions by the margin on which they stand."""
    margins: dict[str, list[Position]] = {}
    for key, position in account.positions.items():
        if position.lots:
            margins.setdefault(key if position.isolated else _CROSS, []).append(position)
    return margins


def _is_at_risk(account: Account, positions: list[Position]) -> bool:
    """Whether maintenance takes more of their margin balance than `MARGIN_CALL_PPM`."""
    first = positions[0]
    if first.isolated:
        balance = first.isolated_wallet + unrealized_pnl(first)
    else:
        balance = cross_balance(account)
    needed = sum(map(maintenance_margin, positions))
    return needed > 0 and needed * PPM > balance * MARGIN_CALL_PPM
