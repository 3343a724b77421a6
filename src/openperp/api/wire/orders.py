"""Order objects, as JSON text.

Writing orders is the largest share of a batch cancel, so an order is not built
as an object first. What its instrument, type, side, status and flags decide is
text that many orders share, kept as a `_Shape`; an order adds its ids, its
numbers and its times.

All layouts keep one field order, which is the one clients know from a batch
cancel, and differ in the fields that they add to it.
"""

from collections.abc import Iterable
from functools import lru_cache
from json import dumps
from typing import Final, Literal

import msgspec
from msgspec import structs

from openperp.api.dialect import Dialect
from openperp.api.wire.numbers import InstrumentFormat, instrument_format, percent_texts
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.records import OrderRecord
from openperp.engine.terms import OrderType


class OrderLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Which fields an order object has beyond those that all of them have.

    `average_price` is avgPrice, `quote` cumQuote, `total` cumQty, `created`
    time, `pair` pair, `parent` parentOrderId on attached children, and `modes`
    priceMatch, selfTradePreventionMode and goodTillDate.
    """

    average_price: bool = False
    quote: bool = False
    total: bool = True
    created: bool = False
    pair: bool = False
    parent: bool = False
    modes: bool = False


ReplyKind = Literal["batch cancel", "cancel", "place", "amend", "test", "query", "all orders"]
"""The replies that hold orders; orders placed or amended in a batch are told like single ones."""


def order_layout(reply: ReplyKind, *, seed: bool, value: bool) -> OrderLayout:
    """The layout of a reply.

    `seed` and `value` are the dialect's `seed_cancel_fields` and `value_in_order_replies`.
    """
    query = OrderLayout(
        average_price=True, quote=True, total=False, created=True, parent=True, modes=True
    )
    placed = OrderLayout(average_price=value, quote=value, parent=True, modes=True)
    layouts: dict[ReplyKind, OrderLayout] = {
        "batch cancel": OrderLayout(quote=seed, modes=not seed),
        "cancel": OrderLayout(quote=seed, parent=True, modes=True),
        "place": placed,
        "amend": structs.replace(placed, pair=True),
        "test": OrderLayout(average_price=True, quote=True, modes=True),
        "query": query,
        "all orders": structs.replace(query, pair=True),
    }
    return layouts[reply]


_UNDATED: Final = '"goodTillDate":0'
"""What a shape says, for every order has a date of its own."""

_FLAG: Final = ("false", "true")


def reduces_only(order: OrderRecord) -> bool:
    """Whether the order can do nothing but close, because it says so or by closePosition."""
    return order.reduce_only or order.close_position


_Shape = tuple[str, str, str, str, bool]
"""The text after origQty, after price, after stopPrice and after updateTime, and
whether there may be more fields before updateTime."""


class OrderWriter:
    """Writes the orders of one instrument in one layout."""

    __slots__ = ("_format", "_layout", "_shapes", "_untouched")

    def __init__(self, instrument: InstrumentFormat, layout: OrderLayout) -> None:
        self._format = instrument
        self._layout = layout
        self._shapes: dict[tuple[int, ...], _Shape] = {}
        self._untouched = self._progress(0, 0)

    def write(self, order: OrderRecord) -> str:
        """One order as a JSON object."""
        return self.write_each((order,))[0]

    def write_list(self, orders: Iterable[OrderRecord]) -> str:
        """Orders as a JSON list."""
        return f"[{','.join(self.write_each(orders))}]"

    def write_each(self, orders: Iterable[OrderRecord]) -> list[str]:
        """Each order as a JSON object; a loop rather than calls, for it runs ten times a cancel."""
        shapes, untouched = self._shapes, self._untouched
        price, quantity = self._format.price, self._format.quantity
        texts = []
        for order in orders:
            key = (
                order.status,
                order.side,
                order.type,
                order.original_type,
                order.time_in_force,
                order.working_type,
                order.position_side,
                order.reduce_only,
                order.close_position,
                order.price_protect,
                order.stp,
                order.price_match,
            )
            shape = shapes.get(key)
            if shape is None:
                shape = shapes[key] = self._make_shape(order)
            after_quantity, after_price, after_stop, tail, has_extras = shape
            progress = untouched
            if order.filled_lots:
                progress = self._progress(order.filled_lots, order.filled_value)
            extras = self._extras(order) if has_extras else ""
            client_id = order.client_id
            if '"' in client_id or "\\" in client_id or not client_id.isprintable():
                client_id = dumps(client_id)[1:-1]
            if order.expires_ms:
                tail = tail.replace(_UNDATED, f'"goodTillDate":{order.expires_ms}')
            texts.append(
                f'{{"clientOrderId":"{client_id}{progress}{order.order_id}'
                f',"origQty":"{quantity[order.lots]}{after_quantity}'
                f"{price[order.ticks]}{after_price}{price[order.trigger_ticks]}{after_stop}"
                f'{extras}"updateTime":{order.updated_ms}{tail}'
            )
        return texts

    def _progress(self, filled_lots: int, filled_value: int) -> str:
        """From the end of clientOrderId to orderId: what the fills decide."""
        layout, instrument = self._layout, self._format
        quantity = instrument.quantity[filled_lots]
        fields = ['"']
        if layout.total:
            fields.append(f'"cumQty":"{quantity}"')
        if layout.quote:
            fields.append(f'"cumQuote":"{instrument.quote_text(filled_value)}"')
        fields.append(f'"executedQty":"{quantity}"')
        if layout.average_price:
            average = instrument.derived_price(filled_value, filled_lots)
            fields.append(f'"avgPrice":"{average}"')
        fields.append('"orderId":')
        return ",".join(fields)

    def _extras(self, order: OrderRecord) -> str:
        layout, instrument = self._layout, self._format
        text = ""
        if order.original_type is OrderType.TRAILING_STOP_MARKET:
            activation = instrument.price[order.activation_ticks]
            rate = percent_texts[order.callback_ppm]
            text = f'"activatePrice":"{activation}","priceRate":"{rate}",'
        if layout.parent and order.parent_id:
            text += f'"parentOrderId":{order.parent_id},'
        if layout.created:
            text += f'"time":{order.created_ms},'
        return text

    def _make_shape(self, order: OrderRecord) -> _Shape:
        pair = f'"pair":"{order.symbol}",' if self._layout.pair else ""
        modes = _modes(order) if self._layout.modes else ""
        after_quantity = f'","origType":"{order.original_type.name}","price":"'
        after_price = (
            f'","reduceOnly":{_FLAG[reduces_only(order)]},"side":"{order.side.name}"'
            f',"positionSide":"{order.position_side.name}","status":"{order.status.name}"'
            ',"stopPrice":"'
        )
        after_stop = (
            f'","closePosition":{_FLAG[order.close_position]},"symbol":"{order.symbol}",{pair}'
            f'"timeInForce":"{order.time_in_force.name}","type":"{order.type.name}",'
        )
        tail = (
            f',"workingType":"{order.working_type.name}"'
            f',"priceProtect":{_FLAG[order.price_protect]}{modes}}}'
        )
        layout = self._layout
        trails = order.original_type is OrderType.TRAILING_STOP_MARKET
        has_extras = trails or layout.created or layout.parent
        return after_quantity, after_price, after_stop, tail, has_extras


def _modes(order: OrderRecord) -> str:
    return (
        f',"priceMatch":"{order.price_match.name}"'
        f',"selfTradePreventionMode":"{order.stp.name}",{_UNDATED}'
    )


@lru_cache(maxsize=4_096)
def _order_writer(
    instrument: InstrumentFormat, reply: ReplyKind, seed: bool, value: bool
) -> OrderWriter:
    return OrderWriter(instrument, order_layout(reply, seed=seed, value=value))


def order_writer(spec: InstrumentSpec, dialect: Dialect, reply: ReplyKind) -> OrderWriter:
    """The writer of an instrument's orders for one kind of reply; writers are kept."""
    instrument = instrument_format(spec, shortest=dialect.shortest_decimals)
    return _order_writer(
        instrument, reply, dialect.seed_cancel_fields, dialect.value_in_order_replies
    )
