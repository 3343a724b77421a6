"""The history in SQLite, written behind the venue's back by a thread of its own."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Final, NamedTuple

from openperp.engine.events import Applied
from openperp.engine.records import Fill, OrderRecord
from openperp.engine.state import State
from openperp.engine.terms import Origin
from openperp.history import file
from openperp.history.absorb import absorb, absorb_market, find_house_accounts
from openperp.history.base import Amendment, HistoryUnusable
from openperp.history.client_ids import find_auto_order_id, hash_client_id
from openperp.history.market_reads import MarketReads
from openperp.history.overlay import Layer
from openperp.history.restore import restore
from openperp.history.sources import Sources
from openperp.history.span import Span
from openperp.history.tables import AMENDMENTS, FILLS, FORCED_ORDERS, ID_MASK, ORDERS
from openperp.history.writer import Writer

GATHER_SECONDS: Final = 0.25
"""How long rows wait for company: the more in a transaction, the cheaper each one."""
GATHER_ROWS: Final = 2_000
"""Rows of the market's past that are written without waiting for others."""
UNWRITTEN_ROWS: Final = 50_000
"""Rows that may wait for the writer while it is busy with as many; beyond, `absorb` waits."""
IDLE_SECONDS: Final = 10.0
"""How long the market's own past may wait where nothing else is to be written."""
RETRY_SECONDS: Final = 1.0
"""How long after a failed write the next one is tried, unless a flush asks for it."""


class Taken(NamedTuple):
    """A layer on its way to the file, which holds what came up to `position`.

    `flush` is the last flush that is served when it is there.
    """

    layer: Layer
    position: int
    flush: int


class SqliteHistory:
    """Closed orders, fills and the market's past in a file, or in memory where `path` is None.

    `absorb` adds to the top layer of unwritten rows; the writer takes that layer
    whole, writes it in one transaction together with the position, and drops it
    when it is committed; where that fails it tries again and keeps what waits. A
    read asks the layers first, the newest first, and then the file, so it finds
    each row in at least one place at any moment.
    """

    def __init__(self, path: Path | None, identity: str = "", needed_seq: int = 0) -> None:
        """Opens the store of the journal that is called `identity`.

        A file that is damaged, foreign, of another format or of another journal
        is put aside, `discarded` says why, and an empty one takes its place. That is
        for a journal that has all its records. One that has forgotten those up to
        `needed_seq` cannot fill an empty file: then the file is left as it is and
        HistoryUnusable raised, as it is where the place cannot be read or written.
        """
        self.discarded = ""
        """Why an earlier file was put aside; empty if none was."""
        if path is None:
            self._connection = file.Connection(file.create(":memory:", identity))
            self._reader = self._connection
        else:
            connection, self.discarded = file.open_file(path, identity, needed_seq)
            self._connection = file.Connection(connection)
            self._reader = file.Connection(file.connect(str(path)))
        self._sources = Sources(self._reader, Writer(self._connection))
        ((self._position,),) = self._connection.query("SELECT position FROM history")

        self._memory = restore(self._connection.raw)
        self._house: set[int] = set()
        self._memory.house = self._house
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._market = MarketReads(self._sources, self._memory, self._lock)
        self._idle = True
        self._closing = False
        self._flush_wanted = 0
        self._flush_done = 0
        self._flush_failed = 0
        self._taken: Taken | None = None
        self._failure = ""
        self._end = ""
        self._thread = Thread(target=self._run, name="history-writer", daemon=True)
        self._thread.start()

    @property
    def position(self) -> int:
        return int(self._position)

    @property
    def market(self) -> MarketReads:
        return self._market

    @property
    def failing(self) -> str:
        """Why the last write failed; empty once one succeeds."""
        reason = self._failure or self._end
        return reason and f"The history cannot be written: {reason}."

    def absorb(self, applied: Applied) -> None:
        memory = self._memory
        follow = applied.seq > memory.position
        with self._lock:
            rows = self._sources.layers[0].rows
            if applied.seq > self._position:
                absorb(applied, rows, self._house, memory, follow=follow)
                self._position = applied.seq
            else:
                self._house.update(find_house_accounts(applied))
                if follow:
                    absorb_market(applied, rows, memory)
            own = len(rows.orders) + len(rows.fills) + len(rows.amendments)
            waiting = own + rows.market.count
            if self._idle and (rows.urgent or waiting > GATHER_ROWS):
                self._idle = False
                self._changed.notify_all()
        if waiting > UNWRITTEN_ROWS or self._end:
            self._wait_for_room()

    def _wait_for_room(self) -> None:
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: len(self._sources.layers[0].rows) <= UNWRITTEN_ROWS or self.failing
            )
            if self.failing:
                raise HistoryUnusable(self.failing)

    def start_from(self, state: State) -> None:
        with self._lock:
            if state.seq > self._memory.position:
                self._memory.start_from(state, self._sources.layers[0].rows.market)

    def add_house_accounts(self, accounts: Iterable[int]) -> None:
        self._house.update(accounts)

    def flush(self) -> None:
        with self._changed:
            self._flush_wanted += 1
            wanted = self._flush_wanted
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: max(self._flush_done, self._flush_failed) >= wanted or self._end
            )
            if self._flush_done < wanted:
                raise HistoryUnusable(self.failing)

    def close(self) -> None:
        if not self._thread.is_alive() and self._closing:
            return
        try:
            if not self._end:
                self.flush()
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            self._thread.join()
            self._reader.close()
            self._connection.close()

    # The writer's thread.

    def _run(self) -> None:
        end = "its writer ended"
        try:
            while self._wait_for_rows():
                self._write_layer()
            end = "it is closed"
        finally:
            with self._changed:
                self._end = end
                self._changed.notify_all()

    def _wait_for_rows(self) -> bool:
        """Returns when there is something to write, or with False when there never will be."""
        with self._changed:
            if self._failure:
                self._changed.wait_for(
                    lambda: self._closing or self._flush_wanted > self._flush_failed, RETRY_SECONDS
                )
                return not self._closing
            urgent = self._sources.layers[0].rows.urgent
            self._idle = not urgent and not self._is_pressing()
            while not self._changed.wait_for(
                lambda: not self._idle or self._is_pressing(), IDLE_SECONDS
            ):
                if self._sources.layers[0].rows:
                    break
            self._changed.wait_for(self._is_pressing, GATHER_SECONDS)
            return not self._closing

    def _is_pressing(self) -> bool:
        return (
            self._closing
            or self._flush_wanted > self._flush_done
            or len(self._sources.layers[0].rows) > UNWRITTEN_ROWS
        )

    def _write_layer(self) -> None:
        """Writes the layer that failed before, if one did, or else the top one."""
        with self._changed:
            if self._taken is None:
                self._memory.seal(self._sources.layers[0].rows.market)
                self._taken = Taken(self._sources.layers[0], self._position, self._flush_wanted)
                self._sources.layers = (Layer(), self._taken.layer)
            taken, wanted = self._taken, self._flush_wanted
            self._changed.notify_all()
        try:
            if self._failure:
                # What it holds of rows that were rolled back must not be built upon.
                self._sources.writer = Writer(self._connection)
            self._write(taken.layer, taken.position, durable=wanted > self._flush_done)
        except sqlite3.Error as error:
            with self._changed:
                self._failure, self._flush_failed = str(error), wanted
                self._changed.notify_all()
            return
        with self._changed:
            self._sources.layers = self._sources.layers[:1]
            self._taken, self._failure, self._flush_done = None, "", taken.flush
            self._changed.notify_all()

    def _write(self, layer: Layer, position: int, *, durable: bool) -> None:
        """One transaction. A sync at its end covers all that were committed before it."""
        execute = self._connection.execute
        execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        execute("BEGIN IMMEDIATE")
        try:
            self._sources.writer.write(layer.rows, position)
            execute("COMMIT")
        except sqlite3.Error:
            self._connection.roll_back()
            raise
        self._sources.writer.client_ids.committed()

    # Readers' threads.

    def find_order(self, account: int, symbol: str, order_id: int) -> OrderRecord | None:
        for layer in self._sources.layers:
            order = layer.find_order(order_id)
            if order is not None:
                return order if _belongs(order, account, symbol) else None
            if layer.cleared:
                return None
        if not 0 < order_id <= ID_MASK:
            return None
        with self._sources.reading() as reader:
            for base in self._sources.writer.owners.find_bases(account, symbol):
                order = ORDERS.find(reader, base | order_id)
                if order is not None:
                    return order
        return None

    def find_order_by_client_id(
        self,
        account: int,
        symbol: str,
        client_id: str,
        algo: bool | None,
        *,
        fired: bool = False,
    ) -> OrderRecord | None:
        kinds = (False, True) if algo is None else (algo,)
        found = [self._find_by_client_id(account, symbol, client_id, kind) for kind in kinds]
        if fired:
            found.append(self._find_by_client_id(account, symbol, client_id, True, fired=True))
        order_id = find_auto_order_id(client_id)
        if order_id is not None:
            order = self.find_order(account, symbol, order_id)
            if (
                order is not None
                and order.client_id == client_id
                and (order.algo in kinds or (fired and order.triggered_ms))
            ):
                found.append(order)
        return max(
            (order for order in found if order is not None),
            key=lambda order: order.order_id,
            default=None,
        )

    def _find_by_client_id(
        self, account: int, symbol: str, client_id: str, algo: bool, *, fired: bool = False
    ) -> OrderRecord | None:
        for layer in self._sources.layers:
            for order in reversed(layer.find_orders_by_client_id(client_id)):
                if _is_of_kind(order, algo, fired) and _belongs(order, account, symbol):
                    return order
            if layer.cleared:
                return None
        with self._sources.reading() as reader:
            bases = self._sources.writer.owners.find_bases(account, symbol)
            for key in self._sources.writer.client_ids.search(
                reader, hash_client_id(account, client_id, algo, fired=fired)
            ):
                found = ORDERS.find(reader, key) if key & ~ID_MASK in bases else None
                if (
                    found is not None
                    and found.client_id == client_id
                    and _is_of_kind(found, algo, fired)
                ):
                    return found
        return None

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
        span = Span(account, symbol, from_id, until_id, start_ms, end_ms, limit, newest)
        return self._sources.list(
            ORDERS, span, self._sources.layers, lambda layer: layer.list_orders(span)
        )

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
        span = Span(account, symbol, None, None, start_ms, end_ms, limit, None)
        return self._sources.list(
            FORCED_ORDERS,
            span,
            self._sources.layers,
            lambda layer: layer.list_forced_orders(span, origin),
            origin,
        )

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
        span = Span(account, symbol, from_id, None, start_ms, end_ms, limit, newest)
        return self._sources.list(
            FILLS,
            span,
            self._sources.layers,
            lambda layer: layer.list_fills(span, order_id),
            order_id,
        )

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
        span = Span(account, symbol, None, None, start_ms, end_ms, limit, None)
        return self._sources.list(
            AMENDMENTS,
            span,
            self._sources.layers,
            lambda layer: layer.list_amendments(span, order_id),
            order_id,
        )


def _is_of_kind(order: OrderRecord, algo: bool, fired: bool) -> bool:
    return order.algo == algo and (not fired or order.triggered_ms > 0)


def _belongs(order: OrderRecord, account: int, symbol: str) -> bool:
    return order.account == account and (not symbol or order.symbol == symbol)
