"""Who is to give up a position first: the ranking of auto-deleveraging.

Source: the venue's public rules. Who has the most profit on the least margin is first:
profit / wallet x maintenance margin / margin balance. A rank depends on the mark prices
of all markets and on what its own account has, and on nobody else. So while prices stand
still a ranking stays right if those are ranked again whose account has changed.
"""

from bisect import bisect_left, insort
from typing import Final

from openperp.engine.holders import holders_of
from openperp.engine.margin import unrealized_pnl
from openperp.engine.numbers import MONEY_ONE, divide_nearest
from openperp.engine.solvency import MarginPart
from openperp.engine.state import Account, Market, Position, State

SCORE_ONE: Final = 100_000_000
"""A score of one, in units of 10^-8."""


class Holder:
    """A position with what it is ranked by, all in money."""

    __slots__ = (
        "account",
        "balance",
        "maintenance",
        "position",
        "profit",
        "score",
        "wallet",
    )

    def __init__(self, state: State, account: Account, position: Position) -> None:
        part = MarginPart(state, account, position if position.isolated else None)
        self.account = account
        self.position = position
        self.profit = max(0, unrealized_pnl(position))
        self.wallet = part.funds
        self.balance = part.balance
        self.maintenance = part.maintenance
        self.score = 0
        if self.balance > 0:
            self.score = divide_nearest(
                self.profit * self.maintenance * SCORE_ONE,
                max(MONEY_ONE, self.wallet) * self.balance,
            )


class Ranking:
    """The holders of one side of a market: by score, and where that is the same by account.

    `holders` finds them by account. `places` has score and negated account of each in
    rising order, so the first is at the end, from where it is taken at the least cost.
    `changed` has the accounts that have to be ranked again before the next look.
    """

    __slots__ = ("changed", "holders", "longs", "market", "places", "state")

    def __init__(self, state: State, market: Market, longs: bool) -> None:
        self.state = state
        self.market = market
        self.longs = longs
        self.changed: set[int] = set()
        self.holders: dict[int, Holder] = {}
        for account_id, position in holders_of(market, longs).items():
            self.holders[account_id] = Holder(state, state.accounts[account_id], position)
        self.places = [(holder.score, -at) for at, holder in self.holders.items()]
        self.places.sort()

    def __len__(self) -> int:
        return len(self.places)

    def find(self, rank: int) -> Holder:
        """Who has a rank, from 1, as of the last look."""
        return self.holders[-self.places[-rank][1]]

    def look_again(self) -> None:
        """Ranks those again that have changed."""
        for account_id in self.changed:
            self._rank_again(account_id)
        self.changed.clear()

    def _rank_again(self, account_id: int) -> None:
        before = self.holders.pop(account_id, None)
        if before is not None:
            del self.places[bisect_left(self.places, (before.score, -account_id))]
        position = holders_of(self.market, self.longs).get(account_id)
        if position is not None:
            holder = Holder(self.state, self.state.accounts[account_id], position)
            self.holders[account_id] = holder
            insort(self.places, (holder.score, -account_id))


def rank_holders(state: State, market: Market, *, longs: bool) -> list[Holder]:
    """Who holds one side of a market, those who are to give it up first at the front."""
    ranking = Ranking(state, market, longs)
    return [ranking.find(rank) for rank in range(1, len(ranking) + 1)]
