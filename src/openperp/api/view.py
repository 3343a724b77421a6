"""What a request may read. The node builds one view and keeps it current."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from openperp.api.adl_queue import AdlQueue
from openperp.api.dialect import Dialect
from openperp.api.downloads import Downloads
from openperp.api.limits import Limits
from openperp.api.listen_keys import ListenKeys
from openperp.api.margin_calls import MarginCalls
from openperp.api.wire.numbers import InstrumentFormat, instrument_format
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.snapshot import digest
from openperp.engine.state import Market, State
from openperp.history.base import History


@dataclass(slots=True, frozen=True)
class ApiKey:
    """A key as authentication needs it.

    `verify` tells whether a signature, as the caller wrote it, is that of a
    text; `api.security.hmac_verifier` makes one from an HMAC secret. An empty
    `ips` allows every address. `kind` is "hmac", "ed25519" or "rsa".
    """

    account: int
    verify: Callable[[bytes, str], bool]
    permissions: frozenset[str] = frozenset({"read", "trade"})
    ips: frozenset[str] = frozenset()
    kind: str = "hmac"


class KeyRing(Protocol):
    """The keys that may sign, by the bytes of the X-MBX-APIKEY header. A dict is one."""

    def get(self, api_key: bytes, /) -> ApiKey | None: ...


class Credentials(msgspec.Struct, frozen=True):
    """A fresh key: 64 characters of [A-Za-z0-9] each, and the secret sealed for the journal.

    Of a key whose owner signs with a private key the secret is the public key.
    """

    api_key: str
    api_secret: str
    sealed_secret: bytes


class Mint(Protocol):
    """Makes a key, with a fresh secret unless there is one to be sealed already."""

    def __call__(self, secret: str = "") -> Credentials: ...


@dataclass(slots=True, kw_only=True)
class View:
    """`market` is "demo" or "quiet", `clock_mode` "real" or "virtual".

    `now_ms` is the venue's time and `wall_ms` the machine's, both in
    milliseconds since the Unix epoch. `strict` holds the tolerances that are
    switched off: "signature", "time", "params", "streams". `mint` makes
    credentials, since randomness is not at home here. `specify` turns a symbol
    and the terms of its instrument, written as in the configuration file, into
    the specification and a first index price in ticks; a fault in the terms is
    a ValueError that names it. `find_fault` says what is wrong with the venue
    itself, as one sentence, and nothing while it is sound.
    """

    state: State
    history: History
    keys: KeyRing
    dialect: Dialect
    now_ms: Callable[[], int]
    wall_ms: Callable[[], int]
    mint: Mint
    specify: Callable[[str, Mapping[str, Any]], tuple[InstrumentSpec, int]]
    operator_token: str
    find_fault: Callable[[], str]
    limits: Limits = field(default_factory=Limits)
    downloads: Downloads = field(default_factory=Downloads)
    listen_keys: ListenKeys = field(default_factory=ListenKeys)
    margin_calls: MarginCalls = field(default_factory=MarginCalls)
    adl_queue: AdlQueue = field(default_factory=AdlQueue)
    market: str = "quiet"
    clock_mode: str = "real"
    strict: frozenset[str] = frozenset()
    explain: bool = True
    limits_on: bool = True
    _digest: tuple[int, str] = (-1, "")

    def format_of(self, market: Market) -> InstrumentFormat:
        """How the dialect writes the prices and quantities of a market."""
        return instrument_format(market.spec, shortest=self.dialect.shortest_decimals)

    def digest(self) -> str:
        """The digest of the state, computed once per sequence number."""
        seq = self.state.seq
        if self._digest[0] != seq:
            self._digest = (seq, digest(self.state))
        return self._digest[1]
