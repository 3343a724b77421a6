"""The floor of the fan-out: an ASGI application that sends one text to every connection.

uvicorn with the WebSocket layer that is its quickest, without compression and
pings; at each SIGUSR1 a burst of messages goes out.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Broadcast:
    def __init__(self, size: int, messages: int) -> None:
        self.message = {"type": "websocket.send", "text": '"' + "x" * (size - 2) + '"'}
        self.messages = messages
        self.listeners: dict[int, Send] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.publish)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await receive()
        await send({"type": "websocket.accept"})
        self.listeners[id(send)] = send
        while (await receive())["type"] != "websocket.disconnect":
            pass
        del self.listeners[id(send)]

    def publish(self) -> None:
        task = asyncio.get_running_loop().create_task(self.burst())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def burst(self) -> None:
        for _ in range(self.messages):
            for send in list(self.listeners.values()):
                await send(self.message)
            await asyncio.sleep(0)


def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2_048)  # who comes before the server is up waits
    config = uvicorn.Config(
        Broadcast(int(sys.argv[1]), int(sys.argv[2])),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="on",
        access_log=False,
        log_level="error",
    )
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
