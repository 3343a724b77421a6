"""What rows of refusals are made of: requests, and what is set up beforehand by requests too."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.api.offline import OfflineVenue
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, Trader, trade

from openperp.api.dialect import Dialect
from openperp.engine.amending import AMENDMENT_LIMIT
from openperp.engine.checks import TRIGGER_ORDER_LIMIT
from openperp.engine.commands import Command
from openperp.engine.events import Applied
from openperp.engine.rejects import Reason

Request = tuple[str, str]
"""A method and a path."""

V1: Final = "/fapi/v1/"
OPERATOR: Final = "/operator/v1/"
BTC: Final = {"symbol": "BTCUSDT"}
PLACE: Final = ("POST", ORDER)
CANCEL: Final = ("DELETE", ORDER)
AMEND: Final = ("PUT", ORDER)
PLACE_ALGO: Final = ("POST", ALGO)
CANCEL_ALGO: Final = ("DELETE", ALGO)
SET_LEVERAGE: Final = ("POST", V1 + "leverage")
SET_MARGIN_TYPE: Final = ("POST", V1 + "marginType")
CHANGE_MARGIN: Final = ("POST", V1 + "positionMargin")
SET_POSITION_MODE: Final = ("POST", V1 + "positionSide/dual")
SET_ASSETS: Final = ("POST", V1 + "multiAssetsMargin")
FIRST: Final = {**BTC, "origClientOrderId": "first"}
SELL: Final = {**LIMIT, "side": "SELL", "price": "70000"}
MARKET: Final = {**BTC, "side": "BUY", "type": "MARKET", "quantity": "0.01"}
STOP: Final = {
    "algoType": "CONDITIONAL",
    **BTC,
    "side": "BUY",
    "type": "STOP_MARKET",
    "triggerPrice": "65000",
    "quantity": "0.01",
}
STOP_LIMIT: Final = {**STOP, "type": "STOP", "price": "65000", "timeInForce": "GTC"}
TRAILING: Final = {**STOP, "type": "TRAILING_STOP_MARKET", "triggerPrice": None}
WHOLE: Final = {
    **STOP,
    "side": "SELL",
    "triggerPrice": "55000",
    "quantity": None,
    "closePosition": "true",
}
AMENDED: Final = {**FIRST, "side": "BUY", "price": "50000", "quantity": "0.02"}
XYZ: Final = {"symbol": "XYZUSDT", "tick": "0.1", "lot": "0.001", "price": "100"}
OF_XYZ: Final = {**LIMIT, "symbol": "XYZUSDT", "price": "100", "quantity": "1"}
WIDE: Final = {
    "symbol": "WIDEUSDT",
    "tick": "1",
    "lot": "1",
    "price": "1",
    "max_price": "40000",
    "max_quantity": "1000000",
    "brackets": [{"leverage": 20, "cap": "100000000", "rate": "0.01"}],
}
OF_WIDE: Final = {**LIMIT, "symbol": "WIDEUSDT", "quantity": "1000000", "price": "40000"}
MARGIN: Final = {**BTC, "amount": "5", "type": 1}
MODE: Final = {"multiAssetsMargin": "true"}
SINGLE: Final = {"multiAssetsMargin": "false"}


class Witness(OfflineVenue):
    """A venue that remembers what came of its last command."""

    last: Applied | None = None

    def apply(self, command: Command) -> Applied:
        self.last = super().apply(command)
        return self.last


def open_venue(dialect: str | Dialect) -> Witness:
    return Witness(dialect, limits_on=False)


def operator_post(path: str) -> Request:
    return "POST", OPERATOR + path


def operate(trader: Trader, path: str, **fields: Any) -> None:
    """What the operator of a trader's venue does."""
    answer = trader.venue.operator("POST", path, **fields)
    assert answer.status == 200, answer.body


def other(trader: Trader) -> Trader:
    """Bob, for whom money is no object."""
    operate(trader, "accounts/bob/deposit", amount="1000000")
    return Trader(trader.venue, "bob")


def nothing(_trader: Trader) -> None:
    """Sets nothing up."""


def rest(trader: Trader) -> None:
    trader.limit(newClientOrderId="first")


def hold(trader: Trader) -> None:
    """She has bought 0.01 BTC."""
    trade(trader, other(trader))


def wait(trader: Trader) -> None:
    """She has a trigger order."""
    trader.post(ALGO, **STOP, clientAlgoId="first")


def isolate(trader: Trader) -> None:
    trader.post(V1 + "marginType", **BTC, marginType="ISOLATED")


def hold_isolated(trader: Trader) -> None:
    isolate(trader)
    hold(trader)


def hedge(trader: Trader) -> None:
    trader.post(V1 + "positionSide/dual", dualSidePosition="true")


def offer(trader: Trader) -> None:
    """Bob sells 0.01 BTC at 60000."""
    other(trader).limit(side="SELL", price="60000")


def offer_far(trader: Trader) -> None:
    other(trader).limit(side="SELL", price="66000")


def halt(trader: Trader) -> None:
    operate(trader, "mode", mode="halted")


def rest_while_cancel_only(trader: Trader) -> None:
    rest(trader)
    operate(trader, "mode", mode="cancel_only", symbol="BTCUSDT")


def amend_often(trader: Trader) -> None:
    rest(trader)
    changes = [{**AMENDED, "quantity": quantity} for quantity in ("0.02", "0.03", "0.02", "0.03")]
    for _ in range(AMENDMENT_LIMIT // len(changes)):
        trader.send("PUT", BATCH, batchOrders=changes)


def wait_often(trader: Trader) -> None:
    for _ in range(TRIGGER_ORDER_LIMIT):
        trader.post(ALGO, **STOP)


def list_small(trader: Trader) -> None:
    """An instrument with one order at a time, of no less than one."""
    operate(trader, "instruments", **XYZ, max_orders=1, min_quantity="1")


def rest_in_small(trader: Trader) -> None:
    list_small(trader)
    trader.limit(**OF_XYZ)


def close_by_stop(trader: Trader) -> None:
    hold(trader)
    trader.post(ALGO, **WHOLE)


def raise_leverage(trader: Trader) -> None:
    trader.post(V1 + "leverage", **BTC, leverage=125)


def hold_much(trader: Trader) -> None:
    """She has bought 3 BTC on margin of 9000."""
    trade(trader, other(trader), quantity="3")


def fill_up(trader: Trader) -> None:
    """She has sold a million at 1 to bob, who offers it at 40000."""
    operate(trader, "instruments", **WIDE)
    operate(trader, "accounts/alice/deposit", amount="1000000")
    bob = other(trader)
    trade(bob, trader, symbol="WIDEUSDT", price="1", quantity="1000000")
    bob.limit(**{**OF_WIDE, "side": "SELL"})


def enrich(trader: Trader) -> None:
    """She has nearly as much as can be at stake."""
    operate(trader, "accounts/alice/deposit", amount="23000000000")


def pool(trader: Trader) -> None:
    """She has 1 BTC as margin."""
    operate(trader, "assets", asset="BTC", index="60000", bid_buffer="0.05")
    operate(trader, "accounts/alice/deposit", asset="BTC", amount="1")
    trader.post(V1 + "multiAssetsMargin", **MODE)


def hold_by_pool(trader: Trader) -> None:
    """She has bought 4 BTC on margin of 12000, more than her USDT."""
    pool(trader)
    trade(trader, other(trader), quantity="4")


def owe(trader: Trader) -> None:
    """She has lost more than her USDT, and has a position yet."""
    hold_by_pool(trader)
    operate(trader, "price", **BTC, price="57000")
    trade(Trader(trader.venue, "bob"), trader, price="57000", quantity="3.9")


@dataclass(frozen=True)
class Row:
    """A request that is refused for a reason, and its status, code and message.

    `elsewhere` holds code and message of dialects that say it otherwise, and `unmet_where` is
    the field of those dialects in which no request meets it. `early` says that the request is
    refused before it becomes a command, which the engine would refuse for the reason.
    """

    reason: Reason
    request: Request
    fields: dict[str, Any]
    code: int
    msg: str
    setup: Callable[[Trader], None] = nothing
    early: bool = False
    status: int = 400
    elsewhere: dict[str, tuple[int, str]] = field(default_factory=dict)
    unmet_where: str = ""

    def told(self, dialect: str) -> tuple[int, int, str]:
        return self.status, *self.elsewhere.get(dialect, (self.code, self.msg))
