"""/pin: choose the PIN that /arm asks for where no authenticator app is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.reply import Reply
from market.errors import UsageError
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command("pin", Role.OWNER, is_private=True, is_secret=True, examples=("482913",))
async def pin(services: Services, call: Call) -> Reply:
    """Choose a PIN; one that was chosen before has to be given first."""
    factor, words = services.second_factor, call.args.split()
    is_change = not factor.is_totp and await factor.is_set()
    if len(words) != 1 + int(is_change):
        raise UsageError("pin.change" if is_change else "pin.usage")
    if is_change:
        proof = await factor.prove(words[0], services.wall_clock.now())
        if not proof.is_given:
            raise UsageError(proof.code, **proof.facts)
    code = await factor.choose_pin(words[-1])
    if code != "pin.done":
        raise UsageError(code)
    return Reply(services.texts.get("pin.done", call.language))
