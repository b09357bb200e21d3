"""A broker's news is waited for, whatever goes wrong there."""

from __future__ import annotations

import asyncio

from bot.broker_news import BrokerNews
from bot.patience import Patience
from market.errors import OutcomeUnknown


class BrokenNews:
    """News that fail twice, first in a way that nobody has thought of."""

    def __init__(self) -> None:
        self.troubles: list[Exception] = [OutcomeUnknown("unavailable", "down"), KeyError("odd")]

    async def news(self) -> None:
        """Fail, or return."""
        if self.troubles:
            raise self.troubles.pop()


def test_news_that_fail_are_waited_for_again() -> None:
    broken = BrokenNews()
    asyncio.run(BrokerNews("kis", broken, Patience((0.0,))).heard())
    assert broken.troubles == []
