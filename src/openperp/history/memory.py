"""What the history knows of the market without looking it up, and how events change it.

One thread changes it. Everything in it can be found again in the file, as of the record
up to which the file has come.
"""

from collections import deque
from collections.abc import Callable, Container
from typing import Any, Final

from msgspec.structs import replace

from openperp.engine.commands import Batch, Command, CreateAccount, DefineInstrument, Single
from openperp.engine.events import (
    AccountCreated,
    Applied,
    AssetExchanged,
    FundingPaid,
    FundingSettled,
    InstrumentDefined,
    MarginChanged,
    OrderFilled,
    PositionChanged,
    PremiumChanged,
    PriceChanged,
    TimePassed,
    TradeExecuted,
    VenueReset,
    WalletChanged,
)
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.liquidation_events import (
    InsuranceCleared,
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
    PositionDeleveraged,
)
from openperp.engine.state import State
from openperp.history.intervals import MINUTE
from openperp.history.ledger import Ledger
from openperp.history.market import (
    AggTrade,
    Bar,
    BarKind,
    Funding,
    Income,
    IncomeKind,
    MarginChange,
    MarginEvent,
    MarginStep,
    Statistics,
    Trade,
    within_rows,
)
from openperp.history.market_rows import Checkpoint, MarketRows, Wallet
from openperp.history.rolling_day import RollingDay
from openperp.history.track import Track

RECENT: Final = 1_000
"""Trades and aggregate trades of each market that are kept at hand."""
SAMPLE_MS: Final = 5 * MINUTE
"""Statistics are counted at each multiple of this."""


class MarketMemory:
    """One market: its prices under way and its latest trades."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.last = Track(symbol, BarKind.LAST, "1m", rolling=True)
        self.seconds = Track(symbol, BarKind.LAST, "1s")
        self.index = Track(symbol, BarKind.INDEX, "1m")
        self.mark = Track(symbol, BarKind.MARK, "1m")
        self.premium = Track(symbol, BarKind.PREMIUM, "1m")
        self.day = RollingDay(self.last)
        self.trades: deque[Trade] = deque(maxlen=RECENT)
        self.agg_trades: deque[AggTrade] = deque(maxlen=RECENT)
        self.agg_seq = 0
        """The record of the last aggregate trade."""
        self.statistics: Statistics | None = None
        """The row that was stored last."""

    @property
    def tracks(self) -> tuple[Track, ...]:
        return self.last, self.seconds, self.index, self.mark, self.premium

    def find_track(self, kind: BarKind, interval: str) -> Track | None:
        if interval == "1s":
            return self.seconds if kind == BarKind.LAST else None
        return (self.last, self.index, self.mark, self.premium)[kind]

    @property
    def mark_ticks(self) -> int:
        return 0 if self.mark.open is None else self.mark.open.close

    def set_prices(self, index: int, mark: int, last: int, time_ms: int, rows: MarketRows) -> None:
        """Ticks; the last price has a bar where it moved without a trade."""
        self.index.set_price(index, time_ms, rows)
        self.mark.set_price(mark, time_ms, rows)
        premium = self.premium.open
        self.premium.set_price(0 if premium is None else premium.close, time_ms, rows)
        if self.last.open is None or self.last.open.close != last:
            self.last.set_price(last, time_ms, rows, 0)
            self.seconds.set_price(last, time_ms, rows, 0)

    def trade(self, trade: Trade, seq: int, rows: MarketRows) -> None:
        ticks, lots, trade_id = trade.ticks, trade.lots, trade.trade_id
        self.trades.append(trade)
        rows.trades.setdefault(self.symbol, []).append(trade)
        rows.count += 1
        self._aggregate(trade, seq, rows)
        taker_buys = not trade.buyer_is_maker
        self.last.trade(ticks, lots, trade_id, taker_buys, trade.time_ms, rows)
        self.seconds.trade(ticks, lots, trade_id, taker_buys, trade.time_ms, rows)

    def _aggregate(self, trade: Trade, seq: int, rows: MarketRows) -> None:
        last = self.agg_trades[-1] if self.agg_trades else None
        if (
            last is not None
            and self.agg_seq == seq
            and last.ticks == trade.ticks
            and last.buyer_is_maker == trade.buyer_is_maker
        ):
            whole = replace(last, lots=last.lots + trade.lots, last_id=trade.trade_id)
            self.agg_trades[-1] = rows.agg_trades[self.symbol][-1] = whole
            return
        self.agg_seq = seq
        agg_trade = AggTrade(
            1 if last is None else last.agg_id + 1,
            trade.ticks,
            trade.lots,
            trade.trade_id,
            trade.trade_id,
            trade.time_ms,
            trade.buyer_is_maker,
        )
        self.agg_trades.append(agg_trade)
        rows.agg_trades.setdefault(self.symbol, []).append(agg_trade)
        rows.count += 1


class Memory:
    """All markets, accounts and counters, as of the record `position`."""

    def __init__(self, house: Container[int] = ()) -> None:
        self.position = 0
        self.time_ms = 0
        self.markets: dict[str, MarketMemory] = {}
        self.instruments: dict[str, int] = {}
        self.ledger = Ledger()
        self.next_tran_id = 1
        self.house = house
        """The house accounts, as its owner keeps them; they have no income."""
        self._next_sample_ms = SAMPLE_MS
        self._command: Command | None = None
        self._rows = MarketRows()
        self.handlers: dict[type, Callable[[Any], None]] = {
            TradeExecuted: self._trade,
            PositionChanged: self._hold,
            OrderFilled: self._fill,
            PriceChanged: self._set_prices,
            TimePassed: self._pass_time,
            PremiumChanged: self._set_premium,
            FundingSettled: self._settle_funding,
            FundingPaid: self._pay_funding,
            WalletChanged: self._transfer,
            AssetExchanged: self._exchange,
            MarginChanged: self._change_margin,
            LiquidationStarted: self._note_step,
            LiquidationStaged: self._note_step,
            PositionDeleveraged: self._note_step,
            InsuranceCleared: self._clear,
            LiquidationEnded: self._note_step,
            AccountCreated: self._open_account,
            InstrumentDefined: self._define,
            VenueReset: self._reset,
        }
        """By kind of event; all others leave the market's past as it is."""

    def begin(self, applied: Applied, rows: MarketRows) -> None:
        """Lets time pass until `applied`, whose events go to their `handlers` next.

        What was due before the record is told at its own time.
        """
        self.position = applied.seq
        self._command = applied.command
        self._rows = rows
        if not (applied.events and type(applied.events[0]) is TimePassed):
            self._move_to(applied.time_ms)

    def _move_to(self, time_ms: int) -> None:
        if time_ms > self.time_ms:
            self.time_ms = time_ms
            if time_ms >= self._next_sample_ms:
                self._sample()

    def _pass_time(self, event: TimePassed) -> None:
        self._move_to(event.time_ms)

    def seal(self, rows: MarketRows) -> None:
        """Completes `rows`, so that a restart behind them finds this memory again."""
        for market in self.markets.values():
            for track in market.tracks:
                track.seal(rows)
        self.ledger.seal(rows)
        rows.checkpoint = Checkpoint(self.position, self.time_ms, self.next_tran_id)

    def restore(self, checkpoint: Checkpoint) -> None:
        self.position, self.time_ms, self.next_tran_id = checkpoint
        self._plan_sample()

    def start_from(self, state: State, rows: MarketRows) -> None:
        """Takes over what the records behind `state` have led to, and that they are gone."""
        self.position, self.time_ms = state.seq, max(state.time_ms, self.time_ms)
        self._plan_sample()
        self.ledger.release_all()
        for symbol, market in state.markets.items():
            self.instruments[symbol] = rows.instruments[symbol] = market.initial_ticks
            self.find_market(symbol).set_prices(
                market.index_ticks, market.mark_ticks, market.last_ticks, self.time_ms, rows
            )
            self.find_market(symbol).premium.set_price(market.premium, self.time_ms, rows)
        for account in state.accounts.values():
            self.ledger.set_wallet(
                account.account_id, Wallet(account.wallet, account.first_deposit)
            )
            for position in account.positions.values():
                self.ledger.hold(
                    account.account_id, position.market.spec.symbol, position.side, position.lots
                )

    def find_market(self, symbol: str) -> MarketMemory:
        market = self.markets.get(symbol)
        if market is None:
            market = self.markets[symbol] = MarketMemory(symbol)
        return market

    def find_day(self, symbol: str, now_ms: int) -> Bar:
        """The 24 hours up to `now_ms`; zeros for a symbol without a market."""
        market = self.markets.get(symbol) or MarketMemory(symbol)
        return market.day.read(now_ms)

    def count_now(self, symbol: str) -> Statistics:
        """What the next statistics are if nothing happens until then."""
        top = self.ledger.find_top(self.house)
        mark_ticks = self.markets[symbol].mark_ticks
        return self.ledger.count(symbol, self._next_sample_ms, mark_ticks, self.house, top)

    def _sample(self) -> None:
        """Counts at the moment that has passed; rows like the one before are left out."""
        top = self.ledger.find_top(self.house) if self.markets else set()
        for symbol, market in self.markets.items():
            last = market.statistics
            row = self.ledger.count(
                symbol, self._next_sample_ms, market.mark_ticks, self.house, top
            )
            if last is None or replace(row, time_ms=last.time_ms) != last:
                market.statistics = row
                self._rows.add_statistics(symbol, row)
        self._plan_sample()

    def _plan_sample(self) -> None:
        self._next_sample_ms = self.time_ms - self.time_ms % SAMPLE_MS + SAMPLE_MS

    def _define(self, event: InstrumentDefined) -> None:
        symbol = event.spec.symbol
        ticks = next(
            (
                command.index_ticks
                for command in reversed(_singles(self._command))
                if isinstance(command, DefineInstrument) and command.spec == event.spec
            ),
            event.spec.min_ticks,
        )
        self.instruments[symbol] = self._rows.instruments[symbol] = ticks
        if symbol not in self.markets:
            self.find_market(symbol).set_prices(ticks, ticks, ticks, self.time_ms, self._rows)

    def _set_prices(self, event: PriceChanged) -> None:
        self.find_market(event.symbol).set_prices(
            event.index_ticks, event.mark_ticks, event.last_ticks, self.time_ms, self._rows
        )

    def _set_premium(self, event: PremiumChanged) -> None:
        self.find_market(event.symbol).premium.set_price(event.premium, self.time_ms, self._rows)

    def _settle_funding(self, event: FundingSettled) -> None:
        funding = Funding(event.symbol, event.rate, event.mark_ticks, event.time_ms)
        self._rows.add_funding(funding)

    def _pay_funding(self, event: FundingPaid) -> None:
        self.ledger.change_balance(event.account, event.wallet)
        kind = IncomeKind.FUNDING_FEE
        self._earn(event.account, event.symbol, kind, MARGIN_ASSET, event.amount, 0)

    def _trade(self, event: TradeExecuted) -> None:
        trade = Trade(event.trade_id, event.ticks, event.lots, self.time_ms, event.buyer_is_maker)
        self.find_market(event.symbol).trade(trade, self.position, self._rows)

    def _hold(self, event: PositionChanged) -> None:
        ledger = self.ledger
        ledger.change_balance(event.account, event.wallet)
        ledger.hold(event.account, event.symbol, event.position_side, event.lots)

    def _open_account(self, event: AccountCreated) -> None:
        deposit = next(
            (
                command.deposit
                for command in _singles(self._command)
                if isinstance(command, CreateAccount) and command.name == event.name
            ),
            0,
        )
        self.ledger.open_account(event.account, deposit)

    def _transfer(self, event: WalletChanged) -> None:
        if event.asset == MARGIN_ASSET:
            self.ledger.change_balance(event.account, event.wallet)
        self._earn(event.account, "", IncomeKind.TRANSFER, event.asset, event.amount, 0)

    def _exchange(self, event: AssetExchanged) -> None:
        account, kind = event.account, IncomeKind.AUTO_EXCHANGE
        self.ledger.change_balance(account, event.wallet)
        self._earn(account, "", kind, event.asset, -event.amount, 0)
        self._earn(account, "", kind, MARGIN_ASSET, event.received, 0)

    def _fill(self, event: OrderFilled) -> None:
        fill = event.fill
        account, symbol, trade_id = fill.account, fill.symbol, fill.trade_id
        if fill.realized:
            kind = IncomeKind.REALIZED_PNL
            self._earn(account, symbol, kind, MARGIN_ASSET, fill.realized, trade_id)
        if fill.fee:
            self._earn(account, symbol, IncomeKind.COMMISSION, MARGIN_ASSET, -fill.fee, trade_id)
        if event.order.origin:
            self._note(account, event)

    def _clear(self, event: InsuranceCleared) -> None:
        self.ledger.change_balance(event.account, event.wallet)
        kind = IncomeKind.INSURANCE_CLEAR
        self._earn(event.account, event.symbol, kind, MARGIN_ASSET, event.amount, 0)
        self._note_step(event)

    def _note_step(
        self,
        event: LiquidationStarted
        | LiquidationStaged
        | PositionDeleveraged
        | InsuranceCleared
        | LiquidationEnded,
    ) -> None:
        self._note(event.account, event)

    def _note(self, account: int, event: MarginEvent) -> None:
        if account in self.house:
            return
        told = within_rows(event)
        step = MarginStep(account, self.next_tran_id, self.position, self.time_ms, told)
        self.next_tran_id += 1
        self._rows.add_margin_step(step)

    def _earn(
        self, account: int, symbol: str, kind: IncomeKind, asset: str, amount: int, trade_id: int
    ) -> None:
        if account in self.house:
            return
        income = Income(
            account, symbol, kind, asset, amount, self.time_ms, self.next_tran_id, trade_id
        )
        self.next_tran_id += 1
        self._rows.add_income(income)

    def _change_margin(self, event: MarginChanged) -> None:
        """The wallet stays as it is, and what is held too."""
        if event.account in self.house:
            return
        moved = event.position
        change = MarginChange(
            event.account,
            moved.symbol,
            moved.position_side,
            event.amount,
            self.time_ms,
            self.next_tran_id,
        )
        self.next_tran_id += 1
        self._rows.add_margin_change(change)

    def _reset(self, event: VenueReset) -> None:
        """A market begins anew at its first price, and everybody with the first deposit."""
        del event
        self._rows.clear()
        self.markets = {}
        self.ledger.reset()
        self.next_tran_id = 1
        for symbol, ticks in self.instruments.items():
            self._rows.instruments[symbol] = ticks
            self.find_market(symbol).set_prices(ticks, ticks, ticks, self.time_ms, self._rows)


def _singles(command: Command | None) -> tuple[Single, ...]:
    if command is None:
        return ()
    return command.commands if isinstance(command, Batch) else (command,)
