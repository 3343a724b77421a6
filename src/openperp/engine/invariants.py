"""What must hold after every command, said once and checked in full.

Tests and `verify` run this after replay; a live venue runs it when it stops.
"""

from openperp.engine.ageing import KEY, may_age
from openperp.engine.book import BookSide
from openperp.engine.bounds import count_stakes
from openperp.engine.chain import OrderChain
from openperp.engine.collateral import count_collateral, deposits_at_index, value_at
from openperp.engine.due import COUNTDOWN, EXPIRY, FUNDING
from openperp.engine.fees import HIGHEST_TIER
from openperp.engine.lookup import client_id_space, list_sides
from openperp.engine.margin import combine_sides
from openperp.engine.multi_assets import is_debt_due
from openperp.engine.numbers import NOTIONAL_LIMIT, PPM, STAKES_LIMIT, divide_up
from openperp.engine.order import Order
from openperp.engine.pricing import BASIS_SAMPLES, SAMPLE_MS
from openperp.engine.solvency import MarginPart, list_parts
from openperp.engine.state import NEVER, Account, Market, Position, State
from openperp.engine.terms import (
    BOTH,
    LONG,
    NEW,
    PARTIALLY_FILLED,
)
from openperp.engine.ties import is_tied
from openperp.engine.trailing import TrailingStops


class InvariantViolation(AssertionError):
    """A law of the venue does not hold: a bug, with the numbers that show it."""


def check(state: State) -> None:
    """Raises `InvariantViolation` if any law is broken."""
    _check_conservation(state)
    for market in state.markets.values():
        _check_book(market)
        _check_index(state, market)
        _check_holders(state, market)
        _check_prices(state, market)
    for account in state.accounts.values():
        _check_account(state, account)
        _check_client_ids(state, account)
        _check_assets(state, account)
    _check_deposits(state)
    _check_stakes(state)
    _check_membership(state)
    _check_due(state)
    if state.liquidates:
        _check_solvency(state)


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise InvariantViolation(sentence)


def conservation_gap(state: State) -> int:
    """Money that appeared (positive) or vanished (negative); zero when the law holds.

    sum(wallets) - sum(signed entry costs) + insurance + fee account
    = deposits - withdrawals.
    """
    total = state.insurance + state.fee_account - state.net_deposits
    for account in state.accounts.values():
        total += account.wallet
        for position in account.positions.values():
            total -= position.entry_cost
    return total


def _check_conservation(state: State) -> None:
    gap = conservation_gap(state)
    _require(gap == 0, f"money is not conserved: {gap} x 10^-8 too much")
    for symbol in state.markets:
        lots = sum(
            position.lots
            for account in state.accounts.values()
            for position in account.positions.values()
            if position.market.symbol == symbol
        )
        _require(lots == 0, f"longs and shorts of {symbol} differ by {lots} lots")


def _check_book(market: Market) -> None:
    book = market.book
    symbol = market.spec.symbol
    _check_side(symbol, book.bids)
    _check_side(symbol, book.asks)
    bid, ask = book.bids.best_ticks(), book.asks.best_ticks()
    _require(not bid or not ask or bid < ask, f"the book of {symbol} is crossed: {bid} x {ask}")


def _check_side(symbol: str, side: BookSide) -> None:
    _require(side.keys == sorted(side.levels), f"price levels of {symbol} are out of order")
    for key, level in side.levels.items():
        lots = 0
        order = level.head
        _require(order is not None, f"an empty price level stays in the book of {symbol}")
        while order is not None:
            _require(
                order.resting and order.ticks * side.side == key and order.side == side.side,
                f"order {order.order_id} rests at the wrong place",
            )
            _require(order.remaining_lots > 0, f"order {order.order_id} rests with nothing left")
            lots += order.remaining_lots
            order = order.level_next
        _require(lots == level.lots, f"the level {level.ticks} of {symbol} is summed wrongly")


def _check_index(state: State, market: Market) -> None:
    """Every order that watches a price is in the index once, and nothing else is."""
    watching = [
        order.order_id
        for order in state.orders.values()
        if order.waiting and order.symbol == market.spec.symbol and not order.is_dormant
    ]
    queues = (market.triggers.contract, market.triggers.mark)
    indexed = [order.order_id for queue in queues for order in queue.orders()]
    _require(
        sorted(watching) == sorted(indexed),
        f"the trigger index of {market.spec.symbol} holds {indexed}, not {watching}",
    )
    for heap in (
        heap
        for queue in queues
        for heap in (queue.rising, queue.falling, queue.buyers.idle, queue.sellers.idle)
    ):
        stale = sum(not entry[2].indexed for entry in heap.entries)
        _require(heap.stale == stale, f"a trigger heap counts {heap.stale} stale, not {stale}")
    for stops in (stops for queue in queues for stops in (queue.buyers, queue.sellers)):
        _check_trailing(market.spec.symbol, stops)


def _check_holders(state: State, market: Market) -> None:
    """A market finds the open positions of either direction by account, and alarms of no other."""
    held = {
        (account.account_id, position.key): position
        for account in state.accounts.values()
        for position in account.positions.values()
        if position.market is market and position.lots
    }
    for filed, sign in ((market.longs, 1), (market.shorts, -1)):
        expected = {at: each for (at, _), each in held.items() if each.lots * sign > 0}
        _require(
            filed == expected,
            f"holders of {market.symbol} are {sorted(filed)}, not {sorted(expected)}",
        )
    for heap in (market.alarms.rising, market.alarms.falling):
        gone = set(heap.prices) - set(held)
        _require(not gone, f"positions that are gone have alarms: {sorted(gone)}")


def _check_trailing(symbol: str, stops: TrailingStops) -> None:
    """Trailing stops stand by extreme, know their group, and none fires before the nearest."""
    extremes = [stops.sign * group.ticks for group in stops.groups]
    _require(
        extremes == sorted(set(extremes), reverse=True),
        f"trailing stops of {symbol} stand by extremes {extremes}",
    )
    members = [(group, entry[2]) for group in stops.groups for entry in group.entries]
    stale = sum(not order.indexed for _, order in members)
    _require(
        (len(members), stale) == (stops.size, stops.stale),
        f"trailing stops of {symbol} count {stops.stale} stale of {stops.size}",
    )
    for group, order in members:
        _require(
            not order.indexed or (order.activated and order.extreme is group),
            f"trailing stop {order.order_id} does not know its group",
        )
        limit = (stops.sign * PPM - order.callback_ppm) * group.ticks // PPM
        _require(
            limit <= group.limit and (-group.limit, group.serial, group) in stops.nearest,
            f"trailing stop {order.order_id} would fire too late",
        )


def _check_prices(state: State, market: Market) -> None:
    """Mark is the index but where it follows the formula, and then both are sampled."""
    symbol = market.symbol
    if not market.formula:
        ticks = (market.mark_ticks, market.index_ticks)
        _require(ticks[0] == ticks[1], f"mark and index of {symbol} differ: {ticks}")
    sampled = market.formula or market.funding_ms > 0
    _require(not sampled or state.sample_ms != NEVER, f"prices of {symbol} are not sampled")
    _require(len(market.basis) <= BASIS_SAMPLES, f"the basis of {symbol} has too many samples")


def _check_solvency(state: State) -> None:
    """Nobody's margin is used up, and alarms stand between prices and where it would be."""
    for account in state.accounts.values():
        for part in list_parts(state, account):
            where = f"the margin of {account.name} in {part.symbol or 'cross positions'}"
            _require(not part.is_due, f"{where} is {part.balance} and due at {part.maintenance}")
            _require(not part.deficit, f"{where} lacks {part.deficit}")
            if part.is_tradable:
                for position in part.positions:
                    _check_alarms(where, part, position)


def _check_alarms(where: str, part: MarginPart, position: Position) -> None:
    """There is an alarm in the direction in which a position loses, and it has not passed."""
    market = position.market
    heap = market.alarms.falling if position.lots > 0 else market.alarms.rising
    key = (part.account.account_id, position.key)
    _require(key in heap.prices, f"{where} has no alarm in {market.symbol}")
    alarm = heap.sign * heap.prices[key]
    _require(alarm > heap.sign * market.mark_ticks, f"an alarm of {where} has passed")
    _require((alarm, *key) in heap.entries, f"an alarm of {where} is lost")


def _check_client_ids(state: State, account: Account) -> None:
    """Each live order is found by its own client id."""
    named = {*account.client_ids.values(), *account.trigger_client_ids.values()}
    owned = [order for order in state.orders.values() if order.account == account.account_id]
    _require(named == set(owned), f"client ids of {account.name} name other orders than live ones")
    for order in owned:
        space = client_id_space(state, account, order.algo)
        _require(
            space.get(order.client_id) is order,
            f"order {order.order_id} is not found by its client id {order.client_id}",
        )


def _check_account(state: State, account: Account) -> None:
    tier = account.fee_tier
    _require(0 <= tier <= HIGHEST_TIER, f"account {account.name} has the fee tier {tier}")
    margin = set_aside = 0
    for key, position in account.positions.items():
        _require(key == position.key, f"position {position.key} is filed under {key}")
        _check_mode(account, position)
        _check_position(account, key, position)
        _check_isolated(f"{account.name} in {key}", position)
        excess = position.reducing_lots - abs(position.lots)
        _require(
            excess <= 0 or not state.displaces_reducers,
            f"reduce-only orders of {account.name} in {key} exceed the position by {excess} lots",
        )
        margin += combine_sides(state, position.buys.frozen, position.sells.frozen)
        set_aside += position.isolated_wallet
    _require(
        set_aside == account.set_aside,
        f"account {account.name} sets aside {account.set_aside}, its positions hold {set_aside}",
    )
    _require(
        margin == account.order_margin,
        f"account {account.name} freezes {account.order_margin}, its orders {margin}",
    )


def _check_assets(state: State, account: Account) -> None:
    """Collateral is up to date, and what of it is due to pay a debt has paid it."""
    name = account.name
    _require(min(account.balances.values(), default=0) >= 0, f"{name} owes an asset")
    collateral = count_collateral(state, account)
    _require(
        account.collateral == collateral,
        f"collateral of {name} is {account.collateral}, not {collateral}",
    )
    if not account.multi_assets:
        return
    isolated = any(position.isolated for position in account.positions.values())
    _require(not isolated, f"{name} has isolated margin in multi-assets mode")
    if is_debt_due(state, account):
        for asset, amount in account.balances.items():
            terms = state.assets[asset]
            left = value_at(terms, amount, terms.spec.exchange_bid_buffer_ppm)
            _require(left == 0, f"{name} owes {-account.wallet} and has {amount} of {asset}")


def _check_deposits(state: State) -> None:
    """Of each asset accounts have what was paid in, less what was paid out or exchanged."""
    for name, asset in state.assets.items():
        held = sum(account.balances.get(name, 0) for account in state.accounts.values())
        _require(held == asset.net_deposits, f"accounts hold {held} of {name}")
    in_mode = {at: account for at, account in state.accounts.items() if account.multi_assets}
    _require(state.multi_assets == in_mode, "accounts in multi-assets mode are lost")
    total = deposits_at_index(state)
    _require(total < NOTIONAL_LIMIT, f"all deposits together are too large: {total}")


def _check_stakes(state: State) -> None:
    """They are below their limit, and no larger than what they are known not to exceed."""
    first = sum(account.first_deposit for account in state.accounts.values())
    _require(first == state.first_deposits, f"first deposits are {first}")
    if not state.bounds_stakes:
        return
    stakes = count_stakes(state)
    _require(stakes <= state.stakes_bound, f"{stakes} is at stake, not {state.stakes_bound}")
    # What exchanges of debts overshoot by has room above the limit, beside everything else.
    exchanges = STAKES_LIMIT if len(state.assets) > 1 else 0
    _require(stakes < STAKES_LIMIT + exchanges, f"too much is at stake: {stakes}")
    _require(first < STAKES_LIMIT, f"first deposits together are too large: {first}")


def _check_mode(account: Account, position: Position) -> None:
    """One side or two, as the mode says; two are never crossed and have one leverage."""
    where = f"{account.name} in {position.key}"
    if not account.hedge:
        _require(position.side is BOTH, f"{where} is a side in one-way mode")
        return
    _require(position.side is not BOTH, f"{where} is no side in hedge mode")
    _require(position.lots * position.side >= 0, f"{where} holds {position.lots} lots")
    closers = position.sells if position.side is LONG else position.buys
    _require(closers.head is None, f"closing orders of {where} could open")
    for twin in list_sides(account, position.market):
        _require(twin.leverage == position.leverage, f"{where} has a leverage of its own")
        _require(twin.isolated == position.isolated, f"{where} has a margin type of its own")


def _check_isolated(where: str, position: Position) -> None:
    """Only an open isolated position has money of its own."""
    held = position.isolated_wallet
    _require(held >= 0, f"the isolated wallet of {where} is {held}")
    _require(
        held == 0 or (position.isolated and position.lots != 0),
        f"{where} has an isolated wallet of {held} without need",
    )


def _check_position(account: Account, key: str, position: Position) -> None:
    lots, cost = position.lots, position.entry_cost
    where = f"{account.name} in {key}"
    _require(lots != 0 or cost == 0, f"a flat position of {where} has an entry cost of {cost}")
    _require(lots * cost >= 0, f"position and entry cost of {where} differ in sign")
    highest = position.market.spec.max_leverage
    _require(position.leverage <= highest, f"{where} has a leverage of {position.leverage}")
    _check_chain(where, position.buys, max(0, -lots), position.leverage)
    _check_chain(where, position.sells, max(0, lots), position.leverage)
    _check_chain_value(where, position.buys)
    _check_chain_value(where, position.sells)
    resting = sum(1 for _ in position.buys.orders()) + sum(1 for _ in position.sells.orders())
    _require(
        position.order_count == resting + len(position.reducers),
        f"open orders of {where} are counted wrongly",
    )
    left = sum(order.remaining_lots for order in position.reducers.values())
    _require(
        position.reducing_lots == left,
        f"reduce-only orders of {where} have {left} lots left, not {position.reducing_lots}",
    )
    for order in position.reducers.values():
        _require(
            position.closable_lots(order.side) > 0,
            f"reduce-only order {order.order_id} rests without a position",
        )


def _check_chain(where: str, chain: OrderChain, capacity: int, leverage: int) -> None:
    """The chain's parts against a plain recount from its arrival order."""
    _require(chain.capacity == capacity, f"closing capacity of {where} is wrong")
    left, frozen = capacity, 0
    order = chain.head
    while order is not None:
        covered = min(left, order.remaining_lots)
        left -= covered
        opening = order.remaining_lots - covered
        held = divide_up(opening * order.ticks * chain.unit, leverage)
        _require(
            order.opening_lots == opening and order.frozen == held,
            f"order {order.order_id} of {where} freezes {order.frozen} instead of {held}",
        )
        frozen += held
        order = order.chain_next
    _require(chain.frozen == frozen, f"orders of {where} freeze {chain.frozen}, not {frozen}")


def _check_chain_value(where: str, chain: OrderChain) -> None:
    value = sum(order.opening_lots * order.ticks for order in chain.orders())
    _require(chain.value == value, f"opening value of {where} is {chain.value}, not {value}")


def _check_membership(state: State) -> None:
    for order_id, order in state.orders.items():
        _require(order.order_id == order_id, f"order {order_id} is filed wrongly")
        _require(
            order.resting != order.waiting, f"order {order_id} neither rests nor waits, or both"
        )
        _require(
            order.status in (NEW, PARTIALLY_FILLED),
            f"live order {order_id} is {order.status.name}",
        )
        if order.waiting and is_tied(order):
            position = state.accounts[order.account].positions[order.position_key]
            _require(
                position.closable_lots(order.side) > 0,
                f"order {order_id} is tied to a position that is gone",
            )
    closers = [
        (order.account, order.position_key, order.side, order.type)
        for order in state.orders.values()
        if order.waiting and order.close_position
    ]
    _require(
        len(closers) == len(set(closers)) or not state.single_closers,
        "two orders of one type wait to close the same position",
    )
    for parent_id, family in state.families.items():
        for child in family:
            _check_child(state, parent_id, child)


def _check_due(state: State) -> None:
    """The queue holds all that is going to happen, and knows what of it is next."""
    expected = {
        (COUNTDOWN, account_id, symbol): due_ms
        for (account_id, symbol), (due_ms, _) in state.countdowns.items()
    }
    expected |= {
        (EXPIRY, order_id, ""): order.expires_ms
        for order_id, order in state.orders.items()
        if order.expires_ms
    }
    expected |= {
        (FUNDING, 0, market.symbol): market.funding_ms
        for market in state.markets.values()
        if market.funding_ms
    }
    ageing_ms = state.due_times.get(KEY, 0)
    if state.ageing:
        expected[KEY] = ageing_ms
    for order in state.orders.values():
        end_ms = order.created_ms + state.order_life_ms if may_age(order) else NEVER
        _require(
            not state.order_life_ms or end_ms == NEVER or 0 < ageing_ms <= end_ms,
            f"order {order.order_id} ends at {end_ms} by its age, which comes at {ageing_ms}",
        )
    _require(state.due_times == expected, "the queue holds other things than are going to happen")
    queued = {(due_ms, *key) for key, due_ms in state.due_times.items()}
    _require(queued <= set(state.due_heap), "something that is going to happen is not in the heap")
    first = min(state.due_times.values(), default=0)
    next_ms = (state.time_ms // SAMPLE_MS + 1) * SAMPLE_MS
    _require(state.sample_ms in (next_ms, NEVER), f"prices are sampled at {state.sample_ms}")
    _require(state.due_ms == first, f"the next is due at {first}, not {state.due_ms}")


def _check_child(state: State, parent_id: int, child: Order) -> None:
    """Every child waits, and has a live parent or guards an open position."""
    _require(
        child.waiting and child.parent_id == parent_id,
        f"child {child.order_id} is not waiting for its parent {parent_id}",
    )
    if child.armed_lots:
        position = state.accounts[child.account].positions[child.position_key]
        _require(
            position.closable_lots(child.side) > 0,
            f"child {child.order_id} guards a position that is gone",
        )
    else:
        _require(parent_id in state.orders, f"child {child.order_id} sleeps without a parent")
