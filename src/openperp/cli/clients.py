"""How each client is pointed at a venue: the text that `doctor` prints.

Each snippet was run against a venue as it stands (`tests/clients/`).
"""

from collections.abc import Callable

import msgspec


class Access(msgspec.Struct, frozen=True):
    """Where a venue answers and the keys of one account."""

    rest: str
    api_key: str
    api_secret: str


class Client(msgspec.Struct, frozen=True):
    name: str
    language: str
    about: str
    snippet: Callable[[Access], str]


def _ccxt(access: Access) -> str:
    return f"""\
from urllib.parse import urlsplit

import ccxt

VENUE = "{access.rest}"
API_KEY = "{access.api_key}"
API_SECRET = "{access.api_secret}"

exchange = ccxt.binanceusdm({{"apiKey": API_KEY, "secret": API_SECRET}})
for name, url in exchange.urls["api"].items():
    if isinstance(url, str):
        exchange.urls["api"][name] = VENUE + urlsplit(url).path
# ccxt looks up the futures error classes by host name; this keeps them for any host.
exchange.exceptions["exact"].update(exchange.exceptions["linear"]["exact"])

print(exchange.fetch_balance()["USDT"])
"""


def _curl(access: Access) -> str:
    return f"""\
VENUE="{access.rest}"
API_KEY="{access.api_key}"
API_SECRET="{access.api_secret}"

signed() {{  # METHOD PATH PARAMETERS
  query="$3&timestamp=$(date +%s)000"
  signature=$(printf %s "$query" | openssl dgst -sha256 -hmac "$API_SECRET" | sed 's/.* //')
  # -g: without it curl takes square brackets for a pattern of its own, and sends nothing.
  curl -gsS -X "$1" -H "X-MBX-APIKEY: $API_KEY" "$VENUE$2?$query&signature=$signature"
}}

ORDER="symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"
ORDER_ID=$(signed POST /fapi/v1/order "$ORDER" | sed 's/.*"orderId":\\([0-9]*\\).*/\\1/')
signed DELETE /fapi/v1/batchOrders "symbol=BTCUSDT&orderIdList=[$ORDER_ID]"
"""


CLIENTS = {
    client.name: client
    for client in (
        Client("ccxt", "python", "the ccxt library, its binanceusdm exchange", _ccxt),
        Client("curl", "sh", "signed requests from a shell, with curl and openssl", _curl),
    )
}
