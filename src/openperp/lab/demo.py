"""The demo market: the house acts once in each second of venue time."""

import asyncio
from collections.abc import Awaitable, Callable

from openperp.engine.commands import Command
from openperp.engine.events import Applied
from openperp.engine.state import State
from openperp.lab.makers import find_setup, plan_second
from openperp.node.errors import Unavailable

POLL_S = 0.2


class DemoMarket:
    """Submits the house's batches as venue time passes, one per symbol and second at most.

    `now_ms` is venue time. Under a clock that stands still nothing happens;
    after a jump of any length each symbol gets one batch, whose price move is
    that of the whole time (bounded by `prices.LONGEST_PAUSE_S`). `interval` is
    how often, in seconds of wall time, `run` looks at the clock.
    """

    def __init__(
        self,
        submit: Callable[[Command], Awaitable[Applied]],
        state: State,
        seed: int,
        now_ms: Callable[[], int],
        interval: float = POLL_S,
    ) -> None:
        self._submit = submit
        self._state = state
        self._seed = seed
        self._now_ms = now_ms
        self._interval = interval
        self._second = 0

    async def run(self) -> None:
        """Plays until it is cancelled."""
        while True:
            await self.play()
            await asyncio.sleep(self._interval)

    async def play(self) -> int:
        """Does what is due now; returns the number of batches that were taken."""
        second = self._now_ms() // 1_000
        elapsed = second - self._second if self._second else 1
        if elapsed <= 0:
            return 0
        self._second = second
        await self._try(find_setup(self._state))
        return sum(
            [
                await self._try(plan_second(self._state, symbol, self._seed, second, elapsed))
                for symbol in tuple(self._state.markets)
            ]
        )

    async def _try(self, command: Command | None) -> bool:
        """Submits `command`; what the venue cannot take just now is left out."""
        if command is None:
            return False
        try:
            await self._submit(command)
        except Unavailable:
            return False
        return True
