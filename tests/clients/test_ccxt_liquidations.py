"""A liquidation as ccxt.pro tells it to the account: what docs/how-to/use-ccxt.md says of it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from openperp.cli.clients import CLIENTS, Access
from openperp.testing import Account, Venue

SYMBOL = "BTC/USDT:USDT"
LIMIT_S = 20

Row = tuple[str, float, float]


def make_exchange(venue: Venue, account: Account) -> Any:
    """ccxt.pro as `openperp doctor ccxt-pro` configures it, before its first call."""
    snippet = CLIENTS["ccxt-pro"].snippet(Access(venue.rest, account.api_key, account.api_secret))
    names: dict[str, Any] = {}
    setup, _, _ = snippet.partition("# A first call")
    exec(setup, names)
    return names["exchange"]


def ruin(venue: Venue, sam: Account, lena: Account) -> None:
    """Lena's 0.2 go: half to Sam's bid, half at the bankruptcy price."""
    order = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC"}
    sam.post("/fapi/v1/order", **order, side="SELL", quantity="0.2", price="60000")
    lena.post("/fapi/v1/order", **order, side="BUY", quantity="0.2", price="60000")
    sam.post("/fapi/v1/order", **order, side="BUY", quantity="0.1", price="55100")
    venue.price("BTCUSDT", "55200")


async def until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110  ccxt has no call that waits for that
        await asyncio.sleep(0.01)


async def listen(exchange: Any, venue: Venue, sam: Account, lena: Account) -> list[Row]:
    """What the first call returned, then all that ccxt kept."""

    def sockets() -> list[Any]:
        return [each for url, each in exchange.clients.items() if "listenKey" in url]

    try:
        async with asyncio.timeout(LIMIT_S):
            balance = asyncio.create_task(exchange.watch_balance())
            await until(lambda: any(each.connection for each in sockets()))
            watched = asyncio.create_task(exchange.watch_my_liquidations(SYMBOL))
            await until(lambda: any("myLiquidations" in each.futures for each in sockets()))
            await asyncio.to_thread(ruin, venue, sam, lena)
            first = await watched
            await balance
            await until(lambda: len(exchange.myLiquidations) == 3)
            rows = [*first, *exchange.myLiquidations]
            return [(row["info"]["X"], row["contracts"], row["price"]) for row in rows]
    finally:
        await exchange.close()


@pytest.mark.venue(clock="real")
@pytest.mark.parametrize(
    "dialect",
    [pytest.param(name, marks=pytest.mark.venue(dialect=name)) for name in ("ztdx", "binance")],
)
def test_watch_my_liquidations_tells_of_the_order(venue: Venue, dialect: str) -> None:
    sam, lena = venue.account("sam", deposit="100000"), venue.account("lena", deposit="1000")
    rows = asyncio.run(listen(make_exchange(venue, lena), venue, sam, lena))
    new = ("NEW", 0.0, 0.0)
    fill, end = ("PARTIALLY_FILLED", 0.1, 55100.0), ("EXPIRED", 0.0, 55100.0)
    assert rows == [new, new, fill, end], dialect
