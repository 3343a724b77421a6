"""Keys of every kind outlive the process that made them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Process
from tests.contract.test_keys import KINDS, Pair, public_pem

Start = Callable[..., Process]


@pytest.mark.parametrize("end", [Process.stop, Process.kill])
def test_a_pair_opens_its_account_after_a_restart(
    start: Start, tmp_path: Path, end: Callable[[Process], object]
) -> None:
    flags = ("--data", str(tmp_path / "data"), "--market", "quiet")
    venue = start(*flags)
    api_keys = {
        kind: venue.operator.post(
            "accounts/demo/keys", type=kind, public_key=public_pem(kind), permissions=["read"]
        )["api_key"]
        for kind in KINDS
    }
    end(venue)
    again = start(*flags)
    for kind, api_key in api_keys.items():
        account = Pair(again.wire, "demo", api_key, "", again.now_ms)
        account.kind = kind
        assert account.get("/fapi/v2/balance")[0]["balance"] == "100000.00000000"
        refused = account.send("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        assert (refused.status, refused.json()["code"]) == (401, -2015)
