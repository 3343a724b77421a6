"""Random traffic about names: an order fires into the book where others have its client id."""

from collections.abc import Iterator
from random import Random

from openperp.engine.commands import AmendOrder, CancelOrder, PlaceOrder, SetPrice
from openperp.engine.events import Applied, OrderAmended
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reason, Reject
from openperp.engine.state import Account, Market, State
from openperp.engine.terms import (
    BOTH,
    LONG,
    SHORT,
    OrderScope,
    OrderType,
    Side,
    WorkingType,
)

NAME = "fired"
"""The client id of all orders here."""

NAMING_KINDS = (
    "name of a fired order",
    "fired order amended by name",
    "fired order cancelled by name",
    "placed order before fired one",
)


class Naming:
    """Orders of one account and side, all of one client id, that rest or fire and then rest."""

    def __init__(self, random: Random, account: Account, market: Market) -> None:
        self._random = random
        self._account = account
        self._market = market
        self._side = random.choice(tuple(Side))

    def wait(self) -> PlaceOrder:
        return self._place(waits=True)

    def rest(self) -> PlaceOrder:
        return self._place(waits=False)

    def _place(self, *, waits: bool) -> PlaceOrder:
        """Far from where it could trade; a trigger order fires a little beyond mark."""
        random, side, mark = self._random, self._side, self._market.mark_ticks
        ticks = max(1, mark - side * mark * random.randint(10, 30) // 1_000)
        trigger = mark + side * (mark // 1_000 + 1)
        opens = LONG if side is Side.BUY else SHORT
        return PlaceOrder(
            self._account.account_id,
            self._market.symbol,
            side,
            OrderType.STOP if waits else OrderType.LIMIT,
            300 * MONEY_ONE // (ticks * self._market.unit) + 1,
            ticks,
            client_id=NAME,
            trigger_ticks=trigger if waits else 0,
            working_type=WorkingType.MARK_PRICE,
            algo=waits,
            position_side=opens if self._account.hedge else BOTH,
        )

    def fire(self) -> SetPrice:
        """Moves mark past every trigger of these orders."""
        mark = self._market.mark_ticks
        return SetPrice(self._market.symbol, mark + self._side * (mark // 200 + 1))

    def call(self) -> CancelOrder | AmendOrder:
        """Asks for one of them by its client id."""
        random, number = self._random, self._account.account_id
        symbol, scope = self._market.symbol, random.choice(tuple(OrderScope))
        if random.random() < 0.5:
            return CancelOrder(number, random.choice(("", symbol)), 0, NAME, scope)
        order = self._place(waits=False)
        lots, ticks = order.lots, order.ticks
        return AmendOrder(number, symbol, self._side, lots, ticks, 0, NAME, scope)


def find_naming_kinds(applied: Applied, state: State) -> Iterator[str]:
    """What came of asking for a fired order, or placing another, under its client id."""
    command, reply = applied.command, applied.reply
    match command, reply:
        case PlaceOrder(algo=False), Reject(reason=Reason.CLIENT_ID_DUPLICATE):
            account = state.accounts[command.account]
            fired = account.trigger_client_ids.get(command.client_id)
            if fired is not None and command.client_id not in account.client_ids:
                yield "name of a fired order"
        case AmendOrder(order_id=0, scope=OrderScope.BOOK), OrderAmended(order=order):
            if order.algo and state.separate_trigger_ids:
                yield "fired order amended by name"
        case CancelOrder(order_id=0, scope=OrderScope.BOOK), OrderRecord() if (
            state.separate_trigger_ids
        ):
            account = state.accounts[command.account]
            fired = account.trigger_client_ids.get(command.client_id)
            if reply.algo:
                yield "fired order cancelled by name"
            elif fired is not None and not fired.waiting:
                yield "placed order before fired one"
