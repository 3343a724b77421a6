"""Whatever is refused leaves no trace, whatever the command and however large its numbers.

The commands are made from the union of all commands itself, so that a new one is tried as
soon as there is one. What digests do not cover is compared as well: books, chains, trigger
heaps and the queue of what is due are derived, and a refusal must not touch them either.
"""

import enum
import types
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields, replace
from tests.engine.desk import BTC, NAMES, START_MS, Desk

from openperp.api.dialect import DIALECTS
from openperp.api.errors import MESSAGES, from_reject
from openperp.engine import invariants
from openperp.engine.apply import apply
from openperp.engine.assets import AssetSpec
from openperp.engine.commands import (
    AddKey,
    AmendOrder,
    Batch,
    CancelAllOrders,
    CancelOrder,
    ChangeMargin,
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
    Single,
    Withdraw,
)
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest, dump, load
from openperp.engine.state import State
from openperp.engine.terms import (
    LONG,
    SHORT,
    Mode,
    OrderType,
    Side,
    StpMode,
    TimeInForce,
    WorkingType,
)

COMMANDS: Final = cast("tuple[type[Struct], ...]", get_args(Single))
HUGE: Final = [2**bits + step for bits in (31, 62, 63, 64, 100) for step in (-1, 0, 1)]
NUMBERS: Final = st.one_of(
    st.sampled_from([*HUGE, *[-number for number in HUGE], -1, 0, 1, 10**8, 600_000]),
    st.integers(1, 5),
    st.integers(-(2**70), 2**70),
)
WORDS: Final = st.sampled_from(
    ["", "BTCUSDT", "BTCUSDT", "ETHUSDT", "BTC", "USDT", "DOGE", *NAMES, "key", "hmac", "a/b", "0"]
)
SPECS: Final = st.builds(
    lambda terms: replace(BTC, **terms),
    st.dictionaries(
        st.sampled_from([field.name for field in fields(BTC) if field.type is int]),
        NUMBERS,
        max_size=2,
    ),
)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Anything that a field of this type can hold, with a liking for what is out of bounds."""
    if kind is bool:
        return st.booleans()
    if kind is int:
        return NUMBERS
    if kind is str:
        return WORDS
    if kind is bytes:
        return st.binary(max_size=3)
    if kind is InstrumentSpec:
        return SPECS
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    if isinstance(kind, type) and issubclass(kind, Struct):
        return structs(kind)
    assert get_origin(kind) is tuple, f"a field of a command has the unknown type {kind}"
    return st.lists(values(get_args(kind)[0]), max_size=2).map(tuple)


def structs(kind: type[Struct]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in fields(kind)})


def test_every_command_can_be_made() -> None:
    assert isinstance(Single, types.UnionType)
    assert len(COMMANDS) > 20
    for kind in COMMANDS:
        structs(kind).validate()


def derived(state: State) -> list[Any]:
    """All that a snapshot leaves out or holds in another order, as plain values."""
    markets = [
        (
            [(key, level.lots, _ids(level)) for key, level in side.levels.items()],
            list(side.keys),
            market.book.update_id,
            [
                [(entry[0], entry[1], entry[2].order_id) for entry in heap.entries]
                for queue in (market.triggers.contract, market.triggers.mark)
                for heap in (queue.rising, queue.falling)
            ],
            market.leverage_caps,
            market.maker_fees,
            market.taker_fees,
        )
        for market in state.markets.values()
        for side in (market.book.bids, market.book.asks)
    ]
    accounts = [
        (
            account.order_margin,
            account.set_aside,
            account.collateral,
            account.updated_ms,
            {name: order.order_id for name, order in account.client_ids.items()},
            {name: order.order_id for name, order in account.trigger_client_ids.items()},
            list(account.waiting),
            [_chains(position) for position in account.positions.values()],
        )
        for account in state.accounts.values()
    ]
    due = (dict(state.due_times), list(state.due_heap), state.due_ms, state.sample_ms)
    orders = [order.to_record() for order in state.orders.values()]
    families = {parent: [c.order_id for c in family] for parent, family in state.families.items()}
    return [markets, accounts, due, orders, families, dict(state.countdowns), dict(state.keys)]


def _ids(level: Any) -> list[int]:
    found, order = [], level.head
    while order is not None:
        found.append(order.order_id)
        order = order.level_next
    return found


def _chains(position: Any) -> tuple[Any, ...]:
    return (
        position.key,
        position.epoch,
        position.order_count,
        position.order_margin,
        position.reducing_lots,
        list(position.reducers),
        [
            (chain.capacity, chain.frozen, chain.value, chain.covered, chain.leverage)
            for chain in (position.buys, position.sells)
        ],
        [(o.order_id, o.frozen, o.opening_lots) for o in position.buys.orders()],
        [(o.order_id, o.frozen, o.opening_lots) for o in position.sells.orders()],
    )


def open_busy_desk() -> Desk:
    """A venue with something of everything: orders, triggers, children, isolation, countdowns."""
    desk = Desk(deposit="100000", displaces_reducers=True)
    spec = replace(BTC, funding_hours=8, funding_cap_ppm=3_750, guards_prices=True)
    desk.do(DefineInstrument(spec, 600_000))
    desk.do(DefineAsset(AssetSpec("BTC", 60_000 * MONEY_ONE, bid_buffer_ppm=50_000)))
    desk.do(SetPrice("BTCUSDT", 600_000, formula=True))
    desk.do(CreateAccount("erin", 5))
    desk.do(SetPositionMode(2, True))
    desk.do(SetMarginType(3, "BTCUSDT", True))
    desk.order("alice", "BUY", "1", "60000", take_profit_ticks="61000", stop_loss_ticks="59000")
    desk.order("carol", "SELL", "0.4", "60000")
    desk.order("alice", "BUY", "0.1", "59500", client_id="a")
    desk.order("alice", "SELL", "0.2", "60500", reduce_only=True)
    desk.order("carol", "SELL", "0.1", "60400", stp=StpMode.EXPIRE_MAKER)
    desk.order("bob", "SELL", "0.3", "60000", position_side=SHORT)
    desk.order(
        "bob",
        "BUY",
        "0.2",
        "59000",
        position_side=LONG,
        time_in_force=TimeInForce.GTD,
        expires_ms=START_MS + 3_600_000,
    )
    desk.order(
        "alice",
        "SELL",
        "0.2",
        type="STOP_MARKET",
        trigger="58000",
        working_type=WorkingType.MARK_PRICE,
        algo=True,
    )
    desk.do(SetCountdown(1, "BTCUSDT", 60_000))
    return desk


@pytest.fixture(scope="module")
def busy() -> bytes:
    """What `open_busy_desk` comes to."""
    return dump(open_busy_desk().state)


@settings(max_examples=1_000)
@given(data=st.data())
def test_whatever_is_refused_leaves_no_trace(busy: bytes, data: st.DataObject) -> None:
    state = load(busy)
    command: Any = data.draw(structs(data.draw(st.sampled_from(COMMANDS))))
    if data.draw(st.integers(0, 9)) == 0:
        command = Batch((command, command))
    before, inner = digest(state), derived(state)
    applied = apply(state, Record(state.seq + 1, state.time_ms, command))
    invariants.check(state)
    replies = applied.reply if isinstance(applied.reply, tuple) else (applied.reply,)
    if not all(isinstance(entry, Reject) for entry in replies):
        return
    assert applied.events == ()
    assert digest(state) == before
    assert derived(state) == inner
    for reject in replies:
        assert isinstance(reject, Reject)
        for dialect in DIALECTS.values():
            error = from_reject(reject, dialect, BTC)
            assert error.code in MESSAGES
            assert error.explain


ORDER: Final = PlaceOrder(1, "BTCUSDT", Side.BUY, OrderType.LIMIT, 100, 590_000)
STOP: Final = replace(
    ORDER, type=OrderType.STOP, trigger_ticks=620_000, ticks=620_000, algo=True, callback_ppm=0
)
TRAILING: Final = replace(
    STOP,
    side=Side.SELL,
    type=OrderType.TRAILING_STOP_MARKET,
    ticks=0,
    trigger_ticks=0,
    activation_ticks=610_000,
    callback_ppm=10_000,
)
GOOD: Final[list[Any]] = [
    OpenVenue("ztdx"),
    DefineInstrument(BTC, 600_000),
    DefineAsset(AssetSpec("DOGE", MONEY_ONE)),
    SetAssetIndex("BTC", 60_000 * MONEY_ONE),
    CreateAccount("dave", 5),
    AddKey("alice", "key", "hmac", b"sealed"),
    Deposit("alice", "USDT", 5),
    Deposit("alice", "BTC", 5),
    Withdraw("alice", "USDT", 5),
    ORDER,
    STOP,
    TRAILING,
    replace(ORDER, take_profit_ticks=600_000, stop_loss_ticks=580_000),
    replace(ORDER, time_in_force=TimeInForce.GTD, expires_ms=START_MS + 7_000_000),
    AmendOrder(1, "BTCUSDT", Side.BUY, 100, 590_000, client_id="a"),
    CancelOrder(1, "BTCUSDT", client_id="a"),
    CancelAllOrders(1, "BTCUSDT"),
    SetCountdown(1, "BTCUSDT", 5_000),
    SetLeverage(1, "BTCUSDT", 30),
    SetPositionMode(4, True),
    SetMarginType(1, "ETHUSDT", True),
    ChangeMargin(3, "BTCUSDT", 5),
    SetFeeTier("alice", 1),
    SetMultiAssets(4, True),
    SetPrice("BTCUSDT", 600_010, formula=True),
    SetMode(Mode.NORMAL),
    SetOrderLimits(True),
    FundInsurance(5),
    Reset(),
    Pulse(),
    Resume(),
]
OVERSIZED: Final = (2**62, 2**63 - 1, 2**63, 2**64, -1, -(2**62), -(2**63), -(2**64))
FREE: Final = {"duration_ms"}
"""Numbers without bounds: a countdown that never ends, and one that is called off."""
NUMBERED: Final = [
    (command, field.name) for command in GOOD for field in fields(command) if field.type is int
]


def test_each_command_is_tried_with_numbers_beyond_bounds() -> None:
    assert {type(command) for command in GOOD} == set(COMMANDS)


@pytest.mark.parametrize(
    ("command", "name"), NUMBERED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_numbers_beyond_bounds_are_refused_on_entry(busy: bytes, command: Any, name: str) -> None:
    """All that a command gives; what it leaves out does not count for it, or is refused, too."""
    counts = getattr(command, name) != 0 and name not in FREE
    for number in OVERSIZED:
        state = load(busy)
        before, inner = digest(state), derived(state)
        sent = Record(state.seq + 1, state.time_ms, replace(command, **{name: number}))
        applied = apply(state, sent)
        invariants.check(state)
        if isinstance(applied.reply, Reject):
            assert (digest(state), derived(state), applied.events) == (before, inner, ())
        else:
            assert not counts, f"{number} is taken"
            if abs(number) < 2**63:  # no journal holds what is larger
                invariants.check(load(dump(state)))


@pytest.mark.parametrize("command", GOOD, ids=lambda command: type(command).__name__)
def test_without_them_it_would_have_been_accepted(busy: bytes, command: Any) -> None:
    """Otherwise the test before would show nothing; a venue is opened only once."""
    state = load(busy)
    reply = apply(state, Record(state.seq + 1, state.time_ms, command)).reply
    assert isinstance(reply, Reject) is isinstance(command, OpenVenue), reply
