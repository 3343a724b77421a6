"""The whole state as bytes, and back; the digest is a hash of them.

The form is canonical: two states that behave alike dump alike, however they
came about, so a replay can be compared with the live venue by digest. What can
be derived (levels, chains, trigger index, holders, alarms, id maps) is rebuilt on load.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from openperp.engine.ageing import plan_ageing
from openperp.engine.bounds import count_stakes
from openperp.engine.collateral import count_collateral
from openperp.engine.commands import VENUE_RULES
from openperp.engine.due import COUNTDOWN, EXPIRY, FUNDING, schedule
from openperp.engine.holders import file_position
from openperp.engine.lookup import client_id_space
from openperp.engine.margin import refreeze
from openperp.engine.order import Order
from openperp.engine.sampling import plan_samples
from openperp.engine.snapshot_form import (
    CONSTRUCTED,
    ENUM_FIELDS,
    ORDER_FIELDS,
    READABLE,
    VERSION,
    AccountDump,
    AssetDump,
    KeyDump,
    MarketDump,
    PositionDump,
    StateDump,
)
from openperp.engine.solvency import set_all_alarms
from openperp.engine.state import Account, Asset, Key, Market, Position, State, position_key

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(StateDump)


class UnreadableSnapshot(ValueError):
    """The bytes are no snapshot of a version that this release reads."""


def digest(state: State) -> str:
    """Hash of the state, as 32 hexadecimal digits.

    The number and time of the last record do not count, so that a refused
    command, which is a record too, leaves the digest as it was.
    """
    return hashlib.blake2b(_dump(state, 0, 0), digest_size=16).hexdigest()


def dump(state: State) -> bytes:
    return _dump(state, state.seq, state.time_ms)


def _dump(state: State, seq: int, time_ms: int) -> bytes:
    return _encoder.encode(
        StateDump(
            VERSION,
            seq,
            time_ms,
            state.dialect,
            state.larger_side_margin,
            state.separate_trigger_ids,
            state.mode,
            state.order_limits,
            state.next_order_id,
            state.next_trade_id,
            state.fee_account,
            state.insurance,
            state.net_deposits,
            [_dump_market(market) for market in state.markets.values()],
            [_dump_account(account) for account in state.accounts.values()],
            [
                KeyDump(
                    key.api_key,
                    key.account,
                    key.kind,
                    key.sealed_secret,
                    key.permissions,
                    key.ips,
                )
                for key in state.keys.values()
            ],
            [
                tuple([getattr(order, name) for name in ORDER_FIELDS])
                for _, order in sorted(state.orders.items())
            ],
            [(parent_id, _ids(family)) for parent_id, family in sorted(state.families.items())],
            state.next_amendment_id,
            [(*key, *countdown) for key, countdown in sorted(state.countdowns.items())],
            state.displaces_reducers,
            [
                AssetDump(asset.spec, asset.index, asset.net_deposits)
                for asset in state.assets.values()
            ],
            state.order_life_ms,
            state.liquidates,
            state.bounds_stakes,
            state.single_closers,
            state.names_fired_orders,
            state.isolated_pays,
            state.bounds_sweeps,
        )
    )


def load(data: bytes) -> State:
    """The state that `dump` saw.

    Raises:
        UnreadableSnapshot: the bytes are damaged or of another version.
    """
    try:
        dumped = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise UnreadableSnapshot(f"the snapshot cannot be read: {error}") from error
    if dumped.version not in READABLE:
        raise UnreadableSnapshot(f"the snapshot has version {dumped.version}, not {VERSION}")
    state = State()
    for name in (
        "seq",
        "time_ms",
        "dialect",
        "mode",
        "order_limits",
        "next_order_id",
        "next_trade_id",
        "fee_account",
        "insurance",
        "net_deposits",
        "next_amendment_id",
        *VENUE_RULES,
    ):
        setattr(state, name, getattr(dumped, name))
    for values in dumped.orders:
        _load_order(state, values)
    for parent_id, child_ids in dumped.families:
        state.families[parent_id] = [state.orders[child_id] for child_id in child_ids]
    _load_holdings(state, dumped)
    for account_id, symbol, due_ms, scope in dumped.countdowns:
        state.countdowns[account_id, symbol] = (due_ms, scope)
        schedule(state, (COUNTDOWN, account_id, symbol), due_ms)
    plan_samples(state, state.time_ms)
    plan_ageing(state)
    set_all_alarms(state)
    state.stakes_bound = count_stakes(state)
    for key in dumped.keys:
        state.keys[key.api_key] = Key(
            key.api_key, key.account, key.kind, key.sealed_secret, key.permissions, key.ips
        )
    return state


def _ids(orders: Iterable[Order]) -> list[int]:
    return [order.order_id for order in orders]


def _dump_market(market: Market) -> MarketDump:
    return MarketDump(
        market.spec,
        market.instrument_id,
        market.initial_ticks,
        market.index_ticks,
        market.mark_ticks,
        market.last_ticks,
        market.traded,
        market.priced_ms,
        market.traded_ms,
        market.mode,
        market.book.update_id,
        _ids(market.book.bids.orders()),
        _ids(market.book.asks.orders()),
        market.formula,
        market.basis,
        market.premium,
        market.premium_sum,
        market.period_ms,
        market.funding_ms,
        market.funding_rate,
    )


def _dump_account(account: Account) -> AccountDump:
    return AccountDump(
        account.account_id,
        account.name,
        account.first_deposit,
        account.house,
        account.wallet,
        account.updated_ms,
        _ids(account.waiting.values()),
        [
            PositionDump(
                position.market.symbol,
                position.lots,
                position.entry_cost,
                position.leverage,
                position.updated_ms,
                position.epoch,
                _ids(position.buys.orders()),
                _ids(position.sells.orders()),
                _ids(position.reducers.values()),
                position.side,
                position.realized,
                position.isolated,
                position.isolated_wallet,
            )
            for position in account.positions.values()
        ],
        account.hedge,
        account.fee_tier,
        account.multi_assets,
        sorted(account.balances.items()),
    )


def _load_order(state: State, values: tuple[Any, ...]) -> None:
    fields = {
        name: ENUM_FIELDS[name](value) if name in ENUM_FIELDS else value
        for name, value in zip(ORDER_FIELDS, values, strict=False)  # fewer in older versions
    }
    order = Order(*[fields[name] for name in CONSTRUCTED])
    for name, value in fields.items():
        setattr(order, name, value)
    order.position_key = position_key(order.symbol, order.position_side)
    state.orders[order.order_id] = order
    if order.expires_ms:
        schedule(state, (EXPIRY, order.order_id, ""), order.expires_ms)


def _load_market(state: State, dumped: MarketDump) -> None:
    market = Market(dumped.spec, dumped.instrument_id, dumped.initial_ticks)
    market.index_ticks = dumped.index_ticks
    market.mark_ticks = dumped.mark_ticks
    market.last_ticks = dumped.last_ticks
    market.traded = dumped.traded
    market.priced_ms = dumped.priced_ms
    market.traded_ms = dumped.traded_ms
    market.mode = dumped.mode
    market.formula = dumped.formula
    market.basis = dumped.basis
    market.premium = dumped.premium
    market.premium_sum = dumped.premium_sum
    market.period_ms = dumped.period_ms
    market.funding_ms = dumped.funding_ms
    market.funding_rate = dumped.funding_rate
    if market.funding_ms:
        schedule(state, (FUNDING, 0, market.symbol), market.funding_ms)
    market.book.update_id = dumped.update_id
    for order_id in dumped.bids:
        market.book.bids.add(state.orders[order_id])
    for order_id in dumped.asks:
        market.book.asks.add(state.orders[order_id])
    state.markets[dumped.spec.symbol] = market


def _load_holdings(state: State, dumped: StateDump) -> None:
    """Markets, assets, and the accounts that hold them."""
    for market in dumped.markets:
        _load_market(state, market)
    for asset in dumped.assets:
        _load_asset(state, asset)
    for account in dumped.accounts:
        _load_account(state, account)


def _load_asset(state: State, dumped: AssetDump) -> None:
    asset = Asset(dumped.spec)
    asset.index = dumped.index
    asset.net_deposits = dumped.net_deposits
    state.assets[dumped.spec.asset] = asset


def _load_account(state: State, dumped: AccountDump) -> None:
    account = Account(dumped.account_id, dumped.name, dumped.first_deposit, dumped.house)
    account.wallet = dumped.wallet
    account.updated_ms = dumped.updated_ms
    account.hedge = dumped.hedge
    account.fee_tier = dumped.fee_tier
    account.multi_assets = dumped.multi_assets
    account.balances = dict(dumped.balances)
    account.collateral = count_collateral(state, account)
    if account.multi_assets:
        state.multi_assets[account.account_id] = account
    state.accounts[account.account_id] = account
    state.account_ids[account.name] = account.account_id
    state.first_deposits += account.first_deposit
    for position in dumped.positions:
        _load_position(state, account, position)
    for order_id in dumped.waiting:
        order = state.orders[order_id]
        account.waiting[order_id] = order
        client_id_space(state, account, order.algo)[order.client_id] = order
        if not order.is_dormant:
            state.markets[order.symbol].triggers.queue(order.working_type).add(order)


def _load_position(state: State, account: Account, dumped: PositionDump) -> None:
    position = Position(state.markets[dumped.symbol], dumped.side)
    position.lots = dumped.lots
    position.entry_cost = dumped.entry_cost
    position.realized = dumped.realized
    position.isolated = dumped.isolated
    position.isolated_wallet = dumped.isolated_wallet
    account.set_aside += dumped.isolated_wallet
    position.leverage = dumped.leverage
    position.updated_ms = dumped.updated_ms
    position.epoch = dumped.epoch
    account.positions[position.key] = position
    file_position(account.account_id, position, 0)
    for chain, order_ids in ((position.buys, dumped.buys), (position.sells, dumped.sells)):
        chain.leverage = dumped.leverage
        for order_id in order_ids:
            chain.append(state.orders[order_id])
    position.buys.set_capacity(max(0, -dumped.lots))
    position.sells.set_capacity(max(0, dumped.lots))
    for order_id in dumped.reducers:
        position.reducers[order_id] = state.orders[order_id]
        position.reducing_lots += state.orders[order_id].remaining_lots
    for order_id in (*dumped.buys, *dumped.sells, *dumped.reducers):
        order = state.orders[order_id]
        client_id_space(state, account, order.algo)[order.client_id] = order
        position.order_count += 1
    refreeze(state, account, position)
