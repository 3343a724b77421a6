"""Funding: at its stamps, those whose side is dear pay those of the other side.

Source: the venue's public rules. A position open at the stamp pays its notional
at mark price x rate if it is long, and receives it if it is short; a negative
rate turns that round. Who pays pays rounded up, who receives receives rounded
down, and the insurance fund takes what is between. An isolated position pays
from its own margin and receives into it; what that cannot pay, the wallet does.
"""

from typing import Final

from openperp.engine.bounds import has_room, note_growth
from openperp.engine.due import FUNDING, call_off, schedule
from openperp.engine.events import FundingPaid, FundingSettled, FundingSkipped
from openperp.engine.holders import open_positions
from openperp.engine.margin import notional
from openperp.engine.numbers import divide_up
from openperp.engine.pricing import RATE_ONE, estimate_rate, interval_ms, next_stamp
from openperp.engine.sampling import tell_time
from openperp.engine.settlement import tell_position
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.step import Step

HORIZON_MS: Final = 366 * 24 * 3_600_000
"""Funding that lies further behind the record before than this is skipped: no record takes
longer the further its time has jumped."""


def plan_funding(state: State, market: Market, now_ms: int) -> None:
    """Lets the next funding of a market come by the terms that it has now."""
    due_ms = next_stamp(market.spec, now_ms)
    if due_ms == market.funding_ms:
        return
    if due_ms:
        _begin_period(state, market, now_ms, due_ms)
    else:
        market.funding_ms = market.period_ms = 0
        market.premium = market.premium_sum = market.funding_rate = 0
        call_off(state, (FUNDING, 0, market.symbol))


def settle(step: Step, symbol: str) -> None:
    """Settles the funding of a market whose stamp has come: by account, LONG before SHORT."""
    state = step.state
    market = state.markets[symbol]
    rate = estimate_rate(market, step.now)
    paying = open_positions(state, market) if rate else []
    growth = _growth(market, paying, rate)
    if not has_room(state, growth):
        skip(step, symbol, step.now)
        return
    tell_time(step, step.now)
    step.events.append(FundingSettled(symbol, rate, market.mark_ticks, step.now))
    for account, position in paying:
        _pay(step, account, position, rate)
    note_growth(state, growth)
    market.funding_rate = rate
    _begin_period(state, market, step.now, next_stamp(market.spec, step.now))


def _growth(market: Market, paying: list[tuple[Account, Position]], rate: int) -> int:
    """What a funding adds to the stakes at most: what one side pays and what the other receives,
    which together is the rate on the notional of both. Rounding takes less than a unit of
    money from each position, which counts where it is missing and in the insurance fund.
    """
    lots = sum([abs(position.lots) for _, position in paying])
    exact = lots * market.mark_ticks * market.unit * abs(rate)
    return divide_up(exact, RATE_ONE) + 2 * len(paying)


def skip(step: Step, symbol: str, until_ms: int) -> None:
    """Lets fundings up to `until_ms` go by unpaid, all but the last at once."""
    market = step.state.markets[symbol]
    tell_time(step, step.now)
    step.events.append(FundingSkipped(symbol, step.now))
    latest_ms = until_ms - until_ms % interval_ms(market.spec)
    due_ms = latest_ms if latest_ms > step.now else next_stamp(market.spec, step.now)
    _begin_period(step.state, market, step.now, due_ms)


def _begin_period(state: State, market: Market, now_ms: int, due_ms: int) -> None:
    market.period_ms = now_ms
    market.premium_sum = 0
    market.funding_ms = due_ms
    schedule(state, (FUNDING, 0, market.symbol), due_ms)


def _pay(step: Step, account: Account, position: Position, rate: int) -> None:
    exact = notional(position) * abs(rate)
    pays = (position.lots > 0) == (rate > 0)
    amount = -divide_up(exact, RATE_ONE) if pays else exact // RATE_ONE
    if amount == 0:
        return
    account.wallet += amount
    if position.isolated:
        own = max(amount, -position.isolated_wallet)
        position.isolated_wallet += own
        account.set_aside += own
    account.updated_ms = step.now
    step.touched.append(account.account_id)
    step.state.insurance -= amount
    step.events.append(
        FundingPaid(
            account.account_id,
            position.market.symbol,
            position.side,
            amount,
            account.wallet,
            step.now,
            account.set_aside,
        )
    )
    if position.isolated:
        step.events.append(tell_position(account, position))
