"""An endpoint: one declaration from which its route, checks and documentation follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Generic, TypeVar

import msgspec

from openperp.api.limits import Pool
from openperp.api.params import Params, Reader
from openperp.api.view import View
from openperp.engine.commands import Command
from openperp.engine.events import Applied
from openperp.engine.rejects import Reject

P = TypeVar("P", bound=Params)


class Security(Enum):
    """What a caller must prove.

    MARKET_DATA and USER_STREAM ask for a known key, USER_DATA and TRADE for a
    signature too, OPERATOR for the operator's token.
    """

    NONE = auto()
    MARKET_DATA = auto()
    USER_STREAM = auto()
    USER_DATA = auto()
    TRADE = auto()
    OPERATOR = auto()


class Request(msgspec.Struct, frozen=True):
    """One HTTP request: `query` and `body` are the bytes as sent, header names lower-case.

    `scheme` is how it came: "http" or "https".
    """

    method: str
    path: str
    query: bytes
    body: bytes
    headers: dict[bytes, bytes]
    ip: str
    scheme: str = "http"


@dataclass(slots=True)
class Call:
    """One request on its way through a handler; `account` is 0 where nobody signed.

    `over_http` tells it from a method of the WebSocket API.
    """

    view: View
    account: int
    now_ms: int
    request: Request
    over_http: bool = True


class ClockChange(msgspec.Struct, frozen=True):
    """A change of the node's clock that goes before a command: one of the three."""

    mode: str | None = None
    to_ms: int | None = None
    by_ms: int | None = None


@dataclass(slots=True)
class Submission:
    """A command for the sequencer, and what its outcome says to the caller.

    `finish` is called only when the command as a whole was not refused; it may
    raise `ApiError`. A list that it returns may hold `ApiError` for elements.
    `explain` may find more to say of a refusal than its own numbers.
    """

    command: Command
    finish: Callable[[Applied], Any]
    clock: ClockChange | None = None
    explain: Callable[[Reject], str] | None = None


class Document(msgspec.Struct, frozen=True):
    """An answer that is no JSON: a file to be kept under `name`."""

    media_type: str
    body: bytes
    name: str


@dataclass(slots=True)
class Endpoint(Generic[P]):
    """One method of one path.

    `weight` is what a call costs of the request weight of its IP address; where
    it depends on the parameters it is a function of them. `order_count` is what
    it costs of the account's orders, per 10 seconds and per minute. `handle`
    returns anything that msgspec encodes, a `Document`, or a `Submission`. `ws`
    are the methods of the WebSocket API that this declaration serves too. `pool`
    is a limit of its own beside the weight. `stance` says in one sentence why the
    answer is an empty, default or disabled one, where it is. `spot` marks a call of
    the spot API, whose answers name the weight under an older header as well.
    `requests` are examples by what they do, path parameters among them, each of which a
    fresh venue with its account `demo` accepts.
    """

    method: str
    path: str
    security: Security
    params: type[P]
    handle: Callable[[Call, P], Any]
    summary: str
    weight: int | Callable[[P], int] = 1
    order_count: tuple[int, int] = (0, 0)
    ws: tuple[str, ...] = ()
    pool: Pool | None = None
    stance: str = ""
    spot: bool = False
    requests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reader: Reader[P] = field(init=False)

    def __post_init__(self) -> None:
        self.reader = Reader(self.params)
