"""Any history, read in any way, equals a plain list of what happened."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openperp.engine.events import (
    Applied,
    Event,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    VenueReset,
)
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.terms import OrderStatus, Side
from openperp.history import client_ids, tables
from openperp.history.base import Amendment
from openperp.history.store import SqliteHistory

ACCOUNTS = (1, 2, 9)
HOUSE = 9
SYMBOLS = ("BTCUSDT", "ETHUSDT")
CLIENT_IDS = ("bid", "ask", "mid", "auto_2", "")

opens = st.tuples(
    st.just("open"),
    st.sampled_from((1, 1, 1, *ACCOUNTS)),
    st.sampled_from(SYMBOLS),
    st.sampled_from(CLIENT_IDS),
    st.booleans(),
)
ends = st.tuples(
    st.sampled_from(["cancel", "cancel", "expire", "fill", "part"]),
    st.integers(0, 99),
    st.booleans(),
)
amends = st.tuples(
    st.just("amend"), st.integers(0, 99), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3)
)
steps = st.one_of(
    *[opens] * 4,
    *[ends] * 4,
    *[amends] * 2,
    st.tuples(st.just("time"), st.integers(1, 9)),
    st.tuples(st.sampled_from(["flush", "flush", "look", "restart"])),
)
turns = st.lists(steps, min_size=25, max_size=60)
"""What happens between two resets of the venue."""
spans = st.fixed_dictionaries(
    {"limit": st.integers(1, 6), "newest": st.sampled_from([None, True, False])},
    optional={
        "from_id": st.integers(0, 20),
        "start_ms": st.integers(0, 60),
        "end_ms": st.integers(0, 60),
    },
)


class World:
    """Orders that live and end, and what a list of their ends would recall."""

    def __init__(self, path: Path | None, make: Any) -> None:
        self.path = path
        self.make = make
        self.history = SqliteHistory(path)
        self.history.add_house_accounts([HOUSE])
        self.seq = 0
        self.now = 0
        self.next_order = 1
        self.next_trade = 1
        self.next_amendment = 1
        self.live: list[OrderRecord] = []
        self.closed: list[OrderRecord] = []
        self.fills: list[Fill] = []
        self.amendments: list[Amendment] = []

    def step(self, name: str, *arguments: Any) -> None:
        if name == "time":
            self.now += arguments[0]
        elif name == "flush":
            self.history.flush()
        elif name == "restart":
            self.restart()
        elif name == "look":
            check(self, [])
        elif name == "open":
            self.open(*arguments)
        elif name == "reset":
            self.absorb(VenueReset())
            self.live, self.closed, self.fills, self.amendments = [], [], [], []
            self.next_order = self.next_trade = self.next_amendment = 1
        elif self.live and name == "amend":
            self.amend(*arguments)
        elif self.live:
            self.end(name, *arguments)
        assert self.history.position == self.seq

    def absorb(self, *events: Event) -> None:
        self.seq += 1
        self.history.absorb(Applied(self.seq, self.now, None, None, events))  # type: ignore[arg-type]

    def restart(self) -> None:
        if self.path is not None:
            self.history.close()
            self.history = SqliteHistory(self.path)
            self.history.add_house_accounts([HOUSE])

    def open(self, account: int, symbol: str, client_id: str, algo: bool) -> None:
        order_id = self.next_order
        self.next_order += 1
        client_id = client_id or f"auto_{order_id}"
        taken = {(each.account, each.client_id, each.algo) for each in self.live}
        if (account, client_id, algo) not in taken:
            order = self.make.order(
                order_id,
                account=account,
                symbol=symbol,
                client_id=client_id,
                algo=algo,
                status=OrderStatus.NEW,
                created_ms=self.now,
                triggered_ms=self.now if algo and order_id % 2 else 0,
            )
            self.live.append(order)

    def amend(self, at: int, ticks: int, lots: int, modify_id: int) -> None:
        at %= len(self.live)
        old = self.live[at]
        order = msgspec.structs.replace(old, ticks=ticks, lots=lots, updated_ms=self.now)
        self.live[at] = order
        row = Amendment(
            amendment_id=self.next_amendment,
            account=old.account,
            symbol=old.symbol,
            order_id=old.order_id,
            client_id=old.client_id,
            time_ms=self.now,
            ticks_before=old.ticks,
            ticks=ticks,
            lots_before=old.lots,
            lots=lots,
            count=1 + sum(row.order_id == old.order_id for row in self.amendments),
            modify_id=modify_id,
        )
        self.next_amendment += 1
        self.absorb(
            OrderAmended(order, old.ticks, old.lots, row.amendment_id, row.count, modify_id)
        )
        if old.account != HOUSE:
            self.amendments.append(row)

    def end(self, name: str, at: int, again: bool) -> None:
        order = self.live.pop(at % len(self.live))
        if name == "cancel":
            self.close(OrderCanceled, order, OrderStatus.CANCELED)
        elif name == "expire":
            self.close(OrderExpired, order, OrderStatus.EXPIRED)
        else:
            self.fill(order, OrderStatus.FILLED if name == "fill" else OrderStatus.NEW, again)

    def close(self, event: Any, order: OrderRecord, status: OrderStatus) -> None:
        order = msgspec.structs.replace(order, status=status, updated_ms=self.now)
        self.absorb(event(order))
        self.remember(order)

    def fill(self, order: OrderRecord, status: OrderStatus, with_itself: bool) -> None:
        order = msgspec.structs.replace(order, status=status)
        fills = [
            self.make.fill(
                self.next_trade,
                order_id=order.order_id,
                account=order.account,
                symbol=order.symbol,
                side=side,
                time_ms=self.now,
            )
            for side in ((Side.BUY, Side.SELL) if with_itself else (Side.SELL,))
        ]
        self.next_trade += 1
        partly = msgspec.structs.replace(order, status=OrderStatus.PARTIALLY_FILLED)
        events = [OrderFilled(partly, fill) for fill in fills[:-1]]
        self.absorb(*events, OrderFilled(order, fills[-1]))
        if order.account != HOUSE:
            self.fills += fills
        if status == OrderStatus.FILLED:
            self.remember(order)
        else:
            self.live.append(order)

    def remember(self, order: OrderRecord) -> None:
        if order.account != HOUSE:
            self.closed.append(order)

    # What a plain list answers.

    def expect_order(self, account: int, symbol: str, order_id: int) -> OrderRecord | None:
        found = [o for o in self.orders(account, symbol) if o.order_id == order_id]
        return found[0] if found else None

    def expect_by_client_id(
        self, account: int, symbol: str, client_id: str, algo: bool | None, fired: bool
    ) -> OrderRecord | None:
        found = [
            order
            for order in self.orders(account, symbol)
            if order.client_id == client_id
            and (algo in (None, order.algo) or (fired and order.triggered_ms))
        ]
        return max(found, key=lambda order: order.order_id, default=None)

    def orders(self, account: int, symbol: str) -> list[OrderRecord]:
        return [
            order
            for order in sorted(self.closed, key=lambda order: order.order_id)
            if order.account == account and symbol in ("", order.symbol)
        ]

    def expect_fills(self, account: int, symbol: str, order_id: int | None) -> list[Fill]:
        return [
            fill
            for fill in sorted(self.fills, key=lambda fill: (fill.trade_id, -fill.side))
            if fill.account == account
            and symbol in ("", fill.symbol)
            and order_id in (None, fill.order_id)
        ]

    def expect_amendments(self, account: int, symbol: str, order_id: int | None) -> list[Amendment]:
        return [
            row
            for row in self.amendments
            if row.account == account
            and symbol in ("", row.symbol)
            and order_id in (None, row.order_id)
        ]


def cut(rows: list[Any], span: dict[str, Any], key: str, time: str) -> list[Any]:
    first = span.get("from_id", 0)
    start, end = span.get("start_ms", 0), span.get("end_ms", 10**9)
    rows = [
        row for row in rows if getattr(row, key) >= first and start <= getattr(row, time) <= end
    ]
    newest = span["newest"]
    if newest is None:
        newest = "from_id" not in span and "start_ms" not in span
    return rows[-span["limit"] :] if newest else rows[: span["limit"]]


def check(world: World, asked: list[dict[str, Any]]) -> None:
    history = world.history
    for account in ACCOUNTS:
        for symbol in (*SYMBOLS, ""):
            for order_id in range(world.next_order + 1):
                expected = world.expect_order(account, symbol, order_id)
                assert history.find_order(account, symbol, order_id) == expected
            for client_id in (*CLIENT_IDS, "auto_1", "auto_4"):
                for algo, fired in ((None, False), (False, False), (True, False), (False, True)):
                    wanted = (account, symbol, client_id, algo)
                    assert history.find_order_by_client_id(*wanted, fired=fired) == (
                        world.expect_by_client_id(*wanted, fired)
                    )
            for span in asked:
                orders = cut(world.orders(account, symbol), span, "order_id", "created_ms")
                assert history.list_orders(account, symbol, **span) == orders
                for of_order in (None, 1, 3):
                    fills = world.expect_fills(account, symbol, of_order)
                    listed = history.list_fills(account, symbol, order_id=of_order, **span)
                    assert listed == cut(fills, span, "trade_id", "time_ms")
                    check_amendments(world, account, symbol, of_order, span)


def check_amendments(
    world: World, account: int, symbol: str, of_order: int | None, span: dict[str, Any]
) -> None:
    """They are asked for by time alone, in whichever order that implies."""
    within = {name: value for name, value in span.items() if name not in ("from_id", "newest")}
    listed = world.history.list_amendments(account, symbol, order_id=of_order, **within)
    rows = world.expect_amendments(account, symbol, of_order)
    assert listed == cut(rows, {**within, "newest": None}, "amendment_id", "time_ms")


@pytest.mark.parametrize("block", [3, 1_000], ids=["small blocks", "no block"])
@pytest.mark.parametrize("in_memory", [False, True], ids=["file", "memory"])
def test_reads_equal_a_plain_list(in_memory: bool, block: int, make: Any) -> None:
    @settings(max_examples=30)
    @given(st.lists(turns, min_size=1, max_size=2), st.lists(spans, min_size=2, max_size=4))
    def run(taken: list[list[Any]], asked: list[dict[str, Any]]) -> None:
        with TemporaryDirectory() as directory:
            world = World(None if in_memory else Path(directory) / "history.sqlite", make)
            try:
                for number, turn in enumerate(taken):
                    if number:
                        world.step("reset")
                    for step in turn:
                        world.step(*step)
                check(world, asked)
                world.history.flush()
                world.restart()
                check(world, asked)
            finally:
                world.history.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_ids, "BLOCK_ENTRIES", block)
        patch.setattr(tables, "INSERT_ROWS", 2)
        run()
