"""Finding live orders: by id, by client id, or all of an account."""

from openperp.engine.order import Order
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.terms import (
    ANY,
    BOOK,
    NORMAL,
    TRIGGER,
    OrderScope,
)


def get_account(state: State, account_id: int) -> Account:
    """An account by its number; refuses the command under way if there is none."""
    account = state.accounts.get(account_id)
    if account is None:
        refuse(Reason.ACCOUNT_UNKNOWN, account=account_id)
    return account


def get_market(state: State, symbol: str) -> Market:
    """The market of a symbol; refuses the command under way if there is none."""
    market = state.markets.get(symbol)
    if market is None:
        refuse(Reason.SYMBOL_UNKNOWN, symbol=symbol)
    return market


def accepts_orders(state: State, market: Market) -> bool:
    """Whether orders may enter the market, now that both it and the venue have a mode."""
    return state.mode is NORMAL and market.mode is NORMAL


def find_order(
    state: State, account: int, symbol: str, order_id: int, client_id: str, scope: OrderScope
) -> Order | None:
    """A live order of `account` by `order_id`, or by `client_id` where that is zero.

    An empty `symbol` stands for any. Where trigger orders have client ids of
    their own, ANY prefers an order of the book.
    """
    owner = state.accounts.get(account)
    if owner is None:
        return None
    if order_id:
        order = state.orders.get(order_id)
    elif scope is TRIGGER and state.separate_trigger_ids:
        order = owner.trigger_client_ids.get(client_id)
    else:
        order = owner.client_ids.get(client_id)
        if order is None and scope is ANY:
            order = owner.trigger_client_ids.get(client_id)
    if order is None or order.account != account or (symbol and order.symbol != symbol):
        return None
    if scope is BOOK and order.waiting:
        return None
    if scope is TRIGGER and order.type == order.original_type and not order.waiting:
        return None
    return order


def client_id_space(state: State, account: Account, algo: bool) -> dict[str, Order]:
    """Where the client ids of such orders must be unique."""
    if algo and state.separate_trigger_ids:
        return account.trigger_client_ids
    return account.client_ids


def open_orders(account: Account, symbol: str = "") -> list[Order]:
    """Every live order of an account, of one symbol or (empty) all, by order id."""
    found = [order for order in account.waiting.values() if not symbol or order.symbol == symbol]
    if symbol:
        position = account.positions.get(symbol)
        if position is not None:
            found += resting_orders(position)
    else:
        for position in account.positions.values():
            found += resting_orders(position)
    found.sort(key=lambda order: order.order_id)
    return found


def resting_orders(position: Position) -> list[Order]:
    """Every order of the position that rests in the book, in no useful order."""
    return [*position.reducers.values(), *position.buys.orders(), *position.sells.orders()]
