"""The Bot API over HTTP, close enough to the real one that a bot cannot tell."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.telegram_errors import OTHER_POLLER, RefusalError
from sandbox.telegram_faults import Fault, FaultKind
from sandbox.telegram_methods import METHODS
from sandbox.telegram_parameters import Parameters, read_parameters

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from sandbox.telegram_core import TelegramCore

LONGEST_POLL_SECONDS = 50
MOST_UPDATES = 100
PATIENCE_SECONDS = 600.0
"""How long a call that never gets an answer may hang."""

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_\-]+")
_BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head></html>"
_SPELLING = {name.lower(): name for name in ("getUpdates", *METHODS)}
"""Telegram does not mind the case of a method's name."""


def telegram_routes(core: TelegramCore, token: str) -> list[Route]:
    """Return the routes under /bot<token>/ and /file/bot<token>/."""
    api = _BotApi(core, token)
    return [
        Route("/bot{token}/{method}", api.call, methods=["GET", "POST"]),
        Route("/file/bot{token}/{path:path}", api.download, methods=["GET"]),
    ]


class _DroppedResponse(Response):
    """Promises a body and ends the connection before it: the caller gets no answer."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"2"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class _BotApi:
    def __init__(self, core: TelegramCore, token: str) -> None:
        self._core = core
        self._token = token

    async def call(self, request: Request) -> Response:
        try:
            self._check_token(request.path_params["token"])
            return await self._answer(_method(request.path_params["method"]), request)
        except RefusalError as refusal:
            return JSONResponse(refusal.as_json(), refusal.code)

    async def download(self, request: Request) -> Response:
        try:
            self._check_token(request.path_params["token"])
        except RefusalError as refusal:
            return JSONResponse(refusal.as_json(), refusal.code)
        if self._core.faults.network_down:
            return _DroppedResponse()
        path = request.path_params["path"]
        photo = self._core.photo(path.removeprefix("photos/").rpartition(".")[0])
        if photo is None or photo.path != path:
            return JSONResponse(RefusalError(404, "Not Found").as_json(), 404)
        return Response(photo.content, media_type="application/octet-stream")

    def _check_token(self, token: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise RefusalError(404, "Not Found")
        if token != self._token:
            raise RefusalError(401, "Unauthorized")

    async def _answer(self, method: str, request: Request) -> Response:
        core = self._core
        parameters = await read_parameters(request)
        core.calls[method] += 1
        core.changes.wake()
        fault = core.faults.take(method)
        if fault is not None and fault.kind is not FaultKind.ANSWER_LOST:
            return await self._fail(fault, request)
        result = await self._result(method, parameters, request)
        if fault is not None or core.faults.network_down:
            return _DroppedResponse()
        return JSONResponse({"ok": True, "result": result})

    async def _result(self, method: str, parameters: Parameters, request: Request) -> Any:
        if method == "getUpdates":
            return await self._get_updates(parameters, request)
        return METHODS[method](self._core, parameters)

    async def _fail(self, fault: Fault, request: Request) -> Response:
        if fault.refusal is not None:
            raise fault.refusal
        if fault.kind is FaultKind.BAD_GATEWAY:
            return HTMLResponse(_BAD_GATEWAY, 502)
        if fault.kind is FaultKind.TIMED_OUT:
            async with _Connection(request, self._core) as connection:
                await self._until(lambda: connection.is_gone, PATIENCE_SECONDS)
        return _DroppedResponse()

    async def _get_updates(self, parameters: Parameters, request: Request) -> list[Any]:
        core, queue = self._core, self._core.updates
        kinds = parameters.parsed("allowed_updates")
        if isinstance(kinds, list):
            queue.allow(str(kind) for kind in kinds)
        if offset := parameters.integer("offset"):
            queue.confirm(offset)
        mine = queue.enter()
        core.changes.wake()
        seconds = min(max(parameters.integer("timeout"), 0), LONGEST_POLL_SECONDS)
        async with _Connection(request, core) as connection:
            await self._until(
                lambda: queue.waiting() or queue.poller != mine or connection.is_gone, seconds
            )
        if queue.poller != mine:
            raise RefusalError(409, OTHER_POLLER)
        limit = parameters.integer("limit", MOST_UPDATES)
        return queue.waiting()[: min(max(limit, 1), MOST_UPDATES)]

    async def _until(self, predicate: Any, seconds: float) -> None:
        core = self._core
        with suppress(TimeoutError):
            await core.wait(
                lambda: predicate() or core.is_stopped or core.faults.network_down, seconds
            )


def _method(written: str) -> str:
    method = _SPELLING.get(written.lower())
    if method is None:
        raise RefusalError(404, "Not Found: method not found")
    return method


class _Connection:
    """Notices while a call is held that its caller has gone."""

    def __init__(self, request: Request, core: TelegramCore) -> None:
        self.is_gone = False
        self._request = request
        self._core = core
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> _Connection:
        self._listener = asyncio.create_task(self._listen(), name="watch a held call")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener

    async def _listen(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        self._core.changes.wake()
