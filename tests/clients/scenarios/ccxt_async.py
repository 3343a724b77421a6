"""ccxt.async_support: all that can be done without streams."""

import asyncio
from typing import Any

from tests.clients.scenarios.ccxt_steps import SYMBOL, liquidations, trade
from tests.clients.scenarios.steps import client_names, use_up_margin


async def main(exchange: Any) -> None:
    try:
        await trade(exchange)
        await exchange.create_order(SYMBOL, "market", "buy", 0.02)
        use_up_margin()
        await liquidations(exchange)
    finally:
        await exchange.close()


asyncio.run(main(client_names()["exchange"]))
