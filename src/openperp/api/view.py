"""What a request may read. The node builds one view and keeps it current."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

from openperp.api.dialect import Dialect
from openperp.api.limits import Limits

if TYPE_CHECKING:
    from openperp.engine.state import State
    from openperp.history.base import History


@dataclass(slots=True, frozen=True)
class ApiKey:
    """A key as authentication needs it.

    `verify` tells whether a signature, as the caller wrote it, is that of a
    text; `api.security.hmac_verifier` makes one from an HMAC secret. An empty
    `ips` allows every address.
    """

    account: int
    verify: Callable[[bytes, str], bool]
    permissions: frozenset[str] = frozenset({"read", "trade"})
    ips: frozenset[str] = frozenset()


class KeyRing(Protocol):
    """The keys that may sign, by the bytes of the X-MBX-APIKEY header. A dict is one."""

    def get(self, api_key: bytes, /) -> ApiKey | None: ...


class Credentials(msgspec.Struct, frozen=True):
    """A fresh key: 64 characters of [A-Za-z0-9] each, and the secret sealed for the journal."""

    api_key: str
    api_secret: str
    sealed_secret: bytes


@dataclass(slots=True, kw_only=True)
class View:
    """`market` is "demo" or "quiet", `clock_mode` "real" or "virtual".

    `now_ms` is the venue's time and `wall_ms` the machine's, both in
    milliseconds since the Unix epoch. `strict` holds the tolerances that are
    switched off: "signature", "time", "params", "streams". `mint` makes
    credentials, since randomness is not at home here.
    """

    state: State
    history: History
    keys: KeyRing
    dialect: Dialect
    now_ms: Callable[[], int]
    wall_ms: Callable[[], int]
    mint: Callable[[], Credentials]
    operator_token: str
    limits: Limits = field(default_factory=Limits)
    market: str = "quiet"
    clock_mode: str = "real"
    strict: frozenset[str] = frozenset()
    explain: bool = True
    limits_on: bool = True
