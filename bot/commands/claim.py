"""/claim: become the owner with the code that the program's console shows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.command import command
from bot.reply import Reply
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services

logger = logging.getLogger(__name__)


@command(
    "claim", Role.VIEWER, is_private=True, examples=("ABCD2345",), is_open=True, is_secret=True
)
async def claim(services: Services, call: Call) -> Reply:
    """Make the sender the owner if the code is right; a stranger learns nothing once taken."""
    result = await services.access.claim(call.args[:64], call.user, services.wall_clock.now())
    if result == "claim.taken" and not await _is_known(services, call):
        return Reply()
    if result in {"claim.wrong", "claim.dead"}:
        logger.warning("claim attempt by %s: %s", call.user.id, result)
    return Reply(services.texts.get(result, call.language))


async def _is_known(services: Services, call: Call) -> bool:
    user_id = call.user.id
    return await services.store.read(lambda tx: tx.people.get(user_id)) is not None
