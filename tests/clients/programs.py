"""The clients that run here, and how the scenario of each is run."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from tests.clients.homes import ROOT, Home, apart, from_npm, here, node

from openperp.cli.clients import CLIENTS, Access
from openperp.testing import Account, Venue

SCENARIOS = Path(__file__).parent / "scenarios"
TIME_LIMIT_S = 100
DIALECTS = ("ztdx", "binance")
FIRST_CALL = " A first call:\n"
TRADING = (
    "start-up",
    "balance",
    "leverage",
    "limit",
    "stop",
    "trailing",
    "batch cancel by order ids",
    "batch cancel by client ids",
    "market buy",
    "positions",
    "reduce-only sell",
    "trades",
)
STREAMS = ("user stream", "depth stream", "mark price stream", "liquidation streams")
LIQUIDATIONS = ("liquidations",)


class Step(msgspec.Struct, frozen=True):
    """One line of a scenario's report."""

    step: str
    ok: bool
    detail: str


class Program(msgspec.Struct, frozen=True):
    """A scenario of one client.

    `client` is its name for `openperp doctor`, `package` the one in its registry.
    """

    client: str
    package: str
    script: str
    home: Callable[[str], Home] = here
    steps: tuple[str, ...] = TRADING + STREAMS + LIQUIDATIONS

    @property
    def version(self) -> str:
        return self.home(self.package).version

    def snippet(self, venue: Venue, account: Account) -> str:
        """What `openperp doctor` prints."""
        access = Access(venue.rest, account.api_key, account.api_secret)
        return CLIENTS[self.client].snippet(access)

    def run(self, venue: Venue, dialect: str, directory: Path) -> list[Step]:
        """Runs the scenario in a process of its own; returns what it reported.

        Raises:
            AssertionError: The process ended badly.
        """
        quote(venue)
        setup = directory / "setup.txt"
        snippet = self.snippet(venue, venue.account("trader", deposit="10000"))
        setup.write_text(before_first_call(snippet), encoding="utf-8")
        script = str(SCENARIOS / self.script)
        module = f"tests.clients.scenarios.{Path(self.script).stem}"
        command = [node(), script] if script.endswith(".js") else [sys.executable, "-m", module]
        settings = {
            "OPENPERP_SETUP": str(setup),
            "OPENPERP_DIALECT": dialect,
            "OPENPERP_VENUE": venue.rest,
            "OPENPERP_OPERATOR_TOKEN": venue.operator_token,
        }
        output = self.execute(command, settings)
        lines = [line for line in output.splitlines() if line.startswith('{"step"')]
        return [msgspec.json.decode(line, type=Step) for line in lines]

    def execute(self, command: list[str], settings: dict[str, str]) -> str:
        """Runs a command that finds the client; what it printed.

        Raises:
            AssertionError: It ended badly.
        """
        result = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **self.home(self.package).environment, **settings},
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout


def quote(venue: Venue) -> None:
    """A maker of its own quotes 0.1 BTC on either side of 60000."""
    maker = venue.account("maker", deposit="100000")
    fields = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    maker.post("/fapi/v1/order", **fields, side="BUY", price="59999")
    maker.post("/fapi/v1/order", **fields, side="SELL", price="60001")


def before_first_call(snippet: str) -> str:
    lines = snippet.splitlines(keepends=True)
    first = next(index for index, line in enumerate(lines) if line.endswith(FIRST_CALL))
    return "".join(lines[:first])


PROGRAMS = (
    Program("ccxt", "ccxt", "ccxt_sync.py", steps=TRADING + LIQUIDATIONS),
    Program("ccxt-async", "ccxt", "ccxt_async.py", steps=TRADING + LIQUIDATIONS),
    Program("ccxt-pro", "ccxt", "ccxt_pro.py"),
    Program("python-binance", "python-binance", "binance_python.py"),
    Program(
        "binance-futures-connector", "binance-futures-connector", "futures_connector.py", apart
    ),
    Program(
        "binance-sdk-derivatives-trading-usds-futures",
        "binance-sdk-derivatives-trading-usds-futures",
        "official_sdk.py",
    ),
    Program("binance", "binance", "npm_binance.js", from_npm),
)
