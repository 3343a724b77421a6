"""The table in docs/how-to/use-ccxt.md says which calls of ccxt work: those that read are called."""

import re
from pathlib import Path
from typing import Any

import ccxt
import pytest

from openperp.testing import Venue

SYMBOL = "BTC/USDT:USDT"
PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "use-ccxt.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`.+`) .*?\| (yes|not yet|no)\b", PAGE, re.MULTILINE)
CALLS = {name: answer for row, answer in ROWS for name in re.findall(r"`(fetch_[a-z_]+)`", row)}
WITHOUT_SYMBOL = {"fetch_time", "fetch_balance", "fetch_leverage_tiers", "fetch_trading_fees"}
PERIODS = {"fetch_open_interest_history", "fetch_long_short_ratio_history"}
LISTS = {"fetch_bids_asks", "fetch_last_prices", "fetch_positions", "fetch_tickers"}


def arguments(name: str, order_id: str) -> list[Any]:
    if name in {"fetch_order", "fetch_open_order"}:
        return [order_id, SYMBOL]
    if name == "fetch_ledger":
        return ["USDT"]
    if name in WITHOUT_SYMBOL | {"fetch_status", "fetch_convert_currencies"}:
        return []
    if name in PERIODS:
        return [SYMBOL, "5m"]
    return [[SYMBOL]] if name in LISTS else [SYMBOL]


@pytest.mark.venue(clock="real")
def test_the_table_tells_the_truth(venue: Venue) -> None:
    exchange = venue.account("alice").ccxt()
    order_id = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50000)["id"]
    assert {"yes", "no"} <= set(CALLS.values())
    for name, answer in CALLS.items():
        try:
            getattr(exchange, name)(*arguments(name, order_id))
            works = True
        except ccxt.ExchangeError:
            works = False
        assert works == (answer == "yes"), name
