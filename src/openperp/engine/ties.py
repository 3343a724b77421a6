"""Orders that are tied to a position: they wait to close it, and may not outlive it.

Source: the fapi's refusals of such orders, and what it tells of those that it gives up.
"""

from openperp.engine.commands import PlaceOrder
from openperp.engine.order import Order
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, Position, State
from openperp.engine.terms import GTE_GTC


def is_tied(order: Order) -> bool:
    """Whether the end of its position ends it; what is attached goes by what its parent opened."""
    return order.time_in_force is GTE_GTC and order.parent_id == 0


def check_ties(
    state: State, account: Account, position: Position, command: PlaceOrder, parent: Order | None
) -> None:
    """A tied order needs a position that it would close, or a parent that is to open one."""
    tied = command.time_in_force is GTE_GTC and parent is None
    if tied and not position.closable_lots(command.side):
        refuse(Reason.TIED_WITHOUT_POSITION, position_lots=position.lots)
    if command.close_position and state.single_closers:
        _check_closers(account, position, command)


def _check_closers(account: Account, position: Position, command: PlaceOrder) -> None:
    """One order of a type waits to close the whole of a position in one direction."""
    for order in account.waiting.values():
        if (
            order.close_position
            and order.type is command.type
            and order.side is command.side
            and order.position_key == position.key
        ):
            refuse(
                Reason.CLOSING_ORDER_EXISTS,
                order=order.order_id,
                type=order.type.name,
                side=order.side.name,
            )
