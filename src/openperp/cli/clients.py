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

QUERY="symbol=BTCUSDT&orderIdList=[1,2]&timestamp=$(date +%s)000"
SIGNATURE=$(printf %s "$QUERY" | openssl dgst -sha256 -hmac "$API_SECRET" | sed 's/.* //')

# -g: without it curl takes the square brackets for a pattern of its own.
curl -gsS -X DELETE -H "X-MBX-APIKEY: $API_KEY" \\
  "$VENUE/fapi/v1/batchOrders?$QUERY&signature=$SIGNATURE"
"""


CLIENTS = {
    client.name: client
    for client in (
        Client("ccxt", "python", "the ccxt library, its binanceusdm exchange", _ccxt),
        Client("curl", "sh", "a signed request from a shell, with curl and openssl", _curl),
    )
}
