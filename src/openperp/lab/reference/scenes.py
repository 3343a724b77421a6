"""Short plots for random traffic: a few commands that lead to what chance rarely finds."""

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec.structs import replace

from openperp.engine.commands import (
    AmendOrder,
    Batch,
    CancelAllOrders,
    ChangeMargin,
    Deposit,
    FundInsurance,
    PlaceOrder,
    Pulse,
    SetMode,
    SetPrice,
    Single,
    Withdraw,
)
from openperp.engine.commands import DefineInstrument as Define
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.margin import exposure, free_margin, removable_margin, withdrawable
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.order import Order
from openperp.engine.pricing import HOUR_MS
from openperp.engine.state import Account, Market, Position, State
from openperp.engine.terms import (
    CLOSING_TYPES,
    LONG,
    SHORT,
    STOP_TYPES,
    TAKE_PROFIT_TYPES,
    Mode,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    WorkingType,
)
from openperp.lab.reference.bleeding import bleed
from openperp.lab.reference.brink import fill_up, make_room, time_to_funding
from openperp.lab.reference.naming import Naming

Act = Callable[[], Single | Batch | None]
"""Makes a command when its turn comes, unless there is no occasion for it any more."""

POOR = 2_000 * MONEY_ONE
"""A wallet with which not much can be done."""


class Scenes:
    """Each plot is a list of acts that read `state` when their turn comes.

    `wait_ms`, where it is not zero, is how long the next act wants to wait.
    """

    def __init__(self, random: Random, state: State) -> None:
        self._random = random
        self._state = state
        self.wait_ms = 0

    def pick(self) -> list[Act]:
        plots = (
            *[self._fill_book] * 12,
            *[self._jump] * 4,
            *[self._corner] * 10,
            *[self._rescue] * 6,
            *[self._fund] * 5,
            *[self._ruin] * 6,
            *[self._lean] * 2,
            *[self._sleep] * 2,
            *[self._flip] * 3,
            *[self._empty_under_reducer] * 3,
            *[self._lower_cap] * 2,
            *[self._brink] * 4,
            *[self._tie] * 4,
            *[self._name] * 5,
            *[self._bleed] * 3,
        )
        return self._random.choice(plots)()

    def _fill_book(self) -> list[Act]:
        """Everybody offers something in a market that has been swept empty."""
        market = self._market()
        if Mode.NORMAL is not market.mode or self._state.mode is not Mode.NORMAL:
            return []
        return [lambda: self._offer_all(market)]

    def _offer_all(self, market: Market) -> Batch | None:
        random, step = self._random, max(1, market.mark_ticks // 2_000)
        able = [each for each in self._state.accounts.values() if free_margin(each) > POOR]
        orders = []
        for account in random.sample(able, min(len(able), 15)):
            side = random.choice(tuple(Side))
            ticks = market.mark_ticks - side * random.randint(0, 12) * step
            lots = random.randint(1, 50) * 100 * MONEY_ONE // (market.mark_ticks * market.unit)
            fields: dict[str, Any] = {}
            if account.hedge:
                fields = {"position_side": LONG if side is Side.BUY else SHORT}
            orders.append(
                PlaceOrder(
                    account.account_id,
                    market.symbol,
                    side,
                    OrderType.LIMIT,
                    max(1, lots),
                    ticks,
                    **fields,
                )
            )
        return Batch(tuple(orders)) if orders else None

    def _jump(self) -> list[Act]:
        """A market jumps, most often against most of the money in it."""
        market = self._market()
        return [lambda: self._jump_price(market)]

    def _jump_price(self, market: Market) -> SetPrice:
        """By up to an eighth, but never further than a quarter away from where it began."""
        random, start = self._random, market.initial_ticks
        far = abs(market.mark_ticks - start) * 4 > start
        base = start if far else market.mark_ticks
        ticks = base + random.choice((-1, 1)) * random.randint(0, start // 8)
        return SetPrice(market.symbol, ticks, random.random() < 0.3)

    def _corner(self) -> list[Act]:
        """Somebody takes out what he can, and the market turns against him."""
        held = self._pick_position()
        if held is None:
            return []
        account, position = held
        away = self._random.choice((20, 60, 100, 200))
        return [
            lambda: Withdraw(account.name, "USDT", max(1, withdrawable(account))),
            lambda: self._turn_against(position, away),
        ]

    def _turn_against(self, position: Position, away: int) -> SetPrice:
        """Moves mark by so many thousandths, or to the other end if that is too far."""
        market, start = position.market, position.market.initial_ticks
        side = 1 if position.lots < 0 else -1
        ticks = market.mark_ticks + side * market.mark_ticks * away // 1_000
        return SetPrice(market.symbol, min(max(ticks, start * 6 // 10), start * 15 // 10))

    def _ruin(self) -> list[Act]:
        """Somebody with no more than an isolated position gives it or some of it away at a bad
        price.
        """
        alone = [held for held in self._positions() if held[1].isolated]
        if not alone:
            return []
        bare = [held for held in alone if withdrawable(held[0]) == held[0].cross_wallet]
        thin = [held for held in bare if held[1].leverage >= 50]
        account, position = self._random.choice(thin or bare or alone)
        just_beyond = 1_000 // position.leverage + self._random.randint(1, 8)
        away = self._random.choice((just_beyond, just_beyond, just_beyond, 45, 60, 120))
        return [
            lambda: CancelAllOrders(account.account_id, position.market.symbol),
            lambda: Withdraw(account.name, "USDT", max(1, withdrawable(account))),
            lambda: self._offer_little(position, away),
            lambda: self._give_away(account, position),
        ]

    def _offer_little(self, position: Position, away: int) -> PlaceOrder | None:
        """The richest one would take it over, so many thousandths from mark price."""
        rich = max(self._state.accounts.values(), key=lambda account: account.cross_wallet)
        market, lots = position.market, position.lots
        if not lots or position in rich.positions.values():
            return None
        side = Side.BUY if lots > 0 else Side.SELL
        ticks = max(1, market.mark_ticks - side * market.mark_ticks * away // 1_000)
        fields: dict[str, Any] = {}
        if rich.hedge:
            fields = {"position_side": LONG if lots > 0 else SHORT}
        return PlaceOrder(
            rich.account_id, market.symbol, side, OrderType.LIMIT, abs(lots), ticks, **fields
        )

    def _give_away(self, account: Account, position: Position) -> PlaceOrder | None:
        if not position.lots:
            return None
        side = Side.SELL if position.lots > 0 else Side.BUY
        symbol, lots = position.market.symbol, abs(position.lots)
        if self._random.random() < 0.5:
            lots = max(1, lots * self._random.randint(3, 9) // 10)
        return PlaceOrder(
            account.account_id,
            symbol,
            side,
            OrderType.MARKET,
            lots,
            position_side=position.side,
            reduce_only=not account.hedge,
        )

    def _lean(self) -> list[Act]:
        """A book leans to one side up to a funding, and who pays it has little."""
        now = self._state.time_ms
        calm = not any(market.formula for market in self._state.markets.values())
        payers = [
            (account, position)
            for account, position in self._positions()
            if position.isolated and (calm or 0 < position.market.funding_ms - now < HOUR_MS)
        ]
        if not payers:
            return []
        account, position = self._random.choice(payers)
        return [
            lambda: self._take_margin(account, position),
            lambda: self._offer_dearly(position),
            Pulse,
        ]

    def _take_margin(self, account: Account, position: Position) -> ChangeMargin | None:
        amount, symbol = removable_margin(position), position.market.symbol
        if not amount:
            return None
        return ChangeMargin(account.account_id, symbol, amount, True, position.side)

    def _offer_dearly(self, position: Position) -> PlaceOrder | None:
        """The richest one outbids the index, and nobody says anything until the funding."""
        market, lots = position.market, position.lots
        if not lots or not market.funding_ms:
            return None
        rich = max(self._state.accounts.values(), key=lambda account: account.cross_wallet)
        side = Side.BUY if lots > 0 else Side.SELL
        ticks = market.index_ticks + side * market.index_ticks * 4 // 100
        size = 50_000 * MONEY_ONE // (market.index_ticks * market.unit)
        fields: dict[str, Any] = {}
        if rich.hedge:
            fields = {"position_side": LONG if lots > 0 else SHORT}
        self.wait_ms = market.funding_ms - self._state.time_ms
        return PlaceOrder(
            rich.account_id, market.symbol, side, OrderType.LIMIT, size, ticks, **fields
        )

    def _sleep(self) -> list[Act]:
        """A market does not trade while its price jumps."""
        market = self._market()
        scope = self._random.choice(("", market.symbol, market.symbol))
        mode = self._random.choice((Mode.CANCEL_ONLY, Mode.HALTED))
        return [
            lambda: SetMode(mode, scope),
            *[lambda: self._jump_price(market)] * self._random.randint(1, 2),
            lambda: SetMode(Mode.NORMAL, scope),
        ]

    def _rescue(self) -> list[Act]:
        """Those who have lost everything begin again, or one of them does."""
        random = self._random
        poor = [each.name for each in self._state.accounts.values() if each.cross_wallet < POOR]
        if poor and random.random() < 0.5:
            poor = [random.choice(poor)]
        gifts = [random.choice((300, 10_000, 100_000)) * MONEY_ONE for _ in poor]
        gift = Batch(
            tuple(Deposit(name, "USDT", gift) for name, gift in zip(poor, gifts, strict=True))
        )
        return [lambda: gift]

    def _fund(self) -> list[Act]:
        """The operator pays in a little or much, or takes out what is there."""
        random, fund = self._random, self._state.insurance
        amount = random.choice((0, random.randrange(10**9), random.randrange(10**11), 10**12))
        if random.random() < 0.6:
            amount = random.choice((-fund, -random.randint(0, max(0, fund)), -max(0, fund) - 1))
        return [lambda: FundInsurance(amount)]

    def _brink(self) -> list[Act]:
        """The venue has hardly any room for more while everybody trades, falls or is paid."""
        if not self._state.bounds_stakes:
            return []
        market = self._market()
        happenings: tuple[Act, ...] = (
            *[lambda: self._offer_all(market)] * 3,
            *[lambda: self._take(market)] * 6,
            *[lambda: self._jump_price(market)] * 4,
            self._wait_for_funding,
            *self._rescue(),
        )
        few = self._random.randint(4, 12)
        return [
            lambda: fill_up(self._random, self._state),
            *self._random.choices(happenings, k=few),
            lambda: make_room(self._state),
        ]

    def _wait_for_funding(self) -> Pulse:
        self.wait_ms = time_to_funding(self._state)
        return Pulse()

    def _take(self, market: Market) -> PlaceOrder | None:
        """Somebody takes the best there is, whatever it does to his position."""
        random = self._random
        account = random.choice(list(self._state.accounts.values()))
        side = random.choice(tuple(Side))
        book = market.book.opposite(side)
        if not book.best_ticks():
            return None
        fields: dict[str, Any] = {}
        if account.hedge:
            fields = {"position_side": random.choice((LONG, SHORT))}
        lots = random.choice((10, 200, 2_000))
        return PlaceOrder(account.account_id, market.symbol, side, OrderType.MARKET, lots, **fields)

    def _flip(self) -> list[Act]:
        """Somebody sells more than he has, or buys more than he owes."""
        held = self._pick_position(PositionSide.BOTH)
        if held is None:
            return []
        account, position = held
        return [lambda: self._turn(account, position)]

    def _turn(self, account: Account, position: Position) -> PlaceOrder | None:
        if not position.lots or account.hedge:
            return None
        lots = abs(position.lots) * self._random.randint(11, 30) // 10
        side = Side.SELL if position.lots > 0 else Side.BUY
        symbol = position.market.symbol
        return PlaceOrder(account.account_id, symbol, side, OrderType.MARKET, max(1, lots))

    def _empty_under_reducer(self) -> list[Act]:
        """A taker meets an order that closes a position, and then one that only could have."""
        held = self._pick_position()
        if held is None:
            return []
        account, position = held
        distance = self._random.randint(0, 3)
        return [
            lambda: self._close(account, position, 0),
            lambda: self._close(account, position, distance, reduce_only=True),
            lambda: self._buy_all(position),
        ]

    def _close(
        self, account: Account, position: Position, distance: int, **fields: Any
    ) -> PlaceOrder | None:
        """An order for the whole position, so good that nobody is before it."""
        market, lots = position.market, position.lots
        if not lots:
            return None
        side = Side.SELL if lots > 0 else Side.BUY
        book = market.book
        best = book.side(side).best_ticks() or market.mark_ticks
        other = book.opposite(side).best_ticks()
        wanted = best - side * (distance - 4)
        ticks = max(wanted, other + 1 + distance) if side is Side.SELL else wanted
        if side is Side.BUY and other:
            ticks = min(wanted, other - 1 - distance)
        if account.hedge:
            fields = {"position_side": position.side}
        return PlaceOrder(
            account.account_id,
            market.symbol,
            side,
            OrderType.LIMIT,
            abs(lots),
            max(1, ticks),
            **fields,
        )

    def _buy_all(self, position: Position) -> PlaceOrder | None:
        if not position.lots:
            return None
        side = Side.BUY if position.lots > 0 else Side.SELL
        others = [each for each in self._state.accounts.values() if not each.hedge]
        taker = self._random.choice(others or list(self._state.accounts.values()))
        symbol, lots = position.market.symbol, abs(position.lots) * 3
        kind = self._random.choice((TimeInForce.GTC, TimeInForce.FOK))
        ticks = position.market.mark_ticks * (11 if side is Side.BUY else 9) // 10
        return PlaceOrder(
            taker.account_id, symbol, side, OrderType.LIMIT, lots, max(1, ticks), kind
        )

    def _tie(self) -> list[Act]:
        """Somebody has orders wait to close a position, which then ends in another way."""
        held = self._pick_position()
        if held is None:
            return []
        account, position = held
        guards: list[Act] = [lambda: self._guard(account, position)] * 4
        return [*guards, lambda: self._give_up(account, position)]

    def _guard(self, account: Account, position: Position) -> PlaceOrder | None:
        """A stop or take profit far away, for a part or all of it."""
        if not position.lots:
            return None
        random, mark = self._random, position.market.mark_ticks
        type = random.choice(sorted(STOP_TYPES | TAKE_PROFIT_TYPES))
        side = Side.SELL if position.lots > 0 else Side.BUY
        away = side if type in STOP_TYPES else -side
        ticks = mark + away * mark // random.choice((8, 12, 30))
        whole = type in CLOSING_TYPES and random.random() < 0.9
        return PlaceOrder(
            account.account_id,
            position.market.symbol,
            side,
            type,
            0 if whole else abs(position.lots),
            ticks,
            TimeInForce.GTE_GTC if random.random() < 0.8 else TimeInForce.GTC,
            close_position=whole,
            trigger_ticks=ticks,
            working_type=WorkingType.MARK_PRICE,
            position_side=position.side,
        )

    def _give_up(self, account: Account, position: Position) -> PlaceOrder | None:
        """Closes it at any price, or turns it round."""
        if not position.lots:
            return None
        lots = abs(position.lots) * self._random.choice((1, 1, 2))
        return PlaceOrder(
            account.account_id,
            position.market.symbol,
            Side.SELL if position.lots > 0 else Side.BUY,
            OrderType.MARKET,
            lots,
            position_side=position.side,
        )

    def _name(self) -> list[Act]:
        """An order fires that has the client id of another, before or after that is placed."""
        able = [each for each in self._state.accounts.values() if free_margin(each) > POOR]
        if not able:
            return []
        naming = Naming(self._random, self._random.choice(able), self._market())
        acts: list[Act] = [naming.wait, naming.fire]
        acts.insert(self._random.randint(1, 2), naming.rest)
        return [*acts, *[naming.call] * self._random.randint(1, 4)]

    def _bleed(self) -> list[Act]:
        return bleed(self._random, self._state)

    def _lower_cap(self) -> list[Act]:
        """The terms of a market come to forbid what is open in it, and that is amended."""
        resting = [order for order in self._state.orders.values() if order.resting]
        resting = [order for order in resting if not order.reduce_only]
        if not resting:
            return []
        order = self._random.choice(resting)
        terms = self._state.markets[order.symbol].spec
        return [
            lambda: self._cap_below(order),
            lambda: self._resize(order, 9),
            lambda: self._resize(order, 11),
            lambda: self._define(terms),
        ]

    def _exposure(self, order: Order) -> int:
        return exposure(self._position(order), order.side)

    def _position(self, order: Order) -> Position:
        return self._state.accounts[order.account].positions[order.position_key]

    def _cap_below(self, order: Order) -> Define | None:
        """Brackets are scaled so that the order's leverage allows less than it is about."""
        if not order.resting:
            return None
        position = self._position(order)
        spec = position.market.spec
        cap, wanted = spec.notional_cap(position.leverage), self._exposure(order) * 8 // 10
        brackets = [
            replace(
                each,
                notional_floor=each.notional_floor * wanted // cap,
                notional_cap=each.notional_cap * wanted // cap,
                cum=each.cum * wanted // cap,
            )
            for each in spec.brackets
        ]
        return self._define(replace(spec, brackets=tuple(brackets)))

    def _define(self, spec: InstrumentSpec) -> Define:
        return Define(spec, self._state.markets[spec.symbol].initial_ticks)

    def _resize(self, order: Order, tenths: int) -> AmendOrder | None:
        if not order.resting:
            return None
        symbol = self._position(order).market.symbol
        lots = max(1, order.lots * tenths // 10)
        return AmendOrder(order.account, symbol, order.side, lots, order.ticks, order.order_id)

    def _market(self) -> Market:
        return self._random.choice(list(self._state.markets.values()))

    def _pick_position(self, side: PositionSide | None = None) -> tuple[Account, Position] | None:
        held = [held for held in self._positions() if side in (None, held[1].side)]
        return self._random.choice(held) if held else None

    def _positions(self) -> list[tuple[Account, Position]]:
        return [
            (account, position)
            for account in self._state.accounts.values()
            for position in account.positions.values()
            if position.lots
        ]
