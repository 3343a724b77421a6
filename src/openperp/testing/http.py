"""HTTP for tests: one kept-alive connection per thread, bytes as given, nothing sent twice."""

import json
import selectors
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec

TIMEOUT_S = 30.0


class Answer(msgspec.Struct, frozen=True):
    """What came back: `headers` have lower-case names, `body` is as received."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: The body is not JSON.
        """
        return json.loads(self.body)


class VenueError(Exception):
    """The venue said no: `code` and `msg` as in the API, `explain` where it said why."""

    def __init__(self, answer: Answer) -> None:
        try:
            fault = answer.json()
        except ValueError:
            fault = {}
        self.status = answer.status
        self.code: int | None = fault.get("code")
        self.msg: str = fault.get("msg", answer.body.decode(errors="replace"))
        self.explain = answer.headers.get("x-explain", "")
        says_more = self.explain and self.explain not in self.msg
        reason = f" ({self.explain})" if says_more else ""
        super().__init__(f"HTTP {self.status}, code {self.code}: {self.msg}{reason}")


class Wire:
    """Sends requests to one server, from any number of threads.

    `closing` is called at the end, for clients that were pointed at the same server.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.closing: list[Callable[[], None]] = []
        self._address = urlsplit(url).netloc
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[HTTPConnection] = []

    def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """Sends one request; `target` is the path with the query, already encoded.

        Raises:
            OSError: The server cannot be reached.
        """
        connection = self._connection()
        connection.timeout = timeout_s
        try:
            if connection.sock is not None:
                connection.sock.settimeout(timeout_s)
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, content)

    def close(self) -> None:
        for close in self.closing:
            close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def _connection(self) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = HTTPConnection(self._address, timeout=TIMEOUT_S)
            self._local.connection = connection
            with self._lock:
                self._open.append(connection)
        elif _has_ended(connection):
            connection.close()  # the next request opens it anew
        return connection


def _has_ended(connection: HTTPConnection) -> bool:
    """Whether the server closed it: between requests there is nothing else to read.

    Servers end what is idle for long, this one after 75 seconds.
    """
    if connection.sock is None:
        return False
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(connection.sock, selectors.EVENT_READ)
        except ValueError:
            return True  # another thread closed the handle a moment ago
        return bool(selector.select(0))
