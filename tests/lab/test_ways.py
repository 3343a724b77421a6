"""The demo market on the ways of a virtual clock: the same commands make the same market."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.node.test_bootstrap import bid, run

from openperp.api.endpoint import ClockChange, Submission
from openperp.bootstrap import Venue, build
from openperp.engine.commands import AddKey, Batch, Command, PlaceOrder, Pulse, Record, Resume
from openperp.engine.events import Applied, TradeExecuted
from openperp.engine.funding import HORIZON_MS
from openperp.engine.state import State
from openperp.engine.terms import Mode, OrderType, Side
from openperp.journal.record import encode
from openperp.lab.demo import PACES, DemoMarket
from openperp.node.clock import VIRTUAL_START_MS
from openperp.node.config import load_config
from openperp.node.leaps import House, Leap, plan_leap
from openperp.testing import Venue as Handle

START_MS = VIRTUAL_START_MS
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

Act = Callable[["Life"], Awaitable[None]]


class Life:
    """A running demo market, and the records that it made."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.state: State = venue.node.view.state
        self.seen: list[Applied] = []
        venue.node.sequencer.listeners.append(self.seen.append)

    def submit(
        self, command: Command, change: ClockChange | None = None
    ) -> asyncio.Future[Applied]:
        return self.venue.node.submit(Submission(command, lambda _: None, change))

    def advance(self, by_ms: int) -> asyncio.Future[Applied]:
        return self.submit(Pulse(), ClockChange(by_ms=by_ms))

    def acts(self, *, pulses: bool = False) -> list[bytes]:
        """All that was written, byte for byte; pulses and numbers only where they count."""
        return [
            encode(Record(each.seq if pulses else 1, each.time_ms, each.command))
            for each in self.seen
            if pulses or not isinstance(each.command, Pulse)
        ]

    def moments(self) -> list[int]:
        """When the house acted, in milliseconds since the start."""
        times = {each.time_ms for each in self.seen if isinstance(each.command, Batch)}
        return sorted(time_ms - START_MS for time_ms in times)

    def trades(self) -> int:
        return sum(isinstance(each, TradeExecuted) for one in self.seen for each in one.events)


def live(act: Act, seed: int = 7, data: Path | None = None, **flags: object) -> Life:
    lives: list[Life] = []

    async def test(venue: Venue) -> None:
        lives.append(Life(venue))
        await act(lives[0])

    run(data, test, market="demo", seed=seed, **flags)
    return lives[0]


async def rest() -> None:
    """More turns of the loop than anything takes that was begun."""
    for _ in range(50):
        await asyncio.sleep(0)


def in_steps(*steps: int) -> Act:
    async def act(life: Life) -> None:
        for step in steps:
            await life.advance(step)

    return act


def test_a_minute_is_the_same_in_any_steps() -> None:
    seconds = live(in_steps(*[1_000] * 60))
    assert seconds.moments() == list(range(1_000, 61_000, 1_000))
    assert len(seconds.acts()) == 60 * 3
    assert seconds.trades() > 20
    assert live(in_steps(60_000)).acts() == seconds.acts()
    assert live(in_steps(*[500] * 120)).acts() == seconds.acts()
    assert live(in_steps(7_300, 700, 12_999, 39_001)).acts() == seconds.acts()
    assert live(in_steps(60_000), seed=8).acts() != seconds.acts()


def test_the_same_steps_make_the_same_journal_however_long_one_waits_between() -> None:
    async def slowly(life: Life) -> None:
        for step in (1_000, 2_500, HOUR_MS, 1_000):
            await life.advance(step)
            before = life.state.seq
            for task in life.venue.node._tasks:
                await asyncio.wait([task], timeout=0.25)
            assert life.state.seq == before, "nothing moves while the clock stands still"

    quickly = live(in_steps(1_000, 2_500, HOUR_MS, 1_000))
    assert live(slowly).acts(pulses=True) == quickly.acts(pulses=True)


def test_what_was_sent_before_a_way_has_happened_before_the_house_acts(tmp_path: Path) -> None:
    """Whether it shares a write with the clock must make no difference."""
    sweep = PlaceOrder(1, "SOLUSDT", Side.BUY, OrderType.MARKET, lots=60_000)

    async def together(life: Life) -> None:
        answers = [life.submit(sweep), life.submit(bid()), life.advance(3_000), life.submit(sweep)]
        await asyncio.gather(*answers)

    async def one_by_one(life: Life) -> None:
        for answer in (sweep, bid()):
            await life.submit(answer)
        await life.advance(3_000)
        await life.submit(sweep)

    async def held(life: Life) -> None:
        gate = asyncio.Event()

        async def wait_for_gate(_record: Record) -> None:
            await gate.wait()

        life.venue.node.sequencer.before_apply.append(wait_for_gate)
        answers = [life.submit(sweep)]
        await rest()
        answers += [life.submit(bid()), life.advance(3_000), life.submit(sweep)]
        await rest()
        assert not life.seen
        gate.set()
        await asyncio.gather(*answers)

    expected = live(one_by_one).acts(pulses=True)
    assert live(together, data=tmp_path).acts(pulses=True) == expected
    assert live(held).acts(pulses=True) == expected


def test_it_is_the_same_on_disk_and_after_a_restart(tmp_path: Path) -> None:
    whole = live(in_steps(20_000, 40_000))
    first = live(in_steps(20_000), data=tmp_path)
    second = live(in_steps(40_000), data=tmp_path)
    assert first.acts() + second.acts() == whole.acts()
    assert second.state.markets["BTCUSDT"].mark_ticks == whole.state.markets["BTCUSDT"].mark_ticks


def test_the_opening_depends_on_nothing_but_the_seed() -> None:
    def opening(seed: int) -> list[bytes]:
        records: list[bytes] = []
        venue = build(load_config(None, market="demo", clock="virtual", ephemeral=True, seed=seed))

        async def go() -> None:
            await venue.node.start()
            records.extend(
                encode(record)
                for record in venue.node.journal.read(0)
                if not isinstance(record.command, AddKey)
            )
            await venue.node.stop()

        asyncio.run(go())
        return records

    assert opening(7) == opening(7) != opening(8)


def test_an_hour_at_once_is_a_market_with_a_past() -> None:
    """Over a socket, where what is read right behind the answer is all that there will be."""
    query = {"symbol": "BTCUSDT", "limit": 1000}
    with Handle(market="demo", seed=7) as venue:
        venue.advance("1h")
        answers = [
            (
                venue.status(),
                venue.get("/fapi/v1/trades", **query),
                venue.get("/fapi/v1/klines", interval="1m", **query),
                venue.get("/fapi/v1/depth", **query),
            )
            for _ in range(2)
        ]
    assert answers[0] == answers[1]
    _, trades, bars, _ = answers[0]
    assert len(trades) > 100
    assert len(bars) == 61
    assert all(trades for *_, trades, _, _, _ in bars)


def test_an_hour_at_once_goes_from_seconds_to_minutes() -> None:
    life = live(in_steps(HOUR_MS))
    assert life.moments()[:300] == list(range(1_000, 301_000, 1_000))
    assert life.moments()[300:] == list(range(6 * MINUTE_MS, 61 * MINUTE_MS, MINUTE_MS))


def test_a_week_has_bars_of_an_hour() -> None:
    life = live(in_steps(7 * DAY_MS + 1_500))
    moments = life.moments()
    assert moments[-1] == 7 * DAY_MS + 1_000
    assert len(moments) < 2_000
    later = [moment for moment in moments if moment >= DAY_MS]
    assert {after - before for before, after in pairwise(later)} == {HOUR_MS, 1_000}


def test_the_last_second_of_a_way_is_always_played() -> None:
    life = live(in_steps(10 * MINUTE_MS + 30_999))
    assert life.moments()[-2:] == [10 * MINUTE_MS, 10 * MINUTE_MS + 30_000]
    assert life.state.time_ms == START_MS + 10 * MINUTE_MS + 30_999


def test_moments_of_a_way_do_not_depend_on_where_it_is_looked_at() -> None:
    market = DemoMarket(no_submit, State(), 1, lambda: 0)
    began_ms, to_ms = START_MS + 345, START_MS + 3 * DAY_MS + 678
    moments = list(market.moments(began_ms, began_ms, to_ms))
    assert moments == sorted(set(moments))
    for number in (0, 1, 299, 300, 301, 1_000, len(moments) - 1):
        rest_of_them = list(market.moments(began_ms, moments[number], to_ms))
        assert rest_of_them == moments[number + 1 :]


def test_behind_the_horizon_the_house_acts_once() -> None:
    market = DemoMarket(no_submit, State(), 1, lambda: 0)
    century = 100 * 365 * DAY_MS
    moments = list(market.moments(0, 0, century))
    assert moments[-1] == century
    assert moments[-2] == HORIZON_MS == PACES[-1][0]
    assert list(market.moments(0, HORIZON_MS, century)) == [century]


async def no_submit(command: Command) -> Applied:
    raise AssertionError(command)


@pytest.mark.parametrize("mode", [Mode.HALTED, Mode.CANCEL_ONLY])
def test_a_market_at_rest_is_crossed_in_one_record(mode: Mode) -> None:
    async def act(life: Life) -> None:
        life.state.mode = mode
        await life.advance(HOUR_MS)

    life = live(act)
    assert [each.command for each in life.seen] == [Pulse()]


def test_a_clock_that_becomes_virtual_stops_the_house_and_one_that_becomes_real_starts_it() -> None:
    async def act(life: Life) -> None:
        node = life.venue.node
        await life.submit(Pulse(), ClockChange(mode="virtual"))
        before = life.state.seq
        for task in node._tasks:
            await asyncio.wait([task], timeout=1.2)
        assert life.state.seq == before
        await life.advance(2_000)
        assert life.state.seq == before + 2 * 3 + 1

    live(act, clock="real")

    async def back(life: Life) -> None:
        wall = START_MS + 2 * MINUTE_MS + 345
        clock = life.venue.node._clock
        clock._wall = lambda: wall
        await life.submit(Pulse(), ClockChange(mode="real"))
        assert clock.mode == "real"
        assert life.moments() == list(range(1_000, 121_000, 1_000))
        assert await life.venue.node.house.play() == 0  # type: ignore[union-attr]
        wall += 655
        assert await life.venue.node.house.play() == 3  # type: ignore[union-attr]

    live(back)


class Caller:
    """A house that only says that it was there, at the end of each way."""

    async def open(self) -> None:
        """Needs nothing."""

    def moments(self, began_ms: int, from_ms: int, to_ms: int) -> Iterator[int]:
        assert began_ms <= from_ms
        if from_ms < to_ms:
            yield to_ms

    def act(self, from_ms: int, time_ms: int) -> list[Command]:
        assert from_ms < time_ms
        return [Batch(())]


class Broken(Caller):
    def act(self, from_ms: int, time_ms: int) -> list[Command]:
        raise RuntimeError(f"{from_ms} to {time_ms}")


def test_a_house_that_breaks_is_left_behind_and_the_clock_moves_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def house_of(life: Life) -> House | None:
        return life.venue.node.sequencer.house

    async def act(life: Life) -> None:
        life.venue.node.sequencer.house = Broken()
        applied = await life.advance(HOUR_MS)
        assert applied.time_ms == START_MS + HOUR_MS
        assert house_of(life) is None
        await life.submit(Pulse())
        assert life.state.mode == Mode.CANCEL_ONLY

    live(act)
    assert "the house behind record" in caplog.text


def test_beyond_the_horizon_funding_is_skipped_before_the_house_acts() -> None:
    state, far = State(), 2 * HORIZON_MS
    assert plan_leap(state, Caller(), 0, HORIZON_MS, far) == Leap(far, (Resume(), Batch(())))
    assert plan_leap(state, Caller(), 0, far, far) is None
    assert plan_leap(state, Caller(), 5, 5, 9) == Leap(9, (Batch(()),))
