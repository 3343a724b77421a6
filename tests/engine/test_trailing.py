"""The trigger index against an obvious one that looks at every order at every price."""

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.desk import Desk, ticks

from openperp.engine import snapshot
from openperp.engine.events import Event, OrderAccepted, OrderActivated, OrderTriggered
from openperp.engine.numbers import PPM
from openperp.engine.order import Order
from openperp.engine.terms import TAKE_PROFIT_TYPES, OrderType, Side, TimeInForce
from openperp.engine.triggers import TriggerQueue, is_reached

FIXED = (
    OrderType.STOP,
    OrderType.STOP_MARKET,
    OrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_MARKET,
)
TRAILING = OrderType.TRAILING_STOP_MARKET


def order(number: int, side: Side, type: OrderType, price: int, callback_ppm: int) -> Order:
    made = Order(number, "", 1, "BTCUSDT", side, type, TimeInForce.GTC, 0, 1, 0)
    if type is TRAILING:
        made.activation_ticks, made.callback_ppm = price, callback_ppm
    else:
        made.trigger_ticks = price
    return made


@dataclass
class Obvious:
    """Looks at every order at every price; `extremes` holds those of activated ones."""

    orders: dict[int, Order] = field(default_factory=dict)
    extremes: dict[int, int] = field(default_factory=dict)

    def see(self, price: int) -> tuple[list[int], list[int]]:
        """Whom the price activates, and whom it fires."""
        activated: list[int] = []
        rising: list[tuple[int, int]] = []
        falling: list[tuple[int, int]] = []
        trailing: list[int] = []
        for number, order in sorted(self.orders.items()):
            if order.type is TRAILING:
                if number not in self.extremes:
                    if (price - order.activation_ticks) * order.side <= 0:
                        self.extremes[number] = price
                        activated.append(number)
                elif self._trails(order, price):
                    trailing.append(number)
            elif is_reached(order.type, order.side, order.trigger_ticks, price):
                if (order.side is Side.SELL) == (order.type in TAKE_PROFIT_TYPES):
                    rising.append((order.trigger_ticks, number))
                else:
                    falling.append((-order.trigger_ticks, number))
        fired = [number for _, number in sorted(rising) + sorted(falling)] + trailing
        for number in fired:
            self.forget(number)
        return activated, fired

    def _trails(self, order: Order, price: int) -> bool:
        extreme = self.extremes[order.order_id]
        if (price - extreme) * order.side < 0:
            self.extremes[order.order_id] = price
            return False
        if order.side is Side.BUY:
            return price * PPM >= extreme * (PPM + order.callback_ppm)
        return price * PPM <= extreme * (PPM - order.callback_ppm)

    def forget(self, number: int) -> None:
        del self.orders[number]
        self.extremes.pop(number, None)


class Pair:
    """Both indexes, shown the same."""

    def __init__(self) -> None:
        self.queue = TriggerQueue()
        self.obvious = Obvious()
        self.number = 0

    def place(self, side: Side, type: OrderType, price: int, callback_ppm: int) -> None:
        self.number += 1
        made = order(self.number, side, type, price, callback_ppm)
        self.queue.add(made)
        self.obvious.orders[self.number] = made

    def cancel(self, pick: int) -> None:
        live = sorted(self.obvious.orders)
        if live:
            number = live[pick % len(live)]
            self.queue.discard(self.obvious.orders[number])
            self.obvious.forget(number)

    def see(self, price: int) -> None:
        activated = [order.order_id for order in self.queue.follow(price)]
        fired = [order.order_id for order in self.queue.take(price)]
        assert (activated, fired) == self.obvious.see(price)

    def move_house(self) -> None:
        """Puts every order into an index of its own, as loading a snapshot does."""
        old, self.queue = self.queue, TriggerQueue()
        for each in sorted(old.orders(), key=lambda order: -order.order_id):
            extreme = each.extreme_ticks
            each.extreme_ticks = extreme
            self.queue.add(each)

    def agree(self) -> None:
        inside = {order.order_id: order for order in self.queue.orders()}
        assert inside == self.obvious.orders
        extremes = {n: o.extreme_ticks for n, o in inside.items() if o.activated}
        assert extremes == self.obvious.extremes


PRICES = st.integers(80, 120)
SIDES = st.sampled_from(Side)
CALLBACKS = st.sampled_from([1, 10_000, 25_000, 50_000, 100_000, 999_999])
ACTS = st.one_of(
    st.tuples(st.just("see"), PRICES),
    st.tuples(st.just("place"), SIDES, st.just(TRAILING), PRICES, CALLBACKS),
    st.tuples(st.just("place"), SIDES, st.sampled_from(FIXED), PRICES, st.just(0)),
    st.tuples(st.just("cancel"), st.integers(0, 99)),
    st.tuples(st.just("move_house")),
)


@settings(max_examples=400)
@given(st.lists(ACTS, min_size=10, max_size=80))
def test_random_orders_activate_and_fire_as_the_obvious_index_has_it(
    acts: list[tuple[object, ...]],
) -> None:
    pair = Pair()
    for name, *details in acts:
        getattr(pair, str(name))(*details)
        pair.agree()


@pytest.mark.parametrize("seed", range(4))
def test_crowds_with_many_cancels_do_too(seed: int) -> None:
    """Enough orders and cancels for stale entries to be swept, on a price that wanders."""
    dice = Random(seed)
    pair = Pair()
    price = 50_000
    for round_number in range(150):
        for _ in range(40):
            side = dice.choice([Side.BUY, Side.SELL])
            type = dice.choice([TRAILING, TRAILING, *FIXED])
            callback = dice.choice([1_000, 5_000, 20_000])
            pair.place(side, type, price + dice.randint(-900, 900), callback)
        price += dice.randint(-250, 250)
        pair.see(price)
        # Whole crowds go at times, so that most of what is inside is stale.
        goers = len(pair.obvious.orders) * 9 // 10 if round_number % 20 == 19 else 15
        for _ in range(goers):
            pair.cancel(dice.randrange(10**6))
        pair.agree()
    stops = (pair.queue.buyers, pair.queue.sellers)
    assert all(each.stale * 2 <= max(each.size, 128) for each in stops)
    assert all(len(each.nearest) <= 2 * len(each.groups) + 65 for each in stops)


def test_a_rising_price_makes_one_group_of_many() -> None:
    pair = Pair()
    for price in range(1_000, 900, -1):
        pair.place(Side.SELL, TRAILING, 1, 200_000)
        pair.see(price)
    assert len(pair.queue.sellers.groups) == 100
    pair.see(950)
    assert len(pair.queue.sellers.groups) == 51
    pair.see(1_001)
    assert len(pair.queue.sellers.groups) == 1
    pair.agree()


def told(desk: Desk) -> list[tuple[str, int, bool]]:
    def name(event: Event) -> str:
        return type(event).__name__

    kinds = (OrderAccepted, OrderActivated, OrderTriggered)
    return [
        (name(event), event.order.order_id, event.order.activated)
        for event in desk.events()
        if isinstance(event, kinds)
    ]


def test_activation_is_told_once_by_age_and_before_what_fires() -> None:
    desk = Desk()
    young, old = (
        desk.order(
            "alice",
            "SELL",
            "0.1",
            type="TRAILING_STOP_MARKET",
            activation_ticks=ticks(activation),
            callback_ppm=10_000,
        ).order_id
        for activation in ("61000", "60500")
    )
    stop = desk.order("bob", "BUY", "0.1", type="STOP_MARKET", trigger="61000").order_id
    assert told(desk) == [("OrderAccepted", stop, False)]
    desk.price("61000")
    assert told(desk) == [
        ("OrderActivated", young, True),
        ("OrderActivated", old, True),
        ("OrderTriggered", stop, False),
    ]
    desk.price("62000")
    assert told(desk) == []
    assert desk.state.orders[old].extreme_ticks == ticks("62000")
    assert desk.cancel("alice", old).activated


def test_without_an_activation_price_it_is_activated_as_it_is_accepted() -> None:
    desk = Desk()
    stop = desk.order("alice", "SELL", "0.1", type="TRAILING_STOP_MARKET", callback_ppm=10_000)
    assert told(desk) == [
        ("OrderAccepted", stop.order_id, False),
        ("OrderActivated", stop.order_id, True),
    ]


def test_a_snapshot_keeps_each_extreme() -> None:
    desk = Desk()
    for price in ("60000", "59900", "59800"):
        desk.price(price)
        desk.order("alice", "SELL", "0.1", type="TRAILING_STOP_MARKET", callback_ppm=10_000)
    dumped = snapshot.dump(desk.state)
    loaded = snapshot.load(dumped)
    assert snapshot.dump(loaded) == dumped
    extremes = [order.extreme_ticks for order in loaded.orders.values()]
    assert extremes == [ticks("60000"), ticks("59900"), ticks("59800")]
