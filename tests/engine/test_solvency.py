"""Laws of a venue that liquidates, under random trading at wild prices.

The desk checks every invariant after every command: among them that nobody's margin is
used up, which a full scan of all accounts says, while the engine looks at those alone
whom an alarm or the command has touched.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.engine.desk import BTC, ETH, NAMES, Desk, money
from tests.engine.test_properties import HEDGED, ISOLATED

from openperp.engine import snapshot
from openperp.engine.apply import apply
from openperp.engine.assets import AssetSpec
from openperp.engine.commands import (
    Batch,
    ChangeMargin,
    Command,
    DefineAsset,
    DefineInstrument,
    Deposit,
    FundInsurance,
    PlaceOrder,
    Pulse,
    SetAssetIndex,
    SetLeverage,
    SetMarginType,
    SetMode,
    SetMultiAssets,
    SetPositionMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.instruments import Bracket
from openperp.engine.liquidation_events import LiquidationStarted
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.rejects import Reject
from openperp.engine.state import State
from openperp.engine.terms import Mode, PositionSide, Side, WorkingType
from openperp.engine.terms import OrderType as Type

ACCOUNTS = st.integers(1, 3)
SYMBOLS = st.sampled_from(["BTCUSDT", "BTCUSDT", "ETHUSDT"])
POSITION_SIDES = st.sampled_from([PositionSide.LONG, PositionSide.SHORT])
PERCENT = st.sampled_from([*range(-10, 11), -60, -40, -25, 25, 40, 60])

SMALL = (
    Bracket(100, 0, 2_000 * MONEY_ONE, 5_000, 0),
    Bracket(50, 2_000 * MONEY_ONE, 8_000 * MONEY_ONE, 10_000, 10 * MONEY_ONE),
    Bracket(20, 8_000 * MONEY_ONE, 900_000 * MONEY_ONE, 50_000, 330 * MONEY_ONE),
)
"""Brackets that a few lots fill; `cum` makes them join."""
ROUGH = (*SMALL[:2], structs.replace(SMALL[2], cum=0))
"""The same, but the maintenance margin jumps by 330 where the third begins."""
STEEP = (*SMALL[:2], structs.replace(SMALL[2], cum=600 * MONEY_ONE))
"""The same, but it falls there, so that a falling notional may use margin up."""


@st.composite
def orders(draw: st.DrawFn, desk_ticks: int = 600_000) -> PlaceOrder:
    symbol = draw(SYMBOLS)
    centre = desk_ticks if symbol == "BTCUSDT" else 300_000
    kind = draw(st.sampled_from([Type.LIMIT] * 5 + [Type.MARKET] * 2 + [Type.STOP_MARKET]))
    side = draw(st.sampled_from(Side))
    fields: dict[str, Any] = {}
    if kind is Type.STOP_MARKET:
        fields["trigger_ticks"] = centre * (100 + draw(PERCENT)) // 100
        fields["working_type"] = draw(st.sampled_from(WorkingType))
    if draw(st.integers(0, 3)) == 0:
        fields["stop_loss_ticks"] = centre * (100 - 12 * side) // 100
    return PlaceOrder(
        draw(ACCOUNTS),
        symbol,
        side,
        kind,
        draw(st.integers(1, 30)) * 10,
        centre * (100 + draw(st.integers(-10, 10))) // 100,
        reduce_only=draw(st.integers(0, 9)) == 0,
        position_side=draw(POSITION_SIDES),
        **fields,
    )


@st.composite
def trades(draw: st.DrawFn) -> Batch:
    """One account rests an order near the mark price, and another one takes it."""
    maker, taker = draw(st.permutations([1, 2, 3]))[:2]
    rested = structs.replace(draw(orders()), account=maker, type=Type.LIMIT, stop_loss_ticks=0)
    centre = 600_000 if rested.symbol == "BTCUSDT" else 300_000
    rested = structs.replace(rested, ticks=centre * (100 + draw(st.integers(-2, 2))) // 100)
    taken = structs.replace(
        rested, account=taker, side=Side(-rested.side), position_side=draw(POSITION_SIDES)
    )
    return Batch((rested, taken))


@st.composite
def prices(draw: st.DrawFn) -> SetPrice:
    symbol = draw(SYMBOLS)
    centre = 600_000 if symbol == "BTCUSDT" else 300_000
    ticks = centre * (100 + draw(PERCENT)) // 100
    return SetPrice(symbol, ticks, formula=draw(st.integers(0, 3)) == 0)


@st.composite
def terms(draw: st.DrawFn) -> DefineInstrument:
    spec = draw(st.sampled_from([BTC, ETH]))
    brackets = draw(st.sampled_from([SMALL, ROUGH, STEEP, BTC.brackets]))
    hours = draw(st.sampled_from([0, 1]))
    spec = structs.replace(spec, brackets=brackets, funding_hours=hours, funding_cap_ppm=30_000)
    return DefineInstrument(spec, 600_000)


COMMANDS = st.one_of(
    orders(),
    trades(),
    trades(),
    trades(),
    trades(),
    prices(),
    prices(),
    prices(),
    st.builds(Batch, st.lists(orders(), min_size=2, max_size=5).map(tuple)),
    terms(),
    st.builds(SetLeverage, ACCOUNTS, SYMBOLS, st.sampled_from([5, 20, 50, 100])),
    st.builds(SetMarginType, ACCOUNTS, SYMBOLS, st.booleans()),
    st.builds(SetPositionMode, ACCOUNTS, st.booleans()),
    st.builds(
        ChangeMargin,
        ACCOUNTS,
        SYMBOLS,
        st.integers(1, 100).map(lambda whole: whole * MONEY_ONE),
        st.booleans(),
        st.sampled_from(PositionSide),
    ),
    st.builds(SetMode, st.sampled_from([Mode.NORMAL, *Mode]), st.just("") | SYMBOLS),
    st.builds(Deposit, st.sampled_from(["alice", "bob"]), st.just("USDT"), st.just(money("400"))),
    st.builds(Withdraw, st.just("bob"), st.just("USDT"), st.integers(1, money("500"))),
    st.builds(FundInsurance, st.integers(-money("50"), money("300"))),
    st.builds(SetMultiAssets, ACCOUNTS, st.booleans()),
    st.builds(
        SetAssetIndex, st.just("BTC"), st.sampled_from([money(w) for w in ("1", "300", "60000")])
    ),
    st.just(Pulse()),
)
PAUSES = st.sampled_from([1, 1, 1, 5_000, 3_600_000])
SESSIONS = st.lists(st.tuples(COMMANDS, PAUSES), min_size=20, max_size=60)


def suit(desk: Desk, command: Command) -> Command:
    """Fits orders to the position mode of their account."""
    if isinstance(command, Batch):
        singles = [suit(desk, single) for single in command.commands]
        return Batch(tuple(singles))  # type: ignore[arg-type]
    if not isinstance(command, PlaceOrder):
        return command
    if desk.state.accounts[command.account].hedge:
        return structs.replace(command, reduce_only=False)
    return structs.replace(command, position_side=PositionSide.BOTH)


def open_desk(hedged: set[int], isolated: set[int]) -> Desk:
    """A desk that liquidates, with little money, small brackets and high leverage."""
    desk = Desk(deposit="400", liquidates=True)
    for spec in (BTC, ETH):
        desk.do(DefineInstrument(structs.replace(spec, brackets=SMALL), 600_000))
    desk.do(DefineAsset(AssetSpec("BTC", money("60000"), 50_000, 50_000, 0, 25_000, 25_000)))
    for account, name in enumerate(NAMES, start=1):
        desk.do(Deposit(name, "BTC", money("0.003")))
        desk.do(SetPositionMode(account, account in hedged))
        for symbol in ("BTCUSDT", "ETHUSDT"):
            desk.do(SetMarginType(account, symbol, account in isolated))
            desk.do(SetLeverage(account, symbol, 50))
    return desk


def run(desk: Desk, session: list[tuple[Command, int]]) -> None:
    for command, pause_ms in session:
        desk.now += pause_ms - 1
        desk.do(suit(desk, command))


@settings(max_examples=250)
@given(SESSIONS, HEDGED, ISOLATED)
def test_nobody_stays_due_and_no_money_is_lost(
    session: list[tuple[Command, int]], hedged: set[int], isolated: set[int]
) -> None:
    desk = open_desk(hedged, isolated)
    run(desk, session)  # checks every invariant after every command


@settings(max_examples=80)
@given(SESSIONS, HEDGED, ISOLATED, st.data())
def test_what_happens_does_not_depend_on_where_the_alarms_were(
    session: list[tuple[Command, int]], hedged: set[int], isolated: set[int], data: st.DataObject
) -> None:
    """A venue that has been reloaded has fresh alarms; the live one has old ones, too."""
    desk = open_desk(hedged, isolated)
    start = len(desk.records)
    run(desk, session)
    cut = data.draw(st.integers(start, len(desk.records)))
    replayed = State()
    for record in desk.records[:cut]:
        apply(replayed, record)
    for record, applied in zip(desk.records[cut:], desk.applied[cut:], strict=True):
        replayed = snapshot.load(snapshot.dump(replayed))
        assert apply(replayed, record) == applied
    assert snapshot.digest(replayed) == snapshot.digest(desk.state)


@settings(max_examples=60)
@given(SESSIONS, HEDGED, ISOLATED)
def test_a_refused_command_liquidates_nobody(
    session: list[tuple[Command, int]], hedged: set[int], isolated: set[int]
) -> None:
    desk = open_desk(hedged, isolated)
    for command, _ in session:
        reply = desk.do(suit(desk, command))
        if isinstance(reply, Reject):
            assert not [event for event in desk.events() if isinstance(event, LiquidationStarted)]
