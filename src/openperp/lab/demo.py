"""The demo market: the house acts in seconds of venue time, whoever moves that time.

A real clock is looked at now and then. A virtual one stands still, and the house
with it, until it is moved; then the sequencer lets the house act on the way. What it
does there follows from seed, state and times alone, so that the same commands make the
same market, byte for byte, whatever the machine's own clock does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from openperp.engine.commands import Command
from openperp.engine.events import Applied
from openperp.engine.funding import HORIZON_MS
from openperp.engine.state import State
from openperp.lab.makers import find_setup, is_quoted, plan_second
from openperp.node.errors import Unavailable

POLL_S = 0.2

SECOND_MS: Final = 1_000
PACES: Final = (
    (5 * 60_000, SECOND_MS),
    (24 * 3_600_000, 60_000),
    (HORIZON_MS, 3_600_000),
)
"""How often the house acts on a way: up to so far from its beginning, once in so long.

Each of them in turn; farther away than the last one it acts at the end alone. A day is some
5,000 batches, and a year some 30,000 more.
"""


class DemoMarket:
    """Submits the house's batches as venue time passes, one per symbol and second at most.

    `now_ms` is venue time. Under a clock that stands still nothing happens;
    after a jump of any length each symbol gets one batch, whose price move is
    that of the whole time (bounded by `prices.LONGEST_PAUSE_S`). `interval` is
    how often, in seconds of wall time, `run` looks at the clock, and `goes` whether
    that goes by itself: if not, the house waits to be asked what it does on a way.
    """

    def __init__(
        self,
        submit: Callable[[Command], Awaitable[Applied]],
        state: State,
        seed: int,
        now_ms: Callable[[], int],
        interval: float = POLL_S,
        goes: Callable[[], bool] = lambda: True,
    ) -> None:
        self._submit = submit
        self._state = state
        self._seed = seed
        self._now_ms = now_ms
        self._interval = interval
        self._goes = goes
        self._second = 0

    async def open(self) -> None:
        """Sees to its accounts, and to quotes in every market that has none of it.

        Raises:
            Unavailable: the venue takes no commands.
        """
        setup = find_setup(self._state)
        if setup is not None:
            await self._submit(setup)
        second = self._now_ms() // SECOND_MS
        for symbol in tuple(self._state.markets):
            if not is_quoted(self._state, symbol):
                plan = plan_second(self._state, symbol, self._seed, second)
                if plan is not None:
                    self._second = second
                    await self._submit(plan)

    def moments(self, began_ms: int, from_ms: int, to_ms: int) -> Iterator[int]:
        """Whole seconds at which the house acts on the rest of a way: `PACES`, and the last one."""
        last_ms = to_ms - to_ms % SECOND_MS
        moment_ms = from_ms
        for reach_ms, pace_ms in PACES:
            while moment_ms < began_ms + reach_ms:
                moment_ms += pace_ms - moment_ms % pace_ms
                if moment_ms >= last_ms:
                    break
                yield moment_ms
        if last_ms > from_ms:
            yield last_ms

    def act(self, from_ms: int, time_ms: int) -> list[Command]:
        """What the house does at a moment of a way of a virtual clock, which stands at `from_ms`.

        Nothing else is read than the state and these times.
        """
        second = time_ms // SECOND_MS
        elapsed = second - from_ms // SECOND_MS
        self._second = second
        plans = (
            plan_second(self._state, symbol, self._seed, second, elapsed)
            for symbol in self._state.markets
        )
        return [plan for plan in plans if plan is not None]

    async def run(self) -> None:
        """Plays until it is cancelled."""
        while True:
            if self._goes():
                await self.play()
            await asyncio.sleep(self._interval)

    async def play(self) -> int:
        """Does what is due now; returns the number of batches that were taken."""
        second = self._now_ms() // SECOND_MS
        elapsed = second - self._second if self._second else 1
        if elapsed <= 0:
            return 0
        self._second = second
        await self._try(find_setup(self._state))
        taken = 0
        for symbol in tuple(self._state.markets):
            if self._goes():
                plan = plan_second(self._state, symbol, self._seed, second, elapsed)
                taken += await self._try(plan)
        return taken

    async def _try(self, command: Command | None) -> bool:
        """Submits `command`; what the venue cannot take just now is left out."""
        if command is None:
            return False
        try:
            await self._submit(command)
        except Unavailable:
            return False
        return True
