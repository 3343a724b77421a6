"""What placing one order costs the server over the WebSocket API, beside REST.

The same orders go to the same venue over either transport in turn, each signed
by HMAC, over as many connections; between two rounds all orders are cancelled.
"""

import hmac
import statistics
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from urllib.parse import urlencode

import msgspec
from websockets.frames import Frame, Opcode

from benchmarks.load import (
    SYMBOL,
    Connection,
    Order,
    Outcome,
    measure,
    request_bytes,
    send_all,
    signed_query,
)
from benchmarks.options import Options
from benchmarks.process import Server, data_directory, pin_generator, run_venue
from benchmarks.report import Section, progress, spread

AIM = 0.8

HANDSHAKE = (
    b"GET /ws-fapi/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class MethodConnection(Connection):
    """A connection of the WebSocket API; requests are whole masked frames."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        super().__init__(port, requests)
        self.socket.sendall(HANDSHAKE)
        head = self.socket.recv(65_536)
        if not head.startswith(b"HTTP/1.1 101") or not head.endswith(b"\r\n\r\n"):
            raise SystemExit(f"the server answered {head.decode(errors='replace')}")

    def receive(self) -> bool:
        """Reads what is there; whether a frame of 126 to 65535 bytes became whole."""
        data = self.partial + self.socket.recv(65_536)
        if len(data) < 4 or len(data) < 4 + int.from_bytes(data[2:4], "big"):
            self.partial = data
            return False
        self.partial = b""
        self.answers.append(data)
        return True

    def body(self, answer: bytes) -> bytes:
        class Envelope(msgspec.Struct):
            status: int
            result: msgspec.Raw = msgspec.Raw()

        envelope = msgspec.json.decode(answer[4:], type=Envelope)
        if envelope.status != 200:
            raise SystemExit(f"the server answered {answer[4:].decode(errors='replace')}")
        return bytes(envelope.result)


def orders(count: int) -> list[dict[str, str]]:
    """Small buy orders well below the market, which a modest account can afford."""
    return [
        {
            "symbol": SYMBOL,
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.001",
            "price": f"{50_100 + number % 1_000 * 0.1:.1f}",
        }
        for number in range(count)
    ]


def rest_requests(server: Server, count: int) -> list[bytes]:
    return [
        request_bytes(
            "POST",
            f"/fapi/v1/order?{signed_query(urlencode(order), server.api_secret)}",
            server.api_key,
        )
        for order in orders(count)
    ]


def method_requests(server: Server, count: int) -> list[bytes]:
    return [_frame(server, number, order) for number, order in enumerate(orders(count))]


def _frame(server: Server, number: int, order: dict[str, str]) -> bytes:
    params: dict[str, str | int] = {
        **order,
        "apiKey": server.api_key,
        "recvWindow": 60_000,
        "timestamp": time.time_ns() // 1_000_000,
    }
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    params["signature"] = hmac.new(server.api_secret.encode(), text.encode(), sha256).hexdigest()
    message = {"id": number, "method": "order.place", "params": params}
    return bytes(Frame(Opcode.TEXT, msgspec.json.encode(message)).serialize(mask=True))


TRANSPORTS: dict[str, tuple[Callable[[Server, int], list[bytes]], type[Connection]]] = {
    "rest": (rest_requests, Connection),
    "method": (method_requests, MethodConnection),
}


def run(options: Options) -> Section:
    section = Section(
        "WebSocket API: one LIMIT order signed by HMAC, answered after the durable write",
        ("transport", "CPU us per order", "orders/s"),
    )
    section.notes.append(f"{options.connections} connections; {pin_generator()}.")
    rounds: dict[str, list[Outcome]] = {name: [] for name in TRANSPORTS}
    with (
        data_directory(options.data) as data,
        run_venue(data, "--market", "quiet", "--no-limits") as venue,
    ):
        for number in range(options.rounds + 1):
            progress(f"ws_api: round {number} of {options.rounds}")
            for name in TRANSPORTS:
                outcome = _measure(venue, name, options)
                if number:  # The first round of each is a warm-up.
                    rounds[name].append(outcome)
    _report(section, rounds)
    return section


def _measure(venue: Server, name: str, options: Options) -> Outcome:
    make, kind = TRANSPORTS[name]
    outcome, bodies = measure(venue, make(venue, options.requests), options.connections, kind)
    decode = msgspec.json.Decoder(Order).decode
    if not all(decode(body).status == "NEW" for body in bodies):
        raise SystemExit(f"an order was refused: {bodies[0].decode()}")
    query = signed_query(f"symbol={SYMBOL}", venue.api_secret)
    send_all(venue, [request_bytes("DELETE", f"/fapi/v1/allOpenOrders?{query}", venue.api_key)], 1)
    return outcome


def _report(section: Section, rounds: dict[str, list[Outcome]]) -> None:
    titles = {"rest": "REST: POST order", "method": "WebSocket API: order.place"}
    for name, outcomes in rounds.items():
        section.rows.append(
            (
                titles[name],
                spread(outcome.cpu_ns / 1_000 for outcome in outcomes),
                spread((outcome.per_second for outcome in outcomes), 0),
            )
        )
        cpu_ns = statistics.median(outcome.cpu_ns for outcome in outcomes)
        section.figures[f"ws_api.{name}_us"] = cpu_ns / 1_000
    # Round by round, since the machine changes its pace between rounds.
    ratio = statistics.median(
        method.cpu_ns / rest.cpu_ns
        for method, rest in zip(rounds["method"], rounds["rest"], strict=True)
    )
    section.figures["ws_api.ratio_rest"] = ratio
    section.notes.append(f"order.place is {ratio:.2f} x REST (aim: at most {AIM}).")
