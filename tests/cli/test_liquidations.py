"""What was done to an account is known after a restart, however the venue came to its end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Process

ORDER = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.2"}


@pytest.mark.parametrize("end", [Process.stop, Process.kill])
def test_explain_tells_the_same_after_a_restart(
    start: Callable[..., Process], tmp_path: Path, end: Callable[[Process], object]
) -> None:
    flags = ("--data", str(tmp_path / "data"), "--market", "quiet", "--clock", "virtual")
    venue = start(*flags)
    lena = venue.create("lena", "1000")
    venue.demo.post("/fapi/v1/order", **ORDER, side="SELL", price="60000")
    lena.post("/fapi/v1/order", **ORDER, side="BUY", price="60000")
    venue.operator.post("price", symbol="BTCUSDT", price="55000")
    forced = lena.get("/fapi/v1/forceOrders")
    told = [venue.operator.get(f"explain?account={name}") for name in ("lena", "demo")]
    assert [len(each["liquidations"]) for each in told] == [1, 1]
    assert {row["clientOrderId"] for row in forced} > {"adl_autoclose"}
    end(venue)
    again = start(*flags)
    after = [again.operator.get(f"explain?account={name}") for name in ("lena", "demo")]
    assert [{**each, "seq": 0, "time": 0} for each in after] == [
        {**each, "seq": 0, "time": 0} for each in told
    ]
    again_lena = again.account("lena", lena.api_key, lena.api_secret)
    assert again_lena.get("/fapi/v1/forceOrders") == forced
