"""The venue itself: its opening, instruments, prices, modes and reset."""

from openperp.engine.attached import working_ticks
from openperp.engine.commands import (
    VENUE_RULES,
    DefineInstrument,
    OpenVenue,
    Pulse,
    Reset,
    Resume,
    SetMode,
    SetOrderLimits,
    SetPrice,
)
from openperp.engine.due import forget_all
from openperp.engine.events import (
    InstrumentDefined,
    ModeChanged,
    OrderLimitsChanged,
    PriceChanged,
    VenueOpened,
    VenueReset,
)
from openperp.engine.funding import plan_funding
from openperp.engine.holders import open_positions
from openperp.engine.instruments import InstrumentSpec, find_spec_fault
from openperp.engine.lookup import get_market
from openperp.engine.multi_assets import follow_price
from openperp.engine.pricing import mark_at
from openperp.engine.rejects import Reason, refuse
from openperp.engine.sampling import plan_samples
from openperp.engine.state import Account, Asset, Market, State
from openperp.engine.step import Step
from openperp.engine.terms import (
    CONTRACT_PRICE,
    MARK_PRICE,
    NORMAL,
    WorkingType,
)


def open_venue(step: Step, command: OpenVenue) -> None:
    state = step.state
    if state.dialect:
        refuse(Reason.VENUE_ALREADY_OPEN, dialect=state.dialect)
    state.dialect = command.dialect
    for name in VENUE_RULES:
        setattr(state, name, getattr(command, name))
    step.events.append(VenueOpened(command.dialect))


def define_instrument(step: Step, command: DefineInstrument) -> None:
    """Adds an instrument, or changes what may change while orders and positions live on."""
    state = step.state
    spec = command.spec
    fault = find_spec_fault(spec)
    if not fault and not spec.min_ticks <= command.index_ticks <= spec.max_ticks:
        fault = "the index price must lie between the smallest and largest price"
    if fault:
        refuse(Reason.INSTRUMENT_INVALID, symbol=spec.symbol, fault=fault)
    market = state.markets.get(spec.symbol)
    if market is None:
        market = Market(spec, len(state.markets) + 1, command.index_ticks)
        market.priced_ms = step.now
        state.markets[spec.symbol] = market
    else:
        _check_same_grid(market.spec, spec)
        if spec.max_leverage < market.spec.max_leverage:
            _check_leverages(state, spec)
        market.set_spec(spec)
        market.initial_ticks = command.index_ticks
        _look_at_holders(step, market)
    plan_funding(state, market, step.now)
    plan_samples(state, step.now)
    step.events.append(InstrumentDefined(spec))


def _check_same_grid(old: InstrumentSpec, new: InstrumentSpec) -> None:
    """Ticks and lots of live orders keep their meaning."""
    grid = (
        "base_asset",
        "quote_asset",
        "price_precision",
        "quantity_precision",
        "tick_units",
        "lot_units",
    )
    for name in grid:
        if getattr(old, name) != getattr(new, name):
            refuse(
                Reason.INSTRUMENT_INVALID,
                symbol=new.symbol,
                fault=f"the {name.replace('_', ' ')} of an existing instrument cannot change",
            )


def _check_leverages(state: State, spec: InstrumentSpec) -> None:
    """Leverage that is in use stays possible."""
    for account in state.accounts.values():
        for position in account.positions.values():
            used = position.market.symbol == spec.symbol
            if used and position.leverage > spec.max_leverage:
                refuse(
                    Reason.INSTRUMENT_INVALID,
                    symbol=spec.symbol,
                    fault=f"account {account.name} uses leverage {position.leverage}",
                )


def set_price(step: Step, command: SetPrice) -> PriceChanged:
    """Moves the index and with it the mark price, and last where it is to follow."""
    market = get_market(step.state, command.symbol)
    spec = market.spec
    if command.ticks < spec.min_ticks:
        refuse(Reason.PRICE_BELOW_MINIMUM, ticks=command.ticks, min_ticks=spec.min_ticks)
    if command.ticks > spec.max_ticks:
        refuse(Reason.PRICE_ABOVE_MAXIMUM, ticks=command.ticks, max_ticks=spec.max_ticks)
    if command.moves_asset:
        follow_price(step, market, command.ticks)
    market.index_ticks = command.ticks
    market.priced_ms = step.now
    moves_last = command.moves_last or not (market.traded or command.keeps_last)
    if moves_last:
        market.last_ticks = command.ticks
    if command.formula != market.formula:
        market.formula = command.formula
        market.basis = []
        plan_samples(step.state, step.now)
    market.mark_ticks = mark_at(market, step.now) if market.formula else command.ticks
    step.price_moved(market, MARK_PRICE, market.mark_ticks)
    if moves_last:
        step.price_moved(market, CONTRACT_PRICE, command.ticks)
    changed = PriceChanged(command.symbol, market.index_ticks, market.mark_ticks, market.last_ticks)
    step.events.append(changed)
    return changed


def set_mode(step: Step, command: SetMode) -> None:
    """Changes what is accepted; triggers of a reopened market see the prices as they are, and
    whose margin is used up by then is liquidated.
    """
    state = step.state
    if not command.symbol:
        state.mode = command.mode
        reopened = list(state.markets.values())
    else:
        market = get_market(state, command.symbol)
        market.mode = command.mode
        reopened = [market]
    step.events.append(ModeChanged(command.mode, command.symbol))
    if command.mode is NORMAL:
        for market in reopened:
            for working_type in WorkingType:
                step.price_moved(market, working_type, working_ticks(market, working_type))
            _look_at_holders(step, market)


def _look_at_holders(step: Step, market: Market) -> None:
    """Lets everyone's margin be looked at who has a position in the market."""
    step.touched += [account.account_id for account, _ in open_positions(step.state, market)]


def set_order_limits(step: Step, command: SetOrderLimits) -> None:
    step.state.order_limits = command.enabled
    step.events.append(OrderLimitsChanged(command.enabled))


def pulse(step: Step, command: Pulse | Resume) -> None:
    """Time has passed; what is due has happened before this handler is called."""


def reset(step: Step, command: Reset) -> None:
    """Accounts keep keys, names and first deposits; instruments and assets their terms; all
    else goes.

    The change numbers of the books go on: whoever follows a book can tell that it was emptied.
    """
    del command
    state = step.state
    for symbol, market in state.markets.items():
        fresh = Market(market.spec, market.instrument_id, market.initial_ticks)
        fresh.priced_ms = step.now
        fresh.book.update_id = market.book.update_id + 1
        state.markets[symbol] = fresh
    for name, asset in state.assets.items():
        state.assets[name] = Asset(asset.spec)
    state.multi_assets = {}
    state.net_deposits = 0
    for account_id, account in state.accounts.items():
        fresh_account = Account(account_id, account.name, account.first_deposit, account.house)
        fresh_account.wallet = account.first_deposit
        fresh_account.updated_ms = step.now
        state.accounts[account_id] = fresh_account
        state.net_deposits += account.first_deposit
    state.stakes_bound = state.net_deposits
    _forget(state)
    for market in state.markets.values():
        plan_funding(state, market, step.now)
    plan_samples(state, step.now)
    step.moves.clear()
    step.touched.clear()
    step.events.append(VenueReset())


def _forget(state: State) -> None:
    state.mode = NORMAL
    state.orders = {}
    state.families = {}
    state.countdowns = {}
    forget_all(state)
    state.next_order_id = 1
    state.next_trade_id = 1
    state.next_amendment_id = 1
    state.fee_account = 0
    state.insurance = 0
