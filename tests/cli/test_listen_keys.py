"""A client that connects again after a restart hears its account, on the key it has."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Process
from websockets.sync.client import connect

KEY = "/fapi/v1/listenKey"
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}


@pytest.mark.parametrize("end", [Process.stop, Process.kill])
def test_a_stream_goes_on_after_a_restart(
    start: Callable[..., Process], tmp_path: Path, end: Callable[[Process], object]
) -> None:
    flags = ("--data", str(tmp_path / "data"), "--market", "quiet")
    venue = start(*flags)
    key = venue.demo.post(KEY)["listenKey"]
    end(venue)
    again = start(*flags)
    with connect(f"{again.ready['ws']}/private/ws?listenKey={key}") as socket:
        order = again.demo.post("/fapi/v1/order", **ORDER, price="50000", quantity="0.01")
        event = json.loads(socket.recv(timeout=10))
    assert (event["e"], event["o"]["i"]) == ("ORDER_TRADE_UPDATE", order["orderId"])
    assert again.demo.put(KEY) == {"listenKey": key}
    assert end(again) in {0, None}
    assert again.finish()[1] == "", "nothing to complain about"
