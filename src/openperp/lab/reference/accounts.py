"""Accounts, instruments, prices, modes: what an operator does, and leverage."""

from decimal import Decimal

from openperp.engine.commands import (
    VENUE_RULES,
    AddKey,
    CreateAccount,
    DefineInstrument,
    Deposit,
    OpenVenue,
    Reset,
    SetLeverage,
    SetMode,
    SetOrderLimits,
    SetPositionMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import (
    AccountCreated,
    InstrumentDefined,
    KeyAdded,
    LeverageChanged,
    ModeChanged,
    OrderLimitsChanged,
    PositionModeChanged,
    PriceChanged,
    VenueOpened,
    VenueReset,
    WalletChanged,
)
from openperp.engine.instruments import MARGIN_ASSET, find_spec_fault
from openperp.engine.numbers import NOTIONAL_LIMIT
from openperp.engine.rejects import Reason
from openperp.engine.terms import Mode, PositionSide, Side, WorkingType
from openperp.lab.reference import assets, margin
from openperp.lab.reference.amounts import ONE, ZERO, from_money, money_down, to_money
from openperp.lab.reference.assets import MOST_MONEY, follow_price
from openperp.lab.reference.funding import begin_period, plan_funding
from openperp.lab.reference.model import Account, Market
from openperp.lab.reference.placing import price_faults
from openperp.lab.reference.prices import mark_by_formula, tell_prices
from openperp.lab.reference.stakes import may_open, may_pay
from openperp.lab.reference.venue import Refused, Venue, sides_of, to_price, to_quantity

NAME_LENGTH = 64
GRID = (
    "base_asset",
    "quote_asset",
    "price_precision",
    "quantity_precision",
    "tick_units",
    "lot_units",
)
"""Terms that give ticks and lots their meaning."""


def open_venue(venue: Venue, command: OpenVenue) -> None:
    if venue.opened:
        raise Refused([Reason.VENUE_ALREADY_OPEN])
    venue.opened = True
    for name in VENUE_RULES:
        setattr(venue, name, getattr(command, name))
    venue.events.append(VenueOpened(command.dialect))


def define_instrument(venue: Venue, command: DefineInstrument) -> None:
    """A new instrument, or new terms for one whose tick and lot stay what they are."""
    spec = command.spec
    inside = spec.min_ticks <= command.index_ticks <= spec.max_ticks
    if find_spec_fault(spec) or not inside or _breaks(venue, command):
        raise Refused([Reason.INSTRUMENT_INVALID])
    price = to_price(spec, command.index_ticks)
    old = venue.markets.get(spec.symbol)
    if old is None:
        tick, lot = to_price(spec, 1), to_quantity(spec, 1)
        venue.markets[spec.symbol] = Market(spec, tick, lot, price, price, price, price)
    else:
        old.spec, old.first_price = spec, price
    plan_funding(venue, venue.markets[spec.symbol])
    venue.events.append(InstrumentDefined(spec))


def _breaks(venue: Venue, command: DefineInstrument) -> bool:
    """Whether new terms would change the grid, or forbid a leverage that is in use."""
    spec, old = command.spec, venue.markets.get(command.spec.symbol)
    if old is None:
        return False
    grids = [[getattr(each, name) for name in GRID] for each in (spec, old.spec)]
    used = [each.leverages.get(spec.symbol, 1) for each in venue.accounts.values()]
    return grids[0] != grids[1] or max(used, default=1) > spec.max_leverage


def create_account(venue: Venue, command: CreateAccount) -> AccountCreated:
    found = []
    name = command.name
    if not 0 < len(name) <= NAME_LENGTH or not name.isprintable() or "/" in name:
        found.append(Reason.ACCOUNT_NAME_INVALID)
    if venue.account_named(name) is not None:
        found.append(Reason.ACCOUNT_EXISTS)
    if command.deposit < 0:
        found.append(Reason.AMOUNT_NOT_POSITIVE)
    deposit = to_money(command.deposit)
    if assets.paid_in(venue) + deposit >= MOST_MONEY or not may_open(venue, deposit):
        found.append(Reason.AMOUNT_TOO_LARGE)
    if command.api_key in venue.keys:
        found.append(Reason.KEY_EXISTS)
    if found:
        raise Refused(found)
    account = Account(len(venue.accounts) + 1, name, to_money(command.deposit))
    venue.accounts[account.account_id] = account
    created = AccountCreated(account.account_id, name, command.house)
    venue.events.append(created)
    if command.deposit:
        _transfer(venue, account, to_money(command.deposit))
    if command.api_key:
        _give_key(venue, account, command.api_key)
    return created


def add_key(venue: Venue, command: AddKey) -> None:
    account = venue.account_named(command.account)
    if account is None:
        raise Refused([Reason.ACCOUNT_UNKNOWN])
    if command.api_key in venue.keys:
        raise Refused([Reason.KEY_EXISTS])
    _give_key(venue, account, command.api_key)


def _give_key(venue: Venue, account: Account, api_key: str) -> None:
    venue.keys.add(api_key)
    venue.events.append(KeyAdded(account.account_id, api_key))


def deposit(venue: Venue, command: Deposit) -> WalletChanged:
    account, found = _find_pocket(venue, command)
    asset, amount = venue.assets.get(command.asset), to_money(command.amount)
    if asset is None:
        raise Refused(found)
    if assets.paid_in(venue) + money_down(amount * asset.index, ONE) >= MOST_MONEY:
        found.append(Reason.AMOUNT_TOO_LARGE)
    if assets.held_by_all(venue, command.asset) + amount >= MOST_MONEY:
        found.append(Reason.AMOUNT_TOO_LARGE)
    of_wallet = command.asset == MARGIN_ASSET
    if of_wallet and not may_pay(venue, account.cross_wallet, amount):
        found.append(Reason.AMOUNT_TOO_LARGE)
    if found:
        raise Refused(found)
    if of_wallet:
        return _transfer(venue, account, amount)
    return assets.move_asset(venue, account, command.asset, amount)


def withdraw(venue: Venue, command: Withdraw) -> WalletChanged:
    account, found = _find_pocket(venue, command)
    amount, of_wallet = to_money(command.amount), command.asset == MARGIN_ASSET
    if of_wallet:
        there = margin.withdrawable(venue, account)
    else:
        there = assets.removable(venue, account, command.asset)
    if amount > there:
        found.append(Reason.BALANCE_INSUFFICIENT)
    if found:
        raise Refused(found)
    if of_wallet:
        return _transfer(venue, account, -amount)
    return assets.move_asset(venue, account, command.asset, -amount)


def _find_pocket(venue: Venue, command: Deposit | Withdraw) -> tuple[Account, list[Reason]]:
    account = venue.account_named(command.account)
    if account is None:
        raise Refused([Reason.ACCOUNT_UNKNOWN])
    found = []
    if command.asset not in venue.assets:
        found.append(Reason.ASSET_UNKNOWN)
    if command.amount <= 0:
        found.append(Reason.AMOUNT_NOT_POSITIVE)
    if command.amount >= NOTIONAL_LIMIT:
        found.append(Reason.AMOUNT_TOO_LARGE)
    return account, found


def _transfer(venue: Venue, account: Account, amount: Decimal) -> WalletChanged:
    account.wallet += amount
    venue.deposits += amount
    changed = WalletChanged(
        account.account_id,
        MARGIN_ASSET,
        from_money(amount),
        from_money(account.wallet),
        from_money(account.set_aside),
    )
    venue.events.append(changed)
    return changed


def set_leverage(venue: Venue, command: SetLeverage) -> LeverageChanged:
    account = venue.account(command.account)
    market = venue.market(command.symbol)
    leverage = command.leverage
    if not 1 <= leverage <= market.spec.brackets[0].max_leverage:
        raise Refused([Reason.LEVERAGE_INVALID])
    found = []
    cap = margin.cap(venue, command.symbol, leverage)
    sides = sides_of(account)
    if any(_largest(venue, account, command.symbol, side) > cap for side in sides):
        found.append(Reason.POSITION_LIMIT_EXCEEDED)
    if _lowers_isolated(venue, account, command):
        found.append(Reason.ISOLATED_LEVERAGE_LOWERED)
    tied = [_tied(venue, account, command.symbol, side, leverage) for side in sides]
    used = venue.leverage(account, command.symbol)
    tied_now = [_tied(venue, account, command.symbol, side, used) for side in sides]
    more = sum(tied, ZERO) - sum(tied_now, ZERO)
    if more > max(ZERO, margin.free(venue, account)):
        found.append(Reason.LEVERAGE_MARGIN_INSUFFICIENT)
    if found:
        raise Refused(found)
    account.leverages[command.symbol] = leverage
    changed = LeverageChanged(command.account, command.symbol, leverage, from_money(cap))
    venue.events.append(changed)
    return changed


def _lowers_isolated(venue: Venue, account: Account, command: SetLeverage) -> bool:
    """What was set aside for an isolated position stays, so its leverage only rises."""
    held = any(venue.position(account, command.symbol, side).quantity for side in sides_of(account))
    lowers = command.leverage < venue.leverage(account, command.symbol)
    return held and lowers and command.symbol in account.isolated


def _largest(venue: Venue, account: Account, symbol: str, side: PositionSide) -> Decimal:
    """The largest notional that a position has or could come to have by its open orders."""
    position = venue.position(account, symbol, side)
    held = margin.notional(venue, symbol, position)
    buys = margin.exposure(venue, account, symbol, side, Side.BUY).notional
    sells = margin.exposure(venue, account, symbol, side, Side.SELL).notional
    if position.quantity > 0:
        buys += held
    else:
        sells += held
    return max(held, buys, sells)


def _tied(
    venue: Venue, account: Account, symbol: str, side: PositionSide, leverage: int
) -> Decimal:
    """What a position and its orders tie up of the cross margin at some leverage."""
    held = margin.notional(venue, symbol, venue.position(account, symbol, side))
    orders = margin.order_margin(venue, account, symbol, side, leverage)
    if symbol in account.isolated:
        return orders
    return orders + margin.initial_margin(held, leverage)


def set_position_mode(venue: Venue, command: SetPositionMode) -> PositionModeChanged:
    account = venue.account(command.account)
    found = []
    if account.hedge is command.hedge:
        found.append(Reason.POSITION_MODE_UNCHANGED)
    if any(order.account == command.account for order in venue.orders):
        found.append(Reason.OPEN_ORDERS_EXIST)
    if any(position.quantity for position in account.positions.values()):
        found.append(Reason.POSITION_EXISTS)
    if found:
        raise Refused(found)
    account.hedge = command.hedge
    account.positions = {}
    changed = PositionModeChanged(command.account, command.hedge)
    venue.events.append(changed)
    return changed


def set_price(venue: Venue, command: SetPrice) -> PriceChanged:
    """Moves index and mark; last too if it is told to, or was never traded and not held.

    Mark is the index, or what the formula makes of it.
    """
    market = venue.market(command.symbol)
    price = to_price(market.spec, command.ticks)
    found = price_faults(market, price)
    if found:
        raise Refused(found)
    if command.moves_asset:
        follow_price(venue, market, price)
    moves_last = command.moves_last or (not market.traded and not command.keeps_last)
    market.index = price
    if moves_last:
        market.last = price
    if command.formula is not market.formula:
        market.formula, market.basis = command.formula, []
    market.mark = mark_by_formula(market, venue.now) if market.formula else price
    venue.moves.append((command.symbol, WorkingType.MARK_PRICE, market.mark, None))
    if moves_last:
        venue.moves.append((command.symbol, WorkingType.CONTRACT_PRICE, price, None))
    changed = tell_prices(market)
    venue.events.append(changed)
    return changed


def set_mode(venue: Venue, command: SetMode) -> None:
    """Changes what is accepted; where it reopens, triggers see the prices as they are."""
    symbols = [command.symbol] if command.symbol else list(venue.markets)
    if command.symbol:
        venue.market(command.symbol).mode = command.mode
    else:
        venue.mode = command.mode
    venue.events.append(ModeChanged(command.mode, command.symbol))
    if command.mode is Mode.NORMAL:
        for symbol in symbols:
            for working_type in WorkingType:
                price = venue.price_of(venue.markets[symbol], working_type)
                venue.moves.append((symbol, working_type, price, None))


def set_order_limits(venue: Venue, command: SetOrderLimits) -> None:
    venue.order_limits = command.enabled
    venue.events.append(OrderLimitsChanged(command.enabled))


def reset(venue: Venue, command: Reset) -> None:
    """Accounts keep their keys and first deposits, instruments their terms; all else goes."""
    del command
    for market in venue.markets.values():
        market.index = market.mark = market.last = market.first_price
        market.traded, market.mode = False, Mode.NORMAL
        market.formula, market.basis = False, []
        market.premium = market.funding_rate = ZERO
        begin_period(market, venue.now)
    for account in venue.accounts.values():
        account.wallet, account.hedge = account.first_deposit, False
        account.fee_tier, account.multi_assets, account.balances = 0, False, {}
        account.positions, account.leverages, account.isolated = {}, {}, set()
    for asset in venue.assets.values():
        asset.index = to_money(asset.spec.index)
    venue.deposits = sum([each.first_deposit for each in venue.accounts.values()], ZERO)
    venue.fees = venue.insurance = ZERO
    venue.mode = Mode.NORMAL
    venue.orders, venue.countdowns, venue.moves = [], {}, []
    venue.next_order_id = venue.next_trade_id = venue.next_amendment_id = 1
    venue.events.append(VenueReset())
