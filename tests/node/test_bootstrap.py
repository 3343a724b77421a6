"""A venue from a configuration: its first start, its next ones, and what stops it."""

import asyncio
import json
import shutil
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from openperp.api.endpoint import ClockChange, Submission
from openperp.api.view import Credentials
from openperp.bootstrap import Venue, build
from openperp.engine.commands import (
    Batch,
    CancelOrder,
    Command,
    DefineAsset,
    DefineInstrument,
    PlaceOrder,
    Pulse,
    SetOrderLimits,
    SetPrice,
)
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.snapshot import digest
from openperp.engine.state import State
from openperp.engine.terms import Mode, OrderStatus, OrderType, Side
from openperp.journal.sqlite import SqliteJournal
from openperp.node.clock import VIRTUAL_START_MS
from openperp.node.config import load_config
from openperp.node.errors import ClockError, StartupError
from openperp.node.instruments import BUILT_IN, specify
from openperp.node.opening import plan_opening

Test = Callable[[Venue], Awaitable[None]]


def run(data: Path | None, test: Test | None = None, **flags: object) -> Venue:
    """Starts a venue, runs `test` on it and stops it."""
    options: dict[str, object] = {"market": "quiet", "clock": "virtual", **flags}
    options |= {"ephemeral": True} if data is None else {"data": str(data)}
    venue = build(load_config(options.pop("config", None), **options))  # type: ignore[arg-type]

    async def live() -> None:
        await venue.node.start()
        try:
            if test is not None:
                await test(venue)
        finally:
            await venue.node.stop()

    asyncio.run(live())
    return venue


def commands_of(directory: Path) -> list[Command]:
    journal = SqliteJournal(directory)
    snapshot = journal.latest_snapshot()
    commands = [record.command for record in journal.read(snapshot[0] if snapshot else 0)]
    journal.close()
    return commands


def bid(ticks: int = 500_000) -> PlaceOrder:
    return PlaceOrder(1, "BTCUSDT", Side.BUY, OrderType.LIMIT, lots=10, ticks=ticks)


def test_the_first_start_opens_the_venue() -> None:
    async def test(venue: Venue) -> None:
        state = venue.node.view.state
        assert state.dialect == "ztdx"
        assert list(state.markets) == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
        assert state.accounts[1].name == "demo"
        assert state.accounts[1].wallet == 100_000 * 10**8
        assert state.time_ms == venue.node.now_ms() == VIRTUAL_START_MS
        key = venue.node.view.keys.get(venue.node.access.account.api_key.encode())
        assert key is not None
        assert key.account == 1

    run(None, test)


def test_a_new_venue_has_assets_beside_usdt_at_the_price_of_their_symbols(tmp_path: Path) -> None:
    config = tmp_path / "venue.toml"
    config.write_text("[instruments.BTCUSDT]\nprice = 45000\n")

    async def test(venue: Venue) -> None:
        assets = venue.node.view.state.assets
        assert list(assets) == ["USDT", "USDC", "BTC"]
        assert assets["USDC"].index == 10**8
        assert assets["BTC"].index == assets["BTC"].spec.index == 45_000 * 10**8

    run(None, test, config=config)


def test_a_venue_from_before_is_given_no_assets() -> None:
    config = load_config(None, ephemeral=True)
    old = State()
    old.dialect = "ztdx"
    for state, count in ((State(), 2), (old, 0)):
        planned = plan_opening(state, config, Credentials("key", "secret", b"sealed"))
        assert sum(isinstance(command, DefineAsset) for command in planned) == count


def test_credentials_and_secrets_are_private_and_not_in_the_journal(tmp_path: Path) -> None:
    venue = run(tmp_path)
    access = venue.node.access
    stored = json.loads((tmp_path / "credentials.json").read_bytes())
    assert stored["account"]["api_secret"] == access.account.api_secret
    assert stored["operator_token"] == access.operator_token
    for name in ("credentials.json", "master.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    for path in tmp_path.iterdir():
        if path.name != "credentials.json":
            assert access.account.api_secret.encode() not in path.read_bytes()


def test_a_restart_finds_everything_and_journals_nothing(tmp_path: Path) -> None:
    seen: list[str] = []

    async def place(venue: Venue) -> None:
        first = await venue.node.sequencer.submit(bid())
        await venue.node.sequencer.submit(bid(500_001))
        assert isinstance(first.reply, OrderRecord)
        await venue.node.sequencer.submit(CancelOrder(1, "BTCUSDT", first.reply.order_id))
        seen.append(digest(venue.node.view.state))

    async def look(venue: Venue) -> None:
        state = venue.node.view.state
        assert digest(state) == seen[0]
        assert list(state.orders) == [2]
        closed = venue.node.view.history.find_order(1, "BTCUSDT", 1)
        assert closed is not None
        assert closed.status == OrderStatus.CANCELED

    first = run(tmp_path, place)
    second = run(tmp_path, look)
    assert first.node.access == second.node.access
    assert commands_of(tmp_path) == []


def test_without_a_clean_stop_the_records_are_replayed(tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"

    async def crash(venue: Venue) -> None:
        await venue.node.sequencer.submit(bid())
        shutil.copytree(tmp_path / "live", crashed, ignore=shutil.ignore_patterns("lock"))

    async def look(venue: Venue) -> None:
        assert list(venue.node.view.state.orders) == [1]

    run(tmp_path / "live", crash)
    run(crashed, look)


def test_another_dialect_is_refused_and_none_takes_the_journals_own(tmp_path: Path) -> None:
    run(tmp_path, dialect="binance")
    with pytest.raises(StartupError, match="was created with the dialect binance"):
        run(tmp_path, dialect="ztdx")

    async def look(venue: Venue) -> None:
        assert venue.node.view.dialect.name == "binance"
        assert venue.node.view.state.separate_trigger_ids

    run(tmp_path, look)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    async def test(venue: Venue) -> None:
        with pytest.raises(StartupError, match="in use by"):
            build(load_config(data=str(tmp_path)))
        await venue.node.sequencer.submit(Pulse())

    run(tmp_path, test)


def test_a_failed_start_lets_go_of_the_directory(tmp_path: Path) -> None:
    run(tmp_path)
    master_key = (tmp_path / "master.key").read_bytes()
    (tmp_path / "master.key").write_bytes(b"x" * 32)
    with pytest.raises(StartupError, match="does not open the API keys"):
        run(tmp_path)
    (tmp_path / "master.key").unlink()
    with pytest.raises(StartupError, match="is missing"):
        run(tmp_path)
    (tmp_path / "master.key").write_bytes(master_key)
    run(tmp_path)


def test_a_configured_instrument_is_made_to_match(tmp_path: Path) -> None:
    data, config = tmp_path / "data", tmp_path / "venue.toml"
    run(data)
    config.write_text("[instruments.BTCUSDT]\ntaker_fee = 0.0004\n")

    async def look(venue: Venue) -> None:
        assert venue.node.view.state.markets["BTCUSDT"].spec.taker_fee_ppm == 400
        assert venue.node.view.state.seq == 9

    run(data, look, config=config)
    run(data, look, config=config)
    config.write_text("[instruments.BTCUSDT]\ntick = 0.5\n")
    with pytest.raises(StartupError, match=r"must stay what they were, 0\.1 and 0\.001"):
        run(data, config=config)


@pytest.mark.parametrize("table", [{"tick": "0.5"}, {"tick": "0.001"}, {"lot": "0.01"}])
def test_tick_and_lot_of_a_listed_instrument_stay(table: dict[str, str]) -> None:
    async def test(venue: Venue) -> None:
        with pytest.raises(ValueError, match="tick and lot must stay what they were"):
            venue.node.view.specify("BTCUSDT", table)
        venue.node.view.specify("BTCUSDT", {"tick": "0.10", "lot": "0.001"})

    run(None, test)


def test_what_the_operator_changed_stays_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    async def change(venue: Venue) -> None:
        spec, index_ticks = venue.node.view.specify("BTCUSDT", {"taker_fee": "0.0003"})
        assert spec.maker_fee_ppm == 200
        await venue.node.sequencer.submit(DefineInstrument(spec, index_ticks))
        with pytest.raises(ValueError, match="XRPUSDT: object missing required field tick"):
            venue.node.view.specify("XRPUSDT", {})

    async def look(venue: Venue) -> None:
        assert venue.node.view.state.markets["BTCUSDT"].spec.taker_fee_ppm == 300

    run(tmp_path, change)
    run(tmp_path, look)


def test_order_limits_follow_the_flag(tmp_path: Path) -> None:
    async def off(venue: Venue) -> None:
        assert not venue.node.view.state.order_limits
        assert not venue.node.view.limits_on
        assert SetOrderLimits(False) in [record.command for record in venue.node.journal.read(0)]

    async def on(venue: Venue) -> None:
        assert venue.node.view.state.order_limits

    run(tmp_path, off, limits=False)
    run(tmp_path, on)


def test_the_virtual_clock_goes_on_where_it_stood(tmp_path: Path) -> None:
    async def advance(venue: Venue) -> None:
        change = ClockChange(by_ms=500)
        applied = await venue.node.submit(Submission(Pulse(), lambda _: None, change))
        assert applied.time_ms == VIRTUAL_START_MS + 500
        with pytest.raises(ClockError, match="cannot be set back"):
            await venue.node.submit(Submission(Pulse(), lambda _: None, ClockChange(by_ms=-1)))

    async def look(venue: Venue) -> None:
        assert venue.node.view.now_ms() == VIRTUAL_START_MS + 500

    run(tmp_path, advance)
    run(tmp_path, look)


def test_a_change_of_clock_shows_in_the_view() -> None:
    async def test(venue: Venue) -> None:
        view = venue.node.view
        await venue.node.submit(Submission(Pulse(), lambda _: None, ClockChange(mode="real")))
        assert view.clock_mode == "real"
        assert view.now_ms() >= view.state.time_ms > VIRTUAL_START_MS

    run(None, test)


def test_snapshots_on_the_way_prune_and_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openperp.node.node.SNAPSHOT_EVERY", 50)
    seen: list[str] = []
    crashed = tmp_path / "crashed"

    async def trade(venue: Venue) -> None:
        for _ in range(30):
            applied = await venue.node.sequencer.submit(Batch((bid(), bid(), Pulse())))
            assert isinstance(applied.reply, tuple)
            placed = applied.reply[0]
            assert isinstance(placed, OrderRecord)
            await venue.node.sequencer.submit(CancelOrder(1, "BTCUSDT", placed.order_id))
        seen.append(digest(venue.node.view.state))
        shutil.copytree(tmp_path / "live", crashed, ignore=shutil.ignore_patterns("lock"))

    async def look(venue: Venue) -> None:
        assert digest(venue.node.view.state) == seen[0]
        assert len(venue.node.view.history.list_orders(1, "")) == 30

    run(tmp_path / "live", trade)
    assert 0 < len(commands_of(crashed)) < 60
    run(crashed, look)


def test_vanished_money_closes_the_venue_and_keeps_the_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openperp.node.node.CHECK_EVERY", 1)

    async def test(venue: Venue) -> None:
        venue.node.view.state.fee_account += 1
        await venue.node.sequencer.submit(Pulse())
        refused = await venue.node.sequencer.submit(bid())
        assert isinstance(refused.reply, Reject)
        fault = venue.node.machine.fault
        assert fault is not None
        assert fault.sentence == "money is not conserved: 1 x 10^-8 too much"
        assert venue.node.view.state.mode == Mode.CANCEL_ONLY

    run(tmp_path, test)
    assert len(commands_of(tmp_path)) > 8


def test_a_broken_law_found_at_the_stop_keeps_the_records(tmp_path: Path) -> None:
    async def test(venue: Venue) -> None:
        venue.node.view.state.accounts[1].order_margin += 1

    run(tmp_path, test)
    assert len(commands_of(tmp_path)) == 8


def test_an_ephemeral_venue_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    run(None)
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="cannot be used"):
        run(tmp_path / "file")


def test_the_demo_market_is_quoted_at_the_start_and_stands_still_with_its_clock() -> None:
    async def test(venue: Venue) -> None:
        state = venue.node.view.state
        assert all(market.book.asks.keys for market in state.markets.values())
        before = state.seq
        for task in venue.node._tasks:
            await asyncio.wait([task], timeout=0.3)
        assert state.seq == before

    run(None, test, market="demo")


def test_the_demo_market_plays_with_the_real_clock() -> None:
    async def test(venue: Venue) -> None:
        listener: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def watch(_: object) -> None:
            if not listener.done():
                listener.set_result(None)

        venue.node.sequencer.listeners.append(watch)
        await asyncio.wait_for(listener, 10)

    run(None, test, market="demo", clock="real")


def test_built_in_prices_are_the_quiet_ones() -> None:
    async def test(venue: Venue) -> None:
        for symbol, market in venue.node.view.state.markets.items():
            expected = specify(symbol, BUILT_IN[symbol]).index_ticks
            assert market.index_ticks == market.mark_ticks == market.last_ticks == expected

    run(None, test)


def test_a_history_that_fails_at_the_stop_costs_a_snapshot_and_no_lock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(venue: Venue) -> None:
        connection = venue.node._history._connection  # type: ignore[attr-defined]
        connection.execute("PRAGMA max_page_count = 1")
        for order_id in range(1, 301):
            await venue.node.sequencer.submit(Batch((bid(), CancelOrder(1, "BTCUSDT", order_id))))

    async def look(venue: Venue) -> None:
        assert len(venue.node.view.history.list_orders(1, "")) == 300

    run(tmp_path, fail)
    assert "The last snapshot was not written" in caplog.text
    assert "The history was not closed tidily" in caplog.text
    assert len(commands_of(tmp_path)) == 308
    run(tmp_path, look)


def test_a_bug_at_the_stop_comes_through_and_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted_bug(_state: object) -> bytes:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("openperp.node.node.dump", planted_bug)
        with pytest.raises(ZeroDivisionError):
            run(tmp_path)
    assert len(commands_of(tmp_path)) == 8
    run(tmp_path)


def test_funding_that_came_due_while_the_venue_was_down_is_skipped(tmp_path: Path) -> None:
    """The first start is at the beginning of 2026, the second one today."""
    run(tmp_path)

    async def after(venue: Venue) -> None:
        view = venue.node.view
        assert view.history.market.list_fundings("") == []
        assert all(market.funding_ms > view.now_ms() for market in view.state.markets.values())

    run(tmp_path, after, clock="real")


def test_a_quiet_market_does_not_follow_the_formula_of_a_demo_before_it(tmp_path: Path) -> None:
    async def demo(venue: Venue) -> None:
        price = SetPrice("BTCUSDT", 600_000, formula=True)
        await venue.node.submit(Submission(price, lambda _: None))

    async def quiet(venue: Venue) -> None:
        assert not venue.node.view.state.markets["BTCUSDT"].formula

    run(tmp_path, demo)
    run(tmp_path, quiet)
