"""A complete venue on a port of its own, as an object of a test."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import Any, Self

from openperp.node.config import load_config
from openperp.testing.account import Account, encode
from openperp.testing.duration import to_ms
from openperp.testing.http import Answer, VenueError, Wire
from openperp.testing.operator import Operator
from openperp.testing.server import BackgroundServer

DEPOSIT = "10000"
"""USDT of an account that is opened without saying how much."""
NOT_SUPPORTED = -1020
"""Answer to a move of a clock that is real."""


class Venue:
    """A running venue: its own free port, its own memory journal, nothing shared.

    `rest`, `ws` and `ws_api` are its addresses, `operator_token` opens the
    operator API, and `demo` is the account that every venue starts with. What
    the methods do goes through that API, so a client in any language can do the
    same.

    Args:
        market: "quiet" (nothing happens unless someone acts) or "demo".
        clock: "virtual" (stands still until `advance`) or "real".
        clock_start: Where a virtual clock starts, as ISO 8601.
        seed: What the demo market's randomness comes from.
        dialect: "ztdx" or "binance"; None takes that of `data`.
        limits: Whether rate and order-count limits hold.
        price_guards: Whether the built-in instruments refuse prices far from mark, as
            Binance does; None takes that of `config`, which is True unless it says otherwise.
        explain: Whether refusals carry the header X-Explain.
        strict: Names of tolerances to switch off: signature, time, params, streams.
        config: A TOML file with more settings, instruments among them.
        data: A data directory to keep the journal in, instead of memory.

    Raises:
        openperp.node.errors.StartupError: An option says nothing usable.
    """

    def __init__(
        self,
        *,
        market: str = "quiet",
        clock: str = "virtual",
        clock_start: str | None = None,
        seed: int = 1,
        dialect: str | None = "ztdx",
        limits: bool = True,
        price_guards: bool | None = None,
        explain: bool = True,
        strict: tuple[str, ...] = (),
        config: Path | None = None,
        data: Path | None = None,
    ) -> None:
        options: dict[str, object] = {
            "market": market,
            "clock": clock,
            "clock_start": clock_start,
            "seed": seed,
            "dialect": dialect,
            "limits": limits,
            "price_guards": price_guards,
            "explain": explain,
            "strict": tuple(strict),
            "data": None if data is None else str(data),
            "ephemeral": data is None,
            "host": "127.0.0.1",
            "port": 0,
        }
        self.seed = seed
        self._data = data
        self._server = BackgroundServer(load_config(config, **options))
        address = f"127.0.0.1:{self._server.port}"
        self.rest = f"http://{address}"
        self.ws = f"ws://{address}"
        self.ws_api = f"ws://{address}/ws-fapi/v1"
        access = self._server.access
        self.operator_token = access.operator_token
        self.wire = Wire(self.rest)
        self.operator = Operator(self.wire, self.operator_token)
        self._strict_time = clock == "virtual" and "time" in strict
        self._accounts: dict[str, Account] = {}
        demo = access.account
        self.demo = self.attach(demo.name, demo.api_key, demo.api_secret)

    def account(self, name: str, deposit: str | int | Decimal | None = None) -> Account:
        """The account `name`: the one at hand, or a new one with `deposit` (10000 USDT).

        Raises:
            VenueError: `deposit` is given and the venue has an account of that name.
        """
        if deposit is None and name in self._accounts:
            return self._accounts[name]
        amount = DEPOSIT if deposit is None else str(deposit)
        reply = self.operator.post("accounts", name=name, deposit=amount)
        return self.attach(name, reply["api_key"], reply["api_secret"])

    def attach(self, name: str, api_key: str, api_secret: str) -> Account:
        """An account that the venue knows already, by its keys."""
        account = Account(self.wire, name, api_key, api_secret, self.now_ms)
        self._accounts.setdefault(name, account)
        return account

    def price(self, symbol: str, price: str | int | Decimal, *, last: bool = True) -> Any:
        """Sets the index price; in a quiet market mark and, with `last`, last price follow."""
        fields: dict[str, Any] = {"symbol": symbol, "price": str(price)}
        return self.operator.post("price", **(fields if last else {**fields, "last": False}))

    def advance(self, span: str | int | timedelta) -> Any:
        """Moves the virtual clock by "8h", milliseconds or a timedelta; what is due happens.

        A demo market acts on the way: each second for five minutes, then each minute for a
        day, then each hour.

        Raises:
            ValueError: `span` is not a span of time.
            RuntimeError: The venue has a real clock.
        """
        advance_ms = to_ms(span)
        try:
            return self.operator.post("clock", advance_ms=advance_ms)
        except VenueError as error:
            if error.code != NOT_SUPPORTED:
                raise
            raise RuntimeError(
                'a real clock cannot be advanced: start the venue with Venue(clock="virtual")'
            ) from None

    def reset(self) -> Any:
        """Back to the start: accounts keep keys and first deposits, everything else goes."""
        return self.operator.post("reset")

    def status(self) -> Any:
        """Sequence number, digest, time, mode and invariants of the venue."""
        return self.operator.get("status")

    def get(self, path: str, **params: Any) -> Any:
        """The decoded answer to an unsigned GET: `get("/fapi/v1/depth", symbol="BTCUSDT")`.

        Raises:
            VenueError: The venue refuses.
        """
        query = encode(params)
        separator = "&" if "?" in path else "?"
        answer = self.wire.send("GET", f"{path}{separator}{query}" if query else path)
        if answer.status >= 400:
            raise VenueError(answer)
        return answer.json()

    def request(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Sends exactly this; the answer as it came, whatever its status."""
        return self.wire.send(method, target, headers, body)

    def now_ms(self) -> int:
        """The time to sign requests with, in milliseconds: the wall's unless time is strict."""
        if self._strict_time:
            answer = self.wire.send("GET", "/fapi/v1/time")
            return int(json.loads(answer.body)["serverTime"])
        return time_ns() // 1_000_000

    def save_journal(self, directory: Path) -> str:
        """Writes all that happened so far as a journal in `directory`; returns how to replay it.

        A venue that was given `data` has its journal there already.
        """
        if self._data is not None:
            return f"openperp verify {self._data}"
        self._server.save_journal(directory)
        return f"openperp verify {directory}"

    def close(self) -> None:
        """Stops the venue; what it had in memory is gone. May be called twice."""
        self.wire.close()
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Venue({self.rest!r}, seed={self.seed})"
