"""/arm: let the live brokers buy, with a second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.render_trading import brokers_words
from bot.reply import Reply, command_button
from market.errors import UsageError
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command("arm", Role.OWNER, is_private=True, is_secret=True, examples=("123456",))
async def arm(services: Services, call: Call) -> Reply:
    """Arm the live brokers if the code is right; paper needs none."""
    texts, language = services.texts, call.language
    if not services.desk.is_live:
        return Reply(texts.get("arm.paper", language))
    if not await services.second_factor.is_set():
        raise UsageError("factor.missing")
    if not call.args:
        raise UsageError("arm.usage")
    proof = await services.second_factor.prove(call.args, services.wall_clock.now())
    if not proof.is_given:
        raise UsageError(proof.code, **proof.facts)
    await services.desk.arm(call.user.id)
    text = texts.get(
        "arm.done",
        language,
        broker=brokers_words(services.desk.brokers, are_live=True),
        hours=f"{services.config.settings.access.idle_hours:g}",
    )
    label = texts.plain("button.disarm", language)
    return Reply(text, ((command_button(label, "/disarm"),),))
