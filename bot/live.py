"""`ticktalk run`: the real Telegram, the real market, the machine's time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.app import Outside, build
from bot.claim_offer import ClaimOffer
from bot.events import EventLog
from bot.market_time import UnscaledTime
from bot.runner import Runner
from conditions.ready import make_ready
from config.settings import secret_values
from market.clock import SystemClock
from market.errors import TicktalkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from config.load import Config

logger = logging.getLogger(__name__)

OFFER_SECONDS = 2.0


async def run_live(
    config: Config, stream: BinaryIO | None, stop: asyncio.Event, show: Callable[[str], None]
) -> None:
    """Run until `stop` is set; `show` puts a text before the operator's eyes.

    Raises TicktalkError where the settings do not allow a start, or the token is refused.
    """
    token = config.settings.telegram.token
    if token is None:
        raise TicktalkError(
            "no Telegram token: get one from @BotFather and put it into .env as"
            " TICKTALK_TELEGRAM_TOKEN=... (or try `ticktalk demo`, which needs none)"
        )
    wall = SystemClock()
    time = UnscaledTime(wall)
    events = EventLog(wall, stream, secret_values(config.settings))
    app = build(config, Outside(wall, time, events))
    try:
        logger.info("compiling the indicators (a moment at the first start)")
        await asyncio.to_thread(make_ready, app.services.pipeline.conditions)
        runner = Runner(app, time)
        offer = ClaimOffer(app.services.access, wall, lambda: app.dispatcher.bot_name, show)
        runner.jobs.every("claim", OFFER_SECONDS, offer.check)
        await runner.run(stop)
    finally:
        await app.close()
