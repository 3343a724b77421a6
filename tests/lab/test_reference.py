"""The slow engine and the fast one: they agree, and a mistake in either would be seen."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.engine.desk import BTC, ETH, NAMES, START_MS, money
from tests.golden import journal

from openperp.engine.assets import MARGIN_SPEC, AssetSpec
from openperp.engine.commands import (
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
    Resume,
    SetAssetIndex,
    SetCountdown,
    SetLeverage,
    SetMarginType,
    SetMode,
    SetMultiAssets,
    SetPositionMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import Applied
from openperp.engine.records import OrderRecord
from openperp.engine.terms import (
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
from openperp.lab.reference.amounts import CENT
from openperp.lab.reference.comparison import Comparison, Difference
from openperp.lab.reference.session import Tally, run_session

BUY, SELL = Side.BUY, Side.SELL
COIN = AssetSpec("COIN", money("50000"), 50_000, 50_000, 0, 25_000, 25_000)
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET


class Pair(Comparison):
    """Both engines with Alice, Bob and Carol, compared in full after every command."""

    def __init__(self, deposit: str = "10000", **rules: bool) -> None:
        super().__init__(whole_every=1)
        self.say(OpenVenue("ztdx", **rules))
        self.say(DefineInstrument(BTC, 600_000))
        self.say(DefineInstrument(ETH, 300_000))
        for name in NAMES:
            self.say(CreateAccount(name, money(deposit)))

    def say(self, command: Command) -> Applied:
        return self.do(command, max(START_MS, self.now + 1))

    def place(self, account: int, side: Side, lots: int, ticks: int = 0, **fields: Any) -> Any:
        type = fields.pop("type", LIMIT if ticks else MARKET)
        return self.say(PlaceOrder(account, "BTCUSDT", side, type, lots, ticks, **fields)).reply


def test_a_difference_names_the_fields_that_differ() -> None:
    pair = _trading()
    _change_fee(pair)
    with pytest.raises(Difference) as caught:
        pair.place(3, SELL, 10, 590_000)
    # The taker's fee on 0.01 x 59000, and with it his wallet.
    assert caught.value.sentences == [
        "event 5, OrderFilled.fill, Fill.fee: 29559000 | 29500000",
        "event 6, PositionChanged.wallet: 999970441000 | 999970500000",
    ]


@pytest.mark.parametrize("first", range(0, 100, 10))
def test_they_agree_on_random_commands(first: int) -> None:
    """A hundred seeds; `make compare` runs ten thousand commands of each."""
    tally = Tally()
    for seed in range(first, first + 10):
        try:
            for _ in run_session(seed, 120, 4, tally, whole_every=10):
                pass
        except Difference as difference:
            pytest.fail(f"seed {seed}, {difference.record}: {difference.sentences}")
    assert tally.commands == 1_200
    assert tally.trades > 50
    assert tally.refused < 700


def test_they_meet_everything_that_is_rare() -> None:
    tally = Tally()
    missing = list(tally.kinds)
    for seed in range(1_000, 1_080):
        for _ in run_session(seed, 500, 10, tally):
            pass
        missing = [kind for kind, times in tally.kinds.items() if not times]
        if not missing:
            return
    pytest.fail(f"never seen: {missing}")


@pytest.mark.parametrize("name", journal.names())
def test_they_agree_on_frozen_journals(name: str) -> None:
    comparison = Comparison(whole_every=1)
    for record in journal.read(name):
        comparison.take(record)


def _trading() -> Pair:
    """Alice is long 0.1 from Bob and has two bids in the queue with Bob's and Carol's."""
    pair = Pair()
    pair.place(2, SELL, 100, 600_000)
    pair.place(1, BUY, 100, 600_000)
    for account in (1, 2, 3, 1):
        pair.place(account, BUY, 10, 590_000)
    return pair


def _swap_queue(pair: Pair) -> None:
    first, second = pair.venue.orders[:2]
    first.arrival, second.arrival = second.arrival, first.arrival


def _forget_order(pair: Pair) -> None:
    pair.venue.orders.pop()


def _miscount_wallet(pair: Pair) -> None:
    pair.state.accounts[1].wallet += 1


def _miscount_asset(pair: Pair) -> None:
    pair.state.accounts[1].balances["COIN"] = 1


def _miscount_cost(pair: Pair) -> None:
    pair.state.accounts[1].positions["BTCUSDT"].entry_cost -= 1


def _miscount_frozen(pair: Pair) -> None:
    pair.state.accounts[1].order_margin -= 1


def _make_money(pair: Pair) -> None:
    pair.state.insurance += 1
    pair.venue.insurance += CENT


def _miscount_fees(pair: Pair) -> None:
    pair.venue.fees += CENT


def _change_fee(pair: Pair) -> None:
    market = pair.state.markets["BTCUSDT"]
    market.set_spec(msgspec.structs.replace(market.spec, taker_fee_ppm=501))


def _change_cap(pair: Pair) -> None:
    market = pair.venue.markets["BTCUSDT"]
    lower = msgspec.structs.replace(BTC.brackets[2], notional_cap=money("3000001"))
    market.spec = msgspec.structs.replace(BTC, brackets=(*BTC.brackets[:2], lower))


def _change_smallest(pair: Pair) -> None:
    market = pair.venue.markets["BTCUSDT"]
    market.spec = msgspec.structs.replace(BTC, min_notional=money("6001"))


def _move_mark(pair: Pair) -> None:
    pair.venue.markets["BTCUSDT"].mark += 1


def _miscount_fund(pair: Pair) -> None:
    pair.state.insurance += 1


def _guard_prices(pair: Pair) -> None:
    market = pair.venue.markets["BTCUSDT"]
    market.spec = msgspec.structs.replace(BTC, guards_prices=True, multiplier_down_ppm=990_000)


def _follow_formula(pair: Pair) -> None:
    pair.state.markets["BTCUSDT"].formula = True


def _skip_trade_id(pair: Pair) -> None:
    pair.state.next_trade_id += 1


@pytest.mark.parametrize(
    "mistake",
    [
        _swap_queue,
        _forget_order,
        _miscount_wallet,
        _miscount_asset,
        _miscount_cost,
        _miscount_frozen,
        _miscount_fees,
        _miscount_fund,
        _guard_prices,
        _follow_formula,
        _make_money,
        _change_fee,
        _change_smallest,
        _move_mark,
        _skip_trade_id,
    ],
)
def test_a_mistake_in_either_is_seen(mistake: Callable[[Pair], None]) -> None:
    pair = _trading()
    mistake(pair)
    with pytest.raises(Difference):
        pair.place(3, SELL, 100, 590_000)


def test_a_refusal_that_only_one_makes_is_seen() -> None:
    pair = Pair(deposit="1000000")
    _change_cap(pair)
    with pytest.raises(Difference, match="refused for POSITION_LIMIT_EXCEEDED"):
        pair.place(1, BUY, 60_000, 600_000)


def test_an_engine_that_breaks_is_named() -> None:
    pair = _trading()
    pair.venue.orders[0].price += CENT
    with pytest.raises(Difference, match="an engine breaks on it"):
        pair.place(3, SELL, 100, 590_000)


LOTS = st.sampled_from([0, 1, 50, 100, 100, 200, 300, 5_000])
TICKS = st.integers(597, 603).map(lambda ticks: ticks * 1_000)
ACCOUNTS = st.integers(1, 3)
FLAGS = st.integers(0, 5).map(lambda roll: roll == 0)
SIDES = st.sampled_from(Side)


class BothEngines(RuleBasedStateMachine):
    """Commands that shrink well: what fails here is short enough to read."""

    @initialize(
        larger=st.booleans(),
        separate=st.booleans(),
        hedged=st.sets(ACCOUNTS),
        isolated=st.sets(ACCOUNTS),
        deposit=st.sampled_from(["500", "10000", "1000000"]),
        guards=st.booleans(),
        hours=st.sampled_from([0, 1, 8]),
        liquidates=st.booleans(),
        single=st.booleans(),
        names=st.booleans(),
        pays=st.booleans(),
        bounds=st.booleans(),
    )
    def open(
        self,
        larger: bool,
        separate: bool,
        hedged: set[int],
        isolated: set[int],
        deposit: str,
        guards: bool,
        hours: int,
        liquidates: bool,
        single: bool,
        names: bool,
        pays: bool,
        bounds: bool,
    ) -> None:
        rules = {
            "larger_side_margin": larger,
            "separate_trigger_ids": separate,
            "liquidates": liquidates,
            "single_closers": single,
            "names_fired_orders": names,
            "isolated_pays": pays,
            "bounds_sweeps": bounds,
        }
        self.pair = Pair(deposit, **rules)
        spec = msgspec.structs.replace(
            BTC,
            guards_prices=guards,
            multiplier_up_ppm=1_002_000,
            multiplier_down_ppm=998_000,
            market_take_bound_ppm=2_000,
            trigger_protect_ppm=2_000,
            funding_hours=hours,
            funding_cap_ppm=10_000,
        )
        self.pair.say(DefineInstrument(spec, 600_000))
        self.pair.say(
            DefineAsset(msgspec.structs.replace(MARGIN_SPEC, exchange_threshold=money("1")))
        )
        self.pair.say(DefineAsset(COIN))
        for name in NAMES:
            self.pair.say(Deposit(name, "COIN", 10**6))
        for account in sorted(hedged):
            self.pair.say(SetPositionMode(account, True))
        for account in sorted(isolated):
            self.pair.say(SetMarginType(account, "BTCUSDT", True))

    def _side(self, account: int, side: Side, closes: bool) -> PositionSide:
        if not self.pair.state.accounts[account].hedge:
            return PositionSide.BOTH
        return PositionSide(-side if closes else side)

    @rule(
        account=ACCOUNTS,
        side=SIDES,
        lots=LOTS,
        ticks=TICKS,
        time_in_force=st.sampled_from(TimeInForce),
        closes=st.booleans(),
        market=FLAGS,
        reduces=FLAGS,
        gain=st.just(0) | TICKS,
        loss=st.just(0) | TICKS,
        stp=st.just(StpMode.NONE) | st.sampled_from(StpMode),
        match=st.just(PriceMatch.NONE) | st.sampled_from(PriceMatch),
    )
    def trade(
        self,
        account: int,
        side: Side,
        lots: int,
        ticks: int,
        time_in_force: TimeInForce,
        closes: bool,
        market: bool,
        reduces: bool,
        gain: int,
        loss: int,
        stp: StpMode,
        match: PriceMatch,
    ) -> None:
        self.pair.place(
            account,
            side,
            lots,
            ticks,
            type=MARKET if market else LIMIT,
            time_in_force=time_in_force,
            position_side=self._side(account, side, closes),
            reduce_only=reduces,
            take_profit_ticks=gain,
            stop_loss_ticks=loss,
            stp=stp,
            expires_ms=self.pair.now + 600_001 + lots,
            price_match=match,
        )

    @rule(
        account=ACCOUNTS,
        side=SIDES,
        type=st.sampled_from(sorted(TRIGGER_TYPES)),
        lots=LOTS,
        ticks=TICKS,
        trigger=TICKS,
        working_type=st.sampled_from(WorkingType),
        closes=st.booleans(),
        whole=FLAGS,
        reduces=FLAGS,
        parent=st.just(0) | st.integers(1, 20),
        tied=st.booleans(),
    )
    def wait_for_a_price(
        self,
        account: int,
        side: Side,
        type: OrderType,
        lots: int,
        ticks: int,
        trigger: int,
        working_type: WorkingType,
        closes: bool,
        whole: bool,
        reduces: bool,
        parent: int,
        tied: bool,
    ) -> None:
        self.pair.place(
            account,
            side,
            0 if whole else lots,
            ticks,
            type=type,
            time_in_force=TimeInForce.GTE_GTC if tied else TimeInForce.GTC,
            position_side=self._side(account, side, closes),
            reduce_only=reduces,
            close_position=whole,
            trigger_ticks=trigger,
            activation_ticks=trigger if lots % 100 else 0,
            callback_ppm=2_000,
            working_type=working_type,
            price_protect=reduces,
            parent_id=parent,
            algo=True,
        )

    @rule(pick=st.integers(0, 30), lots=LOTS, ticks=TICKS, vouches=FLAGS)
    def amend(self, pick: int, lots: int, ticks: int, vouches: bool) -> None:
        order = self._pick(pick)
        if order is not None:
            terms = (order.account, "BTCUSDT", order.side, lots, ticks, order.order_id)
            self.pair.say(AmendOrder(*terms, reduce_only=vouches))

    @rule(pick=st.integers(0, 30), scope=st.sampled_from(OrderScope))
    def cancel(self, pick: int, scope: OrderScope) -> None:
        order = self._pick(pick)
        if order is not None:
            one = CancelOrder(order.account, "BTCUSDT", order.order_id, scope=scope)
            self.pair.say(Batch((one, one)))

    def _pick(self, number: int) -> OrderRecord | None:
        orders = list(self.pair.state.orders.values())
        return orders[number % len(orders)].to_record() if orders else None

    @rule(ticks=TICKS, moves_last=st.booleans(), keeps_last=st.booleans(), formula=st.booleans())
    def move_price(self, ticks: int, moves_last: bool, keeps_last: bool, formula: bool) -> None:
        self.pair.say(SetPrice("BTCUSDT", ticks, moves_last, keeps_last, formula))

    @rule(ticks=st.sampled_from([300_000, 520_000, 560_000, 640_000, 690_000]))
    def jump(self, ticks: int) -> None:
        self.pair.say(SetPrice("BTCUSDT", ticks))

    @rule(amount=st.sampled_from([-1, 1, 10**8, 10**10, -(10**8)]))
    def fund(self, amount: int) -> None:
        self.pair.say(FundInsurance(amount))

    @rule(account=ACCOUNTS, leverage=st.sampled_from([1, 7, 20, 50, 100]))
    def set_leverage(self, account: int, leverage: int) -> None:
        self.pair.say(SetLeverage(account, "BTCUSDT", leverage))

    @rule(account=ACCOUNTS, scope=st.sampled_from(OrderScope), duration_ms=st.integers(0, 4))
    def count_down(self, account: int, scope: OrderScope, duration_ms: int) -> None:
        self.pair.say(SetCountdown(account, "BTCUSDT", duration_ms, scope))

    @rule(account=ACCOUNTS, scope=st.sampled_from(OrderScope))
    def cancel_all(self, account: int, scope: OrderScope) -> None:
        self.pair.say(CancelAllOrders(account, "BTCUSDT", scope))

    @rule(mode=st.sampled_from([Mode.NORMAL, Mode.NORMAL, *Mode]))
    def set_mode(self, mode: Mode) -> None:
        self.pair.say(SetMode(mode))

    @rule(account=ACCOUNTS, amount=st.integers(-1, 10**11), removes=st.booleans(), side=SIDES)
    def change_margin(self, account: int, amount: int, removes: bool, side: Side) -> None:
        held = self._side(account, side, closes=False)
        self.pair.say(ChangeMargin(account, "BTCUSDT", amount, removes, held))

    @rule(later_ms=st.sampled_from([1, 5_000, 600_000, 601_000, 3_600_000]), returns=FLAGS)
    def let_time_pass(self, later_ms: int, returns: bool) -> None:
        self.pair.do(Resume() if returns else Pulse(), self.pair.now + later_ms)

    @rule(amount=st.integers(-1, 10**12), asset=st.sampled_from(["USDT", "COIN"]))
    def withdraw(self, amount: int, asset: str) -> None:
        self.pair.say(Withdraw("alice", asset, amount))

    @rule(account=ACCOUNTS, enabled=st.booleans())
    def set_multi_assets(self, account: int, enabled: bool) -> None:
        self.pair.say(SetMultiAssets(account, enabled))

    @rule(percent=st.sampled_from([1, 50, 97, 110]))
    def move_asset(self, percent: int) -> None:
        self.pair.say(SetAssetIndex("COIN", COIN.index * percent // 100))

    @invariant()
    def money_is_kept(self) -> None:
        assert not hasattr(self, "pair") or self.pair.compare_all() == []


TestBothEngines = BothEngines.TestCase
TestBothEngines.settings = settings(max_examples=120, stateful_step_count=40)
