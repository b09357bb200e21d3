"""A whole bot that runs by itself on a fast market clock, over real loopback HTTP and sockets."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.app import App, Outside, build
from bot.demo_visitor import Handled
from bot.demo_world import CHANNEL, VISITOR
from bot.runner import Runner
from config.load import load
from market.clock import SystemClock
from market.messages import Person, Role
from sandbox.server import serve
from sandbox.site import site
from sandbox.telegram_api import telegram_routes
from sandbox.telegram_core import TelegramCore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from starlette.routing import BaseRoute

    from bot.market_time import ScaledTime
    from sandbox.server import Serving
    from sandbox.telegram_types import ChatMessage

DEADLINE_SECONDS = 30.0


class Heard:
    """The log of facts as a test hears it: it can wait for what is to come."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, dict[str, Any]]] = []
        self._changed = asyncio.Event()

    def emit(self, kind: str, **facts: object) -> None:
        """Keep a fact and wake who waits."""
        self.facts.append((kind, facts))
        self._changed.set()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the facts of a kind, oldest first."""
        return [facts for one, facts in self.facts if one == kind]

    async def until(self, found: Callable[[], object]) -> None:
        """Wait until something is so; TimeoutError after the deadline."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not found():
                self._changed.clear()
                await self._changed.wait()


@dataclass
class LiveHouse:
    """What outlives the bot's restarts, and the bot; methods return when what they name is so."""

    folder: Path
    environment: Mapping[str, str]
    time: ScaledTime
    core: TelegramCore
    serving: Serving
    heard: Heard = field(default_factory=Heard)
    handled: Handled = field(default_factory=Handled)
    language: str = "ko"
    _app: App | None = None
    _runner: Runner | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _run: asyncio.Task[None] | None = None

    @property
    def app(self) -> App:
        """Return the bot that runs now."""
        assert self._app is not None
        return self._app

    async def start(self) -> None:
        """Start the bot on what the last one left, and wait until it watches and answers."""
        config = load(self.folder / "settings.yaml", self.environment)
        wall = SystemClock()
        self._app = build(config, Outside(wall, self.time, self.heard), self.handled)
        person = Person(VISITOR, Role.OWNER, self.language, "나")
        await self._app.store.write(lambda tx: tx.people.put(person, wall.now()))
        self._runner, self._stop = Runner(self._app, self.time), asyncio.Event()
        self._run = asyncio.create_task(self._runner.run(self._stop))
        ticks = len(self.heard.of("ticks"))
        await self.heard.until(lambda: self._has_ended() or len(self.heard.of("ticks")) > ticks)

    async def stop(self) -> None:
        """Stop the bot as an operator would; what failed in it is raised."""
        if self._run is not None:
            self._stop.set()
            run, self._run = self._run, None
            try:
                await run
            finally:
                await self.app.close()

    def pace(self, speed: float) -> None:
        """Let market time go faster or slower from now on."""
        if self.time.set_speed(speed) and self._runner is not None:
            self._runner.jobs.pace_changed()

    def leap(self, at: datetime) -> None:
        """Let market time be `at` at once."""
        self.time.leap_to(at)
        if self._runner is not None and self._run is not None:
            self._runner.jobs.pace_changed()

    def said(self, chat_id: int = VISITOR) -> list[ChatMessage]:
        """Return what the bot has said in a chat."""
        visitor = self.core.user(VISITOR)
        return [one for one in self.core.messages(chat_id) if one.sender != visitor]

    def alerts(self) -> list[ChatMessage]:
        """Return the alerts with a chart in the channel."""
        return [one for one in self.said(CHANNEL) if one.photo is not None]

    async def until_said(self, found: Callable[[], object]) -> None:
        """Wait until something is so in the chats."""
        await self.core.wait(lambda: bool(found()), DEADLINE_SECONDS)

    def text_of(self, message: ChatMessage) -> str:
        """Return how a message of the private chat reads now."""
        now = self.core.message(VISITOR, message.id)
        assert now is not None
        return now.text

    async def type(self, text: str) -> str:
        """Type a line and return the first message that answers it, as it stands then."""
        return (await self.answer(text)).text

    async def answer(self, text: str) -> ChatMessage:
        """Type a line and return the first message that answers it."""
        before = {one.id for one in self.said()}
        await self.handled.wait(self.core.user_sends(VISITOR, text))

        def new() -> list[ChatMessage]:
            return [one for one in self.said() if one.id not in before and one.photo is None]

        await self.until_said(new)
        return new()[0]

    async def tap(self, message: ChatMessage, beginning: str) -> str:
        """Tap the button whose data begins so, and return the short answer."""
        datas = [button.data for row in message.buttons for button in row if button.data]
        data = next(one for one in datas if one.startswith(beginning))
        tapped = self.core.user_taps(VISITOR, VISITOR, message.id, data)
        await self.until_said(lambda: self.core.callback(tapped).answer is not None)
        answer = self.core.callback(tapped).answer
        assert answer is not None
        return answer.text

    def _has_ended(self) -> bool:
        """Raise what has ended the bot, so that nobody waits for it in vain."""
        if self._run is not None and self._run.done():
            self._run.result()
        return False


@asynccontextmanager
async def live_house(
    folder: Path,
    time: ScaledTime,
    routes: list[BaseRoute],
    environment: Callable[[str], Mapping[str, str]],
    language: str = "ko",
) -> AsyncIterator[LiveHouse]:
    """Serve a chat and `routes` beside each other; the bot's files are in `folder`.

    `environment` points the bot's sources at the address that it is given.
    """
    core = TelegramCore(SystemClock(), limits=None)
    core.add_user(VISITOR, "나", language)
    core.add_channel(CHANNEL, "ticktalk")
    token = f"{core.bot.id}:{secrets.token_hex(18)[:35]}"
    serving = await serve(site(telegram_routes(core, token), routes))
    pointed = {
        **environment(serving.url),
        "TICKTALK_TELEGRAM_BASE_URL": serving.url,
        "TICKTALK_TELEGRAM_TOKEN": token,
        "TICKTALK_TELEGRAM_CHANNEL": str(CHANNEL),
        "TICKTALK_TELEGRAM_LANGUAGE": language,
        "TICKTALK_TELEGRAM_SECONDS_PER_CHAT": "0",
        "TICKTALK_TELEGRAM_MESSAGES_PER_GROUP_MINUTE": "1000",
        "TICKTALK_TELEGRAM_POLL_TIMEOUT_SECONDS": "5",
        "TICKTALK_STORE_PATH": str(folder / "bot.sqlite"),
        "TICKTALK_RECORD_PATH": str(folder / "record"),
    }
    house = LiveHouse(folder, pointed, time, core, serving, language=language)
    try:
        yield house
    finally:
        try:
            await house.stop()
        finally:
            core.stop()
            await serving.stop()
