"""Where rows are found: in layers that wait to be written, and in the file behind them."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import msgspec

from openperp.history.base import HistoryUnusable
from openperp.history.file import Connection
from openperp.history.overlay import Layer
from openperp.history.span import Picked, Row, Span
from openperp.history.tables import Table
from openperp.history.writer import Writer


class Part(Protocol):
    """Rows of a layer; `cleared` says that everything before them is gone."""

    @property
    def cleared(self) -> bool: ...


AnyPart = TypeVar("AnyPart", bound=Part)


class Sources:
    """The layers, the newest first, and the file; any thread may read them at any moment.

    The writer drops a layer when its rows are committed, so that each row is in at
    least one place. Who reads takes `layers` once: the tuple is replaced and never changed.
    """

    def __init__(self, reader: Connection, writer: Writer) -> None:
        self.layers: tuple[Layer, ...] = (Layer(),)
        self.writer = writer
        self._reader = reader

    def list(
        self,
        table: Table[Row],
        span: Span,
        parts: Iterable[AnyPart],
        pick: Callable[[AnyPart], Iterable[tuple[int, Row]]],
        sought: int | None = None,
    ) -> list[Row]:
        """Rows of the span: those that `pick` finds in the parts of layers, and those of the file.

        `sought` is the value of the column by which the table may be asked.
        """
        picked = Picked[Row]()
        for part in parts:
            picked.add(pick(part))
            if part.cleared:
                return picked.cut(span)
        with self.reading() as reader:
            for base in self.writer.owners.find_bases(span.account, span.symbol):
                picked.add(table.list(reader, base, span, sought))
        return picked.cut(span)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The file, to one reader at a time.

        Raises:
            HistoryUnusable: it cannot be read, or does not hold what it must.
        """
        with self._reader.lock:
            try:
                yield self._reader.raw
            except (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise HistoryUnusable(f"The history cannot be read: {error}.") from error
