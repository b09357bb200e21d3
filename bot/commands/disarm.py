"""/disarm: let the live brokers buy no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.reply import Reply
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command("disarm", Role.TRADER, is_private=True, examples=("",))
async def disarm(services: Services, call: Call) -> Reply:
    """Disarm the live brokers; whoever may trade may also stop it."""
    if not services.desk.is_live:
        return Reply(services.texts.get("arm.paper", call.language))
    was_armed = await services.desk.disarm(call.user.id)
    key = "disarm.done" if was_armed else "disarm.already"
    return Reply(services.texts.get(key, call.language))
