"""Random traffic about a loss that an isolated position has to pay itself: its account has
nothing else, and gives some of it away at a price just beyond what its margin covers.
"""

from collections.abc import Callable
from random import Random

from openperp.engine.commands import (
    Batch,
    CancelAllOrders,
    PlaceOrder,
    SetLeverage,
    SetMarginType,
    Single,
    Withdraw,
)
from openperp.engine.lookup import accepts_orders
from openperp.engine.margin import withdrawable
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import Account, Market, State, position_key
from openperp.engine.terms import BOTH, LONG, SHORT, OrderType, PositionSide, Side

SIZE = 5_000 * MONEY_ONE
"""The notional of the position, about."""


def bleed(random: Random, state: State) -> list[Callable[[], Single | Batch | None]]:
    """The acts of the plot, where somebody is there for it."""
    market = random.choice(list(state.markets.values()))
    able = [account for account in state.accounts.values() if _can_bleed(account, market)]
    if not able or not accepts_orders(state, market):
        return []
    plot = Bleeding(random, state, random.choice(able), market)
    return [
        plot.clear,
        plot.prepare,
        plot.offer,
        plot.open,
        plot.withdraw,
        plot.bid,
        plot.give_away,
    ]


def _can_bleed(account: Account, market: Market) -> bool:
    """Whether an account can end with nothing but an isolated position in a market."""
    held = [position for position in account.positions.values() if position.lots]
    here = any(position.market is market for position in held)
    cross = not all(position.isolated for position in held)
    return not (here or cross or account.multi_assets) and account.cross_wallet > SIZE // 20


class Bleeding:
    """One account and the richest, who sells it a position and takes a part of it over again."""

    def __init__(self, random: Random, state: State, account: Account, market: Market) -> None:
        self._random = random
        self._state = state
        self._account = account
        self._market = market
        self._side = random.choice(tuple(Side))
        self._leverage = random.choice((50, 100))
        self._price = market.mark_ticks

    def clear(self) -> Batch:
        """Everybody leaves the book, so that no good price is in the way, and the account leaves
        every book.
        """
        symbol, account = self._market.symbol, self._account.account_id
        everybody = [CancelAllOrders(number, symbol) for number in self._state.accounts]
        own = [CancelAllOrders(account, other) for other in self._state.markets]
        return Batch((*everybody, *own))

    def prepare(self) -> Batch:
        account, symbol = self._account.account_id, self._market.symbol
        return Batch(
            (SetMarginType(account, symbol, True), SetLeverage(account, symbol, self._leverage))
        )

    def offer(self) -> PlaceOrder:
        """The richest one offers the position at mark price."""
        self._price = self._market.mark_ticks
        return self._offer(Side(-self._side))

    def open(self) -> PlaceOrder:
        return self._take(self._side, self._lots())

    def withdraw(self) -> Withdraw:
        return Withdraw(self._account.name, "USDT", max(1, withdrawable(self._account)))

    def bid(self) -> PlaceOrder:
        """The richest one offers to take it over where more is lost than its margin."""
        thousandths = 1_000 // self._leverage + self._random.randint(1, 8)
        self._price -= self._side * (self._price * thousandths // 1_000)
        return self._offer(self._side)

    def give_away(self) -> PlaceOrder | None:
        """A part of what there is, most often so much that the rest can pay for it."""
        position = self._account.positions.get(
            position_key(self._market.symbol, self._position_side())
        )
        if position is None or not position.lots:
            return None
        part = abs(position.lots) * self._random.randint(2, 8) // 10
        return self._take(Side(-self._side), max(1, part))

    def _lots(self) -> int:
        return SIZE // (self._price * self._market.unit) + 1

    def _position_side(self) -> PositionSide:
        if not self._account.hedge:
            return BOTH
        return LONG if self._side is Side.BUY else SHORT

    def _offer(self, side: Side) -> PlaceOrder:
        others = [each for each in self._state.accounts.values() if each is not self._account]
        rich = max(others, key=lambda each: each.cross_wallet)
        opens = LONG if side is Side.BUY else SHORT
        return PlaceOrder(
            rich.account_id,
            self._market.symbol,
            side,
            OrderType.LIMIT,
            self._lots(),
            max(1, self._price),
            position_side=opens if rich.hedge else BOTH,
        )

    def _take(self, side: Side, lots: int) -> PlaceOrder:
        return PlaceOrder(
            self._account.account_id,
            self._market.symbol,
            side,
            OrderType.MARKET,
            lots,
            position_side=self._position_side(),
        )
