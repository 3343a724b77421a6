"""A local book built from streams and a snapshot is the engine's book, whatever happens."""

import random
from collections import Counter

import pytest
from tests.api.streams.listening import Listening
from tests.api.streams.local_book import Book, LocalBook

from openperp.engine.commands import (
    AmendOrder,
    Batch,
    CancelAllOrders,
    CancelOrder,
    Command,
    PlaceOrder,
    Reset,
    SetPrice,
    Single,
)
from openperp.engine.events import (
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
    VenueReset,
)
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.terms import OrderType, Side, TimeInForce, WorkingType

SPEEDS = [
    "btcusdt@depth@0ms",
    "btcusdt@depth@100ms",
    "btcusdt@depth",
    "btcusdt@depth@250ms",
    "btcusdt@depth@500ms",
    "btcusdt@rpiDepth@500ms",
]
COMMANDS = 10_000
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
TYPES = [LIMIT] * 8 + [MARKET] * 2 + [OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.STOP_MARKET]


def rich(venue: Listening) -> None:
    """Money enough that nobody is stopped by it, now and after each reset."""
    for account in venue.state.accounts.values():
        account.first_deposit = account.wallet = 100_000_000 * MONEY_ONE
    venue.state.net_deposits = 200_000_000 * MONEY_ONE


class Crowd:
    """Two accounts that do anything at all near 60000, from a seed."""

    def __init__(self, venue: Listening, seed: int) -> None:
        self.venue = venue
        self.random = random.Random(seed)
        self.accounts = list(venue.state.accounts)

    def act(self) -> Command:
        dice = self.random
        roll = dice.random()
        if roll < 0.002:
            return Reset()
        if roll < 0.1:
            return Batch(tuple(self._single() for _ in range(dice.randint(1, 5))))
        return self._single()

    def _single(self) -> Single:
        dice = self.random
        roll = dice.random()
        account = dice.choice(self.accounts)
        if roll < 0.62:
            return self._order(account)
        if roll < 0.92 and self.venue.state.orders:
            order = dice.choice(list(self.venue.state.orders.values()))
            if dice.random() < 0.3:
                return AmendOrder(
                    order.account,
                    order.symbol,
                    order.side,
                    dice.randint(1, 50),
                    600_000 - order.side * dice.randint(-15, 60) * 10,
                    order.order_id,
                )
            return CancelOrder(order.account, order.symbol, order.order_id)
        if roll < 0.93:
            return CancelAllOrders(account, "BTCUSDT")
        return SetPrice("BTCUSDT", dice.randint(599_500, 600_500), dice.random() < 0.3)

    def _order(self, account: int) -> PlaceOrder:
        dice = self.random
        kind = dice.choice(TYPES)
        children = kind is LIMIT and dice.random() < 0.1
        side = dice.choice(list(Side))
        ticks = 600_000 - side * dice.randint(-15, 60) * 10
        return PlaceOrder(
            account,
            "BTCUSDT" if dice.random() < 0.95 else "ETHUSDT",
            side,
            kind,
            lots=dice.randint(1, 50),
            ticks=0 if kind in {MARKET, OrderType.STOP_MARKET} else ticks,
            time_in_force=dice.choice([TimeInForce.GTC] * 5 + list(TimeInForce)),
            reduce_only=dice.random() < 0.1,
            trigger_ticks=0 if kind in {LIMIT, MARKET} else dice.randint(599_000, 601_000),
            working_type=dice.choice(list(WorkingType)),
            take_profit_ticks=ticks + side * 900 if children else 0,
            stop_loss_ticks=ticks - side * 900 if children else 0,
        )


def engine_book(venue: Listening) -> Book:
    """What the engine holds, level by level, written as the dialect writes it."""
    snapshot = venue.get("/fapi/v1/depth", "symbol=BTCUSDT&limit=1000")
    book = venue.state.markets["BTCUSDT"].book
    assert len(snapshot["bids"]) == len(book.bids.levels)
    assert len(snapshot["asks"]) == len(book.asks.levels)
    return {"bids": dict(snapshot["bids"]), "asks": dict(snapshot["asks"])}


class Clients:
    """One of each speed from the start, and others that come, take a snapshot later, and go."""

    def __init__(self, venue: Listening, seed: int) -> None:
        self.venue = venue
        self.random = random.Random(seed)
        self.books: list[tuple[str, LocalBook]] = []
        self.waiting: list[LocalBook] = []
        self.checked = 0
        for name in SPEEDS:
            self.come(name)

    def come(self, name: str) -> None:
        book = LocalBook()
        self.venue.join(name, book.hear)
        self.books.append((name, book))
        self.waiting.append(book)

    def stir(self) -> None:
        dice = self.random
        if dice.random() < 0.02:
            self.come(dice.choice(SPEEDS))
        if self.waiting and dice.random() < 0.05:
            self.load(self.waiting.pop(dice.randrange(len(self.waiting))))
        if len(self.books) > 20:
            name, book = self.books.pop(dice.randrange(len(self.books)))
            self.venue.leave(name, book.hear)
            if book in self.waiting:
                self.waiting.remove(book)

    def load(self, book: LocalBook) -> None:
        book.load(self.venue.get("/fapi/v1/depth", "symbol=BTCUSDT&limit=1000"))

    def check(self) -> None:
        """After a second of rest every book that has its snapshot is the engine's."""
        self.venue.elapse(1_000)
        self.venue.collect()
        truth = engine_book(self.venue)
        for name, book in self.books:
            if book not in self.waiting:
                assert book.levels == truth, name
                self.checked += bool(book.updates)


@pytest.mark.parametrize(
    ("dialect", "immediate", "seed"),
    [("ztdx", False, 1), ("binance", False, 2), ("ztdx", True, 3), ("binance", True, 4)],
)
def test_ten_thousand_random_commands(dialect: str, immediate: bool, seed: int) -> None:
    venue = Listening(dialect, immediate=immediate, limits_on=False)
    rich(venue)
    crowd, clients = Crowd(venue, seed), Clients(venue, seed + 100)
    dice = random.Random(seed + 200)
    happened: Counter[type] = Counter()
    for number in range(COMMANDS):
        command = crowd.act()
        happened.update(type(event) for event in venue.apply(command).events)
        clients.stir()
        if dice.random() < 0.3:
            venue.collect()
        if dice.random() < 0.3:
            venue.elapse(dice.randint(1, 60))
        if number % 500 == 499:
            clients.check()
    for book in clients.waiting:
        clients.load(book)
    clients.waiting.clear()
    clients.check()
    assert clients.checked >= 200
    for kind in (OrderFilled, OrderCanceled, OrderExpired, OrderTriggered, VenueReset):
        assert happened[kind] >= 10, kind
