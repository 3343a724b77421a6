"""A trader at an offline venue: signed requests in, decoded answers out."""

import json
from typing import Any
from urllib.parse import urlencode

from tests.api.offline import OfflineVenue, header

from openperp.api.dispatch import Answer

ORDER = "/fapi/v1/order"
BATCH = "/fapi/v1/batchOrders"
ALGO = "/fapi/v1/algoOrder"

LIMIT: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000",
    "quantity": "0.01",
}
STOP: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "STOP_MARKET",
    "stopPrice": "65000",
    "quantity": "0.01",
}


class Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        body = json.loads(answer.body)
        self.code: int = body["code"]
        self.msg: str = body["msg"]
        self.status = answer.status
        self.explain = header(answer, "x-explain") or ""
        super().__init__(f"{self.code} {self.msg} | {self.explain}")


class Trader:
    """Values that are lists become JSON; None leaves a field out."""

    def __init__(self, venue: OfflineVenue, name: str = "alice") -> None:
        self.venue = venue
        self.name = name

    def send(self, method: str, path: str, **fields: Any) -> Answer:
        query = urlencode(
            {
                name: json.dumps(value) if isinstance(value, list) else value
                for name, value in fields.items()
                if value is not None
            }
        )
        return self.venue.signed(method, path, query, name=self.name)

    def ask(self, method: str, path: str, **fields: Any) -> Any:
        """The decoded answer; raises `Refused`."""
        answer = self.send(method, path, **fields)
        if answer.status != 200:
            raise Refused(answer)
        return json.loads(answer.body)

    def get(self, path: str, **fields: Any) -> Any:
        return self.ask("GET", path, **fields)

    def post(self, path: str, **fields: Any) -> Any:
        return self.ask("POST", path, **fields)

    def delete(self, path: str, **fields: Any) -> Any:
        return self.ask("DELETE", path, **fields)

    def refused(self, method: str, path: str, **fields: Any) -> Refused:
        """The refusal of a request that must be refused."""
        answer = self.send(method, path, **fields)
        assert answer.status != 200, answer.body
        refusal = Refused(answer)
        assert refusal.explain, refusal
        return refusal

    def limit(self, **changes: Any) -> Any:
        return self.post(ORDER, **{**LIMIT, **changes})

    def stop(self, **changes: Any) -> Any:
        return self.post(ORDER, **{**STOP, **changes})


def trade(buyer: Trader, seller: Trader, **changes: Any) -> tuple[int, int]:
    """Trades 0.01 BTC at 60000, but for `changes`; the ids of the bid and of the ask."""
    terms = {"price": "60000", **changes}
    ask = seller.limit(side="SELL", **terms)
    bid = buyer.limit(**terms)
    filled = buyer.get(ORDER, symbol=bid["symbol"], orderId=bid["orderId"])
    assert filled["status"] == "FILLED"
    return bid["orderId"], ask["orderId"]


def statuses(entries: list[dict[str, Any]]) -> list[Any]:
    """The status or the error code of each entry of a batch."""
    return [entry.get("status", entry.get("code")) for entry in entries]
