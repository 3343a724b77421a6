"""From what happens to those who listen: each payload is framed once, and written to all.

The bytes of a frame are the same object for every reader. A reader that takes
less than it is sent holds `SLOW_READER_BYTES` and is gone; nobody waits for it.
"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from openperp.api.streams.control import StreamSession
from openperp.api.streams.feed import MarketFeed
from openperp.api.streams.names import Stream, parse
from openperp.api.streams.user import user_payloads
from openperp.api.streams.user_events import LISTEN_KEY_EXPIRED, expired_payload
from openperp.api.view import View
from openperp.engine.events import Applied
from openperp.gateway.sockets import Socket, text_frame
from openperp.history.base import HistoryUnusable

Write = Callable[[bytes], None]


class Listeners:
    """Those who listen to one name, by the form in which they take it."""

    __slots__ = ("_head", "combined", "raw")

    def __init__(self, name: str) -> None:
        self._head = b'{"stream":%b,"data":' % msgspec.json.encode(name)
        self.raw: dict[Socket, Write] = {}
        self.combined: dict[Socket, Write] = {}

    def add(self, socket: Socket, *, combined: bool) -> None:
        self.discard(socket)
        (self.combined if combined else self.raw)[socket] = socket.write

    def discard(self, socket: Socket) -> bool:
        """Returns whether nobody is left."""
        self.raw.pop(socket, None)
        self.combined.pop(socket, None)
        return not self.raw and not self.combined

    def frames(self, payload: bytes) -> tuple[bytes, bytes]:
        """The raw and the combined frame, each only where somebody takes it."""
        return (
            text_frame(payload) if self.raw else b"",
            text_frame(b"%b%b}" % (self._head, payload)) if self.combined else b"",
        )


class MarketListeners(Listeners):
    """Those of one market stream."""

    __slots__ = ("stream",)

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.name)
        self.stream = stream

    def publish(self, payload: bytes) -> None:
        raw, combined = self.frames(payload)
        # A write never calls back into these: a lost connection is told in a later turn.
        for write in self.raw.values():
            write(raw)
        for write in self.combined.values():
            write(combined)


class KeyListeners(Listeners):
    """Those of one listen key; `wanted` holds the events of those who do not want all."""

    __slots__ = ("account", "wanted")

    def __init__(self, listen_key: str, account: int) -> None:
        super().__init__(listen_key)
        self.account = account
        self.wanted: dict[Socket, frozenset[str]] = {}

    def discard(self, socket: Socket) -> bool:
        self.wanted.pop(socket, None)
        return super().discard(socket)

    def publish(self, event: str, payload: bytes) -> None:
        raw, combined = self.frames(payload)
        for members, frame in ((self.raw, raw), (self.combined, combined)):
            for socket, write in members.items():
                wanted = self.wanted.get(socket)
                if wanted is None or event in wanted:
                    write(frame)


class Fanout:
    """Who listens to what. Hears every record through `absorb`, and `flush` after each group."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._feed = MarketFeed(view, lambda: view.clock_mode == "virtual")
        self._markets: dict[str, MarketListeners] = {}
        self._keys: dict[str, KeyListeners] = {}
        self._accounts: dict[int, dict[str, KeyListeners]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due_ms = 0

    @property
    def streams(self) -> int:
        """How many streams and listen keys somebody hears."""
        return len(self._markets) + len(self._keys)

    def resolve(self, name: str) -> str | None:
        """The name under which a stream speaks, if it exists now."""
        if self._find_account(name) is not None:
            return name
        stream = self._find_stream(name)
        return None if stream is None else stream.name

    def join(self, socket: Socket, names: Iterable[str], session: StreamSession) -> None:
        """`socket` hears `names` from now on; those that are none stay silent."""
        for name in names:
            listeners = self._find_listeners(name)
            if listeners is None:
                continue
            listeners.add(socket, combined=session.combined)
            wanted = session.streams.get(name)
            if isinstance(listeners, KeyListeners) and wanted is not None:
                listeners.wanted[socket] = wanted
        self._plan()

    def leave(self, socket: Socket, name: str) -> None:
        key = self._keys.get(name)
        if key is not None:
            if key.discard(socket):
                self._drop_key(name)
            return
        market = self._markets.get(name)
        if market is not None and market.discard(socket):
            del self._markets[name]
            self._feed.unwatch(market.stream)

    def absorb(self, applied: Applied) -> None:
        """Tells accounts what one record did to them, and notes what it did to markets."""
        self._feed.absorb(applied)
        if not self._accounts:
            return
        now_ms = self._view.now_ms()
        for account, event, payload in user_payloads(applied, self._view, self._accounts):
            for key, listeners in self._accounts[account].items():
                if self._view.listen_keys.find(key, now_ms) is not None:
                    listeners.publish(event, payload)

    def flush(self) -> None:
        """Sends what is due now, and plans for what is due later."""
        self._expire_keys()
        if self._markets:
            for name, payload in self._feed.collect(self._view.wall_ms()):
                self.publish(name, payload)
        self._plan()

    def publish(self, name: str, payload: bytes) -> None:
        """Sends one payload to the listeners of a market stream, if there are any."""
        listeners = self._markets.get(name)
        if listeners is not None:
            listeners.publish(payload)

    def close(self) -> None:
        """Nothing is sent from here on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _find_account(self, name: str) -> int | None:
        return self._view.listen_keys.find(name, self._view.now_ms())

    def _find_stream(self, name: str) -> Stream | None:
        return parse(name, self._view.state, exact="streams" in self._view.strict)

    def _find_listeners(self, name: str) -> Listeners | None:
        account = self._find_account(name)
        if account is not None:
            key = self._keys.get(name)
            if key is None:
                key = self._keys[name] = KeyListeners(name, account)
                self._accounts.setdefault(account, {})[name] = key
            return key
        return self._markets.get(name) or self._open_market(name)

    def _open_market(self, name: str) -> MarketListeners | None:
        stream = self._find_stream(name)
        if stream is None:
            return None
        try:
            self._feed.watch(stream)
        except HistoryUnusable:
            return None  # silent; the venue says elsewhere what is wrong
        listeners = self._markets[stream.name] = MarketListeners(stream)
        return listeners

    def _drop_key(self, name: str) -> None:
        listeners = self._keys.pop(name)
        siblings = self._accounts[listeners.account]
        del siblings[name]
        if not siblings:
            del self._accounts[listeners.account]

    def _expire_keys(self) -> None:
        now_ms = self._view.now_ms()
        for name, _account in self._view.listen_keys.expire(now_ms):
            listeners = self._keys.get(name)
            if listeners is not None:
                listeners.publish(LISTEN_KEY_EXPIRED, expired_payload(name, now_ms))
                self._drop_key(name)

    def _plan(self) -> None:
        """Sets the timer to when something is due by itself."""
        wall_ms = self._view.wall_ms()
        due_ms = self._next_due_ms(wall_ms)
        if due_ms is None or (self._timer is not None and self._due_ms <= due_ms):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due_ms = due_ms
        delay = max(0, due_ms - wall_ms) / 1_000
        self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _next_due_ms(self, wall_ms: int) -> int | None:
        due_ms = self._feed.next_due_ms(wall_ms) if self._markets else None
        if self._keys and self._view.clock_mode == "real":
            expiry_ms = self._view.listen_keys.next_expiry_ms()
            if expiry_ms is not None:
                in_ms = wall_ms + expiry_ms - self._view.now_ms()
                due_ms = in_ms if due_ms is None else min(due_ms, in_ms)
        return due_ms

    def _wake(self) -> None:
        self._timer = None
        self.flush()
