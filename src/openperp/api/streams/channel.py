"""A channel is one stream while somebody listens to it: what it has heard and has yet to say."""

from collections.abc import Iterable
from typing import ClassVar, Final

import msgspec

from openperp.api.streams.burst import STREAM_BURST
from openperp.api.streams.names import Stream
from openperp.api.view import View
from openperp.api.wire.numbers import InstrumentFormat
from openperp.engine.events import TradeExecuted
from openperp.engine.records import OrderRecord
from openperp.engine.state import Market

encode = msgspec.json.Encoder().encode

USD_MARGINED: Final = 1
"""`st`: the kind of contracts that a message is about."""

NEVER: Final = 1 << 62


class Channel:
    """Speaks when its stream's pace allows and it was woken, or on each beat if `steady`.

    It is woken by what it follows: trades of its market, changes of its book and
    of single levels in it, terms of contracts, or liquidations. If it is steady or `greets` it
    speaks once when it is fresh, so that its first listener sees a market that
    stands still. `alarm_ms` is the venue time that wakes it by itself; when that has
    come it has a backlog, of which it tells the newest `share`.
    """

    steady: ClassVar[bool] = False
    greets: ClassVar[bool] = False
    follows_trades: ClassVar[bool] = False
    follows_book: ClassVar[bool] = False
    follows_levels: ClassVar[bool] = False
    follows_terms: ClassVar[bool] = False
    follows_forced: ClassVar[bool] = False
    alarm_ms: int = NEVER
    share: int = STREAM_BURST

    def __init__(self, stream: Stream, view: View) -> None:
        self.stream = stream
        self.view = view

    def hear_trade(self, trade: TradeExecuted, time_ms: int) -> None:
        """A trade of the market."""

    def hear_price(self, last_ticks: int) -> bool:
        """The last price is, or still is, `last_ticks`; whether there is something to say now."""
        del last_ticks
        return False

    def hear_level(self, key: int) -> None:
        """The level of side times ticks `key` may have changed."""

    def hear_book(self, time_ms: int) -> None:
        """A record that happened at `time_ms` has changed the book; called behind its levels."""

    def hear_terms(self) -> None:
        """An instrument or what it accepts has changed."""

    def hear_forced(self, order: OrderRecord, lots: int) -> bool:
        """A liquidation order was filled by `lots`, or ended; whether there is something to say."""
        del order, lots
        return False

    def backlog(self) -> int:
        """How many periods have ended since it spoke last, up to `STREAM_BURST`."""
        return 0

    def reset(self) -> None:
        """Everything but accounts, keys and instruments is gone."""

    def speak(self) -> Iterable[bytes]:
        """The payloads that are due."""
        raise NotImplementedError


class MarketChannel(Channel):
    """A channel about one market."""

    @property
    def market(self) -> Market:
        """The market as it is now; a reset replaces it."""
        return self.view.state.markets[self.stream.symbol]

    @property
    def text(self) -> InstrumentFormat:
        return self.view.format_of(self.market)


class Silent(Channel):
    """Nothing: the name is known, and what it would tell of does not exist here."""

    def speak(self) -> Iterable[bytes]:
        return ()
