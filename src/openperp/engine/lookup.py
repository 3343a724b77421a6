"""Finding live orders: by id, by client id, or all of an account."""

from openperp.engine.order import Order
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import (
    BOTH_SIDES,
    HEDGE_SIDES,
    Account,
    Market,
    Position,
    State,
    position_key,
)
from openperp.engine.terms import (
    BOOK,
    LONG,
    NORMAL,
    SHORT,
    TRIGGER,
    OrderScope,
    PositionSide,
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


def find_position(account: Account, market: Market, side: PositionSide) -> Position:
    """The account's position in a market; a new one, not yet the account's, if it has none.

    `side` counts in hedge mode, where both sides have one leverage and one margin type.
    """
    positions = account.positions
    symbol = market.symbol
    if not account.hedge:
        return positions.get(symbol) or Position(market)
    position = positions.get(position_key(symbol, side))
    if position is None:
        position = Position(market, side)
        twin = positions.get(position_key(symbol, SHORT if side is LONG else LONG))
        if twin is not None:
            position.take_terms(twin)
    return position


def list_sides(account: Account, market: Market) -> list[Position]:
    """The account's position in a market, or LONG and SHORT in hedge mode; new ones if need be."""
    return [find_position(account, market, side) for side in _sides(account)]


def _sides(account: Account) -> tuple[PositionSide, ...]:
    return HEDGE_SIDES if account.hedge else BOTH_SIDES


def _held(account: Account, symbol: str) -> list[Position]:
    """The positions that an account has, of one symbol or (empty) of all."""
    positions = account.positions
    if not symbol:
        return list(positions.values())
    keys = [position_key(symbol, side) for side in _sides(account)]
    return [positions[key] for key in keys if key in positions]


def count_resting(account: Account, position: Position) -> int:
    """The account's orders in the book of the position's market, those of its other side too."""
    if not account.hedge:
        return position.order_count
    return sum([held.order_count for held in _held(account, position.market.symbol)])


def accepts_orders(state: State, market: Market) -> bool:
    """Whether orders may enter the market, now that both it and the venue have a mode."""
    return state.mode is NORMAL and market.mode is NORMAL


def find_order(
    state: State, account: int, symbol: str, order_id: int, client_id: str, scope: OrderScope
) -> Order | None:
    """A live order of `account` by `order_id`, or by `client_id` where that is zero.

    An empty `symbol` stands for any. Where trigger orders have client ids of
    their own, ANY prefers an order of the book, and BOOK one that was placed there.
    """
    owner = state.accounts.get(account)
    if owner is None:
        return None
    if order_id:
        order = state.orders.get(order_id)
    elif scope is TRIGGER and state.separate_trigger_ids:
        order = owner.trigger_client_ids.get(client_id)
    else:
        order = _find_named(state, owner, symbol, client_id, scope)
    if order is None or order.account != account or (symbol and order.symbol != symbol):
        return None
    if scope is BOOK and order.waiting:
        return None
    if scope is TRIGGER and order.type == order.original_type and not order.waiting:
        return None
    return order


def _find_named(
    state: State, owner: Account, symbol: str, client_id: str, scope: OrderScope
) -> Order | None:
    """What was placed in the book under a client id; else a trigger order, which may wait."""
    order = owner.client_ids.get(client_id)
    if order is None:
        if scope is BOOK and not state.names_fired_orders:
            return None
        return owner.trigger_client_ids.get(client_id)
    if state.names_fired_orders and symbol and order.symbol != symbol:
        return owner.trigger_client_ids.get(client_id)
    return order


def is_client_id_taken(state: State, account: Account, client_id: str, algo: bool) -> bool:
    """Whether a live order has the id, among those from which such an order must differ.

    A trigger order that has fired is an order of the book, and still one of its own kind.
    """
    if client_id in client_id_space(state, account, algo):
        return True
    if algo or not state.names_fired_orders:
        return False
    fired = account.trigger_client_ids.get(client_id)
    return fired is not None and not fired.waiting


def client_id_space(state: State, account: Account, algo: bool) -> dict[str, Order]:
    """Where such orders are filed by their client ids."""
    if algo and state.separate_trigger_ids:
        return account.trigger_client_ids
    return account.client_ids


def open_orders(account: Account, symbol: str = "") -> list[Order]:
    """Every live order of an account, of one symbol or (empty) all, by order id."""
    found = [order for order in account.waiting.values() if not symbol or order.symbol == symbol]
    for position in _held(account, symbol):
        found += resting_orders(position)
    found.sort(key=lambda order: order.order_id)
    return found


def resting_orders(position: Position) -> list[Order]:
    """Every order of the position that rests in the book, in no useful order."""
    return [*position.reducers.values(), *position.buys.orders(), *position.sells.orders()]
