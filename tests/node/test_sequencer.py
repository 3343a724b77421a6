"""One order for everything: numbered, written, applied, answered, in that order."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest
from tests.node.desk import (
    OPENING,
    START_MS,
    DoubtfulJournal,
    FullJournal,
    SlowJournal,
    change,
    open_machine,
    virtual_clock,
)

from openperp.api.endpoint import ClockChange
from openperp.engine.commands import (
    Batch,
    CancelAllOrders,
    CancelOrder,
    Command,
    CreateAccount,
    Deposit,
    OpenVenue,
    Pulse,
    Record,
    SetMode,
    SetPrice,
)
from openperp.engine.events import Applied
from openperp.engine.state import Market, State
from openperp.engine.terms import Mode
from openperp.journal.base import Journal
from openperp.journal.memory import MemoryJournal
from openperp.journal.sqlite import SqliteJournal
from openperp.node import sequencer as module
from openperp.node.errors import (
    ClockError,
    CommandFailed,
    Halted,
    JournalFailed,
    OutcomeUnknown,
    QueueFull,
    Stopped,
    Unavailable,
)
from openperp.node.machine import Machine
from openperp.node.sequencer import CLOSE, Sequencer

KINDS = ["memory", "slow", "sqlite"]


def make_journal(kind: str, directory: Path) -> Journal:
    if kind == "sqlite":
        return SqliteJournal(directory)
    return MemoryJournal() if kind == "memory" else SlowJournal()


class Desk:
    """A sequencer on an empty venue; `seen` is what its listener saw."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.machine = Machine(State())
        self.clock = virtual_clock()
        self.sequencer = Sequencer(self.machine, journal, self.clock, asyncio.get_running_loop())
        self.seen: list[int] = []
        self.sequencer.listeners.append(lambda applied: self.seen.append(applied.seq))


def with_desk(journal: Journal, test: Callable[[Desk], Awaitable[None]]) -> None:
    async def run() -> None:
        desk = Desk(journal)
        try:
            await test(desk)
        finally:
            await desk.sequencer.stop()
            journal.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_numbered_without_gaps_and_stamped_in_order(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        await asyncio.gather(*[desk.sequencer.submit(Pulse()) for _ in range(3)])
        change(desk.clock, by_ms=5)
        applied = await desk.sequencer.submit(Pulse())
        assert (applied.seq, applied.time_ms) == (4, START_MS + 5)
        records = list(desk.journal.read(0))
        assert [record.seq for record in records] == [1, 2, 3, 4]
        assert [record.time_ms - START_MS for record in records] == [0, 0, 0, 5]
        assert desk.seen == [1, 2, 3, 4]

    with_desk(make_journal(kind, tmp_path), test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_the_clock_takes_its_place_among_the_commands(
    kind: str, tmp_path: Path
) -> None:
    async def test(desk: Desk) -> None:
        submit = desk.sequencer.submit
        promises = [submit(Pulse()), submit(Pulse(), ClockChange(by_ms=60)), submit(Pulse())]
        promises += [submit(Pulse(), ClockChange(to_ms=START_MS + 50)), submit(Pulse())]
        early, moved, late, refused, last = await asyncio.gather(*promises, return_exceptions=True)
        times = [each.time_ms for each in (early, moved, late, last) if isinstance(each, Applied)]
        assert times == [START_MS, START_MS + 60, START_MS + 60, START_MS + 60]
        assert isinstance(refused, ClockError)
        assert [record.seq for record in desk.journal.read(0)] == [1, 2, 3, 4]

    with_desk(make_journal(kind, tmp_path), test)


@pytest.mark.parametrize("blocking", [False, True])
def test_a_clock_does_not_move_when_its_command_is_not_written(
    blocking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FullJournal, "blocking", blocking)
    journal = FullJournal()

    async def test(desk: Desk) -> None:
        journal.full = True
        both = [desk.sequencer.submit(Pulse(), ClockChange("real")), desk.sequencer.submit(Pulse())]
        for promise in both:
            with pytest.raises(JournalFailed):
                await promise
        assert (desk.clock.mode, desk.clock.now_ms()) == ("virtual", START_MS)
        journal.full = False
        assert (await desk.sequencer.submit(Pulse())).time_ms == START_MS

    with_desk(journal, test)


@pytest.mark.parametrize("kind", KINDS)
def test_the_journal_replays_to_the_same_state(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        commands: list[Command] = [OpenVenue("ztdx"), CreateAccount("alice", 5)]
        commands += [Deposit("alice", "USDT", 7), Deposit("nobody", "USDT", 7)]
        await asyncio.gather(*[desk.sequencer.submit(command) for command in commands])
        replica = Machine(State())
        for record in desk.journal.read(0):
            replica.apply(record)
        assert replica.state.seq == 4
        assert replica.state.accounts[1].wallet == desk.machine.state.accounts[1].wallet == 12

    with_desk(make_journal(kind, tmp_path), test)


def test_commands_that_come_during_a_write_share_the_next_one() -> None:
    journal = SlowJournal()
    journal.gate.clear()

    async def test(desk: Desk) -> None:
        first = [desk.sequencer.submit(Pulse()) for _ in range(2)]
        await asyncio.sleep(0)
        second = [desk.sequencer.submit(Pulse()) for _ in range(5)]
        await asyncio.sleep(0)
        journal.gate.set()
        await asyncio.gather(*first, *second)
        assert journal.groups == [2, 5]

    with_desk(journal, test)


def test_a_long_queue_is_written_in_bounded_groups() -> None:
    journal = SlowJournal()

    async def test(desk: Desk) -> None:
        count = 2 * module.GROUP_LIMIT + 1
        await asyncio.gather(*[desk.sequencer.submit(Pulse()) for _ in range(count)])
        assert journal.groups == [module.GROUP_LIMIT, module.GROUP_LIMIT, 1]

    with_desk(journal, test)


def test_nothing_is_applied_or_answered_before_it_is_durable() -> None:
    journal = SlowJournal()
    journal.gate.clear()

    async def test(desk: Desk) -> None:
        promise = desk.sequencer.submit(Pulse())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not promise.done()
        assert desk.machine.state.seq == 0
        journal.gate.set()
        assert (await promise).seq == 1

    with_desk(journal, test)


def test_a_failed_write_does_nothing_and_the_numbers_are_used_again() -> None:
    journal = FullJournal()

    async def test(desk: Desk) -> None:
        await desk.sequencer.submit(Pulse())
        journal.full = True
        lost = [desk.sequencer.submit(Pulse()) for _ in range(2)]
        outcomes = await asyncio.gather(*lost, return_exceptions=True)
        assert [type(each) for each in outcomes] == [JournalFailed, JournalFailed]
        assert "No space left on device" in desk.sequencer.failing
        assert (desk.machine.state.seq, desk.seen) == (1, [1])
        journal.full = False
        assert (await desk.sequencer.submit(Pulse())).seq == 2
        assert desk.sequencer.failing == ""

    with_desk(journal, test)


def test_a_memory_journal_that_fails_is_no_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FullJournal, "blocking", False)
    journal = FullJournal()

    async def test(desk: Desk) -> None:
        journal.full = True
        with pytest.raises(JournalFailed):
            await desk.sequencer.submit(Pulse())
        journal.full = False
        assert (await desk.sequencer.submit(Pulse())).seq == 1

    with_desk(journal, test)


def test_a_full_queue_refuses_all_but_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_LIMIT", 3)
    journal = SlowJournal()
    journal.gate.clear()

    async def test(desk: Desk) -> None:
        submit = desk.sequencer.submit
        taken = [submit(Pulse()) for _ in range(3)]
        for command in (Pulse(), Batch((Pulse(), CancelAllOrders(1, "BTCUSDT")))):
            with pytest.raises(QueueFull):
                submit(command)
        cancel = CancelOrder(1, "BTCUSDT", 1)
        cancels: list[Command] = [cancel, Batch((cancel,)), CancelAllOrders(1, "BTCUSDT")]
        taken += [submit(command) for command in cancels]
        with pytest.raises(QueueFull):
            submit(cancel)
        journal.gate.set()
        assert [each.seq for each in await asyncio.gather(*taken)] == [1, 2, 3, 4, 5, 6]

    with_desk(journal, test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_listener_may_submit_and_its_command_waits_its_turn(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        answers: list[Awaitable[Applied]] = []

        def echo(applied: Applied) -> None:
            if applied.seq == 1:
                answers.append(desk.sequencer.submit(Pulse()))

        desk.sequencer.listeners.insert(0, echo)
        await desk.sequencer.submit(Pulse())
        assert (await answers[0]).seq == 2
        assert desk.seen == [1, 2]

    with_desk(make_journal(kind, tmp_path), test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_engine_leaves_a_cancel_only_venue_with_evidence(
    kind: str, tmp_path: Path
) -> None:
    async def test(desk: Desk) -> None:
        submit = desk.sequencer.submit
        await submit(OpenVenue("ztdx"))
        desk.machine.state.markets["BTCUSDT"] = cast("Market", object())
        broken, behind = submit(SetPrice("BTCUSDT", 5)), submit(Pulse())
        with pytest.raises(CommandFailed):
            await broken
        assert (await behind).seq == 3
        assert desk.machine.state.mode == Mode.CANCEL_ONLY
        assert desk.machine.fault is not None
        assert desk.machine.fault.seq == 2
        assert "Error while applying record 2" in desk.machine.fault.sentence
        assert desk.seen == [1, 2, 3]

    with_desk(make_journal(kind, tmp_path), test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_listener_closes_the_venue_by_a_command(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        def broken(applied: Applied) -> None:
            if applied.seq == 1:
                raise ValueError("lost count")

        desk.sequencer.listeners.insert(0, broken)
        assert (await desk.sequencer.submit(Pulse())).seq == 1
        await desk.sequencer.submit(Pulse())
        records = list(desk.journal.read(0))
        assert SetMode(Mode.CANCEL_ONLY) in [record.command for record in records]
        assert desk.machine.state.mode == Mode.CANCEL_ONLY
        assert desk.machine.fault is not None
        assert desk.machine.fault.sentence == "ValueError in a listener of record 1"
        assert desk.seen == [1, 2, 3]

    with_desk(make_journal(kind, tmp_path), test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_listener_that_breaks_every_time_costs_one_record(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        def broken(_applied: Applied) -> None:
            raise ValueError("lost count")

        desk.sequencer.listeners.insert(0, broken)
        await asyncio.gather(*[desk.sequencer.submit(Pulse()) for _ in range(3)])
        await desk.sequencer.submit(Pulse())
        for _ in range(10):
            await asyncio.sleep(0)
        records = [record.command for record in desk.journal.read(0)]
        assert records.count(SetMode(Mode.CANCEL_ONLY)) == 1
        assert len(records) == 5
        assert desk.seen == [1, 2, 3, 4, 5]

    with_desk(make_journal(kind, tmp_path), test)


def test_a_venue_closes_though_its_queue_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_LIMIT", 3)
    monkeypatch.setattr(module, "GROUP_LIMIT", 2)
    journal = SlowJournal()
    journal.gate.clear()

    async def test(desk: Desk) -> None:
        def broken(applied: Applied) -> None:
            if applied.seq == 1:
                raise ValueError("lost count")

        desk.sequencer.listeners.append(broken)
        submit = desk.sequencer.submit
        promises = [submit(Pulse()) for _ in range(2)]
        await asyncio.sleep(0)
        promises += [submit(Pulse()) for _ in range(3)]
        promises += [submit(CancelOrder(1, "BTCUSDT", 1)) for _ in range(3)]
        journal.gate.set()
        await asyncio.gather(*promises)
        commands = [record.command for record in journal.read(0)]
        assert commands.count(SetMode(Mode.CANCEL_ONLY)) == 1
        # Behind the group that was on its way already, before all that waited.
        assert commands.index(SetMode(Mode.CANCEL_ONLY)) <= 4
        assert desk.machine.state.mode == Mode.CANCEL_ONLY
        assert desk.machine.state.seq == len(commands) == 9

    with_desk(journal, test)


def test_a_listener_that_breaks_during_the_stop_loses_nothing() -> None:
    journal = SlowJournal()
    journal.gate.clear()

    async def test(desk: Desk) -> None:
        def broken(_applied: Applied) -> None:
            raise ValueError("lost count")

        desk.sequencer.listeners.append(broken)
        promises = [desk.sequencer.submit(Pulse()) for _ in range(3)]
        await asyncio.sleep(0)
        stopping = asyncio.create_task(desk.sequencer.stop())
        await asyncio.sleep(0)
        journal.gate.set()
        await stopping
        assert [promise.result().seq for promise in promises] == [1, 2, 3]
        assert desk.machine.state.seq == journal.last_seq == 4

    with_desk(journal, test)


@pytest.mark.parametrize("blocking", [False, True])
def test_a_venue_closes_when_there_is_room_again(
    blocking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FullJournal, "blocking", blocking)
    journal = FullJournal()

    async def test(desk: Desk) -> None:
        def broken(_applied: Applied) -> None:
            journal.full = True
            raise ValueError("lost count")

        desk.sequencer.listeners.append(broken)
        assert (await desk.sequencer.submit(Pulse())).seq == 1
        for _ in range(2):
            with pytest.raises(JournalFailed):
                await desk.sequencer.submit(Pulse())
        assert desk.machine.state.seq == 1
        desk.sequencer.listeners.clear()
        journal.full = False
        assert (await desk.sequencer.submit(Pulse())).seq == 3
        assert [record.command for record in journal.read(1)] == [CLOSE, Pulse()]
        assert desk.machine.state.mode == Mode.CANCEL_ONLY

    with_desk(journal, test)


@pytest.mark.parametrize("kind", KINDS)
def test_work_after_a_group_that_breaks_closes_the_venue(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        def broken() -> None:
            raise ValueError("lost count")

        desk.sequencer.after_group = broken
        await desk.sequencer.submit(Pulse())
        await desk.sequencer.submit(Pulse())
        assert desk.machine.state.mode == Mode.CANCEL_ONLY
        assert desk.machine.fault is not None
        assert desk.machine.fault.sentence == "ValueError in the work after record 1"

    with_desk(make_journal(kind, tmp_path), test)


async def fail_late() -> None:
    await asyncio.sleep(0)
    raise ValueError("lost count")


def fail_at_once(_what: object) -> None:
    raise ValueError("lost count")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seam", ["before_apply", "before_answer"])
@pytest.mark.parametrize("late", [False, True])
def test_a_seam_that_breaks_loses_no_answer(
    kind: str, seam: str, late: bool, tmp_path: Path
) -> None:
    async def test(desk: Desk) -> None:
        hooks = getattr(desk.sequencer, seam)
        hooks.append((lambda _: fail_late()) if late else fail_at_once)
        answers = await asyncio.gather(*[desk.sequencer.submit(Pulse()) for _ in range(3)])
        assert len(answers) == 3
        hooks.clear()
        await desk.sequencer.submit(Pulse())
        assert desk.machine.fault is not None
        assert "ValueError in a seam" in desk.machine.fault.sentence
        assert desk.machine.state.mode == Mode.CANCEL_ONLY
        assert desk.seen == [1, 2, 3, 4, 5]

    with_desk(make_journal(kind, tmp_path), test)


def test_a_pause_that_nobody_ends_does_not_hold_up_the_stop() -> None:
    async def test(desk: Desk) -> None:
        forever = asyncio.Event()

        async def pause() -> None:
            await forever.wait()

        desk.sequencer.before_apply.append(lambda _: pause())
        promises = [desk.sequencer.submit(Pulse()) for _ in range(2)]
        await asyncio.sleep(0)
        await desk.sequencer.stop()
        assert [promise.result().seq for promise in promises] == [1, 2]
        assert desk.machine.fault is None

    with_desk(SlowJournal(), test)


def test_a_machine_that_misses_a_record_halts() -> None:
    machine = open_machine()
    missed = Record(len(OPENING) + 2, START_MS, Pulse())
    for record in (missed, Record(len(OPENING) + 1, START_MS, Pulse())):
        with pytest.raises(OutcomeUnknown, match="record 5 came where 4 had to"):
            machine.apply(record)
    assert machine.state.seq == len(OPENING)


@pytest.mark.parametrize("kind", KINDS)
def test_a_halted_venue_answers_and_takes_nothing(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        await desk.sequencer.submit(Pulse())
        desk.machine.state.seq -= 1
        with pytest.raises(OutcomeUnknown):
            await desk.sequencer.submit(Pulse())
        with pytest.raises(Halted):
            desk.sequencer.submit(Pulse())
        assert desk.seen == [1]

    with_desk(make_journal(kind, tmp_path), test)


def test_a_write_in_doubt_halts_the_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP_LIMIT", 2)
    journal = DoubtfulJournal()

    async def test(desk: Desk) -> None:
        promises = [desk.sequencer.submit(Pulse()) for _ in range(5)]
        kinds = [type(each) for each in await asyncio.gather(*promises, return_exceptions=True)]
        assert kinds == [OutcomeUnknown] * 2 + [Halted] * 3
        with pytest.raises(Halted, match="I/O error"):
            desk.sequencer.submit(Pulse())
        assert (desk.machine.state.seq, desk.seen) == (0, [])
        assert "I/O error" in desk.sequencer.failing

    with_desk(journal, test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pause_before_applying_holds_the_whole_venue(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        release = asyncio.Event()
        held = asyncio.Event()

        async def pause() -> None:
            held.set()
            await release.wait()

        desk.sequencer.before_apply.append(lambda record: pause() if record.seq == 1 else None)
        promises = [desk.sequencer.submit(Pulse()) for _ in range(3)]
        await held.wait()
        assert desk.machine.state.seq == 0
        desk.sequencer.before_apply.clear()
        promises.append(desk.sequencer.submit(Pulse()))
        release.set()
        assert [each.seq for each in await asyncio.gather(*promises)] == [1, 2, 3, 4]
        assert desk.seen == [1, 2, 3, 4]

    with_desk(make_journal(kind, tmp_path), test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pause_before_answering_holds_one_answer(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        release = asyncio.Event()

        async def pause() -> None:
            await release.wait()

        desk.sequencer.before_answer.append(lambda applied: pause() if applied.seq == 1 else None)
        first, second = desk.sequencer.submit(Pulse()), desk.sequencer.submit(Pulse())
        await second
        assert desk.seen == [1, 2]
        assert not first.done()
        release.set()
        assert (await first).seq == 1

    with_desk(make_journal(kind, tmp_path), test)


def test_an_answer_can_be_lost_though_the_command_was_applied() -> None:
    async def test(desk: Desk) -> None:
        async def lose() -> None:
            raise Unavailable

        desk.sequencer.before_answer.append(lambda _: lose())
        with pytest.raises(Unavailable):
            await desk.sequencer.submit(Pulse())
        assert desk.machine.state.seq == 1

    with_desk(MemoryJournal(), test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_that_left_changes_nothing_for_the_others(kind: str, tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        gone, waiting = desk.sequencer.submit(Pulse()), desk.sequencer.submit(Pulse())
        gone.cancel()
        assert (await waiting).seq == 2
        assert desk.seen == [1, 2]

    with_desk(make_journal(kind, tmp_path), test)


def test_stopping_answers_what_was_taken_and_takes_nothing_more() -> None:
    journal = SlowJournal()
    journal.gate.clear()

    async def test(desk: Desk) -> None:
        promises = [desk.sequencer.submit(Pulse()) for _ in range(module.GROUP_LIMIT + 1)]
        stopping = asyncio.create_task(desk.sequencer.stop())
        await asyncio.sleep(0)
        with pytest.raises(Stopped):
            desk.sequencer.submit(Pulse())
        journal.gate.set()
        await stopping
        assert all(promise.done() for promise in promises)

    with_desk(journal, test)


def test_no_thread_stays_behind(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        await desk.sequencer.submit(Pulse())

    with_desk(SqliteJournal(tmp_path), test)
    assert not [thread for thread in threading.enumerate() if "openperp" in thread.name]
