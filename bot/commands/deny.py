"""/deny: shut somebody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.commands.allow import read_user_id
from bot.reply import Reply
from market.errors import UsageError
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command("deny", Role.OWNER, is_private=True, examples=("424242",))
async def deny(services: Services, call: Call) -> Reply:
    """Forget a Telegram user id: from now on they get no answer. The owner stays."""
    words = call.args.split()
    if len(words) != 1:
        raise UsageError("deny.usage")
    user_id = read_user_id(words[0])
    was_known = await services.access.deny(user_id, services.wall_clock.now())
    if was_known is None:
        raise UsageError("allow.owner_stays")
    key = "deny.done" if was_known else "deny.unknown"
    return Reply(services.texts.get(key, call.language, id=str(user_id)))
