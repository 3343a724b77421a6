"""What a record's events mean for the history, as values. Nothing here knows the store."""

from openperp.engine.events import (
    AccountCreated,
    Applied,
    Fill,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRecord,
    VenueReset,
)
from openperp.engine.terms import OrderStatus


class Rows:
    """What successive records add to the history, in their order.

    `cleared` says that everything before these rows is gone.
    """

    __slots__ = ("cleared", "fills", "orders")

    def __init__(self) -> None:
        self.orders: list[OrderRecord] = []
        self.fills: list[Fill] = []
        self.cleared = False

    def __len__(self) -> int:
        """Rows to write, a clearing counted as one."""
        return len(self.orders) + len(self.fills) + self.cleared

    def clear(self) -> None:
        # New lists: a reader may be walking the old ones.
        self.orders = []
        self.fills = []
        self.cleared = True


def absorb(applied: Applied, rows: Rows, house: set[int]) -> None:
    """Adds to `rows` what `applied` closed and traded, the `house` accounts left out.

    An account that was created as a house account joins `house`.
    """
    for event in applied.events:
        if isinstance(event, OrderCanceled) or isinstance(event, OrderExpired):  # noqa: SIM101
            # Twice as fast as one isinstance with a tuple, and this is the busiest line.
            if event.order.account not in house:
                rows.orders.append(event.order)
        elif isinstance(event, OrderFilled):
            _absorb_fill(event, rows, house)
        elif isinstance(event, VenueReset):
            rows.clear()
        elif isinstance(event, AccountCreated) and event.house:
            house.add(event.account)


def _absorb_fill(event: OrderFilled, rows: Rows, house: set[int]) -> None:
    if event.order.account in house:
        return
    rows.fills.append(event.fill)
    if event.order.status == OrderStatus.FILLED:
        rows.orders.append(event.order)


def find_house_accounts(applied: Applied) -> list[int]:
    """The house accounts that `applied` created."""
    return [
        event.account
        for event in applied.events
        if isinstance(event, AccountCreated) and event.house
    ]
