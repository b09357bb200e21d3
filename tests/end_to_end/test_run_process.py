"""`ticktalk run` in a process of its own: how it starts, what it says, how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from market.clock import SystemClock
from sandbox.server import serve
from sandbox.telegram_api import telegram_routes
from sandbox.telegram_core import TelegramCore
from sandbox.telegram_errors import RefusalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sandbox.server import Serving

TOKEN = "7000000001:" + "AbCdEfGhIj" * 3 + "KlMno"
SHORT_TOKEN = "7000000001:short"
KIM = 11111111
DEADLINE_SECONDS = 60.0
STOP_SECONDS = 8.0
"""Generous for a busy machine; what may wait is bounded by 2 s and 1 s."""
RUN = "from bot.cli import main; main()"
CHECKOUT = str(Path(__file__).parents[2])


@dataclass
class Child:
    """A running `ticktalk run` and everything it has said."""

    process: asyncio.subprocess.Process
    folder: Path
    lines: list[str] = field(default_factory=list)
    _reader: asyncio.Task[None] | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def listen(self) -> None:
        self._reader = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self._changed:
                self.lines.append(line.decode())
                self._changed.notify_all()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def everything(self) -> str:
        """Return all that was said or written anywhere."""
        return self.output + (self.folder / "log.json").read_text(encoding="utf-8")

    async def says(self, pattern: str) -> str:
        """Wait until the output matches; return the first group or all of the match."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.output)

        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(found)
        match = found()
        assert match is not None
        return match[match.re.groups and 1]

    async def ends(self, seconds: float = DEADLINE_SECONDS) -> int:
        """Wait for the end; return the exit status."""
        async with asyncio.timeout(seconds):
            assert self._reader is not None
            await self._reader
            return await self.process.wait()


@asynccontextmanager
async def running(folder: Path, url: str, token: str = TOKEN) -> AsyncIterator[Child]:
    """Run `ticktalk run` with warnings as errors; it is killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "dev", "-W", "error", "-W", "ignore::DeprecationWarning:numba"),
        *("-c", RUN, "run", "--json-log", "log.json"),
        cwd=folder,
        env={
            **{name: text for name, text in os.environ.items() if "TICKTALK" not in name},
            "PYTHONPATH": CHECKOUT,
            "TICKTALK_TELEGRAM_TOKEN": token,
            "TICKTALK_TELEGRAM_BASE_URL": url,
            "TICKTALK_NAVER_POLLING_URL": "http://127.0.0.1:9",
            "TICKTALK_NAVER_CHART_URL": "http://127.0.0.1:9",
            "TICKTALK_NAVER_REQUESTS_PER_SECOND": "1000",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    child = Child(process, folder)
    child.listen()
    try:
        yield child
    finally:
        if process.returncode is None:
            process.kill()
        await child.ends()


@asynccontextmanager
async def telegram(token: str = TOKEN) -> AsyncIterator[tuple[TelegramCore, Serving]]:
    core = TelegramCore(SystemClock(), limits=None)
    core.add_user(KIM, "Kim", "en")
    serving = await serve(Starlette(routes=telegram_routes(core, token)))
    try:
        yield core, serving
    finally:
        core.stop()
        await serving.stop()


def said(core: TelegramCore) -> str:
    """Return all that stands in Kim's chat."""
    return "\n".join(one.text for one in core.messages(KIM))


async def stopped(child: Child, number: signal.Signals = signal.SIGTERM) -> None:
    """Send a signal and see the process end in order."""
    child.process.send_signal(number)
    assert await child.ends(STOP_SECONDS) == 0, child.output
    assert not re.search("retry_scheduled|Task was destroyed|never retrieved", child.output)
    assert "Traceback" not in child.output
    assert "Warning" not in child.output


def test_a_bot_is_claimed_and_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with telegram() as (core, serving), running(tmp_path, serving.url) as child:
            code = await child.says(r"/claim (\w+)")
            assert f"https://t.me/{core.bot.username}" in child.output
            core.user_sends(KIM, f"/claim {code}")
            await core.wait(lambda: "You own this bot" in said(core), DEADLINE_SECONDS)
            await core.wait(lambda: code not in said(core), DEADLINE_SECONDS)  # it is deleted
            await child.says("the history cannot be had")  # the market side keeps trying
            await stopped(child)
            assert TOKEN not in child.everything

    asyncio.run(scenario())


def test_a_bot_stops_while_telegram_is_down(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with telegram() as (core, serving), running(tmp_path, serving.url) as child:
            core.faults.network_down = True
            await child.says("Telegram does not answer")
            await child.says("the history cannot be had")
            await stopped(child, signal.SIGINT)
            assert TOKEN not in child.everything

    asyncio.run(scenario())


def test_a_bot_stops_while_telegram_hangs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with telegram() as (core, serving):
            core.faults.time_out("getMe")
            async with running(tmp_path, serving.url) as child:
                await core.wait(lambda: core.calls["getMe"] > 0, DEADLINE_SECONDS)
                await child.says("the history cannot be had")
                await stopped(child)

    asyncio.run(scenario())


def ended_by(tmp_path: Path, token: str, spoil: Callable[[TelegramCore], None]) -> Child:
    """Return a child that Telegram's answers have ended."""

    async def scenario() -> Child:
        async with telegram(TOKEN) as (core, serving):
            spoil(core)
            async with running(tmp_path, serving.url, token) as child:
                assert await child.ends() == 2, child.output
                return child

    return asyncio.run(scenario())


def test_a_token_that_telegram_does_not_know_is_told_without_it(tmp_path: Path) -> None:
    child = ended_by(tmp_path, SHORT_TOKEN, lambda _: None)
    assert "ticktalk: Telegram refuses the token: copy it again from @BotFather" in child.output
    assert "Traceback" not in child.output
    assert SHORT_TOKEN not in child.everything


def test_a_token_that_is_withdrawn_later_ends_the_process(tmp_path: Path) -> None:
    def withdraw(core: TelegramCore) -> None:
        core.faults.refuse("getUpdates", RefusalError(401, "Unauthorized"))

    child = ended_by(tmp_path, TOKEN, withdraw)
    assert "Telegram refuses the token" in child.output
    assert "Traceback" not in child.output
    assert TOKEN not in child.everything
