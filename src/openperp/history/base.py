"""What the history is: closed orders, fills and the market's past, found again at any age."""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from openperp.engine.events import Applied
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.state import State
from openperp.engine.terms import Origin
from openperp.history.market import MarketHistory


class Amendment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A change of a live order's price (ticks) and quantity (lots), the `count`-th of its order.

    `modify_id` is the caller's own number for it, or zero.
    """

    amendment_id: int
    account: int
    symbol: str
    order_id: int
    client_id: str
    time_ms: int
    ticks_before: int
    ticks: int
    lots_before: int
    lots: int
    count: int
    modify_id: int


class HistoryUnusable(Exception):
    """The store cannot be read or written; the message is one sentence for an operator."""


class History(Protocol):
    """Recalls what the engine has let go of.

    It is derived from the journal: `position` is the number of the last record
    absorbed, and replaying the journal behind it makes the history whole. A
    journal that forgets records takes that way back with it, so `flush` comes
    before the journal prunes.

    `absorb` is called by one thread. Reads may come from any, at any moment,
    and see everything absorbed before. An order is absorbed once, when it is
    filled, cancelled or expired; live orders are the engine's. The ids of orders
    and trades rise with the times of their creation.
    """

    @property
    def position(self) -> int: ...

    @property
    def market(self) -> MarketHistory:
        """The market's past, which reads see in the same way."""
        ...

    @property
    def failing(self) -> str:
        """Why nothing can be written just now, as a sentence; empty if all is well.

        What was absorbed is kept and seen by reads all the same, and written when
        that is possible again.
        """
        ...

    def absorb(self, applied: Applied) -> None:
        """Takes in what one record did; one at or before `position` is skipped.

        Cheap, unless the store has fallen so far behind that it waits. Raises
        HistoryUnusable where it would wait for a store that cannot be written; the
        record is taken in all the same.
        """
        ...

    def add_house_accounts(self, accounts: Iterable[int]) -> None:
        """Keeps these accounts out, as those that an absorbed record created as house are.

        For a start from a snapshot, which holds accounts whose creation is not
        replayed. They stay out for good, a reset of the venue included.
        """
        ...

    def start_from(self, state: State) -> None:
        """Takes prices, wallets and holdings from `state`, if records before it were missed.

        For a start from a snapshot: the market's past then begins there.
        """
        ...

    def find_order(self, account: int, symbol: str, order_id: int) -> OrderRecord | None:
        """The closed order; an empty `symbol` stands for any."""
        ...

    def find_order_by_client_id(
        self,
        account: int,
        symbol: str,
        client_id: str,
        algo: bool | None,
        *,
        fired: bool = False,
    ) -> OrderRecord | None:
        """The closed order with the highest id among those that used `client_id`.

        `algo` looks at algo orders alone, or at none of them but, with `fired`, those that
        have fired; an empty `symbol` stands for any.
        """
        ...

    def list_orders(
        self,
        account: int,
        symbol: str,
        *,
        from_id: int | None = None,
        until_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
        newest: bool | None = None,
    ) -> list[OrderRecord]:
        """Closed orders by rising id, created from `start_ms` to `end_ms`; all ends included.

        Of more than `limit` the newest are given, and the oldest where `from_id`
        or `start_ms` says where to begin; `newest` decides it outright. An empty
        `symbol` stands for any.
        """
        ...

    def list_forced_orders(
        self,
        account: int,
        symbol: str,
        *,
        origin: Origin | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 50,
    ) -> list[OrderRecord]:
        """Orders that the venue placed against the account, of one origin or of both.

        They are among those of `list_orders`, too; the rest is as there.
        """
        ...

    def list_fills(
        self,
        account: int,
        symbol: str,
        *,
        order_id: int | None = None,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
        newest: bool | None = None,
    ) -> list[Fill]:
        """Fills by rising trade id, of one order or of all; the rest is as in `list_orders`.

        Both fills of a trade of an account with itself are there, the buy first.
        """
        ...

    def list_amendments(
        self,
        account: int,
        symbol: str,
        *,
        order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 50,
    ) -> list[Amendment]:
        """Amendments by rising id, of one order or of all; the rest is as in `list_orders`."""
        ...

    def flush(self) -> None:
        """Returns when everything absorbed so far is durable; waits for the disk.

        Raises HistoryUnusable where that fails; a later call tries again.
        """
        ...

    def close(self) -> None:
        """Flushes and lets go of the store; may be called twice."""
        ...
