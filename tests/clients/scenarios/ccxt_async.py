"""ccxt.async_support: all that can be done without streams."""

import asyncio
from typing import Any

from tests.clients.scenarios.ccxt_steps import trade
from tests.clients.scenarios.steps import client_names


async def main(exchange: Any) -> None:
    try:
        await trade(exchange)
    finally:
        await exchange.close()


asyncio.run(main(client_names()["exchange"]))
