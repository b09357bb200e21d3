"""/pause: buy nothing until /resume; sales and alerts go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.reply import Reply, command_button
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command("pause", Role.TRADER, is_private=True, examples=("",))
async def pause(services: Services, call: Call) -> Reply:
    """Stop buying."""
    await services.desk.pause(call.user.id)
    label = services.texts.plain("button.resume", call.language)
    text = services.texts.get("pause.done", call.language)
    return Reply(text, ((command_button(label, "/resume"),),))
