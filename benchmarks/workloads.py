"""Seeded streams of commands at a book held near a given size.

Every stream is 55 % new limit orders, 40 % cancels of a live order chosen at
random and 5 % market orders that fill about three resting orders each, which
keeps the book in balance; it is steered back when it strays by a tenth. Prices
of new orders are an exponential distance from the touch (mean 400 ticks, 7
basis points), so that most activity is near the touch with a long tail; the
uniform variant spreads them over 5 % on either side, which is the worst case
for the list of prices. Quantities are 1 to 20 lots.

Commands are made a chunk at a time between the measured stretches, from the
orders that are live then. Only a cancel whose order was filled within the same
chunk is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from benchmarks.market import ACCOUNTS, INDEX_TICKS, START_MS, SYMBOL
from openperp.engine.commands import Batch, CancelOrder, Command, PlaceOrder, Record
from openperp.engine.events import Applied, OrderAccepted, OrderCanceled, OrderFilled
from openperp.engine.state import State
from openperp.engine.terms import OrderStatus, OrderType, Side

CHUNK = 100
MEAN_DISTANCE = 400
UNIFORM_DISTANCE = 30_000
LOTS_MAX = 20
TAKEN_LOTS_MAX = 62


@dataclass(frozen=True)
class Workload:
    """`resting` orders in the book; `burst` commands under one record, or 1 for single ones."""

    name: str
    resting: int
    burst: int = 1
    uniform: bool = False

    def capped(self, resting: int) -> "Workload":
        return replace(self, resting=min(self.resting, resting))


class Stream:
    """Makes the commands and follows which orders are live."""

    def __init__(self, workload: Workload, state: State, seed: int = 1) -> None:
        self.workload = workload
        self.random = Random(seed)
        self.seq = state.seq
        self._live = list(state.orders)
        self._accounts = {order.order_id: order.account for order in state.orders.values()}
        self._places = {order_id: place for place, order_id in enumerate(self._live)}

    def records(self, count: int) -> list[Record]:
        """Records that hold about `count` commands."""
        burst = self.workload.burst
        if burst == 1:
            return [self._record(self._command()) for _ in range(count)]
        return [record for _ in range(max(1, count // (2 * burst))) for record in self._burst()]

    def follow(self, results: Sequence[Applied]) -> None:
        """Takes in what the last records did."""
        for applied in results:
            for event in applied.events:
                if isinstance(event, OrderAccepted):
                    if event.order.type == OrderType.LIMIT:
                        self._add(event.order.order_id, event.order.account)
                elif isinstance(event, OrderCanceled) or (
                    isinstance(event, OrderFilled) and event.order.status == OrderStatus.FILLED
                ):
                    self._drop(event.order.order_id)

    def place(self) -> PlaceOrder:
        random = self.random
        side = Side.BUY if random.getrandbits(1) else Side.SELL
        if self.workload.uniform:
            distance = random.randrange(UNIFORM_DISTANCE)
        else:
            distance = min(int(random.expovariate(1 / MEAN_DISTANCE)), UNIFORM_DISTANCE)
        return PlaceOrder(
            random.randint(1, ACCOUNTS),
            SYMBOL,
            side,
            OrderType.LIMIT,
            lots=random.randint(1, LOTS_MAX),
            ticks=INDEX_TICKS - side * (1 + distance),
        )

    def _record(self, command: Command) -> Record:
        self.seq += 1
        return Record(self.seq, START_MS + self.seq, command)

    def _command(self) -> PlaceOrder | CancelOrder:
        draw = self.random.random()
        resting = len(self._live)
        if draw < 0.05:
            return self._take()
        if resting < self.workload.resting * 0.9:
            return self.place()
        if resting and (draw < 0.45 or resting > self.workload.resting * 1.1):
            return self._cancel()
        return self.place()

    def _burst(self) -> list[Record]:
        """Ten places as two batches of five, ten cancels as one of ten, one market order."""
        burst = self.workload.burst
        half = burst // 2
        steer = min(burst, max(0, burst + (len(self._live) - self.workload.resting) // 10))
        chosen = self.random.sample(self._live, min(steer, len(self._live)))
        return [
            self._record(Batch(tuple(self.place() for _ in range(half)))),
            self._record(Batch(tuple(self.place() for _ in range(burst - half)))),
            self._record(Batch(tuple(self._cancel_of(order_id) for order_id in chosen))),
            self._record(self._take()),
        ]

    def _take(self) -> PlaceOrder:
        random = self.random
        return PlaceOrder(
            random.randint(1, ACCOUNTS),
            SYMBOL,
            Side.BUY if random.getrandbits(1) else Side.SELL,
            OrderType.MARKET,
            lots=random.randint(1, TAKEN_LOTS_MAX),
        )

    def _cancel(self) -> CancelOrder:
        return self._cancel_of(self.random.choice(self._live))

    def _cancel_of(self, order_id: int) -> CancelOrder:
        return CancelOrder(self._accounts[order_id], SYMBOL, order_id)

    def _add(self, order_id: int, account: int) -> None:
        self._places[order_id] = len(self._live)
        self._live.append(order_id)
        self._accounts[order_id] = account

    def _drop(self, order_id: int) -> None:
        place = self._places.pop(order_id, None)
        if place is None:
            return
        del self._accounts[order_id]
        last = self._live.pop()
        if last != order_id:
            self._live[place] = last
            self._places[last] = place


def count_commands(records: Sequence[Record]) -> int:
    """Commands in `records`, the elements of a batch counted one by one."""
    return sum(
        len(record.command.commands) if isinstance(record.command, Batch) else 1
        for record in records
    )
