"""The passing of time: what is due happens before the record that finds it due.

The earliest comes first, each at its own time. At one time prices are sampled
first; then come fundings by symbol, countdowns by account and symbol, and the
ends of orders by their ids, those of their dates before those of their age.
"""

from openperp.engine.terms import Cause, TimeInForce
from openperp.lab.reference.amending import fire_countdown
from openperp.lab.reference.funding import settle_funding, skip_funding
from openperp.lab.reference.liquidation import settle_down
from openperp.lab.reference.model import Order
from openperp.lab.reference.prices import SAMPLE_MS, Shown, look, sample, tell_time
from openperp.lab.reference.trading import cancel, expire
from openperp.lab.reference.venue import Venue

FUNDING, COUNTDOWN, EXPIRY, AGEING = range(4)
Due = tuple[int, int, int, str]
"""When, what, the number of an account or order, and a symbol."""


def pass_time(venue: Venue, now: int, funded_until: int) -> None:
    """Lets everything up to `now` happen; fundings later than `funded_until` are skipped."""
    while True:
        due = min(_list_due(venue), default=None)
        if due is None or due[0] > now:
            break
        _take_samples(venue, due[0])
        venue.now = due[0]
        if due in _list_due(venue):  # and no order that a sample fired has ended it
            _happen(venue, due, now, funded_until)
            settle_down(venue)
    _take_samples(venue, now)
    venue.now = now
    if venue.told_ms is not None:
        tell_time(venue)


def _take_samples(venue: Venue, until_ms: int) -> None:
    """One by one, up to `until_ms`, before which nothing else is due.

    A book does not change meanwhile, so it is read once for all of them, unless
    a mark price fires orders; and where no sample could show anything, they are
    passed over.
    """
    first = venue.now - venue.now % SAMPLE_MS + SAMPLE_MS
    if first > until_ms:
        return
    shown = _look_at_all(venue)
    for moment in range(first, until_ms + 1, SAMPLE_MS):
        if not _samples_show(venue, shown):
            return
        venue.now = moment
        for symbol, each in shown.items():
            sample(venue, venue.markets[symbol], each)
        if venue.moves:
            settle_down(venue)
            shown = _look_at_all(venue)


def _look_at_all(venue: Venue) -> dict[str, Shown]:
    return {
        symbol: look(venue, market)
        for symbol, market in venue.markets.items()
        if market.formula or market.funding_ms
    }


def _samples_show(venue: Venue, shown: dict[str, Shown]) -> bool:
    """Whether a sample could change or tell anything."""
    for symbol, market in venue.markets.items():
        if market.formula:
            return True
        if market.funding_ms and (shown[symbol].premium or market.premium):
            return True
    return False


def _list_due(venue: Venue) -> list[Due]:
    fundings = [
        (market.funding_ms, FUNDING, 0, symbol)
        for symbol, market in venue.markets.items()
        if market.funding_ms
    ]
    countdowns = [(each.due_ms, COUNTDOWN, *key) for key, each in venue.countdowns.items()]
    ends = [end for order in venue.orders if (end := _end_of(venue, order)) is not None]
    return fundings + countdowns + ends


def _end_of(venue: Venue, order: Order) -> Due | None:
    """When an order ends by its date or by its age.

    A GTC order without a fill ages, unless it is attached to another.
    """
    if order.expires_ms:
        return order.expires_ms, EXPIRY, order.order_id, ""
    lasting = order.time_in_force in {TimeInForce.GTC, TimeInForce.GTE_GTC}
    ages = lasting and not order.filled and not order.parent_id
    if not venue.order_life_ms or not ages:
        return None
    return order.created_ms + venue.order_life_ms, AGEING, order.order_id, ""


def _happen(venue: Venue, due: Due, now: int, funded_until: int) -> None:
    due_ms, kind, number, symbol = due
    if kind == FUNDING:
        if due_ms > funded_until:
            skip_funding(venue, symbol, now)
        else:
            settle_funding(venue, symbol)
        return
    if venue.told_ms is not None:
        tell_time(venue)
    if kind == COUNTDOWN:
        fire_countdown(venue, due_ms, number, symbol)
        return
    ended = venue.live(number)
    assert ended is not None
    if kind == EXPIRY:
        expire(venue, ended, Cause.DATE_PASSED)
    else:
        cancel(venue, ended, Cause.AGED)
