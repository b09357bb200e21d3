"""/halt: nothing leaves any more, not even exits, until the owner resumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.reply import Reply, command_button
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command("halt", Role.TRADER, is_private=True, examples=("",))
async def halt(services: Services, call: Call) -> Reply:
    """Send no order any more, whoever wishes it."""
    await services.desk.halt(call.user.id)
    label = services.texts.plain("button.resume", call.language)
    text = services.texts.get("halt.done", call.language)
    return Reply(text, ((command_button(label, "/resume"),),))
