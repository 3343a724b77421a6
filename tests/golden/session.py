"""Days of trading of which a frozen journal can be made: everything that can be asked, and
what comes of it with time: countdowns, expiry, funding, liquidation, deleveraging; and at the
end two accounts to whom happens what chance would not bring about.
"""

import random
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace
from tests.engine.desk import BTC, ETH, START_MS, money

from openperp.engine.assets import AssetSpec
from openperp.engine.commands import (
    AddKey,
    AmendOrder,
    Batch,
    CancelAllOrders,
    CancelOrder,
    ChangeMargin,
    Command,
    CreateAccount,
    DefineAsset,
    DefineInstrument,
    Deposit,
    FundInsurance,
    OpenVenue,
    PlaceOrder,
    Pulse,
    Record,
    Reset,
    Resume,
    SetAssetIndex,
    SetCountdown,
    SetFeeTier,
    SetLeverage,
    SetMarginType,
    SetMode,
    SetMultiAssets,
    SetOrderLimits,
    SetPositionMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.terms import (
    CLOSING_TYPES,
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

HEDGED, ISOLATED, MULTI, DARING = 2, 3, 4, 5
"""Accounts by what is special about them; 1 is like 6, but that 6 is the house's."""
FRANK, GRACE = 7, 8
"""Those who come last."""
NAMES = ("alice", "bob", "carol", "dave", "erin", "house")
SYMBOLS = ("BTCUSDT", "BTCUSDT", "BTCUSDT", "ETHUSDT")
MIDDLE = {"BTCUSDT": 600_000, "ETHUSDT": 300_000}
COUNT = 2_500


def records(seed: int) -> list[Record]:
    dice = random.Random(seed)
    found: list[Record] = []
    now = START_MS
    for command in _commands(dice):
        now += dice.choice((1, 1, 1, 50, 1_000, 7_000, 90_000))
        if dice.random() < 0.02:
            now += dice.choice((1, 3, 8)) * 3_600_000
        found.append(Record(len(found) + 1, now, command))
    return found


def _commands(dice: random.Random) -> Iterator[Command]:
    yield OpenVenue(
        "binance",
        larger_side_margin=True,
        separate_trigger_ids=True,
        displaces_reducers=True,
        order_life_ms=86_400_000,
        liquidates=True,
        bounds_stakes=True,
        single_closers=True,
        names_fired_orders=True,
        isolated_pays=True,
        bounds_sweeps=True,
    )
    funded = {"funding_hours": 8, "funding_cap_ppm": 3_750}
    yield DefineInstrument(replace(BTC, **funded), 600_000)
    guarded = {"guards_prices": True, "market_take_bound_ppm": 3_000, "funding_hours": 4}
    yield DefineInstrument(replace(ETH, **guarded), 300_000)
    yield DefineAsset(AssetSpec("BTC", 60_000 * MONEY_ONE, 50_000, 50_000, 0, 25_000, 25_000))
    for name in NAMES:
        amount = {"house": "1000000", "erin": "600"}.get(name, "20000")
        yield CreateAccount(name, money(amount), name == "house")
        yield AddKey(name, f"{name}-key", "hmac", b"sealed", ("read", "trade"), ("10.0.0.1",))
    yield from _habits()
    for number in range(COUNT):
        if number == COUNT // 2:
            yield Reset()
            yield from _habits()
        yield _anything(dice, number)
    yield from _ruin()
    yield from _call_by_name()
    yield from _fill_up()
    yield Resume()
    yield Batch((SetMode(Mode.CANCEL_ONLY, "ETHUSDT"), SetMode(Mode.NORMAL)))
    yield Pulse()


def _ruin() -> Iterator[Command]:
    """Frank has an isolated position and nothing else, and gives half of it to grace for less than
    it is worth, so that the other half pays for that.
    """
    yield Batch(tuple(CancelAllOrders(number, "BTCUSDT") for number in range(1, 7)))
    yield SetPrice("BTCUSDT", 600_000, True)
    yield CreateAccount("frank", money("700"))
    yield CreateAccount("grace", money("20000"))
    yield SetMarginType(FRANK, "BTCUSDT", True)
    yield SetLeverage(FRANK, "BTCUSDT", 100)
    yield PlaceOrder(GRACE, "BTCUSDT", Side.SELL, OrderType.LIMIT, 1_000, 600_000)
    yield PlaceOrder(FRANK, "BTCUSDT", Side.BUY, OrderType.MARKET, 1_000)
    yield PlaceOrder(GRACE, "BTCUSDT", Side.BUY, OrderType.LIMIT, 500, 591_000)
    yield PlaceOrder(FRANK, "BTCUSDT", Side.SELL, OrderType.MARKET, 500)


def _call_by_name() -> Iterator[Command]:
    """Frank would close his position twice. Grace's stop fires and rests in the book, where she
    amends and cancels it by its name. Then she has orders on both sides.
    """
    for trigger in (550_000, 560_000):
        yield _stop(FRANK, Side.SELL, OrderType.STOP_MARKET, 0, trigger, close_position=True)
    name = "fired"
    yield _stop(GRACE, Side.BUY, OrderType.STOP, 10, 601_000, ticks=590_000, client_id=name)
    yield SetPrice("BTCUSDT", 601_000, True)
    book = OrderScope.BOOK
    yield AmendOrder(GRACE, "BTCUSDT", Side.BUY, 20, 590_000, client_id=name, scope=book)
    yield CancelOrder(GRACE, "BTCUSDT", client_id=name, scope=book)
    for side, ticks in ((Side.BUY, 580_000), (Side.SELL, 620_000)):
        yield PlaceOrder(GRACE, "BTCUSDT", side, OrderType.LIMIT, 1_000, ticks)


def _stop(
    account: int, side: Side, type: OrderType, lots: int, trigger: int, **fields: Any
) -> PlaceOrder:
    mark = WorkingType.MARK_PRICE
    terms = {"trigger_ticks": trigger, "working_type": mark, "algo": True, **fields}
    return PlaceOrder(account, "BTCUSDT", side, type, lots, **terms)


def _fill_up() -> Iterator[Command]:
    """Grace is given all that fits into the venue, and then there is no room for her trade."""
    for exponent in range(60, 25, -1):
        yield Deposit("grace", "USDT", 2**exponent)
    yield PlaceOrder(FRANK, "BTCUSDT", Side.SELL, OrderType.LIMIT, 500, 610_000)
    yield PlaceOrder(GRACE, "BTCUSDT", Side.BUY, OrderType.MARKET, 500)


def _habits() -> Iterator[Command]:
    yield SetOrderLimits(False)
    yield FundInsurance(money("150"))
    yield SetPositionMode(HEDGED, True)
    yield SetMarginType(ISOLATED, "BTCUSDT", True)
    yield SetMultiAssets(MULTI, True)
    yield Deposit("dave", "BTC", MONEY_ONE // 2)
    yield SetFeeTier("alice", 3)
    yield SetLeverage(DARING, "BTCUSDT", 100)
    yield SetLeverage(ISOLATED, "BTCUSDT", 75)
    yield SetPrice("BTCUSDT", 600_000, formula=True)


def _anything(dice: random.Random, number: int) -> Command:
    roll = dice.random()
    account = dice.randint(1, 6)
    if roll < 0.70:
        return _trading(dice, account, dice.choice(SYMBOLS))
    if roll < 0.84:
        return _price(dice, number)
    if roll < 0.92:
        return _terms(dice, account)
    return dice.choice(
        (
            Deposit("erin", "USDT", money("300")),
            Deposit("bob", "BTC", dice.randint(0, 10**7)),
            Withdraw("carol", "USDT", dice.randint(0, 10**11)),
            Withdraw("dave", "BTC", dice.randint(0, 10**8)),
            FundInsurance(dice.randint(-(10**9), 10**9)),
            SetFeeTier(dice.choice(NAMES), dice.randint(-1, 10)),
            SetAssetIndex("BTC", dice.randint(50_000, 70_000) * MONEY_ONE),
            SetMode(Mode.NORMAL, "ETHUSDT"),
            SetMode(Mode.CANCEL_ONLY, "ETHUSDT"),
        )
    )


def _price(dice: random.Random, number: int) -> SetPrice:
    symbol = dice.choice(SYMBOLS)
    middle = MIDDLE[symbol]
    reach = middle // 12 if number % 10 == 0 else middle // 200
    ticks = middle + dice.randint(-reach, reach)
    formula = symbol == "BTCUSDT" and dice.random() < 0.8
    return SetPrice(symbol, ticks, dice.random() < 0.4, dice.random() < 0.5, formula)


def _terms(dice: random.Random, account: int) -> Command:
    symbol = dice.choice(SYMBOLS)
    return dice.choice(
        (
            SetLeverage(account, symbol, dice.choice((5, 10, 20, 50, 100, 500))),
            SetMarginType(account, symbol, dice.random() < 0.5),
            ChangeMargin(ISOLATED, "BTCUSDT", dice.randint(0, 10**10), dice.random() < 0.5),
            SetPositionMode(account, dice.random() < 0.5),
            SetMultiAssets(account, dice.random() < 0.5),
            CancelAllOrders(account, symbol, dice.choice(list(OrderScope))),
        )
    )


def _trading(dice: random.Random, account: int, symbol: str) -> Command:
    roll = dice.random()
    if roll < 0.72:
        return _order(dice, account, symbol)
    if roll < 0.78:
        return Batch(tuple(_order(dice, account, symbol) for _ in range(dice.randint(1, 4))))
    if roll < 0.88:
        return AmendOrder(
            account,
            symbol,
            dice.choice(list(Side)),
            dice.randint(1, 40) * 10,
            _near(dice, symbol),
            client_id=f"amended-{account}",
            modify_id=dice.randint(0, 9),
            price_match=_match(dice),
        )
    if roll < 0.93:
        return CancelOrder(account, symbol, dice.randint(1, 900))
    if roll < 0.97:
        scope = dice.choice(list(OrderScope))
        return CancelOrder(account, symbol, client_id=f"amended-{account}", scope=scope)
    return SetCountdown(account, symbol, dice.randint(0, 90_000), dice.choice(list(OrderScope)))


def _near(dice: random.Random, symbol: str) -> int:
    middle = MIDDLE[symbol]
    return middle + dice.randint(-40, 40) * middle // 6_000


def _match(dice: random.Random) -> PriceMatch:
    return dice.choice(list(PriceMatch)) if dice.random() < 0.12 else PriceMatch.NONE


def _order(dice: random.Random, account: int, symbol: str) -> PlaceOrder:
    side = dice.choice(list(Side))
    type = dice.choice([OrderType.LIMIT] * 6 + [OrderType.MARKET] * 2 + list(OrderType))
    ticks = _near(dice, symbol)
    fields: dict[str, Any] = {"stp": dice.choice(list(StpMode)), "price_match": PriceMatch.NONE}
    if type is OrderType.LIMIT:
        fields["price_match"] = _match(dice)
    if dice.random() < 0.15:
        fields["take_profit_ticks"] = ticks + side * dice.randint(1, 30) * 100
        fields["stop_loss_ticks"] = ticks - side * dice.randint(1, 30) * 100
    if type in TRIGGER_TYPES:
        fields["trigger_ticks"] = _near(dice, symbol)
        fields["callback_ppm"] = dice.choice((1_000, 5_000))
        fields["working_type"] = dice.choice(list(WorkingType))
        fields["price_protect"] = dice.random() < 0.3
        fields["algo"] = True
        fields["close_position"] = type in CLOSING_TYPES and dice.random() < 0.4
    hedged = account == HEDGED and dice.random() < 0.9
    if hedged:
        fields["position_side"] = dice.choice((PositionSide.LONG, PositionSide.SHORT))
    if dice.random() < 0.3:
        fields["client_id"] = dice.choice(
            (f"client-{dice.randint(1, 60)}", *[f"amended-{account}"] * 2)
        )
    life = dice.choice([TimeInForce.GTC] * 4 + list(TimeInForce))
    if life is TimeInForce.GTD:
        fields["expires_ms"] = START_MS + dice.randint(1, 30 * 86_400_000)
    elif type in TRIGGER_TYPES and dice.random() < 0.3:
        life = TimeInForce.GTE_GTC
    lots = dice.randint(1, 40) * (20 if account == 6 else 10)
    return PlaceOrder(
        account,
        symbol,
        side,
        type,
        0 if fields.get("close_position") else lots,
        0 if fields["price_match"] else ticks,
        life,
        reduce_only=dice.random() < 0.12 and not hedged,
        **fields,
    )
