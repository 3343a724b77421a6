"""Laws under random trading: refusals, replay, snapshots, margin chains."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.engine.desk import BTC, NAMES, START_MS, Desk

from openperp.engine import invariants, snapshot
from openperp.engine.apply import apply
from openperp.engine.assets import AssetSpec
from openperp.engine.commands import (
    VENUE_RULES,
    AmendOrder,
    Batch,
    CancelAllOrders,
    CancelOrder,
    ChangeMargin,
    Command,
    DefineAsset,
    DefineInstrument,
    Deposit,
    FundInsurance,
    PlaceOrder,
    Pulse,
    Record,
    Reset,
    SetAssetIndex,
    SetCountdown,
    SetFeeTier,
    SetLeverage,
    SetMarginType,
    SetMode,
    SetMultiAssets,
    SetPositionMode,
    SetPrice,
    Single,
    Withdraw,
)
from openperp.engine.events import WalletChanged
from openperp.engine.numbers import MONEY_ONE, STAKES_LIMIT
from openperp.engine.order import Order
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest
from openperp.engine.state import State
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

ACCOUNTS = st.integers(1, 3)
TICKS = st.integers(590, 610).map(lambda ticks: ticks * 1000)
ORDER_IDS = st.integers(1, 40)
CLIENT_IDS = st.sampled_from(["", "", "", "a", "b", "c", "auto_3"])


@st.composite
def orders(draw: st.DrawFn) -> PlaceOrder:
    type = draw(st.sampled_from([OrderType.LIMIT] * 4 + [OrderType.MARKET] + list(OrderType)))
    fields: dict[str, Any] = {}
    if draw(st.booleans()):
        fields["take_profit_ticks"] = draw(TICKS)
        fields["stop_loss_ticks"] = draw(TICKS)
        fields["take_profit_client_id"] = draw(CLIENT_IDS)
    if type in TRIGGER_TYPES:
        fields["trigger_ticks"] = draw(TICKS)
        fields["working_type"] = draw(st.sampled_from(WorkingType))
        fields["callback_ppm"] = draw(st.sampled_from([1000, 10_000]))
        fields["activation_ticks"] = draw(st.just(0) | TICKS)
        fields["parent_id"] = draw(st.just(0) | ORDER_IDS)
        fields["algo"] = True
    fields["stp"] = draw(st.sampled_from([StpMode.NONE, *StpMode]))
    fields["position_side"] = draw(st.sampled_from([PositionSide.LONG, PositionSide.SHORT]))
    closes = draw(st.integers(0, 9)) == 0
    fields["price_match"] = draw(st.sampled_from([*[PriceMatch.NONE] * 9, *PriceMatch]))
    fields["expires_ms"] = START_MS + draw(st.sampled_from([0, 601_000, 602_500, 10**14]))
    return PlaceOrder(
        draw(ACCOUNTS),
        "BTCUSDT",
        draw(st.sampled_from(Side)),
        type,
        0 if closes else draw(st.integers(1, 4)) * 100,
        draw(TICKS),
        draw(st.sampled_from(TimeInForce)),
        draw(CLIENT_IDS),
        draw(st.integers(0, 4)) == 0,
        closes,
        **fields,
    )


@st.composite
def crosses(draw: st.DrawFn) -> Batch:
    """One account rests an order and another one takes it, if both may."""
    maker, taker = draw(st.permutations([1, 2, 3]))[:2]
    rested = structs.replace(
        draw(orders()),
        account=maker,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        lots=draw(st.integers(1, 3)) * 100,
        price_match=PriceMatch.NONE,
        trigger_ticks=0,
        algo=False,
        parent_id=0,
        callback_ppm=0,
        activation_ticks=0,
        reduce_only=False,
        close_position=False,
        expires_ms=0,
        take_profit_ticks=0,
        stop_loss_ticks=0,
    )
    taken = structs.replace(
        rested,
        account=taker,
        side=Side(-rested.side),
        client_id="",
        position_side=draw(st.sampled_from([PositionSide.LONG, PositionSide.SHORT])),
    )
    return Batch((rested, taken))


CANCELS = st.builds(
    CancelOrder, ACCOUNTS, st.just("BTCUSDT"), ORDER_IDS, CLIENT_IDS, st.sampled_from(OrderScope)
)
AMENDMENTS = st.builds(
    AmendOrder,
    ACCOUNTS,
    st.just("BTCUSDT"),
    st.sampled_from(Side),
    st.integers(1, 6).map(lambda lots: lots * 100),
    TICKS,
    ORDER_IDS,
    modify_id=st.integers(0, 3),
    reduce_only=st.integers(0, 5).map(lambda roll: roll == 0),
    price_match=st.sampled_from([*[PriceMatch.NONE] * 9, *PriceMatch]),
)
ASSETS = st.sampled_from(["USDT", "BTC", "BTC", "USDC", "DOGE"])
ASSET_COMMANDS = st.one_of(
    st.builds(
        DefineAsset,
        st.builds(
            AssetSpec,
            ASSETS,
            st.sampled_from([MONEY_ONE, MONEY_ONE, -1, 7]),
            st.sampled_from([0, 0, 50_000]),
            st.just(0),
            st.sampled_from([0, 10**9, 10**12]),
            st.sampled_from([0, 25_000]),
        ),
        st.sampled_from([0, 0, -1, 6 * 10**12, 2**61]),
    ),
    st.builds(SetAssetIndex, ASSETS, st.integers(-1, 7 * 10**12)),
    st.builds(Deposit, st.sampled_from(NAMES), ASSETS, st.integers(-1, 10**8)),
    st.builds(Withdraw, st.sampled_from(NAMES), ASSETS, st.integers(-1, 10**8)),
    st.builds(SetMultiAssets, ACCOUNTS, st.booleans()),
)
FUNDS = st.sampled_from([-1, 0, 10**9, *[STAKES_LIMIT - 5 * 10**13] * 2, 6 * 10**13 - STAKES_LIMIT])
"""Payments that leave no more room for what is at stake than for some trades, and back."""
SINGLES = st.one_of(
    ASSET_COMMANDS,
    orders(),
    orders(),
    AMENDMENTS,
    CANCELS,
    st.builds(SetPrice, st.just("BTCUSDT"), TICKS, st.booleans(), st.booleans(), st.booleans()),
    st.builds(SetLeverage, ACCOUNTS, st.just("BTCUSDT"), st.integers(0, 101)),
    st.builds(SetPositionMode, ACCOUNTS, st.booleans()),
    st.builds(SetMarginType, ACCOUNTS, st.just("BTCUSDT"), st.booleans()),
    st.builds(
        ChangeMargin,
        ACCOUNTS,
        st.just("BTCUSDT"),
        st.integers(-1, 10**11),
        st.booleans(),
        st.sampled_from(PositionSide),
    ),
    st.builds(
        SetCountdown,
        ACCOUNTS,
        st.just("BTCUSDT"),
        st.integers(0, 6),
        st.sampled_from(OrderScope),
    ),
    st.builds(CancelAllOrders, ACCOUNTS, st.just("BTCUSDT"), st.sampled_from(OrderScope)),
    st.builds(SetMode, st.sampled_from([Mode.NORMAL, Mode.NORMAL, *Mode])),
    st.builds(Deposit, st.just("alice"), st.just("USDT"), st.integers(-1, 10**12)),
    st.builds(Withdraw, st.just("bob"), st.just("USDT"), st.integers(-1, 10**12)),
    st.builds(FundInsurance, FUNDS),
    st.builds(SetFeeTier, st.sampled_from(["alice", "bob", "dave"]), st.integers(-1, 10)),
    st.just(Pulse()),
)
COMMANDS = st.one_of(
    *[crosses() for _ in range(8)],
    *[orders() for _ in range(8)],
    SINGLES,
    SINGLES,
    st.builds(Batch, st.lists(st.one_of(orders(), AMENDMENTS, CANCELS), max_size=5).map(tuple)),
)
# Hypothesis makes lists little longer than they have to be.
SESSIONS = st.lists(COMMANDS, min_size=15, max_size=60)
RULES = st.fixed_dictionaries(
    {name: st.booleans() for name in VENUE_RULES} | {"order_life_ms": st.sampled_from([0, 20])}
)


HEDGED = st.sets(ACCOUNTS)


ISOLATED = st.sets(ACCOUNTS)


def open_desk(hedged: set[int], isolated: set[int], **rules: Any) -> Desk:
    """A desk whose accounts `hedged` hold LONG and SHORT apart, `isolated` with their own margin."""
    desk = Desk(**rules)
    for account in sorted(hedged):
        desk.do(SetPositionMode(account, True))
    for account in sorted(isolated):
        desk.do(SetMarginType(account, "BTCUSDT", True))
    return desk


def suit(desk: Desk, command: Command) -> Command:
    """Fits most orders to the position mode of their account; the others are refused."""
    if isinstance(command, Batch):
        return Batch(tuple(_suit(desk, single) for single in command.commands))
    return _suit(desk, command)


def _suit(desk: Desk, command: Single) -> Single:
    if not isinstance(command, PlaceOrder) or command.lots == 400:
        return command
    if desk.state.accounts[command.account].hedge:
        return structs.replace(command, reduce_only=False)
    return structs.replace(command, position_side=PositionSide.BOTH)


def aim(desk: Desk, command: Command, pick: int) -> Command:
    """Turns wild ids into those of live orders: cancels hit, and children find parents."""
    live = sorted(desk.state.orders)
    if not live or pick % 4 == 0:
        return command
    order = desk.state.orders[live[pick % len(live)]]
    if isinstance(command, CancelOrder):
        return structs.replace(command, account=order.account, order_id=order.order_id)
    if isinstance(command, AmendOrder):
        return structs.replace(
            command, account=order.account, order_id=order.order_id, side=order.side
        )
    if not isinstance(command, PlaceOrder) or not command.parent_id or order.parent_id:
        return command
    distance = (pick % 7 + 1) * 1000
    gains = command.type in TAKE_PROFIT_TYPES
    reference = order.ticks or order.trigger_ticks or 600_000
    return structs.replace(
        command,
        account=order.account,
        side=Side(-order.side),
        position_side=order.position_side,
        reduce_only=command.reduce_only and order.position_side is PositionSide.BOTH,
        parent_id=order.order_id,
        trigger_ticks=reference + (distance if gains else -distance) * order.side,
        lots=0 if pick % 3 else command.lots,
        activation_ticks=0,
        close_position=False,
    )


@settings(max_examples=250)
@given(
    st.lists(st.tuples(COMMANDS, st.integers(0, 999)), min_size=20, max_size=60),
    HEDGED,
    ISOLATED,
    RULES,
)
def test_laws_hold_after_every_command_and_refusals_change_nothing(
    session: list[tuple[Command, int]],
    hedged: set[int],
    isolated: set[int],
    rules: dict[str, Any],
) -> None:
    desk = open_desk(hedged, isolated, deposit="100000", **rules)
    for wild, pick in session:
        command = aim(desk, suit(desk, wild), pick)
        before = digest(desk.state)
        due = 0 < desk.state.due_ms <= desk.now + 1  # time itself changes something then
        reply = desk.do(command)  # checks every invariant
        if isinstance(reply, OrderRecord) and reply.time_in_force is TimeInForce.FOK:
            assert reply.type is not OrderType.LIMIT or reply.filled_lots in {0, reply.lots}
        if isinstance(reply, Reject) and not due:
            assert digest(desk.state) == before
            assert desk.events() == []


ROOM = {"MARGIN_INSUFFICIENT", "POSITION_LIMIT_EXCEEDED"}
"""Refusals of an order that an amendment does not share where it needs no more than before."""


@settings(max_examples=150)
@given(
    st.lists(orders(), min_size=20, max_size=30),
    AMENDMENTS,
    st.integers(0, 999),
    HEDGED,
    ISOLATED,
    RULES,
    st.sampled_from(["4000", "20000"]),
)
def test_an_amendment_is_a_cancel_and_a_new_order_in_one(
    session: list[PlaceOrder],
    wild: AmendOrder,
    pick: int,
    hedged: set[int],
    isolated: set[int],
    rules: dict[str, Any],
    deposit: str,
) -> None:
    rules["order_life_ms"] = 0  # The order may not end between the copy and the amendment.
    desk = open_desk(hedged, isolated, deposit=deposit, **rules)
    desk.price("60000")
    for command in session:
        desk.do(suit(desk, command))
    resting = [order for order in desk.state.orders.values() if order.resting]
    if not resting:
        return
    order = resting[pick % len(resting)]
    amend = structs.replace(
        wild,
        account=order.account,
        order_id=order.order_id,
        side=order.side,
        reduce_only=False,
        price_match=PriceMatch.NONE,  # The order itself counts in one case and not in the other.
    )
    if order.order_id in desk.state.families or amend.lots <= order.filled_lots:
        return
    before = desk.state.accounts[order.account].order_margin
    other, expected = replace_order(desk, order, amend)
    reply = desk.do(amend)
    if isinstance(reply, Reject):
        if reply.reason.name not in {"AMENDED_NOTHING", "AMENDED_BELOW_NOTIONAL"}:
            assert isinstance(expected, Reject)
            assert reply.reason == expected.reason
    elif not isinstance(expected, Reject):
        assert holdings(desk.state) == holdings(other)
    elif expected.reason.name in ROOM:
        assert desk.state.accounts[order.account].order_margin <= before
    elif expected.reason.name != "NOTIONAL_BELOW_MINIMUM":
        assert expected.reason.name == "WOULD_TAKE"
        assert reply.status.name == "CANCELED"


def replace_order(desk: Desk, order: Order, amend: AmendOrder) -> tuple[State, Any]:
    """A copy of the venue in which the order was cancelled and placed anew, and the reply."""
    other = snapshot.load(snapshot.dump(desk.state))
    place = PlaceOrder(
        order.account,
        "BTCUSDT",
        order.side,
        OrderType.LIMIT,
        amend.lots - order.filled_lots,
        amend.ticks,
        order.time_in_force,
        reduce_only=order.reduce_only and order.position_side is PositionSide.BOTH,
        position_side=order.position_side,
        stp=order.stp,
        expires_ms=START_MS + 10**14,
    )
    cancel = CancelOrder(order.account, "BTCUSDT", order.order_id)
    apply(other, Record(other.seq + 1, desk.now, cancel))
    return other, apply(other, Record(other.seq + 1, desk.now, place)).reply


def holdings(state: State) -> list[tuple[object, ...]]:
    """What every account has and has frozen."""
    return [
        (
            account.wallet,
            account.order_margin,
            [
                (key, held.lots, held.entry_cost, held.isolated_wallet)
                for key, held in account.positions.items()
            ],
        )
        for account in state.accounts.values()
    ]


@settings(max_examples=60)
@given(SESSIONS, HEDGED, ISOLATED, RULES, st.data())
def test_replay_and_snapshot_with_tail_equal_the_live_venue(
    session: list[Command],
    hedged: set[int],
    isolated: set[int],
    rules: dict[str, Any],
    data: st.DataObject,
) -> None:
    desk = open_desk(hedged, isolated, **rules)
    for command in session:
        desk.do(suit(desk, command))
    cut = data.draw(st.integers(1, len(desk.records)))

    replayed = State()
    for record in desk.records[:cut]:
        apply(replayed, record)
    dumped = snapshot.dump(replayed)
    loaded = snapshot.load(dumped)
    invariants.check(loaded)
    assert snapshot.dump(loaded) == dumped

    for record, applied in zip(desk.records[cut:], desk.applied[cut:], strict=True):
        assert apply(replayed, record) == applied
        assert apply(loaded, record) == applied
    assert snapshot.digest(loaded) == snapshot.digest(replayed) == snapshot.digest(desk.state)


PAUSES = st.sampled_from([1, 1, 1_000, 4_998, 5_000, 60_000, 3_600_000, 8 * 3_600_000])


@settings(max_examples=60)
@given(st.lists(st.tuples(COMMANDS, PAUSES), min_size=15, max_size=40), st.integers(1, 9_999_999))
def test_time_brings_about_the_same_however_often_it_is_looked_at(
    session: list[tuple[Command, int]], pulse_ms: int
) -> None:
    """A venue that hears of each command alone, and one that is told the time in between."""
    desk, watched = Desk(deposit="100000"), Desk(deposit="100000")
    spec = structs.replace(BTC, funding_hours=1, funding_cap_ppm=3_750)
    for each in (desk, watched):
        each.do(DefineInstrument(spec, 600_000))
        each.do(SetPrice("BTCUSDT", 600_000, formula=True))
    for wild, pause_ms in session:
        command = suit(desk, wild)
        due_ms = desk.now + pause_ms
        for time_ms in range(desk.now + pulse_ms, due_ms, max(pulse_ms, pause_ms // 9)):
            watched.now = time_ms
            watched.do(Pulse())
        desk.now = watched.now = due_ms
        assert desk.do(command) == watched.do(command)
    assert snapshot.digest(desk.state) == snapshot.digest(watched.state)


@settings(max_examples=30)
@given(SESSIONS, HEDGED, ISOLATED)
def test_reset_forgets_everything_but_the_accounts(
    session: list[Command], hedged: set[int], isolated: set[int]
) -> None:
    fresh, used = Desk(), open_desk(hedged, isolated)
    for command in session:
        used.do(suit(used, command))
    for asset in used.state.assets.values():
        fresh.do(DefineAsset(asset.spec))  # terms stay, as those of instruments do
    for desk in (fresh, used):
        desk.do(Reset())
        for market in desk.state.markets.values():
            market.priced_ms = 0
            assert market.book.update_id > 0, "change numbers go on over a reset"
            market.book.update_id = 0
        for account in desk.state.accounts.values():
            account.updated_ms = 0
    assert snapshot.digest(fresh.state) == snapshot.digest(used.state)


def _whole_wallet(reply: Any) -> Any:
    """The reply without what it tells of the part of a wallet that is set aside."""
    return structs.replace(reply, set_aside=0) if isinstance(reply, WalletChanged) else reply


@settings(max_examples=60)
@given(SESSIONS, HEDGED, ISOLATED)
def test_the_margin_type_moves_money_within_the_wallet_and_nothing_else(
    session: list[Command], hedged: set[int], isolated: set[int]
) -> None:
    """Where there is enough of it, margin of any type lets the same trades happen."""
    desks = [open_desk(hedged, own, deposit="10000000") for own in (set[int](), isolated)]
    desks[0].now = desks[1].now
    for command in session:
        if isinstance(command, (SetMarginType, SetMultiAssets, SetLeverage, Withdraw, Reset)):
            continue
        replies = [_whole_wallet(desk.do(suit(desk, command))) for desk in desks]
        if not isinstance(command, ChangeMargin):
            assert replies[0] == replies[1]
    cross, other = [
        [(account.wallet, account.order_margin) for account in desk.state.accounts.values()]
        for desk in desks
    ]
    assert cross == other
