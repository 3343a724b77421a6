"""Random traffic at the brink: the operator leaves hardly any room for what is at stake."""

from collections.abc import Iterator
from random import Random

from openperp.engine.bounds import count_stakes
from openperp.engine.commands import FundInsurance, SetMode
from openperp.engine.events import Applied, FundingSkipped, ModeChanged, OrderExpired
from openperp.engine.numbers import MONEY_ONE, STAKES_LIMIT
from openperp.engine.rejects import Reason, Reject
from openperp.engine.state import State
from openperp.engine.terms import Cause

ROOMS = (1, 50 * MONEY_ONE, 5_000 * MONEY_ONE, 100_000 * MONEY_ONE, 2_000_000 * MONEY_ONE)
"""What the stakes may grow by: nothing, some trades, nearly all of them."""


def fill_up(random: Random, state: State) -> FundInsurance | None:
    """Pays so much into the insurance fund that little room is left."""
    amount = STAKES_LIMIT - count_stakes(state) - random.choice(ROOMS)
    return FundInsurance(amount) if amount > 0 and state.insurance >= 0 else None


def make_room(state: State) -> FundInsurance | None:
    """Takes out of the fund what nobody has a use for."""
    amount = state.insurance - 1_000 * MONEY_ONE
    return FundInsurance(-amount) if amount > 10**15 else None


def time_to_funding(state: State) -> int:
    """Until the next stamp at which a market pays."""
    stamps = [market.funding_ms for market in state.markets.values() if market.funding_ms]
    return min(stamps) - state.time_ms if stamps else 0


BRINK_KINDS = (
    "no room for trades",
    "no room for a fired order",
    "no room to liquidate",
    "no room for a funding",
    "no room for a deposit",
)


def find_brink_kinds(applied: Applied, state: State) -> Iterator[str]:
    """What the limit of the stakes has kept from happening in a record."""
    command, reply = applied.command, applied.reply
    for entry in reply if isinstance(reply, tuple) else (reply,):
        if isinstance(entry, Reject):
            if entry.reason is Reason.STAKES_TOO_HIGH:
                yield "no room for trades"
            elif entry.reason is Reason.AMOUNT_TOO_LARGE and "stakes" in entry.detail:
                yield "no room for a deposit"
    for event in applied.events:
        match event:
            case OrderExpired(order=order) if order.cause is Cause.STAKES_TOO_HIGH:
                yield "no room for a fired order"
            case ModeChanged() if not isinstance(command, SetMode):
                yield "no room to liquidate"
            case FundingSkipped() if state.stakes_bound > STAKES_LIMIT * 9 // 10:
                yield "no room for a funding"
