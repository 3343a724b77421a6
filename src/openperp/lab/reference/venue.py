"""The slow venue: all it knows, and what can be asked of it by going through its lists."""

from collections.abc import Iterable
from copy import copy
from decimal import Decimal

from openperp.engine.assets import MARGIN_SPEC
from openperp.engine.events import Event
from openperp.engine.instruments import MARGIN_ASSET, InstrumentSpec
from openperp.engine.rejects import Reason
from openperp.engine.terms import (
    Mode,
    OrderScope,
    OrderType,
    PositionSide,
    PriceMatch,
    Side,
    WorkingType,
)
from openperp.lab.reference.amounts import ONE, ZERO
from openperp.lab.reference.model import Account, Asset, Countdown, Market, Order, Position

HEDGE_SIDES = (PositionSide.LONG, PositionSide.SHORT)
ONE_WAY = (PositionSide.BOTH,)

Move = tuple[str, WorkingType, Decimal, Order | None]
"""A price that trigger orders of a market are to see, and who watches from then on."""


class Refused(Exception):
    """A command is refused; each of `reasons` holds, and an engine may name any of them."""

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self.reasons = frozenset(reasons)
        super().__init__(", ".join(sorted(reason.name for reason in self.reasons)))


class Venue:
    """`orders` has every live order, in the order of their ids.

    `told_ms` is the time that events have told last, if they have told any but that
    of the record.
    """

    def __init__(self) -> None:
        self.now = 0
        self.mode = Mode.NORMAL
        self.opened = False
        self.larger_side_margin = False
        self.separate_trigger_ids = False
        self.displaces_reducers = False
        self.order_life_ms = 0
        self.liquidates = False
        self.bounds_stakes = False
        self.single_closers = False
        self.names_fired_orders = False
        self.isolated_pays = False
        self.bounds_sweeps = False
        self.order_limits = True
        self.markets: dict[str, Market] = {}
        self.assets = {MARGIN_ASSET: Asset(MARGIN_SPEC, ONE)}
        self.accounts: dict[int, Account] = {}
        self.keys: set[str] = set()
        self.orders: list[Order] = []
        self.countdowns: dict[tuple[int, str], Countdown] = {}
        self.next_order_id = 1
        self.next_trade_id = 1
        self.next_amendment_id = 1
        self.next_arrival = 1
        self.fees = ZERO
        self.insurance = ZERO
        self.deposits = ZERO
        self.events: list[Event] = []
        self.told_ms: int | None = None
        self.moves: list[Move] = []

    def fork(self, account: int, symbol: str) -> "Venue":
        """A copy in which an order of the account can trade with those of one market."""
        other = copy(self)
        other.markets = {symbol: copy(self.markets[symbol])}
        other.orders = [copy(order) for order in self.orders if order.symbol == symbol]
        traders = {order.account for order in other.orders} | {account}
        other.accounts = {number: copy(self.accounts[number]) for number in traders}
        for trader in other.accounts.values():
            trader.positions = {
                key: copy(held) if key[0] == symbol else held
                for key, held in trader.positions.items()
            }
        other.events = []
        other.moves = []
        return other

    def account(self, account_id: int) -> Account:
        if account_id not in self.accounts:
            raise Refused([Reason.ACCOUNT_UNKNOWN])
        return self.accounts[account_id]

    def account_named(self, name: str) -> Account | None:
        return next((each for each in self.accounts.values() if each.name == name), None)

    def market(self, symbol: str) -> Market:
        if symbol not in self.markets:
            raise Refused([Reason.SYMBOL_UNKNOWN])
        return self.markets[symbol]

    def trades(self, market: Market) -> bool:
        """Whether the market takes orders."""
        return self.mode is Mode.NORMAL and market.mode is Mode.NORMAL

    def price_of(self, market: Market, working_type: WorkingType) -> Decimal:
        return market.mark if working_type is WorkingType.MARK_PRICE else market.last

    def position(self, account: Account, symbol: str, side: PositionSide) -> Position:
        return account.positions.setdefault((symbol, side), Position())

    def position_of(self, order: Order) -> Position:
        account = self.accounts[order.account]
        return self.position(account, order.symbol, order.position_side)

    def leverage(self, account: Account, symbol: str) -> int:
        return account.leverages.get(symbol, self.markets[symbol].spec.default_leverage)

    def live(self, order_id: int) -> Order | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def children(self, order_id: int) -> list[Order]:
        return [order for order in self.orders if order.parent_id == order_id and order.waiting]

    def resting(self, symbol: str) -> list[Order]:
        """What is in the book of a market, first come first."""
        found = [order for order in self.orders if order.arrival and order.symbol == symbol]
        return sorted(found, key=lambda order: order.arrival)

    def reducers(self, position: Position) -> list[Order]:
        """The reduce-only orders in the book that close a position."""
        return [
            order
            for order in self.orders
            if order.arrival and order.reduce_only and self.position_of(order) is position
        ]

    def best(self, symbol: str, side: Side) -> Order | None:
        """The order of a side that trades next: best price, then first come."""
        best = None
        for order in self.orders:
            if order.arrival and order.side is side and order.symbol == symbol:
                rank = (-order.price if side is Side.BUY else order.price, order.arrival)
                if best is None or rank < best[0]:
                    best = (rank, order)
        return None if best is None else best[1]

    def matched_price(self, symbol: str, side: Side, match: PriceMatch) -> Decimal | None:
        """The price so many levels deep on the other side of the book, or on that of the order."""
        at = Side(-side) if match.name.startswith("OPPONENT") else side
        prices = {order.price for order in self.resting(symbol) if order.side is at}
        depth = int(match.name.partition("_")[2] or 1)
        if len(prices) < depth:
            return None
        return sorted(prices, reverse=at is Side.BUY)[depth - 1]

    def find(
        self, account: int, symbol: str, order_id: int, client_id: str, scope: OrderScope
    ) -> Order | None:
        """A live order of the account by its id, or by its client id where that is zero."""
        found = [order for order in self.orders if order.account == account]
        if self.names_fired_orders and symbol:
            found = [order for order in found if order.symbol == symbol]
        if order_id:
            found = [order for order in found if order.order_id == order_id]
        else:
            found = self._named(found, client_id, scope)
        if symbol:
            found = [order for order in found if order.symbol == symbol]
        if scope is OrderScope.BOOK:
            found = [order for order in found if not order.waiting]
        if scope is OrderScope.TRIGGER:
            found = [
                order for order in found if order.original_type is not order.type or order.waiting
            ]
        return found[0] if found else None

    def _named(self, orders: list[Order], client_id: str, scope: OrderScope) -> list[Order]:
        """The one that bears a client id; of two in different spaces, that which `scope` means.

        In the book that is one which was placed there, before one that fired into it.
        """
        found = [order for order in orders if order.client_id == client_id]
        if not self.separate_trigger_ids:
            return found
        algo = [order for order in found if order.algo]
        if scope is OrderScope.TRIGGER:
            return algo
        book = [order for order in found if not order.algo]
        if scope is OrderScope.BOOK:
            algo = [order for order in algo if self._has_fired(order)]
        return book or algo

    def _has_fired(self, order: Order) -> bool:
        """Whether an algo order is one of the book, where it has its name there as well."""
        return self.names_fired_orders and order.algo and not order.waiting

    def is_taken(self, account: int, client_id: str, algo: bool) -> bool:
        """Whether a live order of the account has the client id, among those of its kind.

        To an order of the book, one that has fired is of its kind.
        """
        return any(
            order.account == account
            and order.client_id == client_id
            and (order.algo is algo or not self.separate_trigger_ids or self._has_fired(order))
            for order in self.orders
        )


def sides_of(account: Account) -> tuple[PositionSide, ...]:
    """The positions that an account can have in a market."""
    return HEDGE_SIDES if account.hedge else ONE_WAY


def closable(position: Position, side: Side) -> Decimal:
    """How much of the position an order of `side` could close."""
    return max(ZERO, -side * position.quantity)


def room_for(venue: Venue, order: Order, *, apart_from: Order | None = None) -> Decimal:
    """How much of its position a reduce-only order could close when its turn comes.

    Where such orders displace each other, what trades before it takes its part first.
    """
    room = closable(venue.position_of(order), order.side)
    if not venue.displaces_reducers or order.type is not OrderType.LIMIT:
        return room
    for other in venue.reducers(venue.position_of(order)):
        if other is not apart_from and -order.side * (other.price - order.price) <= 0:
            room -= other.left
    return max(ZERO, room)


def opened_part(order: Order, position: Position) -> Decimal:
    """How much of the present position the fills of an order have opened."""
    return order.opened if order.opened_in == position.number else ZERO


def is_market(order_type: OrderType) -> bool:
    return order_type not in (OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT)


def to_price(spec: InstrumentSpec, ticks: int) -> Decimal:
    return Decimal(ticks * spec.tick_units).scaleb(-spec.price_precision)


def to_quantity(spec: InstrumentSpec, lots: int) -> Decimal:
    return Decimal(lots * spec.lot_units).scaleb(-spec.quantity_precision)
