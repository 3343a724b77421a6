"""What amendments changed."""

from openperp.api.wire.numbers import InstrumentFormat
from openperp.api.wire.row import Row
from openperp.history.base import Amendment


def amendment_row(amendment: Amendment, instrument: InstrumentFormat) -> Row:
    """One amendment, with price and quantity before and after it.

    `modifyId` is zero where the caller gave none.
    """
    price, quantity = instrument.price, instrument.quantity
    return {
        "amendmentId": amendment.amendment_id,
        "symbol": amendment.symbol,
        "pair": amendment.symbol,
        "orderId": amendment.order_id,
        "clientOrderId": amendment.client_id,
        "time": amendment.time_ms,
        "amendment": {
            "price": _change(price[amendment.ticks_before], price[amendment.ticks]),
            "origQty": _change(quantity[amendment.lots_before], quantity[amendment.lots]),
            "count": amendment.count,
            "modifyId": amendment.modify_id,
        },
    }


def _change(before: str, after: str) -> Row:
    return {"before": before, "after": after}
