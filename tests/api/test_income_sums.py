"""Income adds up to the wallet, to the last unit, whatever an account has been through."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.api.streams.listener import Listener
from tests.api.streams.test_rebuild import SYMBOLS, Crowd

from openperp.api.dialect import DIALECTS
from openperp.engine.commands import Deposit, FundInsurance, Pulse, SetLeverage, SetPrice, Withdraw
from openperp.engine.numbers import MONEY_ONE

KINDS = {"TRANSFER", "REALIZED_PNL", "COMMISSION", "FUNDING_FEE", "INSURANCE_CLEAR"}
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STEPS = 250


class PoorCrowd(Crowd):
    """Traders with little money and large positions, prices that jump, and days that pass.

    Who has nothing left is given a little.
    """

    def __init__(self, dialect: str, seed: int) -> None:
        super().__init__(dialect, seed)
        self.income: dict[str, dict[int, Any]] = {trader.name: {} for trader in self.traders}
        self.asked_ms = self.venue.now_ms
        for trader in self.traders:
            self.venue.apply(Withdraw(trader.name, "USDT", 17_500 * MONEY_ONE))

    def step(self) -> None:
        acts: list[Callable[[], None]] = [
            super().step,
            self.rush,
            self.jump,
            self.sleep,
            self.feed,
            self.insure,
        ]
        (act,) = self.random.choices(acts, [20, 24, 14, 2, 3, 3])
        act()

    def rush(self) -> None:
        """Two of them trade for as much as their money goes, one way or the other."""
        buyer, seller = self.random.sample(self.traders, 2)
        symbol = self.symbol()
        middle, lot, _ = SYMBOLS[symbol]
        for trader in (buyer, seller):
            account = self.venue.state.account_ids[trader.name]
            self.venue.apply(SetLeverage(account, symbol, 50))
        free = min(float(self.balance(trader)["availableBalance"]) for trader in (buyer, seller))
        lots = int(free * 40 / middle / float(lot))
        order = {
            "symbol": symbol,
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": str(lots * Decimal(lot)),
            "price": self.price(symbol, 0.002),
        }
        for trader, side in ((seller, "SELL"), (buyer, "BUY")):
            trader.send("POST", "/fapi/v1/order", **self.fit(trader, {**order, "side": side}))

    def jump(self) -> None:
        symbol = self.symbol()
        middle, _, tick = SYMBOLS[symbol]
        ticks = round(middle * self.random.uniform(0.94, 1.06) / tick)
        self.venue.apply(SetPrice(symbol, ticks, moves_last=self.random.random() < 0.5))

    def sleep(self) -> None:
        self.venue.now_ms += 8 * HOUR_MS
        self.venue.apply(Pulse())

    def feed(self) -> None:
        trader = self.random.choice(self.traders)
        self.venue.apply(Deposit(trader.name, "USDT", 1_000 * MONEY_ONE + 1))

    def insure(self) -> None:
        self.venue.apply(FundInsurance(self.random.choice((-1, 1, 300)) * MONEY_ONE))

    def balance(self, trader: Listener) -> Any:
        (row,) = trader.get("/fapi/v2/balance")
        return row

    def compare(self) -> None:
        """All that REST and the streams tell of a wallet is the sum of its income."""
        super().compare()
        for trader in self.traders:
            known = self.income[trader.name]
            rows = trader.get("/fapi/v1/income", startTime=self.asked_ms, limit=1_000)
            assert len(rows) < 1_000
            known.update({row["tranId"]: row for row in rows})
            assert {row["incomeType"] for row in known.values()} <= KINDS
            wallet = sum(Decimal(row["income"]) for row in known.values())
            assert wallet == Decimal(self.balance(trader)["balance"])
            assert wallet == Decimal(trader.get("/fapi/v3/account")["totalWalletBalance"])
        self.asked_ms = self.venue.now_ms


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("seed", range(3))
def test_income_adds_up_to_the_wallet(dialect: str, seed: int) -> None:
    crowd = PoorCrowd(dialect, seed)
    for _ in range(STEPS):
        crowd.step()
        crowd.compare()
    kinds = {row["incomeType"] for rows in crowd.income.values() for row in rows.values()}
    assert kinds == KINDS
    forced: set[str] = set()
    for trader, mirror in zip(crowd.traders, crowd.mirrors, strict=True):
        rows = trader.get("/fapi/v1/forceOrders", startTime=crowd.asked_ms - 80 * DAY_MS, limit=100)
        assert {row["orderId"] for row in rows if float(row["executedQty"])} <= mirror.forced
        forced |= {row["clientOrderId"][:4] for row in rows}
    assert forced == {"auto", "adl_"}
