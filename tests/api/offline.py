"""A venue without sockets: prepare, apply and finish, as the node calls them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from openperp.api.dialect import DIALECTS, Dialect
from openperp.api.dispatch import Answer, finish, prepare
from openperp.api.endpoint import Request
from openperp.api.security import hmac_verifier
from openperp.api.view import ApiKey, Credentials, View
from openperp.engine.apply import apply
from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineInstrument,
    Record,
    SetPrice,
)
from openperp.engine.events import Applied
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import State
from openperp.history.store import SqliteHistory
from openperp.node.errors import ConfigError
from openperp.node.instruments import BUILT_IN, InstrumentTerms, specify
from openperp.node.opening import open_venue

START_MS = 1_767_225_600_000
WALL_MS = 1_764_000_000_000
TOKEN = "the-operator-token"
SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"


def api_key(name: str) -> str:
    return (name * 64)[:64]


OPEN: list[SqliteHistory] = []
"""Histories to be closed when their test is over."""


class OfflineVenue:
    """The built-in instruments, and accounts alice and bob with 10000 USDT and one key each.

    `now_ms` is the venue's clock and `wall_ms` the machine's; both stand still.
    """

    def __init__(self, dialect: str | Dialect = "ztdx", **settings: Any) -> None:
        rules = dialect if isinstance(dialect, Dialect) else DIALECTS[dialect]
        self.now_ms = START_MS
        self.wall_ms = WALL_MS
        self.state = State()
        self.history = SqliteHistory(None)
        OPEN.append(self.history)
        self.keys: dict[bytes, ApiKey] = {}
        self.minted = 0
        self.fault = ""
        self.view = View(
            state=self.state,
            history=self.history,
            keys=self.keys,
            dialect=rules,
            now_ms=lambda: self.now_ms,
            wall_ms=lambda: self.wall_ms,
            mint=self._mint,
            specify=_specify,
            operator_token=TOKEN,
            find_fault=lambda: self.fault,
            **settings,
        )
        self.apply(open_venue(rules))
        for symbol in BUILT_IN:
            self.apply(DefineInstrument(*_specify(symbol, {})))
        for name in ("alice", "bob"):
            self.apply(CreateAccount(name, 10_000 * MONEY_ONE))
            self.add_key(api_key(name), name)

    def add_key(self, key: str, name: str, **changes: Any) -> None:
        account = self.state.account_ids[name]
        self.keys[key.encode()] = ApiKey(account, hmac_verifier(SECRET.encode()), **changes)

    def apply(self, command: Command) -> Applied:
        applied = apply(self.state, Record(self.state.seq + 1, self.now_ms, command))
        self.history.absorb(applied)
        return applied

    def price(self, symbol: str, ticks: int) -> None:
        self.apply(SetPrice(symbol, ticks, moves_last=True))

    def ask(
        self,
        method: str,
        path: str,
        query: str | bytes = b"",
        body: str | bytes = b"",
        headers: dict[str, str] | None = None,
        ip: str = "127.0.0.1",
    ) -> Answer:
        """Sends a request as it is."""
        request = Request(
            method,
            path,
            query.encode() if isinstance(query, str) else query,
            body.encode() if isinstance(body, str) else body,
            {name.lower().encode(): text.encode() for name, text in (headers or {}).items()},
            ip,
        )
        return self.send(request)

    def send(self, request: Request) -> Answer:
        outcome = prepare(request, self.view)
        if isinstance(outcome, Answer):
            return outcome
        change = outcome.submission.clock
        if change is not None:
            self.view.clock_mode = change.mode or self.view.clock_mode
            self.now_ms = change.to_ms or self.now_ms + (change.by_ms or 0)
        return finish(outcome, self.apply(outcome.submission.command))

    def get(self, path: str, query: str = "") -> Any:
        """The decoded answer to a public GET."""
        answer = self.ask("GET", path, query)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def signed(
        self, method: str, path: str, query: str = "", body: str = "", **more: Any
    ) -> Answer:
        """Sends a request that is stamped and signed, as `name` (alice)."""
        name = more.pop("name", "alice")
        query = f"{query}{'&' if query else ''}timestamp={self.now_ms}"
        query += f"&signature={sign(query + body)}"
        return self.ask(method, path, query, body, {"X-MBX-APIKEY": api_key(name)}, **more)

    def sign(self, method: str, path: str, fields: dict[str, str]) -> Request:
        """A request with `fields` in its query, signed by alice and shown to the operator."""
        query = urlencode({**fields, "timestamp": self.now_ms})
        query += f"&signature={sign(query)}"
        headers = {
            b"x-mbx-apikey": api_key("alice").encode(),
            b"authorization": f"Bearer {TOKEN}".encode(),
        }
        return Request(method, path, query.encode(), b"", headers, "::1")

    def operator(self, method: str, path: str, **fields: Any) -> Answer:
        body = json.dumps(fields) if method == "POST" else ""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        query = urlencode(fields) if method == "GET" else ""
        return self.ask(method, f"/operator/v1/{path}", query, body, headers)

    def _mint(self, secret: str = "") -> Credentials:
        self.minted += 1
        made = f"{self.minted:064}"
        return Credentials(made, secret or made[::-1], secret.encode() or b"sealed")


def _specify(symbol: str, terms: Mapping[str, Any]) -> tuple[InstrumentSpec, int]:
    base = msgspec.to_builtins(BUILT_IN[symbol]) if symbol in BUILT_IN else {}
    try:
        instrument = specify(symbol, msgspec.convert({**base, **terms}, InstrumentTerms))
    except (msgspec.ValidationError, ConfigError) as error:
        raise ValueError(str(error)) from None
    return instrument.spec, instrument.index_ticks


def sign(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def fault(answer: Answer) -> tuple[int, int, str]:
    """Status, code and message of a refusal."""
    body = json.loads(answer.body)
    return answer.status, body["code"], body["msg"]


def header(answer: Answer, name: str) -> str | None:
    values = [value.decode() for key, value in answer.headers if key.decode() == name]
    assert len(values) <= 1, values
    return values[0] if values else None
