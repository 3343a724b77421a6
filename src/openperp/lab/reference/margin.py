"""What orders and positions tie up, and what of an account is free."""

from decimal import Decimal

from openperp.engine.terms import PositionSide, Side
from openperp.lab.reference.amounts import CENT, ONE, ZERO, money_down, money_up, ratio, to_money
from openperp.lab.reference.model import Account, Asset, Order, Position
from openperp.lab.reference.venue import Venue, closable, sides_of


class Exposure:
    """The resting orders of one side of a position: what they would open, and freeze for it.

    The oldest orders close the position, as far as it goes; the rest of them,
    and every younger one, opens. Reduce-only orders only close. `spare` is what
    of the position no order would close.
    """

    def __init__(self, orders: list[Order], capacity: Decimal, leverage: int) -> None:
        self.spare = capacity
        self.notional = ZERO
        self.frozen = ZERO
        for order in orders:
            closing = min(order.left, self.spare)
            self.spare -= closing
            notional = (order.left - closing) * order.price
            self.notional += notional
            self.frozen += money_up(notional, Decimal(leverage))


def exposure(
    venue: Venue,
    account: Account,
    symbol: str,
    position_side: PositionSide,
    side: Side,
    *,
    without: Order | None = None,
    leverage: int = 0,
) -> Exposure:
    """Of one side of a position, as if the order `without` were not there."""
    position = venue.position(account, symbol, position_side)
    orders = [
        order
        for order in venue.orders
        if order.account == account.account_id
        and order.arrival
        and order.symbol == symbol
        and order.side is side
        and order.position_side is position_side
        and not order.reduce_only
        and order is not without
    ]
    orders.sort(key=lambda order: order.arrival)
    leverage = leverage or venue.leverage(account, symbol)
    return Exposure(orders, closable(position, side), leverage)


def combined(venue: Venue, buys: Decimal, sells: Decimal) -> Decimal:
    """Both sides together: the larger of them in one dialect, their sum in the other."""
    return max(buys, sells) if venue.larger_side_margin else buys + sells


def order_margin(
    venue: Venue, account: Account, symbol: str, side: PositionSide, leverage: int = 0
) -> Decimal:
    """What the open orders of a position freeze."""
    buys = exposure(venue, account, symbol, side, Side.BUY, leverage=leverage)
    sells = exposure(venue, account, symbol, side, Side.SELL, leverage=leverage)
    return combined(venue, buys.frozen, sells.frozen)


def all_order_margin(venue: Venue, account: Account) -> Decimal:
    symbols = {order.symbol for order in venue.orders if order.account == account.account_id}
    return sum(
        [
            order_margin(venue, account, symbol, side)
            for symbol in symbols
            for side in sides_of(account)
        ],
        ZERO,
    )


def notional(venue: Venue, symbol: str, position: Position) -> Decimal:
    """Size of a position at mark price."""
    return abs(position.quantity) * venue.markets[symbol].mark


def unrealized(venue: Venue, symbol: str, position: Position) -> Decimal:
    return position.quantity * venue.markets[symbol].mark - position.cost


def initial_margin(notional: Decimal, leverage: int) -> Decimal:
    return money_up(notional, Decimal(leverage))


def bid_rate(asset: Asset) -> Decimal:
    """What one of an asset counts as margin."""
    return asset.index * (1 - ratio(asset.spec.bid_buffer_ppm))


def counted(asset: Asset, amount: Decimal) -> Decimal:
    return money_down(amount * bid_rate(asset), ONE)


def collateral(venue: Venue, account: Account) -> Decimal:
    """What other assets count as margin, each rounded down; nothing but in multi-assets mode."""
    if not account.multi_assets:
        return ZERO
    return sum(
        [counted(venue.assets[name], amount) for name, amount in account.balances.items()], ZERO
    )


def free(venue: Venue, account: Account) -> Decimal:
    """Cross wallet, collateral and unrealized profit, less the margin of positions and orders.

    Isolated positions stand on their own; orders in isolated markets do not yet.
    """
    total = account.cross_wallet + collateral(venue, account) - all_order_margin(venue, account)
    for (symbol, _), position in account.positions.items():
        if symbol in account.isolated:
            continue
        size = notional(venue, symbol, position)
        total += unrealized(venue, symbol, position)
        total -= initial_margin(size, venue.leverage(account, symbol))
    return total


def withdrawable(venue: Venue, account: Account) -> Decimal:
    """What is free may leave, except for profits that are not realized yet."""
    return max(ZERO, min(account.cross_wallet, free(venue, account)))


def cap(venue: Venue, symbol: str, leverage: int) -> Decimal:
    """The largest notional that a leverage allows: the cap of the last bracket that has it."""
    brackets = venue.markets[symbol].spec.brackets
    fitting = [each for each in brackets if each.max_leverage >= leverage]
    return to_money(fitting[-1].notional_cap)


def money_gap(venue: Venue) -> Decimal:
    """What was made or lost of all money: nothing, ever."""
    held = sum([account.wallet for account in venue.accounts.values()], ZERO)
    paid = sum(
        [
            position.cost
            for account in venue.accounts.values()
            for position in account.positions.values()
        ],
        ZERO,
    )
    return (held - paid + venue.insurance + venue.fees - venue.deposits).quantize(CENT)
