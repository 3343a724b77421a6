"""What the scenarios share: a client pointed at the venue, and steps that are told one by one.

Each step is a line of JSON on stdout: {"step", "ok", "detail"}. A step that
fails says why, and the next one runs all the same.
"""

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

DIALECT = os.environ["OPENPERP_DIALECT"]
ONE_SEQUENCE = DIALECT == "ztdx"
"""Trigger orders share their ids with book orders: a batch cancel reaches them too."""
STREAM_LIMIT_S = 20
"""How long a stream may take to say what it was subscribed for."""


def client_names() -> dict[str, Any]:
    """What `openperp doctor CLIENT` defines before its first call."""
    names: dict[str, Any] = {}
    exec(Path(os.environ["OPENPERP_SETUP"]).read_text(encoding="utf-8"), names)
    return names


def use_up_margin() -> None:
    """As the operator: takes all but 200 USDT from the trader, and lets the price fall to 50000.

    With 0.02 BTC bought at 60001 nothing is left, and the venue liquidates.
    """
    _operate("accounts/trader/withdraw", asset="USDT", amount="9800")
    _operate("price", symbol="BTCUSDT", price="50000")


def assert_liquidated(side: Any, status: Any, quantity: Any, price: Any) -> None:
    """The order that follows sells the 0.02 BTC to the maker."""
    told = (side, status, Decimal(quantity), Decimal(price))
    assert told == ("SELL", "FILLED", Decimal("0.02"), Decimal(59999)), told


def _operate(path: str, **fields: str) -> None:
    token = os.environ["OPENPERP_OPERATOR_TOKEN"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{os.environ['OPENPERP_VENUE']}/operator/v1/{path}"
    body = json.dumps(fields).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        assert answer.status == 200


@contextmanager
def step(name: str) -> Iterator[Callable[[str], None]]:
    """Reports what happens inside; the function it gives adds a detail to the report."""
    details: list[str] = []
    try:
        yield details.append
    except Exception as error:  # noqa: BLE001  any failure is a failed step
        _report(name, False, f"{type(error).__name__}: {error}")
    else:
        _report(name, True, "; ".join(details))


def _report(name: str, ok: bool, detail: str) -> None:
    print(json.dumps({"step": name, "ok": ok, "detail": detail}), flush=True)
