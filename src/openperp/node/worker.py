"""One thread for everything that waits for the disk, in order."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

Done = Callable[[Exception | None], None]
"""Called in the loop's thread when a job is over, with what went wrong."""


class Worker:
    """Runs jobs one after the other and reports each to the loop.

    A thread of its own and not the loop's executor: jobs keep their order, and
    the hand-over costs one queue and one wake-up.
    """

    def __init__(self, loop: AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._jobs: SimpleQueue[tuple[Callable[[], None], Done] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Callable[[], None], done: Done) -> None:
        self._jobs.put((job, done))

    def stop(self) -> None:
        """Returns when every job that was put is over."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._jobs.get()) is not None:
            job, done = item
            error = None
            try:
                job()
            except Exception as caught:  # noqa: BLE001 - whatever it is, the loop must know
                error = caught
            self._loop.call_soon_threadsafe(done, error)
