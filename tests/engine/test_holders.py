"""Who holds a position in a market is known without looking at everybody."""

import pytest
from hypothesis import given, settings
from tests.engine.desk import Desk, money
from tests.engine.ruin import trade
from tests.engine.test_properties import HEDGED, ISOLATED
from tests.engine.test_solvency import SESSIONS, open_desk, run

from openperp.engine import invariants, snapshot
from openperp.engine.commands import Command, CreateAccount, Reset, SetPositionMode
from openperp.engine.holders import open_positions
from openperp.engine.state import BOTH_SIDES, HEDGE_SIDES, State, position_key
from openperp.engine.terms import LONG, SHORT


def recount(state: State, symbol: str) -> list[tuple[int, str]]:
    """Account and key of every open position in a market, found by looking at everybody."""
    return [
        (number, position_key(symbol, side))
        for number in sorted(state.accounts)
        for side in (*BOTH_SIDES, *HEDGE_SIDES)
        if position_key(symbol, side) in state.accounts[number].positions
        and state.accounts[number].positions[position_key(symbol, side)].lots
    ]


def find(state: State, symbol: str) -> list[tuple[int, str]]:
    market = state.markets[symbol]
    return [(account.account_id, held.key) for account, held in open_positions(state, market)]


@settings(max_examples=60)
@given(SESSIONS, HEDGED, ISOLATED)
def test_holders_are_those_whom_a_recount_finds(
    session: list[tuple[Command, int]], hedged: set[int], isolated: set[int]
) -> None:
    desk = open_desk(hedged, isolated)
    for command, pause_ms in session:
        run(desk, [(command, pause_ms)])
        loaded = snapshot.load(snapshot.dump(desk.state))
        for symbol in desk.state.markets:
            counted = recount(desk.state, symbol)
            assert find(desk.state, symbol) == counted
            assert find(loaded, symbol) == counted
    desk.do(Reset())
    assert not any(find(desk.state, symbol) for symbol in desk.state.markets)


def test_they_come_by_account_and_long_before_short() -> None:
    desk = Desk()
    desk.do(SetPositionMode(2, True))
    trade(desk, "BUY", "0.1", name="carol", other="alice")
    trade(desk, "SELL", "0.1", name="bob", other="alice", position_side=SHORT)
    trade(desk, "BUY", "0.3", name="bob", other="alice", position_side=LONG)
    assert find(desk.state, "BTCUSDT") == [
        (1, "BTCUSDT"),
        (2, "BTCUSDT:LONG"),
        (2, "BTCUSDT:SHORT"),
        (3, "BTCUSDT"),
    ]
    assert find(desk.state, "ETHUSDT") == []


def test_later_accounts_come_later_whatever_the_order_of_a_set() -> None:
    """A set of small numbers is in order by itself as long as none of them is above seven."""
    desk = Desk()
    for number in range(4, 10):
        desk.do(CreateAccount(f"trader{number}", money("10000")))
    for number in (9, 8, 4):
        trade(desk, "BUY", "0.1", name=f"trader{number}", other="alice")
    assert [number for number, _ in find(desk.state, "BTCUSDT")] == [1, 4, 8, 9]


def test_what_turns_round_changes_sides_and_what_is_closed_is_gone() -> None:
    desk = Desk()
    market = desk.state.markets["BTCUSDT"]
    trade(desk, "BUY", "0.1")
    assert (list(market.longs), list(market.shorts)) == ([1], [2])
    trade(desk, "SELL", "0.3")
    assert (list(market.longs), list(market.shorts)) == ([2], [1])
    trade(desk, "BUY", "0.2", other="carol")
    assert (list(market.longs), list(market.shorts)) == ([2], [3])


def test_alarms_go_with_their_position() -> None:
    desk = Desk(liquidates=True)
    market = desk.state.markets["BTCUSDT"]
    alarms = market.alarms
    trade(desk, "BUY", "0.1")
    assert (list(alarms.falling.prices), list(alarms.rising.prices)) == (
        [(1, "BTCUSDT")],
        [(2, "BTCUSDT")],
    )
    trade(desk, "SELL", "0.1", other="carol")
    assert (list(alarms.falling.prices), list(alarms.rising.prices)) == (
        [(3, "BTCUSDT")],
        [(2, "BTCUSDT")],
    )


def test_a_market_in_which_positions_come_and_go_does_not_keep_their_alarms() -> None:
    desk = Desk(liquidates=True)
    alarms = desk.state.markets["BTCUSDT"].alarms
    for _ in range(100):
        trade(desk, "BUY", "0.001")
        trade(desk, "SELL", "0.001")
    assert not alarms.falling.prices
    assert not alarms.rising.prices
    assert len(alarms.falling.entries) < 100
    assert len(alarms.rising.entries) < 100


@pytest.mark.parametrize("loss", ["holder", "alarm"])
def test_the_laws_of_the_venue_notice_it(loss: str) -> None:
    desk = Desk(liquidates=True)
    market = desk.state.markets["BTCUSDT"]
    trade(desk, "BUY", "0.1")
    if loss == "holder":
        del market.longs[1]
    else:
        market.alarms.falling.set(3, "BTCUSDT", 1)
    with pytest.raises(invariants.InvariantViolation, match="BTCUSDT"):
        invariants.check(desk.state)
