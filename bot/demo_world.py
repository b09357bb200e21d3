"""The pretend world of the demo: a market, a Telegram and a chat page behind one address."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from market.messages import Person, Role
from market.sessions import KST
from market.types import Venue
from sandbox.chat_page import ChatPage, page_routes
from sandbox.market import Simulator
from sandbox.naver import Faults as MarketFaults
from sandbox.naver import naver_routes
from sandbox.server import serve
from sandbox.site import site
from sandbox.telegram_api import telegram_routes
from sandbox.telegram_core import TelegramCore

if TYPE_CHECKING:
    from pathlib import Path

    from bot.app import App
    from config.load import Config
    from market.clock import Clock
    from sandbox.server import Serving
    from sandbox.telegram_faults import Limits

VISITOR = 1001
"""Telegram id of the person in front of the demo."""
CHANNEL = -1_001_000_000_001
START = datetime(2026, 11, 24, 9, 54, tzinfo=KST)
"""Where the pretend day begins: history is behind it, the first burst a few minutes ahead."""


@dataclass(frozen=True, slots=True)
class World:
    """What is pretended; `config` is the user's, pointed at it."""

    core: TelegramCore
    page: ChatPage
    simulator: Simulator
    faults: MarketFaults
    serving: Serving
    config: Config

    async def close(self) -> None:
        """End long polls and stop serving."""
        self.core.stop()
        await self.serving.stop()


async def open_world(
    config: Config,
    folder: Path,
    *,
    market: Clock,
    wall: Clock,
    language: str = "ko",
    seed: int = 7,
    port: int = 0,
    limits: Limits | None = None,
) -> World:
    """Serve the pretend world on loopback; `limits` None lets the bot write as fast as it can.

    Raises TicktalkError where the port is taken.
    """
    core = TelegramCore(wall, limits=limits)
    is_korean = language == "ko"
    core.add_user(VISITOR, "나" if is_korean else "Me", language)
    core.add_channel(CHANNEL, "ticktalk 알림" if is_korean else "ticktalk alerts")
    page = ChatPage(core, VISITOR, {"private": VISITOR, "channel": CHANNEL})
    simulator = Simulator(list(config.directory), config.calendars[Venue.KRX], seed)
    faults = MarketFaults()
    token = f"{core.bot.id}:{secrets.token_hex(18)[:35]}"
    pretended = site(
        telegram_routes(core, token), naver_routes(simulator, market, faults), page_routes(page)
    )
    serving = await serve(pretended, port=port)
    pointed = _pointed(config, folder, serving.url, token, language, is_paced=limits is not None)
    return World(core, page, simulator, faults, serving, pointed)


def _pointed(
    config: Config, folder: Path, url: str, token: str, language: str, *, is_paced: bool
) -> Config:
    """Return the configuration with every outside address in the pretend world."""
    settings = config.settings
    telegram = settings.telegram.model_copy(
        update={
            "base_url": url,
            "token": SecretStr(token),
            "channel": CHANNEL,
            "language": language,
            **({} if is_paced else _UNPACED),
        }
    )
    naver = settings.naver.model_copy(
        update={**dict.fromkeys(_NAVER_SERVERS, url), "requests_per_second": 1000}
    )
    store = settings.store.model_copy(update={"path": str(folder / "demo.sqlite")})
    record = settings.record.model_copy(update={"path": str(folder / "record")})
    changed = settings.model_copy(
        update={"telegram": telegram, "naver": naver, "store": store, "record": record}
    )
    return replace(config, settings=changed)


_NAVER_SERVERS = ("polling_url", "chart_url", "front_url", "pages_url", "rank_url", "sise_url")

_UNPACED = {
    "seconds_per_chat": 0.0,
    "messages_per_second": 100_000,
    "messages_per_group_minute": 100_000,
}
"""Nobody reads along in an unattended run, and its pretend Telegram has no flood limits."""


async def welcome(app: App, language: str) -> None:
    """Make the visitor the owner: in the demo nobody has to type a code."""
    name = "나" if language == "ko" else "Me"
    now = app.services.wall_clock.now()
    person = Person(VISITOR, Role.OWNER, language, name)
    await app.store.write(lambda tx: tx.people.put(person, now))
