"""/resume: let purchases be proposed and confirmed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.reply import Reply, command_button
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command("resume", Role.TRADER, is_private=True, examples=("",))
async def resume(services: Services, call: Call) -> Reply:
    """Start buying again."""
    await services.desk.resume(call.user.id)
    label = services.texts.plain("button.pause", call.language)
    text = services.texts.get("resume.done", call.language)
    return Reply(text, ((command_button(label, "/pause"),),))
