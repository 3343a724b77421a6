"""What one message costs for each listener, and what a listener holds while nothing happens."""

import os
import resource
import selectors
import signal
import socket
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.options import Options
from benchmarks.process import Server, pin_generator, run_server
from benchmarks.report import Section, progress, spread

SIZE = 300
"""Bytes of a message; with its header a frame has 304."""
FRAME = SIZE + 4
SUBSCRIBERS = (1, 100, 1_000)
BURST = 50
"""Messages at a signal. The next signal comes when all have them, so nobody falls behind."""

SERVERS = {
    "venue": ("benchmarks.fanout_server", "/ws/btcusdt@trade"),
    "floor": ("benchmarks.floor_fanout", "/"),
}


class Listeners:
    """Sockets that read and throw away."""

    def __init__(self, server: Server, target: str, count: int) -> None:
        self.server = server
        self.selector = selectors.DefaultSelector()
        self.sockets = [_open(server.port, target) for _ in range(count)]
        for each in self.sockets:
            each.setblocking(False)
            self.selector.register(each, selectors.EVENT_READ)

    def measure(self, deliveries: int) -> float:
        """CPU ns of the server for each message and listener."""
        expected = BURST * len(self.sockets)
        bursts = max(1, deliveries // expected)
        cpu = self.server.settled_cpu_ns()
        for _ in range(bursts):
            os.kill(self.server.pid, signal.SIGUSR1)
            self._read(expected * FRAME)
        return (self.server.settled_cpu_ns() - cpu) / (bursts * expected)

    def close(self) -> None:
        self.selector.close()
        for each in self.sockets:
            each.close()

    def _read(self, wanted: int) -> None:
        while wanted > 0:
            for key, _ in self.selector.select(timeout=20) or _give_up():
                data = key.fileobj.recv(65_536)  # type: ignore[union-attr]  # all are sockets
                if not data:
                    raise SystemExit("the server closed a connection")
                wanted -= len(data)
        assert wanted == 0, f"{-wanted} bytes too many"


def run(options: Options) -> Section:
    section = Section(
        f"Fan-out: one message of {SIZE} bytes to every WebSocket that listens",
        ("subscribers", "openperp: CPU us", "uvicorn: CPU us", "ratio"),
    )
    section.notes.append(f"Per message and subscriber, without compression; {pin_generator()}.")
    section.notes.append("uvicorn: an ASGI application that sends to each connection in turn.")
    section.notes.append("Aim: a ratio of at most 1.5.")
    _raise_file_limit(2 * max(SUBSCRIBERS))
    for subscribers in SUBSCRIBERS:
        _compare(section, min(subscribers, options.subscribers_max), subscribers, options)
    _weigh_idle(section, options)
    return section


def _compare(section: Section, count: int, label: int, options: Options) -> None:
    """Rounds in turn between the venue and the floor; the first of each warms it up."""
    rounds: dict[str, list[float]] = {name: [] for name in SERVERS}
    with ExitStack() as stack:
        listeners = {name: stack.enter_context(_listen(name, count)) for name in SERVERS}
        for number in range(options.rounds + 1):
            progress(f"fanout: {label} subscribers, round {number} of {options.rounds}")
            for name, group in listeners.items():
                cpu_ns = group.measure(options.deliveries)
                if number:
                    rounds[name].append(cpu_ns)
    pairs = zip(rounds["venue"], rounds["floor"], strict=True)
    ratios = [ours / floors for ours, floors in pairs]
    section.rows.append(
        (
            f"{label:,}",
            *(spread((cpu_ns / 1_000 for cpu_ns in rounds[name]), 2) for name in SERVERS),
            spread(ratios, 2),
        )
    )
    section.figures[f"fanout.{label}_us"] = statistics.median(rounds["venue"]) / 1_000
    section.figures[f"fanout.{label}_floor_us"] = statistics.median(rounds["floor"]) / 1_000
    section.figures[f"fanout.{label}_ratio"] = statistics.median(ratios)


def _weigh_idle(section: Section, options: Options) -> None:
    """Memory of the server's process for each connection that only waits."""
    count = options.subscribers_max
    with run_server(SERVERS["venue"][0], str(SIZE), "1") as server:
        # The first connections pay for what is loaded once.
        warm = Listeners(server, "/ws/btcusdt@trade", 10)
        before = _resident_bytes(server.pid)
        listeners = Listeners(server, "/ws/btcusdt@trade", count)
        each = (_resident_bytes(server.pid) - before) / count
        listeners.close()
        warm.close()
    section.figures["fanout.idle_bytes"] = each
    section.notes.append(
        f"An idle connection takes {each / 1024:,.1f} KiB of the process ({count:,} of them)."
    )


@contextmanager
def _listen(name: str, count: int) -> Iterator[Listeners]:
    module, target = SERVERS[name]
    with run_server(module, str(SIZE), str(BURST)) as server:
        listeners = Listeners(server, target, count)
        yield listeners
        listeners.close()


def _open(port: int, target: str) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port))
    opened.sendall(
        f"GET {target} HTTP/1.1\r\nHost: venue\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += opened.recv(1)
    if not head.startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"the server answered {head.decode(errors='replace')}")
    return opened


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _raise_file_limit(wanted: int) -> None:
    """For this process and the servers that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _give_up() -> list[tuple[selectors.SelectorKey, int]]:
    raise SystemExit("messages are missing")
