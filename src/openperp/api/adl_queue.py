"""Who would be deleveraged first: the queues as they are told, which is as of a while ago.

Like rate limits they belong to this node alone, neither journaled nor in the digest. The
engine ranks afresh whenever it takes a position.
"""

from typing import Final

from openperp.engine.margin import maintenance_margin
from openperp.engine.ranking import Holder, rank_holders
from openperp.engine.state import Account, Market, Position, State

LEVELS: Final = 5
REFRESH_MS: Final = 30_000
"""For how long a queue is told as it was, in venue time."""
RISK_REFRESH_MS: Final = 30 * 60_000
"""The same for the risk of a symbol."""

_Key = tuple[int, str]


def level_of(rank: int, holders: int, score: int) -> int:
    """The fifth of the queue in which a position stands: 4 goes first.

    One without profit has no score, and is at the far end wherever the queue has it.

    >>> [level_of(rank, 10, 7) for rank in (1, 2, 3, 5, 10)], level_of(1, 1, 0)
    ([4, 4, 3, 2, 0], 0)
    """
    return LEVELS - 1 - (rank - 1) * LEVELS // holders if score else 0


class _Told:
    """The levels of one market as of `time_ms`; `market` tells it from one before a reset."""

    __slots__ = ("levels", "market", "time_ms")

    def __init__(self, state: State, market: Market, time_ms: int) -> None:
        self.market = market
        self.time_ms = time_ms
        self.levels: dict[_Key, int] = {}
        for longs in (True, False):
            holders = rank_holders(state, market, longs=longs)
            for rank, holder in enumerate(holders, start=1):
                key = holder.account.account_id, holder.position.key
                self.levels[key] = level_of(rank, len(holders), holder.score)


class AdlQueue:
    """Levels and risks as they were worked out last; nothing is kept of who is not asked for."""

    __slots__ = ("_risks", "_told")

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._risks: dict[str, tuple[Market, str, int]] = {}

    def find_level(self, state: State, account: Account, position: Position, now_ms: int) -> int:
        """From 0 to 4; 0 for a position that is younger than what is told."""
        market = position.market
        told = self._told.get(market.symbol)
        if told is None or told.market is not market or not 0 <= now_ms - told.time_ms < REFRESH_MS:
            told = self._told[market.symbol] = _Told(state, market, now_ms)
        return told.levels.get((account.account_id, position.key), 0)

    def find_risk(self, state: State, market: Market, now_ms: int) -> tuple[str, int]:
        """The word for a market's risk, and when it was worked out."""
        known = self._risks.get(market.symbol)
        if known is None or known[0] is not market or not 0 <= now_ms - known[2] < RISK_REFRESH_MS:
            known = self._risks[market.symbol] = market, _risk(state, market), now_ms
        return known[1], known[2]


def _risk(state: State, market: Market) -> str:
    """Low while no position is near its liquidation, otherwise by what the fund could pay.

    Near is one whose margin is used up by half. The fund has to have their maintenance
    margin in it: as much as prices may run away beyond the point of liquidation.
    """
    needed = sum(
        maintenance_margin(holder.position)
        for longs in (True, False)
        for holder in rank_holders(state, market, longs=longs)
        if holder.maintenance * 2 >= holder.balance
    )
    if not needed:
        return "low"
    return "medium" if state.insurance >= needed else "high"


def rank_of(state: State, account: Account, position: Position) -> tuple[int, int, Holder]:
    """Where an open position stands now: its rank from 1, of how many, and its numbers."""
    holders = rank_holders(state, position.market, longs=position.lots > 0)
    for rank, holder in enumerate(holders, start=1):
        if holder.account is account and holder.position is position:
            return rank, len(holders), holder
    raise LookupError(position.key)
