"""/near: the instruments that a condition is closest to firing on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.asking import UnknownCondition, find_condition, near_conditions
from bot.command import command
from bot.question_reply import condition_names, did_you_mean, near_reply, which
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.reply import Reply
    from bot.services import Services


@command("near", Role.VIEWER, is_private=False, examples=("", "volume-breakout"))
async def near(services: Services, call: Call) -> Reply:
    """Rank the instruments of a condition; without a name ask which one."""
    names, word = condition_names(services), call.args.strip()[:80]
    if not word:
        return which(services, call, "near", names)
    name = find_condition(word, names)
    if name is None:
        unknown = UnknownCondition(word, near_conditions(word, names), "")
        return did_you_mean(services, call, unknown, "near")
    return await near_reply(services, call, name)
