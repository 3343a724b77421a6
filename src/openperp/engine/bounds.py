"""How much can be at stake in a venue: the bound that no amount of money passes.

The stakes are all that the venue owes or is owed: the wallets with what is set aside in
them, the entry costs of positions twice, what positions have realized, the insurance fund
and the fee account, each without its sign. No wallet, cost, fund or sum of deposits is
larger than the stakes, so that while they are below `STAKES_LIMIT` each of them is a number
that can be stored, written down and replayed.

What may grow is asked first. A trade adds no more than `TRADE_WEIGHT` times its notional:
each side at most twice that to its wallet, cost and profit, and each fee once to who has it
and once to who lacks it. A funding adds what is paid and what is received. Deposits add
themselves. All else moves money from one place to another that is nearer zero, but for an
exchange of a debt, which overshoots by less than what 10^-8 of an asset is worth.
"""

from typing import Final

from openperp.engine.numbers import STAKES_LIMIT
from openperp.engine.rejects import Reason, refuse
from openperp.engine.state import Market, State

TRADE_WEIGHT: Final = 8
"""The stakes grow by no more than this times the notional of a trade."""


def count_stakes(state: State) -> int:
    """What is at stake, in money."""
    total = abs(state.insurance) + abs(state.fee_account)
    for account in state.accounts.values():
        total += abs(account.cross_wallet) + account.set_aside
        for position in account.positions.values():
            total += 2 * abs(position.entry_cost) + abs(position.realized)
    return total


def has_room(state: State, growth: int) -> bool:
    """Whether the stakes stay below their limit if they grow by so much money.

    They are counted only where what they are known not to exceed does not answer it.
    """
    if not state.bounds_stakes or growth <= 0 or state.stakes_bound + growth < STAKES_LIMIT:
        return True
    state.stakes_bound = count_stakes(state)
    return state.stakes_bound + growth < STAKES_LIMIT


def note_growth(state: State, growth: int) -> None:
    """The stakes may have grown by so much."""
    if state.bounds_stakes:
        state.stakes_bound += growth


def trade_growth(market: Market, value: int) -> int:
    """What trades of a value in ticks x lots add to the stakes at most."""
    return value * market.unit * TRADE_WEIGHT


def check_trades(state: State, market: Market, value: int) -> None:
    """Refuses an order whose trades, of a value in ticks x lots, the stakes have no room for."""
    growth = trade_growth(market, value)
    if not has_room(state, growth):
        refuse(
            Reason.STAKES_TOO_HIGH,
            notional=value * market.unit,
            notional_max=max(0, STAKES_LIMIT - 1 - state.stakes_bound) // TRADE_WEIGHT,
            stakes=state.stakes_bound,
            stakes_max=STAKES_LIMIT,
        )


def check_payment(state: State, before: int, amount: int) -> None:
    """Refuses to pay `amount` into what holds `before`, money that may be owed, without room."""
    if not has_room(state, abs(before + amount) - abs(before)):
        refuse(
            Reason.AMOUNT_TOO_LARGE,
            amount=amount,
            stakes=state.stakes_bound,
            stakes_max=STAKES_LIMIT,
        )
