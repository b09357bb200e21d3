"""`ticktalk run`: the real Telegram, the real market, the machine's time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.app import Outside, build
from bot.events import EventLog
from bot.market_time import UnscaledTime
from bot.runner import Runner
from conditions.indicators import warm_up
from market.clock import SystemClock
from market.errors import TicktalkError

if TYPE_CHECKING:
    import asyncio
    from typing import BinaryIO

    from bot.app import App
    from config.load import Config

logger = logging.getLogger(__name__)


async def run_live(config: Config, stream: BinaryIO | None, stop: asyncio.Event) -> None:
    """Run until `stop` is set; raises TicktalkError where the settings do not allow a start."""
    if config.settings.telegram.token is None:
        raise TicktalkError(
            "no Telegram token: get one from @BotFather and put it into .env as"
            " TICKTALK_TELEGRAM_TOKEN=... (or try `ticktalk demo`, which needs none)"
        )
    wall = SystemClock()
    events = EventLog(wall, stream)
    app = build(config, Outside(wall, UnscaledTime(wall), events))
    try:
        logger.info("compiling the indicators (a moment at the first start)")
        warm_up()
        await _offer_claim(app)
        await Runner(app, UnscaledTime(wall)).run(stop)
    finally:
        await app.close()


async def _offer_claim(app: App) -> None:
    """Print the one-time code while nobody owns the bot."""
    if await app.store.read(lambda tx: tx.people.owner()) is not None:
        return
    code = await app.services.access.new_code(app.services.wall_clock.now())
    logger.warning("nobody owns this bot yet: send it /claim %s in private within 10 minutes", code)
