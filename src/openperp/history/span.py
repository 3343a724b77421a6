"""Which rows of a list are wanted: by id, by time, and how many."""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from openperp.engine.records import Fill, OrderRecord
from openperp.history.base import Amendment
from openperp.history.market import AggTrade, Funding, Income, MarginChange, MarginStep, Trade

Row = TypeVar(
    "Row",
    OrderRecord,
    Fill,
    Amendment,
    Trade,
    AggTrade,
    Income,
    MarginChange,
    MarginStep,
    Funding,
)


class Span(NamedTuple):
    """Rows of `account`, on `symbol` or (empty) on all; ids and times are included."""

    account: int
    symbol: str
    from_id: int | None
    until_id: int | None
    start_ms: int | None
    end_ms: int | None
    limit: int
    newest: bool | None

    @property
    def from_end(self) -> bool:
        """Whether the newest rows are wanted, should there be more than `limit`."""
        if self.newest is not None:
            return self.newest
        return self.from_id is None and self.start_ms is None

    def admits(self, account: int, symbol: str, row_id: int, time_ms: int) -> bool:
        return (
            account == self.account
            and (not self.symbol or symbol == self.symbol)
            and (self.from_id is None or row_id >= self.from_id)
            and (self.until_id is None or row_id <= self.until_id)
            and (self.start_ms is None or time_ms >= self.start_ms)
            and (self.end_ms is None or time_ms <= self.end_ms)
        )


class Picked(Generic[Row]):
    """Rows from several places under one key each, in the end cut to the span."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}

    def add(self, rows: Iterable[tuple[int, Row]]) -> None:
        self._rows.update(rows)

    def cut(self, span: Span) -> list[Row]:
        """By rising key; of more than the span's limit, its newest or its oldest."""
        keys = sorted(self._rows)
        keys = keys[max(0, len(keys) - span.limit) :] if span.from_end else keys[: span.limit]
        return [self._rows[key] for key in keys]


def fill_key(fill: Fill) -> int:
    """Tells the two fills of a trade apart, the buy first: an account may trade with itself."""
    return fill.trade_id << 1 | (fill.side < 0)
