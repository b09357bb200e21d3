"""One websocket session and one pace for all who use an app key of KIS."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import orjson
import pytest
from pydantic import SecretStr

from config.settings import KisSettings
from market.clock import SystemClock
from market.errors import SourceChanged
from venues.kis_http import pace_of
from venues.kis_session import KisSession, session_of
from venues.kis_token import KisAccess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from venues.kis_messages import Notice
    from venues.live_socket import Socket

DEADLINE_SECONDS = 10


class Line:
    """A pretend connection: what was sent, and what is to be heard."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.opened = 0
        self._incoming: asyncio.Queue[str] = asyncio.Queue()
        self._news = asyncio.Event()

    @asynccontextmanager
    async def connect(self, _: str) -> AsyncIterator[Socket]:
        self.opened += 1
        yield self

    async def recv(self) -> str:
        return await self._incoming.get()

    async def send(self, message: str) -> None:
        fields = orjson.loads(message)
        asked = fields["body"]["input"]
        self.sent.append((fields["header"]["tr_type"], asked["tr_id"], asked["tr_key"]))
        self._news.set()

    async def close(self) -> None:
        return

    async def until(self, count: int) -> None:
        """Wait until so much was sent."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(self.sent) < count:
                self._news.clear()
                await self._news.wait()


class Ear:
    """Somebody who hears one kind of data."""

    def __init__(self, *subjects: str) -> None:
        self.wanted = list(subjects)
        self.heard: list[str] = []
        self.notices: list[Notice] = []

    def subjects(self) -> list[str]:
        return self.wanted

    def hear(self, frame: str) -> None:
        self.heard.append(frame)

    def answered(self, notice: Notice) -> None:
        self.notices.append(notice)


def settings(folder: Path, key: str = "key") -> KisSettings:
    return KisSettings(
        rest_url="https://kis.example",
        app_key=SecretStr(key),
        app_secret=SecretStr("secret"),
        token_path=str(folder / "kis_token.json"),
    )


def client() -> httpx.AsyncClient:
    answer = httpx.Response(200, json={"approval_key": "approved"})
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer))


def run(folder: Path, job: Callable[[KisSession, Line], Awaitable[None]]) -> None:
    async def scenario() -> None:
        line = Line()
        async with client() as http:
            chosen = settings(folder)
            access = KisAccess(http, chosen, SystemClock())
            await job(session_of(http, chosen, access, SystemClock(), line.connect), line)

    asyncio.run(scenario())


def test_the_same_client_and_key_have_one_session_and_one_pace(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with client() as one, client() as other:
            chosen, strange = settings(tmp_path), settings(tmp_path, "another")
            clock, line = SystemClock(), Line()
            access = KisAccess(one, chosen, clock)
            first = session_of(one, chosen, access, clock, line.connect)
            assert session_of(one, chosen, access, clock, line.connect) is first
            assert session_of(one, strange, access, clock, line.connect) is not first
            assert session_of(other, chosen, access, clock, line.connect) is not first
            assert pace_of(one, chosen) is pace_of(one, chosen)
            assert pace_of(one, chosen) is not pace_of(one, strange)

    asyncio.run(scenario())


def test_parts_share_the_session_and_hear_their_own(tmp_path: Path) -> None:
    async def job(session: KisSession, line: Line) -> None:
        trades, fills = Ear("005930"), Ear("login")
        one, two = session.part("H0STCNT0", trades), session.part("H0STCNI0", fills)
        one.want()
        await line.until(1)
        two.want()
        two.want()
        await line.until(2)
        assert line.opened == 1
        assert line.sent == [("1", "H0STCNT0", "005930"), ("1", "H0STCNI0", "login")]
        await session._take("0|H0STCNT0|001|x")
        await session._take("1|H0STCNI0|001|y")
        assert (trades.heard, fills.heard) == (["0|H0STCNT0|001|x"], ["1|H0STCNI0|001|y"])
        with pytest.raises(SourceChanged):
            await session._take("1|H0STCNI9|001|z")
        await one.close()
        assert session.is_open
        await two.close()
        assert not session.is_open

    run(tmp_path, job)


def test_a_part_that_joins_while_the_session_opens_is_asked_for_at_its_next_want(
    tmp_path: Path,
) -> None:
    async def job(session: KisSession, line: Line) -> None:
        one, two = session.part("H0STCNT0", Ear("005930")), session.part("H0STCNI0", Ear("login"))
        one.want()
        session._greet()  # it was evaluated before the second wants anything
        two.is_wanted = True
        await line.until(1)
        line.sent.clear()
        two.is_asked = False
        two.want()
        await line.until(1)
        assert line.sent == [("1", "H0STCNI0", "login")]
        await one.close()
        await two.close()

    run(tmp_path, job)


def test_a_part_that_wants_no_more_leaves_the_others_alone(tmp_path: Path) -> None:
    async def job(session: KisSession, line: Line) -> None:
        one, two = session.part("H0STCNT0", Ear("005930")), session.part("H0STCNI0", Ear("login"))
        one.want()
        two.want()
        await line.until(2)
        one.unwant()
        assert two.is_open
        assert not one.is_open
        await two.close()
        await one.close()
        assert not session.is_open

    run(tmp_path, job)
