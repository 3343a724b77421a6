"""What a WebSocket is opened for: the paths that lead to streams and to the WebSocket API.

    /ws/<stream>/<stream>            payloads as they are
    /stream?streams=<stream>/...     payloads in an envelope that names their stream
    /ws-fapi/v1                      requests and answers

The first two also stand below /public, /market and /private, and each takes any
stream there: clients do not agree which stream belongs where.
"""

from typing import Final
from urllib.parse import parse_qsl

import msgspec

from openperp.api.streams.user_events import parse_events

PREFIXES: Final = frozenset({"public", "market", "private"})
METHOD_PATH: Final = "/ws-fapi/v1"


class StreamPlan(msgspec.Struct, frozen=True):
    """Streams to begin with, in the order of the address.

    `events` names the user events that are wanted of a listen key; where a key
    is not in it, all are.
    """

    combined: bool
    names: tuple[str, ...] = ()
    events: dict[str, frozenset[str]] = {}


class MethodPlan(msgspec.Struct, frozen=True):
    """The WebSocket API, which reads the query for itself."""

    query: bytes


def read_target(path: str, query: bytes) -> StreamPlan | MethodPlan | None:
    """What stands behind a path, already percent-decoded, and its raw query, if anything does.

    >>> read_target("/market/ws/1", b"").names
    ()
    >>> read_target("/stream", b"streams=btcusdt@depth/!ticker@arr").names
    ('btcusdt@depth', '!ticker@arr')
    """
    if path.rstrip("/") == METHOD_PATH:
        return MethodPlan(query)
    _, *segments = path.split("/")
    if segments and segments[0] in PREFIXES:
        segments = segments[1:]
    if not segments or segments[0] not in {"ws", "stream"}:
        return None
    names = segments[1:]
    fields = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    events = _read_fields(fields, names)
    # Some clients number their connections at the end of the path.
    streams = [name for name in names if name and not name.isdecimal()]
    return StreamPlan(segments[0] == "stream", tuple(dict.fromkeys(streams)), events)


def _read_fields(fields: list[tuple[str, str]], names: list[str]) -> dict[str, frozenset[str]]:
    """Adds the streams of a query to `names`; which events are wanted of which key.

    A filter belongs to the key before it, and one before all keys to the first.
    """
    events: dict[str, frozenset[str]] = {}
    key, early = "", frozenset[str]()
    for field, value in fields:
        name = field.lower()
        if name == "streams":
            names += value.split("/")
        elif name == "listenkey":
            names.append(value)
            if not key and early:
                events[value] = early
            key = value
        elif name == "events":
            if key:
                events[key] = parse_events(value)
            else:
                early = parse_events(value)
    return events
