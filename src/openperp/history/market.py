"""What the history recalls of the market itself and of money: values, and how to ask for them.

Prices are ticks, quantities lots, values sums of ticks x lots, times milliseconds since
the Unix epoch, money 10^-8 of the asset. Everything comes from journaled records alone:
a replay gives the same rows and ids.
"""

from enum import IntEnum
from typing import Final, Protocol

import msgspec

from openperp.engine.events import OrderFilled
from openperp.engine.liquidation_events import (
    InsuranceCleared,
    LiquidationEnded,
    LiquidationStaged,
    LiquidationStarted,
    PositionDeleveraged,
)

STEPS_KEPT: Final = 500
"""Steps of liquidations that are kept of each account, at least; the newest."""


class BarKind(IntEnum):
    """Whose price the bars are made of."""

    LAST = 0
    INDEX = 1
    MARK = 2
    PREMIUM = 3
    """The premium index, in units of 10^-8."""


class IncomeKind(IntEnum):
    """Why a wallet changed."""

    TRANSFER = 0
    REALIZED_PNL = 1
    COMMISSION = 2
    FUNDING_FEE = 3
    INSURANCE_CLEAR = 4
    """What the insurance fund paid for an account, or took from it as the fee of a liquidation."""
    AUTO_EXCHANGE = 5


class Trade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One trade of a market, those of house accounts included.

    Ids rise over the whole venue, so those of one market have gaps.
    """

    trade_id: int
    ticks: int
    lots: int
    time_ms: int
    buyer_is_maker: bool


class AggTrade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Successive trades of one market and one record at one price, with one taker side.

    Ids count from 1 without gaps in each market.
    """

    agg_id: int
    ticks: int
    lots: int
    first_id: int
    last_id: int
    time_ms: int
    buyer_is_maker: bool


class Bar(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a price did from `open_ms` on; ticks, for `BarKind.PREMIUM` units of 10^-8.

    `lots`, `value`, the taker's purchases among them and the ids of the first and the last
    trade are of `BarKind.LAST` alone, and zero without a trade. `trades` counts trades, for the
    other kinds the prices that were set.
    """

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    value: int = 0
    trades: int = 0
    taker_buy_lots: int = 0
    taker_buy_value: int = 0
    first_id: int = 0
    last_id: int = 0


class Income(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A change of a wallet by `amount`, signed money.

    `tran_id` counts from 1 over the whole venue. `symbol` is empty and `trade_id` zero where
    no trade was behind it; `info` is what the row says about itself in words, mostly nothing.
    """

    account: int
    symbol: str
    kind: IncomeKind
    asset: str
    amount: int
    time_ms: int
    tran_id: int
    trade_id: int = 0
    info: str = ""


class MarginChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the owner of an isolated position added to its margin: `amount`, signed money.

    `change_id` counts together with the `tran_id` of income.
    """

    account: int
    symbol: str
    position_side: int
    amount: int
    time_ms: int
    change_id: int


MarginEvent = (
    LiquidationStarted
    | LiquidationStaged
    | OrderFilled
    | PositionDeleveraged
    | InsuranceCleared
    | LiquidationEnded
)
"""What the venue did about a margin that was used up; a fill is one of an order of its own."""


MOST: Final = 2**63 - 1
"""The largest number that a row can hold."""


def within_rows(event: MarginEvent) -> MarginEvent:
    """The event with numbers that rows can hold: what goes beyond is told as the bound.

    Deposits and orders are bounded, but what a position is worth at a later price is not.
    """
    beyond = {
        name: MOST if value > 0 else -MOST
        for name, value in msgspec.structs.asdict(event).items()
        if isinstance(value, int) and abs(value) > MOST
    }
    return msgspec.structs.replace(event, **beyond) if beyond else event


class MarginStep(msgspec.Struct, frozen=True, array_like=True):
    """One step of the liquidation of an account, or what another account's did to it.

    `step_id` counts together with the `tran_id` of income, and `seq` is the record. The last
    step of a liquidation is a LiquidationEnded.
    """

    account: int
    step_id: int
    seq: int
    time_ms: int
    event: MarginEvent


class Funding(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the positions of a market paid at `time_ms`: `rate`, in units of 10^-8, of their value
    at `mark_ticks`. It comes at whole hours.
    """

    symbol: str
    rate: int
    mark_ticks: int
    time_ms: int


class Statistics(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who held what in a market at `time_ms`, a multiple of five minutes.

    Open interest is all that is held long, by house accounts too, and its value at the mark
    price. Accounts are those that are not of the house, long or short by what they hold net;
    the top ones are the fifth of them (rounded up) with the largest wallets, and their lots
    are those held on either side.
    """

    time_ms: int
    open_interest_lots: int
    open_interest_value: int
    long_accounts: int
    short_accounts: int
    top_long_accounts: int
    top_short_accounts: int
    top_long_lots: int
    top_short_lots: int


class MarketHistory(Protocol):
    """The market's part of the history.

    Lists rise by id or time and include both ends of a span. Of more than `limit` rows the
    newest are given, and the oldest where `from_id` or `start_ms` says where to begin.
    A symbol without rows has empty lists. Intervals are the names in `intervals.INTERVALS`.
    """

    def list_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Trade]:
        """Trades; up to `RECENT` of the newest are at hand without a look into the file."""
        ...

    def list_agg_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[AggTrade]:
        """As `list_trades`; those of the record that was absorbed last are the last ones."""
        ...

    def list_bars(
        self,
        symbol: str,
        kind: BarKind,
        interval: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
        now_ms: int,
        filled: bool = True,
    ) -> list[Bar]:
        """Bars that open from `start_ms` to `end_ms`; the last possible is that of `now_ms`.

        They follow each other without gaps: a period in which nothing happened has a bar at
        the close before it. With `filled` off only periods with trades (of the other
        kinds: with prices that were set) are given. The one bar that is open at `now_ms`
        (`limit=1`, no start) is answered from memory. The interval "1s" is there for
        `BarKind.LAST` only.
        """
        ...

    def rolling_day(self, symbol: str, now_ms: int) -> Bar:
        """The last price over the 24 hours up to `now_ms`, from memory; zeros without a market.

        The window begins at `open_ms`, a whole minute. Without a price in it its open is
        the close before it.
        """
        ...

    def list_income(
        self,
        account: int,
        symbol: str,
        *,
        kind: IncomeKind | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[Income]:
        """Changes of a wallet by rising `tran_id`; an empty `symbol` stands for all rows."""
        ...

    def list_margin_changes(
        self,
        account: int,
        symbol: str,
        *,
        removals: bool | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[MarginChange]:
        """By rising `change_id`; `removals` asks for what was taken alone, or what was added."""
        ...

    def list_margin_steps(self, account: int, *, limit: int = 500) -> list[MarginStep]:
        """The newest steps, by rising `step_id`; up to `STEPS_KEPT` of each account are kept."""
        ...

    def list_fundings(
        self,
        symbol: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[Funding]:
        """Fundings that were settled, by time: in one market, or (an empty `symbol`) in all."""
        ...

    def list_statistics(
        self,
        symbol: str,
        period: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 30,
        now_ms: int | None = None,
    ) -> list[Statistics]:
        """One row at each beginning of a `period`, of five minutes or a multiple of that.

        The last possible is that of `now_ms`, or of the last record where it is not given.
        """
        ...
