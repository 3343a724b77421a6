"""Random commands that get somewhere: aimed at live orders, priced where others trade."""

from collections.abc import Callable
from typing import Any

from openperp.engine.commands import (
    AmendOrder,
    Batch,
    CancelAllOrders,
    CancelOrder,
    ChangeMargin,
    Command,
    CreateAccount,
    Deposit,
    FundInsurance,
    OpenVenue,
    PlaceOrder,
    Pulse,
    Reset,
    Resume,
    SetCountdown,
    SetFeeTier,
    SetLeverage,
    SetMarginType,
    SetMode,
    SetOrderLimits,
    SetPositionMode,
    SetPrice,
    Single,
    Withdraw,
)
from openperp.engine.margin import withdrawable
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.order import Order
from openperp.engine.pricing import HOUR_MS
from openperp.engine.state import Account, Market, State
from openperp.engine.terms import (
    TAKE_PROFIT_TYPES,
    TRIGGER_TYPES,
    Mode,
    OrderScope,
    OrderType,
    PositionSide,
    PriceMatch,
    Side,
    StpMode,
    TimeInForce,
    WorkingType,
)
from openperp.lab.prices import generator
from openperp.lab.reference.holdings import Holdings
from openperp.lab.reference.markets import SIZES, MarketTerms
from openperp.lab.reference.pauses import Pauses
from openperp.lab.reference.scenes import Act, Scenes

TYPES = (*[OrderType.LIMIT] * 12, *[OrderType.MARKET] * 4, *sorted(TRIGGER_TYPES))
START_MS = 1_767_225_600_000
NAMES = (*[""] * 24, "a", "b", "c", "auto_7")
"""Client ids: mostly none, a few that meet again."""


class Traffic:
    """A stream of commands from one seed; it reads `state` to find out what is there.

    About `crowd` orders are live at a time: beyond that, orders are cancelled
    as often as they are placed.
    """

    def __init__(self, seed: int, state: State, accounts: int, crowd: int = 200) -> None:
        self._random = generator(seed, "traffic")
        self._state = state
        self._accounts = accounts
        self._crowd = crowd
        self._pauses = Pauses(self._random, state)
        self._holdings = Holdings(self._random, state)
        self._terms = MarketTerms(self._random)
        self._formula = self._random.choice((0, 0.1, 0.5, 0.95))
        self._returns = False
        self._scenes = Scenes(self._random, state)
        self._acts: list[Act] = []
        self._drama = self._random.choice((0.02, 0.05, 0.1, 0.2))

    def opening(self) -> list[Command]:
        """Opens the venue, its instruments and accounts, a third of them in hedge mode, half
        of them with isolated margin in one market, where half have much leverage.
        """
        random = self._random
        rules = OpenVenue(
            "ztdx",
            larger_side_margin=random.random() < 0.5,
            separate_trigger_ids=random.random() < 0.5,
            displaces_reducers=random.random() < 0.5,
            single_closers=random.random() < 0.5,
            names_fired_orders=random.random() < 0.5,
            isolated_pays=random.random() < 0.8,
            order_life_ms=random.choice((0, 0, 90_000, 1_800_000)),
            liquidates=random.random() < 0.85,
            bounds_stakes=random.random() < 0.9,
            bounds_sweeps=random.random() < 0.8,
        )
        commands: list[Command] = [rules]
        commands += self._terms.opening()
        for number in range(1, self._accounts + 1):
            deposit = random.choice((1_000, 3_000, 10_000, 100_000)) * MONEY_ONE
            commands.append(CreateAccount(f"trader-{number}", deposit + random.randrange(999)))
        hedged = range(3, self._accounts + 1, 3)
        commands += [SetPositionMode(number, True) for number in hedged]
        alone = range(2, self._accounts + 1, 2)
        commands += [SetMarginType(number, "BTCUSDT", True) for number in alone]
        thin, daring = range(2, self._accounts + 1, 4), range(1, self._accounts + 1, 4)
        commands += [SetLeverage(number, "BTCUSDT", 100) for number in thin]
        commands += [SetLeverage(number, "BTCUSDT", 50) for number in daring]
        commands.append(FundInsurance(random.choice((10, 200, 5_000)) * MONEY_ONE))
        return commands + self._holdings.opening(self._accounts)

    def delay_ms(self) -> int:
        """How long after the last command the next one comes."""
        if self._scenes.wait_ms:
            delay, self._scenes.wait_ms = self._scenes.wait_ms, 0
            return delay
        delay = self._pauses.pick()
        self._returns = delay > 600_000 and self._random.random() < 0.2
        return delay

    def next(self) -> Command:
        random = self._random
        if self._returns:
            return Resume()
        if self._is_closed() and random.random() < 0.1:
            return SetMode(Mode.NORMAL, random.choice(("", *self._state.markets)))
        if not self._acts and random.random() < self._drama:
            self._acts = self._scenes.pick()
        while self._acts:
            command = self._acts.pop(0)()
            if command is not None:
                return command
        if random.random() < 0.05:
            return Batch(tuple(self._trade() for _ in range(random.randint(0, 5))))
        return self._trade() if random.random() < 0.9 else self._manage()

    def _is_closed(self) -> bool:
        modes = [self._state.mode, *[market.mode for market in self._state.markets.values()]]
        return any(mode is not Mode.NORMAL for mode in modes)

    def _trade(self) -> Single:
        random = self._random
        crowded = len(self._state.orders) > self._crowd
        roll = random.random() * (1.5 if crowded else 1)
        if roll < 0.78:
            return self._place()
        return self._amend() if roll < 0.9 else self._cancel()

    def _manage(self) -> Command:
        """What happens around trading: prices above all, transfers, settings."""
        random = self._random
        name = f"trader-{self._account()}"
        market = self._market()
        rare = random.random() < 0.05
        makers: tuple[Callable[[], Command], ...] = (
            *[lambda: self._price(market)] * 16,
            *[lambda: SetLeverage(self._account(), market.symbol, self._leverage())] * 4,
            *[lambda: Deposit(name, "USDT", random.choice((0, 1, 10**11, 10**12)))] * 3,
            *[self._withdraw] * 6,
            *[lambda: self._countdown(market)] * 2,
            *[self._change_margin] * 5,
            *[lambda: self._margin_type(market)] * 2,
            *[lambda: CancelAllOrders(self._account(), market.symbol, self._scope())] * 2,
            lambda: SetPositionMode(self._account(), random.random() < 0.5),
            lambda: self._mode(market),
            lambda: SetOrderLimits(random.random() < 0.8),
            *[self._holdings.pick] * 12,
            *[lambda: self._lean(market)] * 4,
            *[lambda: SetFeeTier(name, random.randint(-1, 10))] * 2,
            Pulse,
            lambda: self._terms.change(market),
            Reset if rare else Pulse,
        )
        return random.choice(makers)()

    def _account(self) -> int:
        return self._random.randint(1, self._accounts) if self._random.random() < 0.999 else 0

    def _symbol(self) -> str:
        return self._market().symbol

    def _market(self) -> Market:
        return self._random.choice(list(self._state.markets.values()))

    def _scope(self) -> OrderScope:
        return self._random.choice(tuple(OrderScope))

    def _leverage(self) -> int:
        return self._random.choice((0, 1, 2, 3, 5, 7, 10, 20, 33, 50, 100, 101))

    def _name(self) -> str:
        return self._random.choice(NAMES)

    def _mode(self, market: Market) -> SetMode:
        return SetMode(self._random.choice(tuple(Mode)), self._random.choice(("", market.symbol)))

    def _margin_type(self, market: Market) -> SetMarginType:
        """Isolated for most that have nothing open yet."""
        return SetMarginType(self._account(), market.symbol, self._random.random() < 0.7)

    def _change_margin(self) -> ChangeMargin:
        """Most often on an isolated position."""
        random = self._random
        held = [
            (account.account_id, position)
            for account in self._state.accounts.values()
            for position in account.positions.values()
            if position.isolated and position.lots
        ]
        amount = random.choice((0, 1, random.randrange(10**11), random.randrange(10**12)))
        removes = random.random() < 0.6
        if not held or random.random() < 0.1:
            return ChangeMargin(self._account(), self._symbol(), amount, removes)
        account, position = random.choice(held)
        return ChangeMargin(account, position.market.symbol, amount, removes, position.side)

    def _withdraw(self) -> Withdraw:
        """Most often so much that the next order may be one too many."""
        random = self._random
        name = f"trader-{self._account()}"
        account = random.choice(list(self._state.accounts.values()))
        left = random.choice((0, random.randrange(5 * 10**10), random.randrange(10**12)))
        if random.random() < 0.8:
            return Withdraw(account.name, "USDT", max(1, withdrawable(account) - left))
        return Withdraw(name, "USDT", random.randrange(3 * 10**12))

    def _countdown(self, market: Market) -> SetCountdown:
        stamp = HOUR_MS - self._state.time_ms % HOUR_MS
        duration = self._random.choice((0, 1, 3, 2_000, stamp))
        return SetCountdown(self._account(), market.symbol, duration, self._scope())

    def _price(self, market: Market) -> SetPrice:
        """Up to a few percent up or down, and back where it comes from when it has gone far."""
        start = market.initial_ticks
        base = market.mark_ticks if abs(market.mark_ticks - start) * 20 < start else start
        reach = start // self._random.choice((20, 100, 100, 1_000))
        ticks = base + self._random.randint(-reach, reach)
        moves_last, keeps_last = self._random.random() < 0.3, self._random.random() < 0.3
        formula = market.formula
        if self._random.random() < 0.3:
            formula = self._random.random() < self._formula
        moves_asset = self._random.random() < 0.5
        return SetPrice(market.symbol, ticks, moves_last, keeps_last, formula, moves_asset)

    def _lean(self, market: Market) -> PlaceOrder:
        """Somebody rich offers so much beside the index that a premium comes of it."""
        random, side = self._random, self._random.choice(tuple(Side))
        rich = max(self._state.accounts.values(), key=lambda each: each.wallet)
        ticks = market.index_ticks * (1_000 + side * random.randint(1, 40)) // 1_000
        lots = random.randint(20_000, 30_000) * MONEY_ONE // (ticks * market.unit)
        sides = self._sides(rich, side) if rich.hedge else {}
        kind = OrderType.LIMIT
        return PlaceOrder(rich.account_id, market.symbol, side, kind, lots, ticks, **sides)

    def _near(self, market: Market, side: int) -> int:
        """A price near mark, most often where an order of `side` rests, on few steps.

        Some are far off, so that a sweep can end far from where it began.
        """
        random = self._random
        step = max(1, market.initial_ticks // 2_000)
        far = random.random() < 0.15
        distance = random.randint(0, 600) if far else random.randint(-6, 12)
        return max(1, (market.mark_ticks // step - side * distance) * step)

    def _size(self, market: Market) -> int:
        usual = SIZES[market.symbol]
        big = self._random.random() < 0.1
        return self._random.randint(1, usual * (self._random.choice((4, 10, 60)) if big else 1))

    def _pick(self) -> Order | None:
        orders = list(self._state.orders.values())
        return self._random.choice(orders) if orders else None

    def _cancel(self) -> CancelOrder:
        order = self._pick()
        if order is None or self._random.random() < 0.1:
            wild = self._random.randint(0, 50)
            return CancelOrder(self._account(), self._symbol(), wild, self._name(), self._scope())
        if self._random.random() < 0.5:
            return CancelOrder(order.account, order.symbol, order.order_id)
        return CancelOrder(order.account, "", 0, order.client_id, self._scope())

    def _amend(self) -> AmendOrder:
        resting = [order for order in self._state.orders.values() if order.resting]
        order = self._random.choice(resting) if resting else self._pick()
        market = self._market() if order is None else self._state.markets[order.symbol]
        if order is None or self._random.random() < 0.05:
            return AmendOrder(self._account(), market.symbol, Side.BUY, 1, 1, 7)
        keeps = self._random.random()
        lots = order.lots if keeps < 0.3 else self._size(market)
        ticks = order.ticks if keeps > 0.7 else self._near(market, order.side)
        vouches = self._random.random() < (0.5 if order.reduce_only else 0.02)
        modify_id = self._random.randint(0, 3)
        side = order.side if self._random.random() < 0.98 else Side(-order.side)
        return AmendOrder(
            order.account,
            order.symbol,
            side,
            lots,
            ticks,
            order.order_id,
            modify_id=modify_id,
            reduce_only=vouches,
            price_match=self._match(),
        )

    def _place(self) -> PlaceOrder:
        random = self._random
        market = self._market()
        side = random.choice(tuple(Side))
        account = self._account()
        type = random.choice(TYPES)
        fields: dict[str, Any] = {}
        if type in TRIGGER_TYPES:
            fields = self._trigger(market, type, side)
        if random.random() < 0.1:
            fields |= self._children(market, side)
        owner = self._state.accounts.get(account)
        if owner is not None:
            fields |= self._sides(owner, side)
        order = PlaceOrder(
            account,
            market.symbol,
            side,
            type,
            self._size(market),
            self._near(market, side),
            self._time_in_force(type),
            self._name(),
            stp=random.choice((*[StpMode.NONE] * 3, *StpMode)),
            expires_ms=self._date(),
            price_match=self._match(),
            **fields,
        )
        return self._attach(order) if random.random() < 0.08 else order

    def _time_in_force(self, type: OrderType) -> TimeInForce:
        """Any word, though what is tied to a position is most often an order that waits."""
        random = self._random
        picked = random.choice((*[TimeInForce.GTC] * 4, *TimeInForce))
        unusual = picked is TimeInForce.GTE_GTC and type not in TRIGGER_TYPES
        return TimeInForce.GTC if unusual and random.random() < 0.9 else picked

    def _match(self) -> PriceMatch:
        """Mostly a price of its own; books here are rarely twenty levels deep."""
        matches = self._random.random() < 0.1
        return self._random.choice(tuple(PriceMatch)) if matches else PriceMatch.NONE

    def _date(self) -> int:
        """The end of an order: rarely too soon or too late, and most often soon enough to see."""
        random = self._random
        now = self._state.time_ms
        if random.random() < 0.1:
            return random.choice((0, now + 600_000, 253_402_300_799_000))
        if random.random() < 0.3:
            return (now + 600_000) // HOUR_MS * HOUR_MS + HOUR_MS
        return now + 600_001 + random.choice((0, random.randrange(3_000), 10**9))

    def _sides(self, account: Account, side: Side) -> dict[str, Any]:
        """What fits the mode of the account, mostly; half of the orders that can close do."""
        random = self._random
        if random.random() < 0.02:
            return {"position_side": random.choice(tuple(PositionSide)), "reduce_only": True}
        if account.hedge:
            closes = random.random() < 0.4
            opens = PositionSide.LONG if side is Side.BUY else PositionSide.SHORT
            return {"position_side": PositionSide(-opens) if closes else opens}
        return {"reduce_only": random.random() < 0.15}

    def _trigger(self, market: Market, type: OrderType, side: Side) -> dict[str, Any]:
        random = self._random
        gains = type in TAKE_PROFIT_TYPES
        away = 1 if random.random() < 0.95 else -1
        trails = type is OrderType.TRAILING_STOP_MARKET
        distance = random.randint(1, 40) * market.initial_ticks // 4_000
        ticks = market.mark_ticks + distance * away * side * (-1 if gains or trails else 1)
        closes = type in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET)
        fields: dict[str, Any] = {
            "algo": random.random() < 0.8,
            "working_type": random.choice(tuple(WorkingType)),
            "close_position": closes and random.random() < 0.2,
            "price_protect": random.random() < 0.3,
        }
        if not trails:
            return {**fields, "trigger_ticks": ticks}
        fields["callback_ppm"] = random.choice((0, 1_000, 2_500, 10_000))
        return {**fields, "activation_ticks": random.choice((0, ticks))}

    def _children(self, market: Market, side: Side) -> dict[str, Any]:
        random = self._random
        step = market.initial_ticks // 1_000
        gain, loss = (random.randint(0, 25) * step * side for _ in range(2))
        return {
            "take_profit_ticks": market.mark_ticks + gain if gain else 0,
            "take_profit_client_id": self._name(),
            "stop_loss_ticks": market.mark_ticks - loss if loss else 0,
            "stop_loss_client_id": self._name(),
            "attached_working_type": random.choice(tuple(WorkingType)),
        }

    def _attach(self, order: PlaceOrder) -> PlaceOrder:
        """A trigger order of the other side that guards a live order."""
        random = self._random
        parent = self._pick()
        if parent is None:
            return order
        market = self._state.markets[parent.symbol]
        type = random.choice((OrderType.LIMIT, *sorted(TRIGGER_TYPES) * 2))
        side = Side(-parent.side) if random.random() < 0.95 else parent.side
        terms = self._trigger(market, type, side) if type in TRIGGER_TYPES else {}
        by_name = random.random() < 0.3
        return PlaceOrder(
            parent.account,
            parent.symbol,
            side,
            type,
            random.choice((0, order.lots)),
            order.ticks,
            order.time_in_force,
            position_side=parent.position_side,
            parent_id=0 if by_name else parent.order_id,
            parent_client_id=parent.client_id if by_name else "",
            **terms,
        )
