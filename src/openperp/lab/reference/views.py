"""The state of either engine in one plain shape, so that the two can be compared."""

from collections.abc import Set as AbstractSet
from decimal import localcontext
from typing import Any

from openperp.engine.invariants import conservation_gap
from openperp.engine.records import OrderRecord
from openperp.engine.state import Account as FastAccount
from openperp.engine.state import Market as FastMarket
from openperp.engine.state import State, position_key
from openperp.engine.terms import Side
from openperp.lab.reference import margin
from openperp.lab.reference.amounts import EXACT, ZERO, from_money
from openperp.lab.reference.assets import held_by_all
from openperp.lab.reference.model import Account, Market
from openperp.lab.reference.records import lots_of, record_of, ticks_of
from openperp.lab.reference.venue import Venue

View = dict[str, Any]
Orders = dict[int, OrderRecord]


def view_fast_account(account: FastAccount) -> View:
    """Money, mode, and what each position is; positions that were never anything are left out."""
    return {
        "wallet": account.wallet,
        "frozen": account.order_margin,
        "hedge": account.hedge,
        "fee_tier": account.fee_tier,
        "multi_assets": account.multi_assets,
        "balances": {name: amount for name, amount in account.balances.items() if amount},
        "collateral": account.collateral,
        "positions": {
            key: (held.lots, held.entry_cost, held.realized, held.isolated_wallet)
            for key, held in account.positions.items()
            if held.lots or held.realized
        },
        "set_aside": account.set_aside,
        "isolated": {held.market.symbol for held in account.positions.values() if held.isolated},
        "leverages": {held.market.symbol: held.leverage for held in account.positions.values()},
    }


def view_slow_account(venue: Venue, account: Account, symbols: set[str]) -> View:
    """The same of the slow engine, with the leverages of `symbols`."""
    with localcontext(EXACT):
        return {
            "wallet": from_money(account.wallet),
            "frozen": from_money(margin.all_order_margin(venue, account)),
            "hedge": account.hedge,
            "fee_tier": account.fee_tier,
            "multi_assets": account.multi_assets,
            "balances": {
                name: from_money(amount) for name, amount in account.balances.items() if amount
            },
            "collateral": from_money(margin.collateral(venue, account)),
            "positions": {
                position_key(symbol, side): (
                    lots_of(venue.markets[symbol], held.quantity),
                    from_money(held.cost),
                    from_money(held.realized),
                    from_money(held.own),
                )
                for (symbol, side), held in account.positions.items()
                if held.quantity or held.realized
            },
            "set_aside": from_money(account.set_aside),
            "isolated": account.isolated,
            "leverages": {symbol: venue.leverage(account, symbol) for symbol in symbols},
        }


def view_fast_market(market: FastMarket) -> View:
    """Prices, funding, mode, and the order ids of the book by priority.

    The basis is twice that in ticks, so that it is whole.
    """
    return {
        "prices": (market.index_ticks, market.mark_ticks, market.last_ticks),
        "mode": market.mode,
        "formula": market.formula,
        "basis": market.basis,
        "funding": (market.period_ms, market.funding_ms, market.funding_rate),
        "premiums": (market.premium, market.premium_sum),
        "bids": [order.order_id for order in market.book.bids.orders()],
        "asks": [order.order_id for order in market.book.asks.orders()],
    }


def view_slow_market(venue: Venue, market: Market) -> View:
    prices = [market.index, market.mark, market.last]
    weighed = [number * premium for number, premium in market.premiums]
    return {
        "prices": tuple(ticks_of(market, price) for price in prices),
        "mode": market.mode,
        "formula": market.formula,
        "basis": [ticks_of(market, 2 * basis) for basis in market.basis],
        "funding": (market.period_ms, market.funding_ms, from_money(market.funding_rate)),
        "premiums": (from_money(market.premium), from_money(sum(weighed, ZERO))),
        "bids": _book_ids(venue, market.spec.symbol, Side.BUY),
        "asks": _book_ids(venue, market.spec.symbol, Side.SELL),
    }


def _book_ids(venue: Venue, symbol: str, side: Side) -> list[int]:
    found = [order for order in venue.orders if order.arrival and order.symbol == symbol]
    found = [order for order in found if order.side is side]
    found.sort(key=lambda order: (-side * order.price, order.arrival))
    return [order.order_id for order in found]


def view_fast_venue(state: State) -> View:
    """What is of no account and no market; `money` is what was made of it or lost."""
    return {
        "fees": state.fee_account,
        "insurance": state.insurance,
        "deposits": state.net_deposits,
        "mode": state.mode,
        "countdowns": {key: tuple(value) for key, value in state.countdowns.items()},
        "assets": {name: (asset.index, asset.net_deposits) for name, asset in state.assets.items()},
        "live": sorted(state.orders),
        "money": conservation_gap(state),
    }


def view_slow_venue(venue: Venue) -> View:
    with localcontext(EXACT):
        return {
            "fees": from_money(venue.fees),
            "insurance": from_money(venue.insurance),
            "deposits": from_money(venue.deposits),
            "mode": venue.mode,
            "countdowns": {
                key: (countdown.due_ms, countdown.scope)
                for key, countdown in venue.countdowns.items()
            },
            "assets": {
                name: (from_money(asset.index), from_money(held_by_all(venue, name)))
                for name, asset in venue.assets.items()
            },
            "live": [order.order_id for order in venue.orders],
            "money": from_money(margin.money_gap(venue)),
        }


def view_fast_orders(state: State, order_ids: AbstractSet[int]) -> Orders:
    """Those of the orders that are live."""
    return {number: state.orders[number].to_record() for number in order_ids & set(state.orders)}


def view_slow_orders(venue: Venue, order_ids: AbstractSet[int]) -> Orders:
    with localcontext(EXACT):
        return {
            order.order_id: record_of(venue.markets[order.symbol], order)
            for order in venue.orders
            if order.order_id in order_ids
        }
