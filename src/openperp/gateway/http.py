"""HTTP as a raw ASGI application: bytes become requests, answers become bytes."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

import msgspec

from openperp.api.dispatch import (
    JSON_HEADER,
    Answer,
    Pending,
    allow_value,
    find_methods,
    finish,
    prepare,
)
from openperp.api.endpoint import Request
from openperp.api.errors import ApiError
from openperp.api.explain import header_value
from openperp.api.streams.targets import read_target
from openperp.engine.events import Applied
from openperp.gateway.pages import PATHS, read_page
from openperp.node.node import Node
from openperp.node.refusals import to_api_error

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Head = Mapping[str, Any]
"""What is read of a scope."""

BODY_LIMIT: Final = 1024 * 1024
"""Bytes of a request's body; a longer one is refused before it is held."""


class BodyTooLarge(Exception):
    """More than `BODY_LIMIT` bytes came, or were announced."""


class ClientGone(Exception):
    """The client left before its request was whole."""


class Gateway:
    """The application of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self.handle(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; a client that leaves before it is whole gets nothing."""
        try:
            answer = await self._answer(scope, receive)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - whatever it was, the client hears of it
            answer = self._fail(error, scope, [JSON_HEADER])
        body, headers = answer.body, answer.headers
        if answer.status != 204:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = dict(scope["headers"])
        body = b""
        if b"content-length" in headers or b"transfer-encoding" in headers:
            try:
                body = await _read_body(headers, receive)
            except BodyTooLarge:
                return self._refuse(_too_large(), [JSON_HEADER])
        prepared = self._prepare(scope, headers, body)
        if isinstance(prepared, Answer):
            return prepared
        try:
            promise = self._node.submit(prepared.submission)
            await promise
        except Exception as error:  # noqa: BLE001 - as above
            return self._fail(error, scope, prepared.headers)
        return self._finish(prepared, scope, promise)

    def answer_whole(self, scope: Head, body: bytes, reply: Callable[[Answer], None]) -> None:
        """Answers a request that is there with its whole body, without a task of its own.

        `reply` is called once: here, or when the command has been carried out.
        """
        begun = [JSON_HEADER]
        try:
            prepared = self._prepare(scope, dict(scope["headers"]), body)
            if isinstance(prepared, Answer):
                reply(prepared)
                return
            begun = prepared.headers
            promise = self._node.submit(prepared.submission)
        except Exception as error:  # noqa: BLE001 - as above
            reply(self._fail(error, scope, begun))
            return
        promise.add_done_callback(lambda promise: reply(self._finish(prepared, scope, promise)))

    def _prepare(self, scope: Head, headers: dict[bytes, bytes], body: bytes) -> Answer | Pending:
        method, path = scope["method"], scope["path"]
        if method == "HEAD":
            method = "GET"
        elif method == "OPTIONS" and (methods := _find_methods(path)):
            return Answer(204, b"", [(b"allow", allow_value(methods).encode())])
        if path in PATHS and method == "GET":
            page = read_page(path)
            return Answer(200, page.body, [(b"content-type", page.content_type)])
        client = scope["client"]
        request = Request(
            method,
            path,
            scope["query_string"],
            body,
            headers,
            client[0] if client else "",
            scope["scheme"],
        )
        prepared = prepare(request, self._node.view)
        if isinstance(prepared, Pending):
            return prepared
        if prepared.status == 404 and method == "GET" and read_target(path, b"") is not None:
            return self._refuse(_no_upgrade(path), [JSON_HEADER, (b"upgrade", b"websocket")])
        return prepared

    def _finish(self, pending: Pending, scope: Head, promise: Future[Applied]) -> Answer:
        """The outcome of a command; a refusal, too, tells what the request has cost."""
        carried_out = False
        try:
            applied = promise.result()
            carried_out = True
            return finish(pending, applied)
        except Exception as error:  # noqa: BLE001 - as in `handle`
            return self._fail(error, scope, pending.headers, carried_out=carried_out)

    def _fail(
        self,
        error: Exception,
        scope: Head,
        headers: Headers,
        *,
        carried_out: bool = False,
    ) -> Answer:
        request = f"{scope['method']} {scope['path']}"
        return self._refuse(to_api_error(error, request, carried_out=carried_out), headers)

    @property
    def explains(self) -> bool:
        """Whether refusals carry X-Explain."""
        return self._node.view.explain

    def _refuse(self, error: ApiError, headers: Headers) -> Answer:
        headers = [*headers]
        if self.explains:
            headers.append((b"x-explain", header_value(error.explain or error.msg)))
        body = msgspec.json.encode({"code": error.code, "msg": error.msg})
        return Answer(error.status, body, headers)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Starts and stops the node with the server, for servers that announce themselves."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self._node.start()
                except Exception as error:  # noqa: BLE001 - the server has to hear of any
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._node.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """The whole body, announced by its length or in chunks."""
    announced = headers.get(b"content-length", b"").lstrip(b"0")
    if len(announced) > 10 or (announced.isdigit() and int(announced) > BODY_LIMIT):
        raise BodyTooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body") and message["type"] == "http.request":
        if len(body) > BODY_LIMIT:
            raise BodyTooLarge
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            raise BodyTooLarge
    if message["type"] != "http.request":
        raise ClientGone
    return b"".join(parts)


def _find_methods(path: str) -> Iterable[str]:
    """What a path takes; nothing, if there is nothing at it."""
    if path in PATHS or read_target(path, b"") is not None:
        return ("GET",)
    methods, _ = find_methods(path)
    return methods or ()


def _no_upgrade(path: str) -> ApiError:
    why = f"{path} is opened as a WebSocket: GET with Upgrade: websocket"
    return ApiError(-5000, path[:200], "GET", status=426, explain=why)


def _too_large() -> ApiError:
    return ApiError(-1130, "body", status=413, explain=f"a body may have {BODY_LIMIT} bytes")
