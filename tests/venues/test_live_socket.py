"""A socket that stays open: in virtual time against an application, and over loopback."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from market.errors import SourceChanged, SourceUnavailable
from sandbox.memory_socket import connect_in_memory
from sandbox.server import serve
from tests.virtual_time import run_virtual
from venues.live_socket import Connect, LiveSocket, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.websockets import WebSocket

DEADLINE_SECONDS = 10


@dataclass
class Venue:
    """A server that repeats what it is told; what it should do wrong stands in its fields."""

    refused: int = 0
    silent: bool = False
    closes_after: int = 1_000_000
    heard: list[str] = field(default_factory=list)
    opened_at: list[float] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[WebSocketRoute("/live", self.talk)])

    async def talk(self, websocket: WebSocket) -> None:
        self.opened_at.append(asyncio.get_running_loop().time())
        if self.refused > 0:
            self.refused -= 1
            await websocket.close()
            return
        await websocket.accept()
        try:
            for _ in range(self.closes_after):
                text = await websocket.receive_text()
                self.heard.append(text)
                if not self.silent:
                    await websocket.send_text(f"re: {text}")
            await websocket.close(1001)
        except WebSocketDisconnect:
            return


class Ears:
    """Takes messages, and lets a test wait for the n-th."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self._waiting: list[tuple[Callable[[], bool], asyncio.Event]] = []

    def take(self, message: str | bytes) -> None:
        self.messages.append(message)
        if "odd" in str(message):
            raise SourceChanged("odd message")
        for is_so, event in self._waiting:
            if is_so():
                event.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        event = asyncio.Event()
        self._waiting.append((is_so, event))
        if not is_so():
            async with asyncio.timeout(DEADLINE_SECONDS):
                await event.wait()


def live(
    ears: Ears,
    connect: Connect,
    url: str = "ws://venue/live",
    greeting: list[str] | None = None,
    silence_seconds: float = 60,
) -> LiveSocket:
    words = ["hello"] if greeting is None else greeting
    return LiveSocket(
        "venue",
        url,
        ears.take,
        greet=lambda: list(words),
        silence_seconds=silence_seconds,
        connect=connect,
    )


def test_it_greets_and_hands_on_what_comes() -> None:
    async def scenario() -> tuple[list[str | bytes], bool, int]:
        venue, ears = Venue(), Ears()
        socket = live(ears, connect_in_memory(venue.app()))
        socket.ensure()
        socket.ensure()
        await ears.until(lambda: len(ears.messages) == 1)
        await socket.say(["more", "words"])
        await ears.until(lambda: len(ears.messages) == 3)
        state = socket.is_open, socket.opened_count
        await socket.close()
        return ears.messages, *state

    messages, is_open, opened = run_virtual(scenario())
    assert messages == ["re: hello", "re: more", "re: words"]
    assert (is_open, opened) == (True, 1)


def test_what_is_said_without_a_connection_is_left_to_the_greeting() -> None:
    async def scenario() -> list[str]:
        venue, ears = Venue(), Ears()
        socket = live(ears, connect_in_memory(venue.app()))
        await socket.say(["too early"])
        socket.ensure()
        await ears.until(lambda: len(ears.messages) == 1)
        await socket.close()
        return venue.heard

    assert run_virtual(scenario()) == ["hello"]


def test_words_said_while_it_greets_come_after_the_greeting() -> None:
    async def scenario() -> list[str]:
        venue, ears = Venue(), Ears()
        greeting = [f"hello {number}" for number in range(10)]
        socket = live(ears, connect_in_memory(venue.app()), greeting=greeting)
        socket.ensure()
        await asyncio.sleep(1)  # virtual: four a second are allowed
        assert not socket.is_open
        await socket.say(["later"])
        await ears.until(lambda: len(ears.messages) == 11)
        await socket.close()
        return venue.heard

    assert run_virtual(scenario()) == [*(f"hello {number}" for number in range(10)), "later"]


def test_refusals_are_met_with_growing_pauses() -> None:
    async def scenario() -> list[float]:
        venue, ears = Venue(refused=10), Ears()
        socket = live(ears, connect_in_memory(venue.app()))
        socket.ensure()
        await asyncio.sleep(200)  # virtual
        assert socket.is_open
        await socket.close()
        return venue.opened_at

    at = run_virtual(scenario())
    pauses = [round(late - early, 3) for early, late in pairwise(at)]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_a_silent_connection_is_made_again() -> None:
    async def scenario() -> tuple[list[float], int]:
        venue, ears = Venue(), Ears()
        socket = live(ears, connect_in_memory(venue.app()), silence_seconds=30)
        socket.ensure()
        await asyncio.sleep(20)  # virtual
        await socket.say(["still there?"])
        await asyncio.sleep(31)
        await socket.close()
        return venue.opened_at, socket.opened_count

    opened_at, count = run_virtual(scenario())
    assert opened_at == pytest.approx([0, 50])
    assert count == 2


def test_a_connection_that_never_said_a_word_is_not_made_again_at_once() -> None:
    async def scenario() -> list[float]:
        venue, ears = Venue(silent=True), Ears()
        socket = live(ears, connect_in_memory(venue.app()), silence_seconds=30)
        socket.ensure()
        await asyncio.sleep(62)  # virtual
        await socket.close()
        return venue.opened_at

    assert run_virtual(scenario()) == pytest.approx([0, 30.5, 61.5])


def test_a_connection_that_the_server_ends_is_made_again() -> None:
    async def scenario() -> tuple[list[str], int, bool]:
        venue, ears = Venue(closes_after=2), Ears()
        socket = live(ears, connect_in_memory(venue.app()))
        socket.ensure()
        await ears.until(lambda: len(ears.messages) == 1)
        await socket.say(["and goodbye"])
        await ears.until(lambda: len(ears.messages) == 3)
        await socket.close()
        return venue.heard, socket.opened_count, socket.is_open

    assert run_virtual(scenario()) == (["hello", "and goodbye", "hello"], 2, False)


def test_a_message_that_cannot_be_read_closes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> tuple[list[str | bytes], int]:
        venue, ears = Venue(), Ears()
        greeting = ["odd", "odd", "fine"]
        socket = live(ears, connect_in_memory(venue.app()), greeting=greeting)
        socket.ensure()
        await ears.until(lambda: len(ears.messages) == 3)
        await socket.close()
        return ears.messages, socket.opened_count

    messages, opened = run_virtual(scenario())
    assert messages == ["re: odd", "re: odd", "re: fine"]
    assert opened == 1
    complaints = [record for record in caplog.records if "odd message" in record.getMessage()]
    assert len(complaints) == 1  # the same complaint is told once


def test_a_fault_of_ours_is_logged_and_the_task_made_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> int:
        venue = Venue()
        failures = [ZeroDivisionError("ours")]
        done = asyncio.Event()

        def take(message: str | bytes) -> None:
            if failures:
                raise failures.pop()
            done.set()

        socket = LiveSocket(
            "venue",
            "ws://venue/live",
            take,
            greet=lambda: ["hello"],
            silence_seconds=60,
            connect=connect_in_memory(venue.app()),
        )
        socket.ensure()
        await asyncio.sleep(1)  # virtual
        assert not socket.is_open
        socket.ensure()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await done.wait()
        await socket.close()
        return socket.opened_count

    with caplog.at_level(logging.ERROR):
        assert run_virtual(scenario()) == 2
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_who_waits_for_a_connection_is_told_whether_there_is_one() -> None:
    async def scenario() -> tuple[bool, bool, bool, float]:
        venue, ears = Venue(refused=2), Ears()
        socket = live(ears, connect_in_memory(venue.app()))
        socket.ensure()
        early = await socket.opened(1)
        late = await socket.opened(10)
        at = asyncio.get_running_loop().time()
        at_once = await socket.opened(0)
        await socket.close()
        return early, late, at_once, at

    assert run_virtual(scenario()) == (False, True, True, 1.5)


def test_a_connection_that_its_user_gives_up_is_made_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> tuple[int, list[float]]:
        venue, ears = Venue(), Ears()
        socket = live(ears, connect_in_memory(venue.app()))
        await socket.renew("there is none")
        socket.ensure()
        await asyncio.sleep(20)  # virtual
        await socket.renew("it lacks something")
        assert await socket.opened(1)
        await socket.close()
        return socket.opened_count, venue.opened_at

    assert run_virtual(scenario()) == (2, [0, 20])
    assert "it lacks something" in caplog.text
    assert "there is none" not in caplog.text


def test_an_address_is_asked_for_anew_each_time() -> None:
    async def scenario() -> tuple[list[str], list[str | bytes]]:
        venue, ears, asked = Venue(), Ears(), []

        async def address() -> str:
            asked.append("asked")
            if len(asked) == 1:
                raise SourceUnavailable("no key yet")
            return "ws://venue/live"

        socket = LiveSocket(
            "venue",
            address,
            ears.take,
            greet=lambda: ["hello"],
            silence_seconds=60,
            connect=connect_in_memory(venue.app()),
        )
        socket.ensure()
        await ears.until(lambda: len(ears.messages) == 1)
        await socket.close()
        return asked, ears.messages

    assert run_virtual(scenario()) == (["asked", "asked"], ["re: hello"])


def test_close_may_be_called_twice_and_before_anything() -> None:
    async def scenario() -> bool:
        venue, ears = Venue(), Ears()
        socket = live(ears, connect_in_memory(venue.app()))
        await socket.close()
        socket.ensure()
        await ears.until(lambda: len(ears.messages) == 1)
        await socket.close()
        await socket.close()
        return socket.is_open

    assert run_virtual(scenario()) is False


def test_it_works_over_a_real_socket() -> None:
    async def scenario() -> tuple[list[str | bytes], list[str], int]:
        venue, ears = Venue(closes_after=2), Ears()
        serving = await serve(venue.app())
        url = serving.url.replace("http", "ws") + "/live"
        socket = live(ears, connect, url)
        socket.ensure()
        await ears.until(lambda: len(ears.messages) == 1)
        await socket.say(["word"])
        await ears.until(lambda: len(ears.messages) == 3)
        await socket.close()
        await socket.close()
        await serving.stop()
        return ears.messages, venue.heard, socket.opened_count

    messages, heard, opened = asyncio.run(scenario())
    assert messages == ["re: hello", "re: word", "re: hello"]
    assert heard == ["hello", "word", "hello"]
    assert opened == 2


def test_silence_of_a_real_socket_is_noticed() -> None:
    async def scenario() -> int:
        venue, ears = Venue(), Ears()
        serving = await serve(venue.app())
        url = serving.url.replace("http", "ws") + "/live"
        socket = live(ears, connect, url, silence_seconds=0.05)
        socket.ensure()
        await ears.until(lambda: len(ears.messages) == 2)
        await socket.close()
        await serving.stop()
        return socket.opened_count

    assert asyncio.run(scenario()) == 2


@pytest.mark.parametrize("path", ["/live", "/nowhere"])
def test_a_refusal_over_a_real_socket_is_unavailable(path: str) -> None:
    async def scenario() -> None:
        serving = await serve(Venue(refused=1).app())
        try:
            async with connect(serving.url.replace("http", "ws") + path):
                pass
        finally:
            await serving.stop()

    with pytest.raises(SourceUnavailable, match="403"):
        asyncio.run(scenario())


def test_nobody_there_is_an_error_of_the_system() -> None:
    async def scenario() -> None:
        serving = await serve(Venue().app())
        url = serving.url.replace("http", "ws") + "/live"
        await serving.stop()
        async with connect(url):
            pass

    with pytest.raises(OSError, match=r"."):
        asyncio.run(scenario())


def test_the_real_connection_sends_no_origin() -> None:
    async def scenario() -> dict[str, str]:
        headers: dict[str, str] = {}

        async def look(websocket: WebSocket) -> None:
            headers.update(websocket.headers)
            await websocket.accept()
            await websocket.close()

        serving = await serve(Starlette(routes=[WebSocketRoute("/live", look)]))
        async with connect(serving.url.replace("http", "ws") + "/live", ping_seconds=None):
            pass
        await serving.stop()
        return headers

    headers = asyncio.run(scenario())
    assert "sec-websocket-key" in headers
    assert "origin" not in headers
