"""What an account is worth and what of it is free: pure reads, all in money.

One quote asset. A position needs its notional at mark price / leverage, an open order
what its opening part freezes; both round up. An isolated position has margin of its
own, set aside from the wallet: cross margin is what is left of the account without it,
and in multi-assets mode what its other assets count as collateral.
"""

from openperp.engine.numbers import PPM, divide_to_zero, divide_up
from openperp.engine.state import Account, Position, State
from openperp.engine.terms import Side


def unrealized_pnl(position: Position) -> int:
    """Profit of the position if it were closed at mark price, without fees."""
    market = position.market
    return position.lots * market.mark_ticks * market.unit - position.entry_cost


def notional(position: Position) -> int:
    """Size of the position at mark price, unsigned."""
    market = position.market
    return abs(position.lots) * market.mark_ticks * market.unit


def position_margin(position: Position) -> int:
    """Initial margin: notional at mark price / leverage, rounded up."""
    if position.lots == 0:
        return 0
    return divide_up(notional(position), position.leverage)


def margin_of_part(position: Position, lots: int) -> int:
    """Margin that closing `lots` of the position at mark price frees.

    Of a cross position it is its initial margin; an isolated one gives back its share with
    the profit on it, which may leave less than nothing.
    """
    market = position.market
    if position.isolated:
        size = abs(position.lots)
        if not size:
            return 0
        profit = unrealized_pnl(position) * lots // size
        return isolated_share(position, lots) + profit
    left = (abs(position.lots) - lots) * market.mark_ticks * market.unit
    return position_margin(position) - divide_up(left, position.leverage)


def isolated_share(position: Position, lots: int) -> int:
    """What closing `lots` gives back of the isolated wallet, rounded towards zero.

    The last close gives back all that is left.
    """
    return divide_to_zero(position.isolated_wallet * lots, abs(position.lots))


def exposure(position: Position, side: Side) -> int:
    """Notional that counts against the cap of the leverage, on one side: the position at
    mark price, if it is on that side, and what the open orders of that side would open.
    """
    held = notional(position) if position.lots * side > 0 else 0
    return held + position.chain(side).value * position.market.unit


def maintenance_margin(position: Position) -> int:
    """Maintenance margin by the bracket of the notional: notional x rate - cum, rounded up."""
    size = notional(position)
    if size == 0:
        return 0
    market = position.market
    number = bracket_number(position, size)
    return divide_up(size * market.bracket_rates[number], PPM) - market.bracket_cums[number]


def bracket_number(position: Position, size: int) -> int:
    """Which bracket of its instrument, from zero, the notional `size` lies in."""
    caps = position.market.bracket_caps
    number = 0
    while number < len(caps) - 1 and size >= caps[number]:
        number += 1
    return number


def margin_balance(account: Account) -> int:
    """Wallet and unrealized profit of all positions."""
    total = account.wallet
    for position in account.positions.values():
        if position.lots:
            total += unrealized_pnl(position)
    return total


def cross_profit(account: Account) -> int:
    """Unrealized profit of the positions with cross margin."""
    total = 0
    for position in account.positions.values():
        if position.lots and not position.isolated:
            total += unrealized_pnl(position)
    return total


def cross_balance(account: Account) -> int:
    """Cross margin balance: cross wallet, collateral, and unrealized profit of cross positions."""
    return account.cross_wallet + account.collateral + cross_profit(account)


def free_margin(account: Account) -> int:
    """Cross margin balance less all initial margin that it bears; below zero when losses
    have eaten it. Orders in isolated markets freeze cross margin, too.
    """
    total = account.wallet - account.set_aside + account.collateral - account.order_margin
    for position in account.positions.values():
        if position.lots and not position.isolated:
            total += unrealized_pnl(position) - position_margin(position)
    return total


def available_balance(account: Account) -> int:
    """What new orders may use: free margin, but never below zero."""
    return max(0, free_margin(account))


def withdrawable(account: Account) -> int:
    """What may leave of the wallet: free margin, without profits that are not realized."""
    return max(0, min(account.cross_wallet, free_margin(account)))


def spare_collateral(account: Account) -> int:
    """Collateral that the account can do without, its unrealized profits left aside."""
    spare = min(account.cross_wallet + account.collateral, free_margin(account))
    return max(0, min(account.collateral, spare))


def removable_margin(position: Position) -> int:
    """What may be taken from an isolated position: what it has beyond its initial margin at
    mark price, without profits that are not realized.
    """
    spare = position.isolated_wallet - position_margin(position)
    return max(0, spare + min(0, unrealized_pnl(position)))


def combine_sides(state: State, buys: int, sells: int) -> int:
    """Margin of one market's open orders from what its two sides freeze."""
    if state.larger_side_margin:
        return max(buys, sells)
    return buys + sells


def refreeze(state: State, account: Account, position: Position) -> None:
    """Brings the account's order margin up to date with a position's chains."""
    margin = combine_sides(state, position.buys.frozen, position.sells.frozen)
    account.order_margin += margin - position.order_margin
    position.order_margin = margin
