"""The loopback server: starts, says which port is taken, ends long polls and websockets."""

from __future__ import annotations

import asyncio
import signal
from socket import IPPROTO_TCP
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect

from market.errors import TicktalkError
from sandbox.server import Serving, _listen, serve

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket


async def greet(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.receive()


class LongPoll:
    def __init__(self) -> None:
        self.arrived = asyncio.Event()

    async def answer(self, _request: Request) -> PlainTextResponse:
        self.arrived.set()
        await asyncio.Event().wait()
        return PlainTextResponse("never")


def app() -> Starlette:
    return Starlette(routes=[Route("/", greet), WebSocketRoute("/echo", echo)])


def test_serve_answers_on_any_free_port() -> None:
    async def scenario() -> tuple[str, Serving]:
        serving = await serve(app())
        async with httpx.AsyncClient() as client:
            text = (await client.get(serving.url + "/")).text
        await serving.stop()
        return text, serving

    text, serving = asyncio.run(scenario())
    assert text == "hello"
    assert serving.url == f"http://127.0.0.1:{serving.port}"
    assert serving.port > 0


def test_serve_sends_an_answer_without_waiting_for_acknowledgements() -> None:
    with _listen("127.0.0.1", 0) as listener:
        assert listener.proto == IPPROTO_TCP  # asyncio sets TCP_NODELAY for these alone


def test_serve_talks_over_websockets() -> None:
    async def scenario() -> str | bytes:
        serving = await serve(app())
        async with connect(serving.url.replace("http", "ws") + "/echo") as socket:
            await socket.send("tick")
            answer = await socket.recv()
        await serving.stop()
        return answer

    assert asyncio.run(scenario()) == "tick"


def test_stop_ends_an_open_websocket_and_a_long_poll() -> None:
    async def scenario() -> tuple[bool, bool]:
        poll = LongPoll()
        routes = [Route("/poll", poll.answer), WebSocketRoute("/echo", echo)]
        serving = await serve(Starlette(routes=routes))
        async with httpx.AsyncClient(timeout=10) as client:
            socket = await connect(serving.url.replace("http", "ws") + "/echo")
            waiting = asyncio.create_task(client.get(serving.url + "/poll"))
            await poll.arrived.wait()
            await asyncio.wait_for(serving.stop(), timeout=10)
            await asyncio.wait_for(socket.wait_closed(), timeout=10)
            result = (await asyncio.gather(waiting, return_exceptions=True))[0]
        ended = isinstance(result, httpx.HTTPError) or (
            isinstance(result, httpx.Response) and result.status_code >= 500
        )
        return ended, socket.close_code is not None

    assert asyncio.run(scenario()) == (True, True)


def test_serve_names_a_taken_port() -> None:
    async def scenario() -> None:
        first = await serve(app())
        try:
            with pytest.raises(
                TicktalkError, match=rf"port {first.port} .* already in use.*--port"
            ):
                await serve(app(), port=first.port)
        finally:
            await first.stop()

    asyncio.run(scenario())


def test_serve_refuses_a_port_that_cannot_be() -> None:
    with pytest.raises(TicktalkError, match=r"port 70000 .*--port"):
        asyncio.run(serve(app(), port=70_000))


def test_serve_leaves_signal_handlers_alone() -> None:
    async def scenario() -> bool:
        before = signal.getsignal(signal.SIGTERM)
        serving = await serve(app())
        same = signal.getsignal(signal.SIGTERM) is before
        await serving.stop()
        return same

    assert asyncio.run(scenario())


def test_serve_reports_an_application_that_refuses_to_start() -> None:
    class Refusing:
        def __init__(self, _app: Starlette) -> None:
            pass

        async def __aenter__(self) -> None:
            raise RuntimeError("no")

        async def __aexit__(self, *_error: object) -> None:
            return None

    with pytest.raises(TicktalkError, match="refused to start"):
        asyncio.run(serve(Starlette(lifespan=Refusing)))


def test_a_port_is_free_again_after_stop() -> None:
    async def scenario() -> int:
        first = await serve(app())
        await first.stop()
        second = await serve(app(), port=first.port)
        await second.stop()
        return second.port - first.port

    assert asyncio.run(scenario()) == 0
