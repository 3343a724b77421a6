"""Streams as a client meets them: addresses below `venue.ws`, and who pays for whose mistakes."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from openperp.testing import Account, Venue

Place = Callable[..., dict[str, Any]]
TICKER = "btcusdt@bookTicker"


def hear(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=10))


def hear_bid(socket: ClientConnection, price: str) -> Any:
    """The message in which the best bid is `price`, without the envelope it may have."""
    while True:
        message = hear(socket)
        event = message.get("data", message)
        if event.get("b") == price:
            return event


def end_of(socket: ClientConnection) -> int:
    try:
        while True:
            socket.recv(timeout=10)
    except ConnectionClosed:
        assert socket.close_code is not None
        return socket.close_code


def test_one_trade_reaches_every_address(venue: Venue, alice: Account, place: Place) -> None:
    roots = ("", "/public", "/market", "/private")
    targets = [f"{root}/ws/{TICKER}" for root in roots]
    targets += [f"{root}/stream?streams={TICKER}" for root in roots]
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(venue.ws + target)) for target in targets]
        for target in ("/public/ws/0", "/market/stream?streams="):
            socket = stack.enter_context(connect(venue.ws + target))
            socket.send(json.dumps({"method": "SUBSCRIBE", "params": [TICKER], "id": "first"}))
            assert hear(socket) == {"result": None, "id": "first"}
            sockets.append(socket)
        place(alice, price="50000")
        events = [hear_bid(socket, "50000") for socket in sockets]
        assert events == [events[0]] * len(sockets)


@pytest.mark.parametrize("target", ["/nowhere", "/fapi/v1/ping/ws", "/ws-fapi/v9"])
def test_there_is_nothing_elsewhere(venue: Venue, target: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(venue.ws + target)
    assert caught.value.response.status_code == 404
    assert json.loads(caught.value.response.body or b"")["code"] == -5000


@pytest.mark.parametrize(
    ("mistake", "code"),
    [
        ("hello", 1008),
        (b"\x00\x01", 1003),
        (" " * 70_000, 1009),
    ],
)
def test_who_makes_a_mistake_goes_alone(
    venue: Venue, alice: Account, place: Place, mistake: str | bytes, code: int
) -> None:
    target = f"{venue.ws}/ws/{TICKER}"
    with connect(target) as quiet, connect(target) as wrong:
        wrong.send(mistake)
        assert end_of(wrong) == code
        place(alice, price="50000")
        hear_bid(quiet, "50000")


def test_a_stream_of_a_symbol_that_is_none_is_silent_and_the_others_are_not(
    venue: Venue, alice: Account, place: Place
) -> None:
    with connect(f"{venue.ws}/stream?streams=nosuch@trade/{TICKER}") as socket:
        place(alice, price="50000")
        assert hear_bid(socket, "50000")["s"] == "BTCUSDT"


@pytest.mark.venue(strict=("streams",))
def test_strict_streams_are_refused_and_numbers_in_a_path_are_not(venue: Venue) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(f"{venue.ws}/ws/nosuch@trade")
    assert caught.value.response.status_code == 400
    with connect(f"{venue.ws}/public/ws/0") as socket:
        socket.send('{"method":"SUBSCRIBE","params":["nosuch@trade"],"id":7}')
        assert hear(socket) == {
            "error": {"code": 2, "msg": "Invalid request: invalid stream"},
            "id": 7,
        }


def test_a_venue_that_closes_says_so() -> None:
    with Venue() as venue, connect(f"{venue.ws}/ws") as socket:
        venue.close()
        assert end_of(socket) == 1001
