"""All state of the engine: what a snapshot holds and the digest covers.

Plain classes with declared attributes; `engine.apply` and its helpers change
them, everyone else reads. Dicts are iterated only in insertion order, which
replay reproduces.
"""

from typing import Final

from openperp.engine.alarms import MarketAlarms
from openperp.engine.assets import MARGIN_SPEC, AssetSpec
from openperp.engine.book import Book
from openperp.engine.chain import OrderChain
from openperp.engine.fees import MAKER_SHARES, TAKER_SHARES, tier_rates
from openperp.engine.instruments import MARGIN_ASSET, InstrumentSpec
from openperp.engine.order import Order
from openperp.engine.terms import (
    BOTH,
    BUY,
    LONG,
    NORMAL,
    SHORT,
    OrderScope,
    PositionSide,
    Side,
)
from openperp.engine.triggers import TriggerIndex

NEVER: Final = 2**62 - 1
"""A time that does not come; the largest integer that stays unboxed."""


class Market:
    """An instrument with its book, prices (ticks) and waiting trigger orders.

    `last_ticks` is the last trade's price; until the first trade it follows the
    index. `instrument_id` numbers instruments by age, for keys of the history;
    `leverage_caps` holds the notional cap, in money, of every leverage, `maker_fees` and
    `taker_fees` the rate of every fee tier in parts per million; `symbol` is that
    of the `spec`, `guarded` its `guards_prices`.

    With `formula` the mark price is the documented median, with the average of
    `basis` (see `pricing.basis_now`; the oldest sample first); otherwise it is the
    index. `funding_ms` is when funding comes next, zero for never, in a period
    that began at `period_ms`; `premium` is its latest sample and `premium_sum`
    what they add up to, each with its weight; `funding_rate` was paid last. Rates
    and premiums are in units of 10^-8.

    `alarms` tells whose margin the mark price may use up (see there). `bracket_caps`,
    `bracket_rates` and `bracket_cums` are what the brackets of the `spec` say, and
    `smooth` whether they join. `longs` and `shorts` have the open positions by the number of
    their account, in no useful order: see `holders`.
    """

    __slots__ = (
        "alarms",
        "basis",
        "book",
        "bracket_caps",
        "bracket_cums",
        "bracket_rates",
        "formula",
        "funding_ms",
        "funding_rate",
        "guarded",
        "index_ticks",
        "initial_ticks",
        "instrument_id",
        "last_ticks",
        "leverage_caps",
        "longs",
        "maker_fees",
        "mark_ticks",
        "mode",
        "period_ms",
        "premium",
        "premium_sum",
        "priced_ms",
        "shorts",
        "smooth",
        "spec",
        "symbol",
        "taker_fees",
        "traded",
        "traded_ms",
        "triggers",
        "unit",
    )

    def __init__(self, spec: InstrumentSpec, instrument_id: int, index_ticks: int) -> None:
        self.symbol = spec.symbol
        self.unit = spec.unit
        self.set_spec(spec)
        self.instrument_id = instrument_id
        self.book = Book()
        self.triggers = TriggerIndex()
        self.alarms = MarketAlarms()
        self.longs: dict[int, Position] = {}
        self.shorts: dict[int, Position] = {}
        self.initial_ticks = index_ticks
        self.index_ticks = index_ticks
        self.mark_ticks = index_ticks
        self.last_ticks = index_ticks
        self.traded = False
        self.priced_ms = 0
        self.traded_ms = 0
        self.mode = NORMAL
        self.formula = False
        self.basis: list[int] = []
        self.premium = 0
        self.premium_sum = 0
        self.period_ms = 0
        self.funding_ms = 0
        self.funding_rate = 0

    def set_spec(self, spec: InstrumentSpec) -> None:
        """Takes new terms; the tick and the lot stay what they are."""
        self.spec = spec
        self.smooth = spec.is_smooth
        self.guarded = spec.guards_prices
        self.bracket_caps = [bracket.notional_cap for bracket in spec.brackets]
        self.bracket_rates = [bracket.maintenance_ppm for bracket in spec.brackets]
        self.bracket_cums = [bracket.cum for bracket in spec.brackets]
        self.leverage_caps = [
            spec.notional_cap(leverage) for leverage in range(spec.max_leverage + 1)
        ]
        self.maker_fees = tier_rates(spec.maker_fee_ppm, MAKER_SHARES)
        self.taker_fees = tier_rates(spec.taker_fee_ppm, TAKER_SHARES)


def position_key(symbol: str, side: PositionSide) -> str:
    """Where an account keeps a position: the symbol itself, or with its side in hedge mode.

    >>> position_key("BTCUSDT", PositionSide.BOTH), position_key("BTCUSDT", PositionSide.LONG)
    ('BTCUSDT', 'BTCUSDT:LONG')
    """
    return symbol if side is BOTH else f"{symbol}:{side.name}"


class Position:
    """What one account holds and has resting in one market.

    `side` is BOTH, or LONG or SHORT in hedge mode; `key` is `position_key` of it.
    `lots` is signed; `entry_cost` is the signed money that was paid for them,
    so the entry price is derived and never stored; `realized` is the money that
    it has realized in all, before fees. `buys` and `sells` are the
    resting orders that could open; `reducers` are the resting reduce-only ones by arrival,
    `reducing_lots` what is left of them together.
    `isolated` says that it stands on margin of its own, `isolated_wallet`, the part of
    the account's wallet that is set aside for it, in money.
    `order_count` counts all that rest in the book; `order_margin` is what its
    open orders freeze, in money. `epoch` counts the positions that have gone:
    what orders have opened in an earlier one is no longer there.
    """

    __slots__ = (
        "buys",
        "entry_cost",
        "epoch",
        "isolated",
        "isolated_wallet",
        "key",
        "leverage",
        "lots",
        "market",
        "order_count",
        "order_margin",
        "realized",
        "reducers",
        "reducing_lots",
        "sells",
        "side",
        "updated_ms",
    )

    def __init__(self, market: Market, side: PositionSide = BOTH) -> None:
        self.market = market
        self.side = side
        self.key = position_key(market.symbol, side)
        self.lots = 0
        self.entry_cost = 0
        self.realized = 0
        self.isolated = False
        self.isolated_wallet = 0
        self.leverage = market.spec.default_leverage
        self.buys = OrderChain(market.unit, self.leverage)
        self.sells = OrderChain(market.unit, self.leverage)
        self.reducers: dict[int, Order] = {}
        self.reducing_lots = 0
        self.epoch = 0
        self.order_count = 0
        self.order_margin = 0
        self.updated_ms = 0

    def set_leverage(self, leverage: int) -> None:
        """Lets the resting orders freeze anew; the account's sum of it is `margin.refreeze`."""
        self.leverage = leverage
        self.buys.set_leverage(leverage)
        self.sells.set_leverage(leverage)

    def take_terms(self, other: "Position") -> None:
        """Takes leverage and margin type of another position in the same market."""
        self.set_leverage(other.leverage)
        self.isolated = other.isolated

    def chain(self, side: Side) -> OrderChain:
        return self.buys if side is BUY else self.sells

    def free_lots(self, side: Side, ticks: int) -> int:
        """Lots that an order of `side` could close after the reduce-only orders that trade
        before one at `ticks`; zero ticks stand for any price, before which nothing trades.
        """
        lots = self.closable_lots(side)
        if ticks:
            for order in self.reducers.values():
                if order.ticks * side >= ticks * side:
                    lots -= order.lots - order.filled_lots
        return lots if lots > 0 else 0

    def closable_lots(self, side: Side) -> int:
        """Lots that an order of `side` could close."""
        lots = -side * self.lots
        return lots if lots > 0 else 0


BOTH_SIDES = (BOTH,)
HEDGE_SIDES = (LONG, SHORT)
"""The sides that an account has of each market, in one-way and in hedge mode."""


class Key:
    """An API key; the secret stays sealed inside the engine."""

    __slots__ = ("account", "api_key", "ips", "kind", "permissions", "sealed_secret")

    def __init__(
        self,
        api_key: str,
        account: int,
        kind: str,
        sealed_secret: bytes,
        permissions: tuple[str, ...],
        ips: tuple[str, ...],
    ) -> None:
        self.api_key = api_key
        self.account = account
        self.kind = kind
        self.sealed_secret = sealed_secret
        self.permissions = permissions
        self.ips = ips


class Asset:
    """An asset with its index price, in money; `net_deposits` is what all accounts hold of it.

    The balances of the margin asset are wallets, whose deposits the venue counts.
    """

    __slots__ = ("index", "net_deposits", "spec")

    def __init__(self, spec: AssetSpec) -> None:
        self.spec = spec
        self.index = spec.index
        self.net_deposits = 0


class Account:
    """`wallet`, `set_aside`, `collateral`, `order_margin` and `first_deposit` are money.

    `wallet` is all that the account has; `set_aside` is the part of it that its isolated
    positions hold together, and the rest is the cross wallet. `balances` holds its other
    assets, in 10^-8 of each, and `collateral` is what they count as cross margin: nothing
    but in `multi_assets` mode.

    `order_margin` is what all open orders freeze together. `client_ids` finds
    live orders; where trigger orders have ids of their own, `trigger_client_ids`
    finds those. `waiting` holds the trigger orders that have not fired. `hedge`
    says that it holds LONG and SHORT apart; `positions` are found by their key.
    `fee_tier` is its place in the table of `fees`.
    """

    __slots__ = (
        "account_id",
        "balances",
        "client_ids",
        "collateral",
        "fee_tier",
        "first_deposit",
        "hedge",
        "house",
        "multi_assets",
        "name",
        "order_margin",
        "positions",
        "set_aside",
        "trigger_client_ids",
        "updated_ms",
        "waiting",
        "wallet",
    )

    def __init__(self, account_id: int, name: str, first_deposit: int, house: bool) -> None:
        self.account_id = account_id
        self.name = name
        self.first_deposit = first_deposit
        self.house = house
        self.hedge = False
        self.fee_tier = 0
        self.multi_assets = False
        self.wallet = 0
        self.set_aside = 0
        self.balances: dict[str, int] = {}
        self.collateral = 0
        self.order_margin = 0
        self.positions: dict[str, Position] = {}
        self.client_ids: dict[str, Order] = {}
        self.trigger_client_ids: dict[str, Order] = {}
        self.waiting: dict[int, Order] = {}
        self.updated_ms = 0

    @property
    def cross_wallet(self) -> int:
        """The part of the wallet that is not set aside; below zero when losses have eaten it."""
        return self.wallet - self.set_aside


class State:
    """The venue. `orders` holds every live order by id; money totals as named.

    `assets` has the margin asset from the start; `multi_assets` finds the accounts in
    that mode, in no useful order.

    `families` finds the live attached children by the id of their parent, which
    may itself be terminal by then. `countdowns` has the time and reach of each
    by account and symbol. `due_times` has the time of all that is going to
    happen (see `due`), `due_heap` the same with what is out of date, though never
    at its top, whose time is `due_ms`; zero for none. `ageing` says that it has the
    end of an order by its age. `sample_ms` is when prices
    are sampled next, or NEVER.

    `stakes_bound` is money that the stakes do not exceed (see `bounds`), and `first_deposits`
    what all accounts have again after a reset.
    """

    __slots__ = (
        "account_ids",
        "accounts",
        "ageing",
        "assets",
        "bounds_stakes",
        "bounds_sweeps",
        "countdowns",
        "dialect",
        "displaces_reducers",
        "due_heap",
        "due_ms",
        "due_times",
        "families",
        "fee_account",
        "first_deposits",
        "insurance",
        "isolated_pays",
        "keys",
        "larger_side_margin",
        "liquidates",
        "markets",
        "mode",
        "multi_assets",
        "names_fired_orders",
        "net_deposits",
        "next_amendment_id",
        "next_order_id",
        "next_trade_id",
        "order_life_ms",
        "order_limits",
        "orders",
        "sample_ms",
        "separate_trigger_ids",
        "seq",
        "single_closers",
        "stakes_bound",
        "time_ms",
    )

    def __init__(self) -> None:
        self.seq = 0
        self.time_ms = 0
        self.dialect = ""
        self.larger_side_margin = False
        self.displaces_reducers = False
        self.order_life_ms = 0
        self.separate_trigger_ids = False
        self.liquidates = False
        self.bounds_stakes = False
        self.single_closers = False
        self.names_fired_orders = False
        self.isolated_pays = False
        self.bounds_sweeps = False
        self.mode = NORMAL
        self.order_limits = True
        self.markets: dict[str, Market] = {}
        self.assets: dict[str, Asset] = {MARGIN_ASSET: Asset(MARGIN_SPEC)}
        self.accounts: dict[int, Account] = {}
        self.multi_assets: dict[int, Account] = {}
        self.account_ids: dict[str, int] = {}
        self.keys: dict[str, Key] = {}
        self.orders: dict[int, Order] = {}
        self.families: dict[int, list[Order]] = {}
        self.countdowns: dict[tuple[int, str], tuple[int, OrderScope]] = {}
        self.due_times: dict[tuple[int, int, str], int] = {}
        self.due_heap: list[tuple[int, int, int, str]] = []
        self.due_ms = 0
        self.ageing = False
        self.sample_ms = NEVER
        self.next_order_id = 1
        self.next_trade_id = 1
        self.next_amendment_id = 1
        self.fee_account = 0
        self.insurance = 0
        self.net_deposits = 0
        self.first_deposits = 0
        self.stakes_bound = 0
