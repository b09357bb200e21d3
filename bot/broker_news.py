"""Hearing of a broker's news: as soon as something happened there, everything is settled."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.patience import Patience

if TYPE_CHECKING:
    from brokers.broker import Live

logger = logging.getLogger(__name__)


class BrokerNews:
    """Waits for one broker's news, whatever goes wrong there; sweeps settle meanwhile."""

    def __init__(self, name: str, broker: Live, patience: Patience | None = None) -> None:
        self.name = name
        self._broker = broker
        self._patience = patience or Patience()

    async def heard(self) -> None:
        """Return once it is worth while to settle; what fails is tried again after a pause."""
        while True:
            try:
                await self._broker.news()
            except Exception:
                pause = self._patience.next_pause()
                logger.exception("no news of the broker %s; again in %g s", self.name, pause)
                await asyncio.sleep(pause)
            else:
                self._patience.succeed()
                return
