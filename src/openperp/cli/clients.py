"""How each client is pointed at a venue: the text that `doctor` prints.

The texts are in `snippets/`, with placeholders for the address and the keys.
Those whose clients the tests can install are run by them, up to the last line.
"""

from difflib import get_close_matches
from importlib.resources import files
from urllib.parse import urlsplit

import msgspec

LANGUAGES = {
    "py": "python",
    "js": "javascript",
    "sh": "sh",
    "json": "json",
    "go": "go",
    "rs": "rust",
    "java": "java",
    "cs": "csharp",
}
"""Suffix of a snippet -> its language, by the name that Markdown fences give it."""


class Access(msgspec.Struct, frozen=True):
    """Where a venue answers and the keys of one account."""

    rest: str
    api_key: str
    api_secret: str


class Client(msgspec.Struct, frozen=True):
    """A client: its name is its package's, `also` are names people give it."""

    name: str
    file: str
    about: str
    also: tuple[str, ...] = ()

    @property
    def language(self) -> str:
        return LANGUAGES[self.file.rpartition(".")[2]]

    def snippet(self, access: Access) -> str:
        """The text that points this client at a venue.

        A client that speaks nothing but TLS gets the https address of the same
        host and port.
        """
        text = files("openperp.cli").joinpath("snippets", f"{self.file}.txt").read_text("utf-8")
        address = urlsplit(access.rest)
        after_scheme = access.rest.partition("://")[2]
        values = {
            "https://127.0.0.1:8686": f"https://{after_scheme}",
            "wss://127.0.0.1:8686": f"wss://{after_scheme}",
            "http://127.0.0.1:8686": access.rest,
            "ws://127.0.0.1:8686": f"{address.scheme.replace('http', 'ws')}://{after_scheme}",
            "your_api_key": access.api_key,
            "your_api_secret": access.api_secret,
        }
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text


CLIENTS = {
    client.name: client
    for client in (
        Client("ccxt", "ccxt.py", "ccxt in Python, its binanceusdm exchange", ("ccxt-sync",)),
        Client(
            "ccxt-async", "ccxt-async.py", "ccxt on asyncio, no streams", ("ccxt.async_support",)
        ),
        Client("ccxt-pro", "ccxt-pro.py", "ccxt on asyncio, with streams"),
        Client("ccxt-js", "ccxt.js", "ccxt on npm, with streams", ("ccxt-npm",)),
        Client("python-binance", "python-binance.py", "python-binance, REST and streams"),
        Client(
            "binance-futures-connector",
            "binance-futures-connector.py",
            "the connector that Binance's SDK replaced",
        ),
        Client(
            "binance-sdk-derivatives-trading-usds-futures",
            "binance-sdk-derivatives-trading-usds-futures.py",
            "Binance's SDK for Python",
            ("binance-sdk", "binance-sdk-python", "binance-sdk-py", "official-sdk"),
        ),
        Client(
            "unicorn-binance-rest-api",
            "unicorn-binance-rest-api.py",
            "UNICORN Binance REST API",
            ("unicorn", "unicorn-rest"),
        ),
        Client(
            "unicorn-binance-websocket-api",
            "unicorn-binance-websocket-api.py",
            "UNICORN Binance WebSocket API",
            ("unicorn-ws", "unicorn-websocket"),
        ),
        Client("nautilus_trader", "nautilus_trader.py", "a NautilusTrader node", ("nautilus",)),
        Client("freqtrade", "freqtrade.json", "the exchange section of Freqtrade's configuration"),
        Client("hummingbot", "hummingbot.py", "Hummingbot, its binance_perpetual connector"),
        Client("cryptofeed", "cryptofeed.py", "Cryptofeed, over TLS"),
        Client("passivbot", "passivbot.sh", "Passivbot, REST only: it polls"),
        Client("binance", "binance.js", "binance on npm, REST and streams", ("npm-binance",)),
        Client("node-binance-api", "node-binance-api.js", "Node Binance API; its streams over TLS"),
        Client(
            "@binance/derivatives-trading-usds-futures",
            "binance-derivatives-trading-usds-futures.js",
            "Binance's SDK for JavaScript, over TLS",
            ("derivatives-trading-usds-futures", "binance-sdk-js"),
        ),
        Client("go-binance", "go-binance.go", "adshao/go-binance", ("adshao/go-binance",)),
        Client("binance-sdk-rust", "binance-sdk-rust.rs", "Binance's SDK for Rust"),
        Client(
            "binance-connector-java",
            "binance-connector-java.java",
            "Binance's connector for Java",
            ("binance-futures-connector-java",),
        ),
        Client("binance.net", "binance-net.cs", "JKorf/Binance.Net", ("jkorf/binance.net",)),
        Client("curl", "curl.sh", "signed requests from a shell, with curl and openssl"),
    )
}


def find_client(name: str) -> Client | None:
    """The client of that name, in any letter case, with `-`, `_` or `.` between the words."""
    wanted = _plain(name)
    for client in CLIENTS.values():
        if wanted in map(_plain, (client.name, *client.also)):
            return client
    return None


def similar_clients(name: str) -> list[str]:
    """Names of up to three clients that look like `name`, the likest first."""
    names = {_plain(each): c.name for c in CLIENTS.values() for each in (c.name, *c.also)}
    matches = get_close_matches(_plain(name), names, n=3)
    return list(dict.fromkeys(names[match] for match in matches))


def _plain(name: str) -> str:
    return name.lower().translate(str.maketrans("_. ", "---"))
