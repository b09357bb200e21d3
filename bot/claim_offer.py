"""The way to the first owner: a one-time code on the console, for as long as nobody has used it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.access import CLAIM_LIFETIME

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.access import Access
    from market.clock import Clock

_RULE = "=" * 64


class ClaimOffer:
    """Shows a code, and another one when it has died, until somebody owns the bot."""

    def __init__(
        self,
        access: Access,
        clock: Clock,
        bot_name: Callable[[], str],
        show: Callable[[str], None],
    ) -> None:
        self._access = access
        self._clock = clock
        self._bot_name = bot_name
        self._show = show
        self._has_shown = False

    async def check(self) -> None:
        """Show a new code if one is needed and the bot can be written to (it has its name)."""
        now, name = self._clock.now(), self._bot_name()
        if not name or (self._has_shown and not await self._access.wants_code(now)):
            return
        # A code of an earlier run may still be alive, but nobody can read it any more.
        if not self._has_shown and await self._access.has_owner():
            return
        self._show(_banner(name, await self._access.new_code(now)))
        self._has_shown = True


def _banner(name: str, code: str) -> str:
    minutes = int(CLAIM_LIFETIME.total_seconds() // 60)
    return f"""
{_RULE}
  Nobody owns this bot yet. Open https://t.me/{name} and send it

      /claim {code}

  The code works once and for {minutes} minutes; then a new one appears here.
{_RULE}
"""
