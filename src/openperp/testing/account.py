"""A trading account: its keys, and signed requests with them."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from openperp.testing.http import Answer, VenueError, Wire


class Account:
    """One account at a venue.

    `get`, `post`, `put` and `delete` sign a request, send it and return the
    decoded answer. Lists, tuples and dicts travel as JSON text, booleans as
    `true` and `false`, and a parameter that is None is left out.

    Example: `alice.delete("/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=[1, 2])`.
    """

    def __init__(
        self, wire: Wire, name: str, api_key: str, api_secret: str, now_ms: Callable[[], int]
    ) -> None:
        self.name = name
        self.api_key = api_key
        self.api_secret = api_secret
        self._wire = wire
        self._now_ms = now_ms

    def get(self, path: str, **params: Any) -> Any:
        return self._ask("GET", path, params)

    def post(self, path: str, **params: Any) -> Any:
        return self._ask("POST", path, params)

    def put(self, path: str, **params: Any) -> Any:
        return self._ask("PUT", path, params)

    def delete(self, path: str, **params: Any) -> Any:
        return self._ask("DELETE", path, params)

    def send(self, method: str, path: str, **params: Any) -> Answer:
        """Signs and sends; returns the answer as it came, whatever its status."""
        params.setdefault("timestamp", self._now_ms())
        return self.send_raw(method, path, encode(params))

    def send_raw(self, method: str, path: str, query: str = "", body: str = "") -> Answer:
        """Sends a query and a form body as they are; the signature goes last in the query."""
        signature = self.sign(query + body)
        target = f"{path}?{query}{'&' if query else ''}signature={signature}"
        headers = {"X-MBX-APIKEY": self.api_key}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._wire.send(method, target, headers, body.encode() or None)

    def sign(self, text: str) -> str:
        """HMAC-SHA256 of `text` in hexadecimal."""
        return hmac.new(self.api_secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def ccxt(self, **options: Any) -> Any:
        """The `binanceusdm` of ccxt, pointed at this venue with the keys of this account.

        `options` go to its constructor. It is closed together with the venue.

        Raises:
            ModuleNotFoundError: ccxt is not installed.
        """
        try:
            import ccxt  # noqa: PLC0415  not a dependency of ours
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("Account.ccxt() needs ccxt: pip install ccxt") from error
        keys = {"apiKey": self.api_key, "secret": self.api_secret}
        exchange = ccxt.binanceusdm({**keys, **options})
        for name, url in exchange.urls["api"].items():
            if isinstance(url, str):
                exchange.urls["api"][name] = self._wire.url + urlsplit(url).path
        # ccxt looks up the futures error classes by host name; this keeps them for any host.
        exchange.exceptions["exact"].update(exchange.exceptions["linear"]["exact"])
        self._wire.closing.append(exchange.session.close)
        return exchange

    def __repr__(self) -> str:
        return f"Account({self.name!r}, api_key={self.api_key!r})"

    def _ask(self, method: str, path: str, params: dict[str, Any]) -> Any:
        answer = self.send(method, path, **params)
        if answer.status >= 400:
            raise VenueError(answer)
        return answer.json()


def encode(params: dict[str, Any]) -> str:
    """A query string, percent-encoded.

    >>> encode({"symbol": "BTCUSDT", "reduceOnly": True, "orderIdList": [1, 2], "price": None})
    'symbol=BTCUSDT&reduceOnly=true&orderIdList=%5B1%2C2%5D'
    """
    texts = {name: _text(value) for name, value in params.items() if value is not None}
    return urlencode(texts, quote_via=quote)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | list | tuple | dict):
        return json.dumps(value, separators=(",", ":"))
    return str(value)
