"""Which paths lead to a WebSocket, and what they ask for."""

import pytest

from openperp.api.streams.targets import MethodPlan, StreamPlan, read_target
from openperp.api.streams.user_events import USER_EVENTS, parse_events

KEY, OTHER = "k" * 64, "o" * 64


@pytest.mark.parametrize("prefix", ["", "/public", "/market", "/private"])
@pytest.mark.parametrize(
    ("target", "combined", "names"),
    [
        ("/ws", False, ()),
        ("/ws/", False, ()),
        ("/ws/0", False, ()),
        ("/ws/btcusdt@depth", False, ("btcusdt@depth",)),
        ("/ws/btcusdt@depth/!ticker@arr", False, ("btcusdt@depth", "!ticker@arr")),
        ("/ws/btcusdt@depth/btcusdt@depth", False, ("btcusdt@depth",)),
        (f"/ws/{KEY}", False, (KEY,)),
        (f"/ws?listenKey={KEY}", False, (KEY,)),
        ("/ws?listenKey=", False, ()),
        ("/stream", True, ()),
        ("/stream?streams=", True, ()),
        ("/stream?timeUnit=microsecond", True, ()),
        ("/stream?streams=a@trade/b@trade", True, ("a@trade", "b@trade")),
        ("/stream?streams=a%40trade%2Fb%40trade", True, ("a@trade", "b@trade")),
        ("/stream?streams=a@trade&streams=b@trade", True, ("a@trade", "b@trade")),
        (f"/stream?streams={KEY}", True, (KEY,)),
        (f"/stream?listenKey={KEY}&listenKey={OTHER}", True, (KEY, OTHER)),
    ],
)
def test_streams(prefix: str, target: str, combined: bool, names: tuple[str, ...]) -> None:
    path, _, query = target.partition("?")
    assert read_target(prefix + path, query.encode()) == StreamPlan(combined, names)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/w",
        "/wss",
        "/public",
        "/public/",
        "/other/ws",
        "/public/market/ws",
        "/fapi/v1/ping",
        "/ws-fapi",
        "/ws-fapi/v2",
        "",
        "ws",
    ],
)
def test_what_is_no_such_path(path: str) -> None:
    assert read_target(path, b"") is None


@pytest.mark.parametrize("path", ["/ws-fapi/v1", "/ws-fapi/v1/"])
def test_the_websocket_api(path: str) -> None:
    plan = read_target(path, b"returnRateLimits=false")
    assert plan == MethodPlan(b"returnRateLimits=false")


@pytest.mark.parametrize(
    ("query", "events"),
    [
        (f"listenKey={KEY}&events=", {KEY: ""}),
        (f"listenKey={KEY}&events=TRADE_LITE/ALGO_UPDATE", {KEY: "TRADE_LITE/ALGO_UPDATE"}),
        (f"events=TRADE_LITE&listenKey={KEY}", {KEY: "TRADE_LITE"}),
        (
            f"listenKey={KEY}&events=TRADE_LITE&listenKey={OTHER}&events=ACCOUNT_UPDATE",
            {KEY: "TRADE_LITE", OTHER: "ACCOUNT_UPDATE"},
        ),
        (f"listenKey={KEY}&listenKey={OTHER}&events=TRADE_LITE", {OTHER: "TRADE_LITE"}),
    ],
)
def test_a_filter_belongs_to_the_key_before_it(query: str, events: dict[str, str]) -> None:
    plan = read_target("/private/stream", query.encode())
    assert isinstance(plan, StreamPlan)
    assert plan.events == {key: parse_events(text) for key, text in events.items()}


def test_an_empty_filter_is_none() -> None:
    assert parse_events("") == USER_EVENTS
