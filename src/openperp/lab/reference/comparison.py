"""Both engines side by side: every record goes to both, and all that they did is compared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from msgspec import Struct

from openperp.engine.apply import apply
from openperp.engine.commands import Batch, Command, Pulse, Record
from openperp.engine.events import Applied, Event
from openperp.engine.invariants import InvariantViolation, check
from openperp.engine.rejects import Reject
from openperp.engine.state import State
from openperp.lab.reference import apply as slow
from openperp.lab.reference import views
from openperp.lab.reference.venue import Refused, Venue

WHOLE_EVERY = 100
"""Records between two comparisons of the whole state; between them, of what events name."""


BREAKDOWNS = (AssertionError, ArithmeticError, LookupError, TypeError, ValueError)
"""What an engine with a mistake in it raises."""


class Difference(Exception):
    """The engines disagree about a record; `sentences` say where, the engine's word first."""

    def __init__(self, record: Record, sentences: list[str]) -> None:
        super().__init__(sentences[0])
        self.record = record
        self.sentences = sentences


@dataclass(slots=True)
class Touched:
    """What a record's commands and events name."""

    accounts: set[int] = field(default_factory=set)
    symbols: set[str] = field(default_factory=set)
    orders: set[int] = field(default_factory=set)


class Comparison:
    """Two venues that are given the same commands.

    `whole_every` is how often everything is compared, not only what a record
    has touched.
    """

    def __init__(self, whole_every: int = WHOLE_EVERY) -> None:
        self.state = State()
        self.venue = Venue()
        self.now = 0
        self.refused = 0
        self.last_record = Record(0, 0, Pulse())
        self._whole_every = whole_every

    def do(self, command: Command, time_ms: int) -> Applied:
        """Gives a command to both at a time, as `take` does."""
        self.now = max(self.now, time_ms)
        return self.take(Record(self.state.seq + 1, self.now, command))

    def take(self, record: Record) -> Applied:
        """Gives a record to both.

        Raises:
            Difference: replies, events or states differ afterwards.
        """
        self.last_record = record
        try:
            applied = apply(self.state, record)
            outcomes, events = slow.apply(self.venue, record)
        except BREAKDOWNS as broken:
            raise Difference(record, [f"an engine breaks on it: {broken!r}"]) from broken
        sentences = [*_compare_replies(applied, outcomes), *_compare_events(applied, events)]
        if not sentences:
            sentences = list(self._compare_states(applied))
        if sentences:
            raise Difference(record, sentences)
        self.refused += sum(isinstance(outcome, Refused) for outcome in outcomes)
        return applied

    def compare_all(self) -> list[str]:
        """Where the whole states differ, or the engine's breaks a law of its own."""
        orders = {*self.state.orders, *[order.order_id for order in self.venue.orders]}
        whole = Touched(set(self.state.accounts), set(self.state.markets), orders)
        return [*self._compare_parts(whole), *self._find_violations()]

    def _find_violations(self) -> Iterator[str]:
        try:
            check(self.state)
        except InvariantViolation as violation:
            yield f"engine: {violation}"

    def _compare_states(self, applied: Applied) -> Iterator[str]:
        if applied.seq % self._whole_every == 0:
            yield from self.compare_all()
        else:
            yield from self._compare_parts(_find_touched(applied))

    def _compare_parts(self, touched: Touched) -> Iterator[str]:
        """What was touched, and in any case what is of no account and no market."""
        fast, venue = views.view_fast_venue(self.state), views.view_slow_venue(self.venue)
        yield from _compare_views("venue", fast, venue)
        if fast["money"]:
            yield f"venue: {fast['money']} x 10^-8 of money came from nowhere"
        orders = views.view_fast_orders(self.state, touched.orders)
        records = views.view_slow_orders(self.venue, touched.orders)
        yield from _compare_entries("order", orders, records)
        for number in sorted(touched.accounts & set(self.state.accounts)):
            account = views.view_fast_account(self.state.accounts[number])
            known = set(account["leverages"])
            other = views.view_slow_account(self.venue, self.venue.accounts[number], known)
            yield from _compare_views(f"account {number}", account, other)
        for symbol in sorted(touched.symbols & set(self.state.markets)):
            market = views.view_fast_market(self.state.markets[symbol])
            book = views.view_slow_market(self.venue, self.venue.markets[symbol])
            yield from _compare_views(symbol, market, book)


def _compare_replies(applied: Applied, outcomes: list[slow.Outcome]) -> Iterator[str]:
    replies = applied.reply if isinstance(applied.command, Batch) else (applied.reply,)
    assert isinstance(replies, tuple)
    for reply, outcome in zip(replies, outcomes, strict=True):
        if not isinstance(outcome, Refused):
            yield from _tell_apart("reply", reply, outcome)
        elif not isinstance(reply, Reject) or reply.reason not in outcome.reasons:
            yield f"reply: {_word(reply)} | refused for {outcome}"


def _word(value: object) -> str:
    return f"refused for {value.reason.name}" if isinstance(value, Reject) else repr(value)


def _compare_events(applied: Applied, events: list[Event]) -> Iterator[str]:
    for number, (event, other) in enumerate(zip_longest(applied.events, events), 1):
        yield from _tell_apart(f"event {number}", event, other)


def _tell_apart(where: str, value: object, other: object) -> Iterator[str]:
    """Where two values differ, down to the fields of what they are made of."""
    if value == other:
        return
    if type(value) is not type(other) or not isinstance(value, Struct):
        yield f"{where}: {_word(value)} | {_word(other)}"
        return
    for name in value.__struct_fields__:
        part = f"{where}, {type(value).__name__}.{name}"
        yield from _tell_apart(part, getattr(value, name), getattr(other, name))


def _compare_views(where: str, fast: views.View, other: views.View) -> Iterator[str]:
    for name, value in fast.items():
        if isinstance(value, dict):
            yield from _compare_entries(f"{where}, {name}", value, other[name])
        else:
            yield from _tell_apart(f"{where}, {name}", value, other[name])


def _compare_entries(where: str, fast: dict[Any, Any], other: dict[Any, Any]) -> Iterator[str]:
    for key in {**fast, **other}:
        yield from _tell_apart(f"{where}, {key}", fast.get(key), other.get(key))


def _find_touched(applied: Applied) -> Touched:
    touched = Touched()
    command = applied.command
    told: list[object] = [*applied.events]
    told += command.commands if isinstance(command, Batch) else (command,)
    for each in told:
        thing = getattr(each, "order", each)
        account = getattr(thing, "account", None)
        if isinstance(account, int):
            touched.accounts.add(account)
        touched.symbols.add(getattr(thing, "symbol", ""))
        touched.orders.add(getattr(thing, "order_id", 0))
    return touched
