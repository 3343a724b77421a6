"""The market's past, asked in any way, equals what a plain list of all that happened says."""

from bisect import bisect_left
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.node.desk import BITCOIN

from openperp.engine.commands import Command, CreateAccount, DefineInstrument, Pulse
from openperp.engine.events import (
    AccountCreated,
    Applied,
    Event,
    FundingPaid,
    FundingSettled,
    InstrumentDefined,
    OrderFilled,
    PositionChanged,
    PremiumChanged,
    PriceChanged,
    TimePassed,
    TradeExecuted,
    VenueReset,
    WalletChanged,
)
from openperp.engine.terms import PositionSide
from openperp.history import memory, tables
from openperp.history.intervals import DAY, HOUR, INTERVALS, MINUTE, period_start, shift_period
from openperp.history.market import (
    AggTrade,
    Bar,
    BarKind,
    Funding,
    Income,
    IncomeKind,
    Statistics,
    Trade,
)
from openperp.history.store import SqliteHistory

START = 1_767_225_600_000
SYMBOLS = ("BTCUSDT", "ETHUSDT")
HOUSE = 9
ACCOUNTS = (1, 2, HOUSE)
PERIODS = ("5m", "15m", "1h", "1d")
DEPOSIT = 1_000

symbols = st.sampled_from(SYMBOLS)
accounts = st.sampled_from(ACCOUNTS)
ticks = st.integers(95, 105)
SHORT_JUMPS = (0, 1, 400, 1_000, 30_000, MINUTE, MINUTE, 4 * MINUTE, 5 * MINUTE, HOUR)
LONG_JUMPS = (8 * HOUR, DAY - MINUTE, DAY, 3 * DAY, 7 * DAY, 20 * DAY, 45 * DAY)
jumps = st.sampled_from((*SHORT_JUMPS, *LONG_JUMPS))
trades = st.tuples(ticks, st.integers(1, 9), st.booleans())
steps = st.one_of(
    *[st.tuples(st.just("trade"), symbols, st.lists(trades, min_size=1, max_size=4))] * 3,
    *[st.tuples(st.just("price"), symbols, ticks, ticks, ticks)] * 2,
    *[st.tuples(st.just("time"), jumps)] * 3,
    st.tuples(st.just("premium"), symbols, st.integers(-9, 9), st.sampled_from(SHORT_JUMPS)),
    st.tuples(st.just("fund"), symbols, accounts, st.integers(-9, 9)),
    st.tuples(st.just("round"), st.sampled_from([MINUTE, 5 * MINUTE, HOUR, DAY])),
    st.tuples(st.just("transfer"), accounts, st.integers(-9, 9)),
    st.tuples(st.just("fill"), accounts, symbols, st.integers(-3, 3), st.integers(0, 3)),
    *[
        st.tuples(
            st.just("hold"), accounts, symbols, st.sampled_from(PositionSide), st.integers(-4, 4)
        )
    ]
    * 2,
    st.tuples(st.sampled_from(["pulse", "flush", "restart", "look"])),
)
spans = st.fixed_dictionaries(
    {"limit": st.integers(1, 6)},
    optional={
        "start": st.integers(-2 * MINUTE, 10 * MINUTE) | st.integers(-DAY, 60 * DAY),
        "end": st.integers(-2 * MINUTE, 10 * MINUTE) | st.integers(-DAY, 60 * DAY),
        "from_id": st.integers(0, 20),
    },
)


class Market:
    """What happened to one market, in lists."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self.agg_trades: list[AggTrade] = []
        self.seen: dict[BarKind, list[tuple[int, int, Trade | None]]] = {k: [] for k in BarKind}
        """Times and prices, of trades or (None) set."""


class World:
    """A history, and beside it everything in lists."""

    def __init__(self, path: Path | None, make: Any) -> None:
        self.path = path
        self.make = make
        self.history = SqliteHistory(path)
        self.history.add_house_accounts([HOUSE])
        self.seq = 0
        self.now = START
        self.clear()
        for symbol in SYMBOLS:
            spec = msgspec.structs.replace(BITCOIN.spec, symbol=symbol)
            self.absorb(InstrumentDefined(spec), command=DefineInstrument(spec, 100))
        for account in ACCOUNTS:
            name, house = f"account {account}", account == HOUSE
            self.wallets[account] = DEPOSIT
            self.earn(account, "", IncomeKind.TRANSFER, DEPOSIT, 0)
            self.absorb(
                AccountCreated(account, name, house),
                WalletChanged(account, "USDT", DEPOSIT, DEPOSIT),
                command=CreateAccount(name, DEPOSIT, house),
            )

    def clear(self) -> None:
        self.markets = {symbol: Market() for symbol in SYMBOLS}
        for symbol in SYMBOLS:
            self.set_price(symbol, 100, 100, 100)
        self.next_trade = 1
        self.next_agg = dict.fromkeys(SYMBOLS, 1)
        self.wallets = dict.fromkeys(ACCOUNTS, DEPOSIT)
        self.held: dict[tuple[int, str, int], int] = {}
        self.income: list[Income] = []
        self.fundings: list[Funding] = []
        self.states: list[tuple[int, dict[str, Statistics]]] = []

    def step(self, name: str, *arguments: Any) -> None:
        if name == "time":
            self.now += arguments[0]
        elif name == "round":
            self.now += -self.now % arguments[0]
        elif name == "flush":
            self.history.flush()
        elif name == "restart":
            self.restart()
        elif name == "look":
            check(self, [{"limit": 3}])
        else:
            getattr(self, name)(*arguments)

    def absorb(self, *events: Event, command: Command | None = None) -> None:
        self.seq += 1
        self.history.absorb(Applied(self.seq, self.now, command or Pulse(), None, events))
        self.states.append((self.now, {symbol: self.count(symbol) for symbol in SYMBOLS}))

    def restart(self) -> None:
        if self.path is not None:
            self.history.close()
            self.history = SqliteHistory(self.path)
            assert self.history.discarded == ""
            self.history.add_house_accounts([HOUSE])

    def pulse(self) -> None:
        self.absorb()

    def reset(self) -> None:
        self.clear()
        self.absorb(VenueReset())

    def trade(self, symbol: str, parts: list[tuple[int, int, bool]]) -> None:
        market = self.markets[symbol]
        events = []
        first = len(market.agg_trades)
        for price, lots, maker in parts:
            trade = Trade(self.next_trade, price, lots, self.now, maker)
            self.next_trade += 1
            market.trades.append(trade)
            market.seen[BarKind.LAST].append((self.now, price, trade))
            events.append(TradeExecuted(symbol, trade.trade_id, price, lots, maker))
            last = market.agg_trades[-1] if len(market.agg_trades) > first else None
            if last and (last.ticks, last.buyer_is_maker) == (price, maker):
                market.agg_trades[-1] = AggTrade(
                    last.agg_id,
                    price,
                    last.lots + lots,
                    last.first_id,
                    trade.trade_id,
                    self.now,
                    maker,
                )
            else:
                ids = (trade.trade_id, trade.trade_id)
                market.agg_trades.append(
                    AggTrade(self.next_agg[symbol], price, lots, *ids, self.now, maker)
                )
                self.next_agg[symbol] += 1
        self.absorb(*events)

    def price(self, symbol: str, index: int, mark: int, last: int) -> None:
        self.set_price(symbol, index, mark, last)
        self.absorb(PriceChanged(symbol, index, mark, last))

    def set_price(self, symbol: str, index: int, mark: int, last: int) -> None:
        seen = self.markets[symbol].seen
        premium = seen[BarKind.PREMIUM][-1][1] if seen[BarKind.PREMIUM] else 0
        for kind, price in zip(BarKind, (last, index, mark, premium), strict=True):
            if kind != BarKind.LAST or not seen[kind] or seen[kind][-1][1] != price:
                seen[kind].append((self.now, price, None))

    def premium(self, symbol: str, premium: int, early_ms: int) -> None:
        """The premium changes in a record, some time before its own time."""
        first_ms = self.now - early_ms
        if first_ms <= self.states[-1][0]:
            first_ms = self.now
        self.markets[symbol].seen[BarKind.PREMIUM].append((first_ms, premium, None))
        self.absorb(TimePassed(first_ms), PremiumChanged(symbol, premium), TimePassed(self.now))

    def fund(self, symbol: str, account: int, amount: int) -> None:
        """Funding at the next whole hour, some of it of one account."""
        self.now += HOUR - self.now % HOUR
        funding = Funding(symbol, amount, 100, self.now)
        self.fundings.append(funding)
        self.wallets[account] += amount
        self.earn(account, symbol, IncomeKind.FUNDING_FEE, amount, 0)
        self.absorb(
            FundingSettled(symbol, amount, 100, self.now),
            FundingPaid(
                account, symbol, PositionSide.BOTH, amount, self.wallets[account], self.now
            ),
        )

    def transfer(self, account: int, amount: int) -> None:
        self.wallets[account] += amount
        self.earn(account, "", IncomeKind.TRANSFER, amount, 0)
        self.absorb(WalletChanged(account, "USDT", amount, self.wallets[account]))

    def fill(self, account: int, symbol: str, realized: int, fee: int) -> None:
        trade_id = self.next_trade
        if realized:
            self.earn(account, symbol, IncomeKind.REALIZED_PNL, realized, trade_id)
        if fee:
            self.earn(account, symbol, IncomeKind.COMMISSION, -fee, trade_id)
        changes = {"account": account, "symbol": symbol, "realized": realized, "fee": fee}
        self.absorb(
            OrderFilled(self.make.order(1, account=account), self.make.fill(trade_id, **changes))
        )

    def hold(self, account: int, symbol: str, side: PositionSide, lots: int) -> None:
        self.wallets[account] += lots
        self.held[account, symbol, side] = lots
        self.absorb(PositionChanged(account, symbol, lots, 0, self.wallets[account], side))

    def earn(self, account: int, symbol: str, kind: IncomeKind, amount: int, trade: int) -> None:
        if account != HOUSE:
            tran_id = len(self.income) + 1
            self.income.append(
                Income(account, symbol, kind, "USDT", amount, self.now, tran_id, trade)
            )

    # What the lists say.

    def bars(self, symbol: str, kind: BarKind, interval: str) -> dict[int, Bar]:
        """Periods in which something happened."""
        bars: dict[int, Bar] = {}
        close = 0
        for time_ms, price, trade in self.markets[symbol].seen[kind]:
            start = period_start(interval, time_ms)
            old = bars.get(start)
            if old is None:
                carried = trade is None and bars and time_ms > start
                old = Bar(start, *[close if carried else price] * 4)
            counted = trade is not None or kind != BarKind.LAST
            lots = trade.lots if trade else 0
            bought = 0 if trade is None or trade.buyer_is_maker else lots
            bars[start] = Bar(
                start,
                old.open,
                max(old.high, price),
                min(old.low, price),
                price,
                old.lots + lots,
                old.value + lots * price,
                old.trades + counted,
                old.taker_buy_lots + bought,
                old.taker_buy_value + bought * price,
                old.first_id or (trade.trade_id if trade else 0),
                trade.trade_id if trade else old.last_id,
            )
            close = price
        return bars

    def expect_bars(
        self, symbol: str, kind: BarKind, interval: str, span: dict[str, int], filled: bool
    ) -> list[Bar]:
        bars = self.bars(symbol, kind, interval)
        if filled:
            latest = period_start(interval, self.now)
            open_ms, close = min(bars), 0
            while open_ms <= latest:
                close = bars.setdefault(open_ms, Bar(open_ms, *[close] * 4)).close
                open_ms = shift_period(interval, open_ms, 1)
        else:
            bars = {open_ms: bar for open_ms, bar in bars.items() if bar.trades}
        return cut([bars[open_ms] for open_ms in sorted(bars)], span, "open_ms", "open_ms")

    def count(self, symbol: str) -> Statistics:
        net: dict[int, int] = {}
        for (account, of, _), lots in self.held.items():
            if account != HOUSE and of == symbol:
                net[account] = net.get(account, 0) + lots
        top = max((account for account in (1, 2)), key=lambda a: (self.wallets[a], -a))
        held = {key: lots for key, lots in self.held.items() if key[1] == symbol}
        longs = sum(max(lots, 0) for lots in held.values())
        mark = self.markets[symbol].seen[BarKind.MARK][-1][1]
        return Statistics(
            0,
            longs,
            longs * mark,
            sum(lots > 0 for lots in net.values()),
            sum(lots < 0 for lots in net.values()),
            int(net.get(top, 0) > 0),
            int(net.get(top, 0) < 0),
            sum(max(lots, 0) for key, lots in held.items() if key[0] == top),
            sum(max(-lots, 0) for key, lots in held.items() if key[0] == top),
        )

    def expect_statistics(self, symbol: str, period: str, span: dict[str, int]) -> list[Statistics]:
        length = INTERVALS[period]
        assert length is not None
        first = self.states[0][0] // length * length + length
        moments = [Moment(time_ms) for time_ms in range(first, self.now + 1, length)]
        rows = []
        for (time_ms,) in cut(moments, span, "time_ms", "time_ms"):
            at = bisect_left(self.states, time_ms, key=lambda state: state[0])
            row = self.states[at - 1][1][symbol]
            rows.append(msgspec.structs.replace(row, time_ms=time_ms))
        return rows


class Moment(NamedTuple):
    time_ms: int


def cut(rows: list[Any], span: dict[str, int], key: str, time: str) -> list[Any]:
    """As lists of the history are cut; times of a span count from the start."""
    start, end = span.get("start", -(10**9)) + START, span.get("end", 10**12) + START
    rows = [row for row in rows if start <= getattr(row, time) <= end]
    if key.endswith("id") and "from_id" in span:
        rows = [row for row in rows if getattr(row, key) >= span["from_id"]]
        return rows[: span["limit"]]
    return rows[: span["limit"]] if "start" in span else rows[-span["limit"] :]


def check(world: World, asked: list[dict[str, int]]) -> None:
    for span in asked:
        times = {f"{name}_ms": span[name] + START for name in ("start", "end") if name in span}
        within = {**times, "limit": span["limit"]}
        by_id = {**within, **({"from_id": span["from_id"]} if "from_id" in span else {})}
        for symbol in SYMBOLS:
            check_market(world, symbol, span, within, by_id)
        for symbol in (*SYMBOLS, ""):
            fundings = [each for each in world.fundings if symbol in ("", each.symbol)]
            expected = cut(fundings, span, "time_ms", "time_ms")
            assert world.history.market.list_fundings(symbol, **within) == expected
        for account in ACCOUNTS:
            for symbol in (*SYMBOLS, ""):
                for kind in (None, *IncomeKind):
                    rows = [
                        row
                        for row in world.income
                        if row.account == account
                        and symbol in ("", row.symbol)
                        and kind in (None, row.kind)
                    ]
                    found = world.history.market.list_income(account, symbol, kind=kind, **within)
                    assert found == cut(rows, span, "time_ms", "time_ms")


def check_market(world: World, symbol: str, span: dict[str, int], within: Any, by_id: Any) -> None:
    history, market = world.history, world.markets[symbol]
    assert history.market.list_trades(symbol, **by_id) == cut(
        market.trades, span, "trade_id", "time_ms"
    )
    assert history.market.list_agg_trades(symbol, **by_id) == (
        cut(market.agg_trades, span, "agg_id", "time_ms")
    )
    for kind in BarKind:
        for interval in INTERVALS:
            if interval == "1s" and kind != BarKind.LAST:
                continue
            for filled in (True, False):
                found = history.market.list_bars(
                    symbol, kind, interval, now_ms=world.now, filled=filled, **within
                )
                if filled and world.now - START > 2_000 * (INTERVALS[interval] or DAY):
                    continue  # the list of all periods would be long
                assert found == world.expect_bars(symbol, kind, interval, span, filled)
    check_day(world, symbol)
    for period in PERIODS:
        rows = history.market.list_statistics(symbol, period, now_ms=world.now, **within)
        assert rows == world.expect_statistics(symbol, period, span)


def check_day(world: World, symbol: str) -> None:
    start = period_start("1m", world.now - DAY)
    minutes = world.bars(symbol, BarKind.LAST, "1m")
    inside = [bar for open_ms, bar in minutes.items() if open_ms >= start]
    day = world.history.market.rolling_day(symbol, world.now)
    close = list(minutes.values())[-1].close
    if not inside:
        assert day == Bar(start, *[close] * 4)
        return
    assert (day.open_ms, day.open, day.close) == (start, inside[0].open, close)
    assert day.high == max(bar.high for bar in inside)
    assert day.low == min(bar.low for bar in inside)
    for name in ("lots", "value", "trades", "taker_buy_lots", "taker_buy_value"):
        assert getattr(day, name) == sum(getattr(bar, name) for bar in inside)
    ids = [trade_id for bar in inside if bar.trades for trade_id in (bar.first_id, bar.last_id)]
    assert (day.first_id, day.last_id) == ((ids[0], ids[-1]) if ids else (0, 0))


@pytest.mark.parametrize("in_memory", [False, True], ids=["file", "memory"])
def test_reads_equal_plain_lists(in_memory: bool, make: Any) -> None:
    @settings(max_examples=40)
    @given(
        st.lists(st.lists(steps, min_size=5, max_size=25), min_size=1, max_size=2),
        st.lists(spans, min_size=1, max_size=3),
    )
    def run(turns: list[list[Any]], asked: list[dict[str, int]]) -> None:
        with TemporaryDirectory() as directory:
            world = World(None if in_memory else Path(directory) / "history.sqlite", make)
            try:
                for number, turn in enumerate(turns):
                    if number:
                        world.reset()
                    for step in turn:
                        world.step(*step)
                check(world, asked)
                world.history.flush()
                world.restart()
                check(world, asked)
            finally:
                world.history.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "INSERT_ROWS", 3)
        patch.setattr(memory, "RECENT", 4)
        run()
