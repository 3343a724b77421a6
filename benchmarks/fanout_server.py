"""The venue under the fan-out benchmark: at each SIGUSR1 it publishes a burst on one stream.

What is measured is the venue's own path from a payload to the sockets; only the
payload comes from here instead of from trades.
"""

import asyncio
import signal
import sys

import uvloop

from openperp.bootstrap import Venue, build
from openperp.node.config import load_config

STREAM = "btcusdt@trade"


async def burst(venue: Venue, payload: bytes, messages: int) -> None:
    for _ in range(messages):
        venue.server.reception.fanout.publish(STREAM, payload)
        # As it is with trades: each message is written before the next one exists.
        await asyncio.sleep(0)


async def serve(size: int, messages: int) -> None:
    venue = build(load_config(market="quiet", ephemeral=True, port=0, limits=False))
    await venue.server.start()
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    payload = b'"' + b"x" * (size - 2) + b'"'
    tasks: set[asyncio.Task[None]] = set()

    def publish() -> None:
        task = loop.create_task(burst(venue, payload, messages))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGUSR1, publish)
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    print(venue.server.port, flush=True)
    await stopping.wait()
    await venue.server.stop()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
