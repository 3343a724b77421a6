"""The demo market: always a price, always someone to trade with, whatever happens to it."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from openperp.engine import invariants
from openperp.engine.apply import apply
from openperp.engine.collateral import price_in_money
from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineInstrument,
    Deposit,
    OpenVenue,
    PlaceOrder,
    Record,
    Reset,
    SetLeverage,
    SetMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import Applied, TradeExecuted
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.state import State
from openperp.engine.terms import Mode, OrderStatus, OrderType, Side
from openperp.journal.record import encode
from openperp.journal.sqlite import SqliteJournal
from openperp.lab.demo import DemoMarket
from openperp.lab.makers import INVENTORY, LADDER, MAKERS, POCKET, TAKER, plan_second
from openperp.node.assets import plan_assets
from openperp.node.errors import QueueFull
from openperp.node.instruments import BUILT_IN, InstrumentTerms, specify

DAY_S = 86_400
START_MS = 1_767_225_600_000
USER = "trader"


class Floor:
    """A venue without a node: an engine, a clock set by hand, and lists of what happened."""

    def __init__(self, seed: int = 1, symbols: tuple[str, ...] = tuple(BUILT_IN)) -> None:
        self.state = State()
        self.now = START_MS
        self.records: list[Record] = []
        self.outcomes: list[Applied] = []
        self.run(OpenVenue("ztdx"))
        for symbol in symbols:
            instrument = specify(symbol, BUILT_IN[symbol])
            self.run(DefineInstrument(instrument.spec, instrument.index_ticks))
        self.run(CreateAccount(USER, 1_000_000 * MONEY_ONE))
        self.demo = DemoMarket(self.submit, self.state, seed, lambda: self.now)

    def run(self, command: Command) -> Applied:
        record = Record(self.state.seq + 1, self.now, command)
        applied = apply(self.state, record)
        self.records.append(record)
        self.outcomes.append(applied)
        return applied

    async def submit(self, command: Command) -> Applied:
        return self.run(command)

    async def play(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.demo.play()
            self.now += 1_000

    def traded(self, symbol: str, since: int = 0) -> list[int]:
        """Prices of trades, from the outcome numbered `since` on."""
        return [
            event.ticks
            for applied in self.outcomes[since:]
            for event in applied.events
            if isinstance(event, TradeExecuted) and event.symbol == symbol
        ]

    def refusals(self) -> Counter[str]:
        """Reasons of all refused elements of the house's batches."""
        return Counter(
            reply.reason.name
            for applied in self.outcomes
            if isinstance(applied.reply, tuple)
            for reply in applied.reply
            if isinstance(reply, Reject)
        )

    def buy_at_market(self, symbol: str, lots: int, side: Side = Side.BUY) -> OrderRecord:
        command = PlaceOrder(
            self.state.account_ids[USER], symbol, side, OrderType.MARKET, lots=lots
        )
        reply = self.run(command).reply
        assert isinstance(reply, OrderRecord), reply
        return reply


def test_in_three_seconds_every_maker_quotes_anew() -> None:
    """In one second it is one of them, as long as the quotes of the others are near the price."""
    floor = Floor()
    asyncio.run(floor.play(3))
    makers = {floor.state.account_ids[name] for name in MAKERS}
    second = floor.now // 1_000
    for seconds, count in ((1, 1), (2, 1), (3, 3), (60, 3)):
        plan = plan_second(floor.state, "BTCUSDT", 1, second, seconds)
        assert plan is not None
        places = {each.account for each in plan.commands if isinstance(each, PlaceOrder)}
        assert len(places & makers) == count, seconds


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
def test_every_market_has_a_ladder_around_its_index(symbol: str) -> None:
    floor = Floor()
    asyncio.run(floor.play(1))

    market = floor.state.markets[symbol]
    bids, asks = market.book.bids.depth(50), market.book.asks.depth(50)

    assert market.book.bids.best_ticks() < market.index_ticks < market.book.asks.best_ticks()
    assert len(bids) >= 6
    assert len(asks) >= 6
    assert floor.refusals() == {}


def test_a_market_order_worth_a_leveraged_account_fills_at_once() -> None:
    floor = Floor()
    asyncio.run(floor.play(1))

    order = floor.buy_at_market("BTCUSDT", 30_000)

    assert order.status == OrderStatus.FILLED
    assert order.filled_value / order.lots < 600_000 * 1.002


def test_prices_move_and_trades_happen() -> None:
    floor = Floor()
    asyncio.run(floor.play(120))

    for symbol, market in floor.state.markets.items():
        assert len(set(floor.traded(symbol))) > 10
        assert abs(market.last_ticks - market.index_ticks) < market.index_ticks // 200
    assert floor.refusals() == {}
    invariants.check(floor.state)


def test_the_same_seed_gives_the_same_commands_and_another_seed_others() -> None:
    floors = [Floor(seed=1), Floor(seed=1), Floor(seed=2)]
    for floor in floors:
        asyncio.run(floor.play(30))

    first, again, other = (floor.records for floor in floors)

    assert first == again
    assert first != other


def test_one_batch_per_symbol_and_second_however_often_it_is_asked() -> None:
    floor = Floor()
    asyncio.run(floor.play(1))
    before = len(floor.records)

    floor.now += 1
    for _ in range(5):
        asyncio.run(floor.demo.play())
    assert len(floor.records) == before + 3
    floor.now += 100 * DAY_S * 1_000
    asyncio.run(floor.demo.play())
    assert len(floor.records) == before + 6


def test_nothing_happens_while_time_stands_still() -> None:
    floor = Floor()
    asyncio.run(floor.play(1))
    floor.now -= 1_000
    before = len(floor.records)

    assert asyncio.run(floor.demo.play()) == 0
    assert len(floor.records) == before


def test_it_runs_on_when_the_venue_could_not_take_a_batch() -> None:
    floor = Floor()
    taken = 0

    async def play() -> None:
        enough = asyncio.Event()

        async def submit(command: Command) -> Applied:
            nonlocal taken
            taken += 1
            floor.now += 1_000
            if taken > 20:
                enough.set()
            if taken % 4 == 0:
                raise QueueFull
            return floor.run(command)

        task = asyncio.create_task(
            DemoMarket(submit, floor.state, 1, lambda: floor.now, interval=0).run()
        )
        await enough.wait()
        task.cancel()

    asyncio.run(play())

    assert len(floor.records) > 10
    assert all(market.book.asks.keys for market in floor.state.markets.values())


def test_orders_are_on_house_accounts() -> None:
    floor = Floor()
    asyncio.run(floor.play(3))

    owners = {floor.state.accounts[order.account] for order in floor.state.orders.values()}

    assert {account.name for account in owners} == set(MAKERS)
    assert all(floor.state.accounts[floor.state.account_ids[n]].house for n in (*MAKERS, TAKER))


def test_quotes_come_back_after_a_user_took_them_all() -> None:
    floor = Floor()
    asyncio.run(floor.play(3))
    asks = floor.state.markets["SOLUSDT"].book.asks
    while asks.keys:
        floor.buy_at_market("SOLUSDT", 100_000)
        floor.buy_at_market("SOLUSDT", 100_000, Side.SELL)

    asyncio.run(floor.play(1))

    assert len(asks.keys) >= len(LADDER)
    assert floor.refusals() == {}


def test_the_walk_goes_on_from_the_price_that_an_operator_sets() -> None:
    floor = Floor()
    asyncio.run(floor.play(3))
    before = len(floor.outcomes)
    floor.run(SetPrice("BTCUSDT", 900_000))

    asyncio.run(floor.play(1))

    market = floor.state.markets["BTCUSDT"]
    assert market.index_ticks == pytest.approx(900_000, rel=0.001)
    assert market.book.bids.best_ticks() == pytest.approx(900_000, rel=0.001)
    assert market.book.asks.best_ticks() == pytest.approx(900_000, rel=0.001)
    assert all(ticks > 890_000 for ticks in floor.traded("BTCUSDT", since=before))
    assert floor.refusals() == {}


def test_the_index_of_an_asset_follows_the_walk() -> None:
    floor = Floor()
    for planned in plan_assets([specify(symbol, BUILT_IN[symbol]) for symbol in BUILT_IN]):
        floor.run(planned)
    for _ in range(30):
        asyncio.run(floor.play(1))
        market = floor.state.markets["BTCUSDT"]
        index = floor.state.assets["BTC"].index
        assert index == price_in_money(market.spec, market.index_ticks)
    assert floor.refusals() == {}


def test_it_plays_on_after_a_reset() -> None:
    floor = Floor()
    asyncio.run(floor.play(10))
    floor.run(Reset())
    assert not floor.state.orders

    asyncio.run(floor.play(1))

    assert len(floor.state.orders) == len(floor.state.markets) * len(MAKERS) * len(LADDER) * 2
    assert floor.refusals() == {}


@pytest.mark.parametrize("mode", [Mode.CANCEL_ONLY, Mode.HALTED])
def test_it_rests_outside_the_normal_mode_and_comes_back(mode: Mode) -> None:
    floor = Floor()
    asyncio.run(floor.play(3))
    floor.run(SetMode(mode))
    before = len(floor.records)

    asyncio.run(floor.play(5))
    assert len(floor.records) == before
    floor.run(SetMode(Mode.NORMAL))
    asyncio.run(floor.play(1))

    assert len(floor.records) == before + 4
    assert floor.refusals() == {}


def test_one_market_can_rest_alone() -> None:
    floor = Floor()
    asyncio.run(floor.play(1))
    floor.run(SetMode(Mode.HALTED, "ETHUSDT"))
    before = len(floor.records)

    asyncio.run(floor.play(2))

    assert len(floor.records) == before + 4


def test_a_new_instrument_is_quoted_too() -> None:
    floor = Floor()
    asyncio.run(floor.play(1))
    instrument = specify("XYZUSDT", InstrumentTerms(tick="0.0001", lot="1", price="0.5"))
    floor.run(DefineInstrument(instrument.spec, instrument.index_ticks))

    asyncio.run(floor.play(1))

    assert floor.state.markets["XYZUSDT"].book.asks.keys
    assert floor.refusals() == {}


def test_makers_stop_adding_to_a_position_and_keep_quoting_the_way_back() -> None:
    floor = Floor(symbols=("BTCUSDT",))
    floor.run(Deposit(USER, "USDT", POCKET))
    floor.run(SetLeverage(floor.state.account_ids[USER], "BTCUSDT", 2))
    market = floor.state.markets["BTCUSDT"]
    for _ in range(60):
        asyncio.run(floor.play(1))
        offered = sum(lots for _, lots in market.book.asks.depth(100))
        if offered:
            floor.buy_at_market("BTCUSDT", min(offered, market.spec.market_max_lots))
    asyncio.run(floor.play(1))

    for name in MAKERS:
        position = floor.state.accounts[floor.state.account_ids[name]].positions["BTCUSDT"]
        size = -position.lots * market.index_ticks * market.unit
        assert INVENTORY * 0.9 < size < INVENTORY * 1.1
    assert sum(lots for _, lots in market.book.bids.depth(100)) > 50_000
    assert floor.refusals() == {}
    invariants.check(floor.state)


def test_a_house_account_is_topped_up_before_it_runs_dry() -> None:
    floor = Floor()
    asyncio.run(floor.play(1))
    floor.run(Withdraw(MAKERS[0], "USDT", POCKET * 6 // 10))

    asyncio.run(floor.play(len(MAKERS)))

    assert floor.state.accounts[floor.state.account_ids[MAKERS[0]]].wallet > POCKET
    assert floor.refusals() == {}


def test_a_day_takes_less_than_200_megabytes_even_if_nothing_were_pruned(tmp_path: Path) -> None:
    floor = Floor()
    journal = SqliteJournal(tmp_path)
    seconds, written = 200, 0
    asyncio.run(floor.play(seconds))
    for record in floor.records:
        journal.append([record])
        written += len(encode(record))
    journal.close()
    size = sum(file.stat().st_size for file in tmp_path.iterdir())

    assert size / seconds * DAY_S < 200_000_000
    assert written / len(floor.records) < 550
