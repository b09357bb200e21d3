"""/start: a greeting with three buttons, or what a link from the alert channel points to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bot.command import command
from bot.order_entry import ask_quantity
from bot.reply import Reply, command_button
from market.messages import Role
from market.orders import Action

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services
    from market.types import Instrument

LINK_PREFIX = "i_"
"""What the payload of a link to an instrument begins with."""


@command("start", Role.VIEWER, is_private=False, examples=("", "i_005930"))
async def start(services: Services, call: Call) -> Reply:
    """Greet and offer the three things people want first."""
    linked = _linked(services, call.args)
    if linked is not None and call.user.role.includes(Role.TRADER) and call.chat_id == call.user.id:
        return ask_quantity(services, call, Action.BUY, linked, Decimal(0))
    texts, language = services.texts, call.language
    buttons = tuple(
        command_button(texts.plain(f"button.{name}", language), f"/{name}")
        for name in ("status", "conditions", "help")
    )
    role = texts.plain(f"role.{call.user.role}", language)
    return Reply(texts.get("start.greeting", language, role=role), (buttons,))


def _linked(services: Services, payload: str) -> Instrument | None:
    if not payload.startswith(LINK_PREFIX):
        return None
    code = payload[len(LINK_PREFIX) :][:60]
    return services.directory.find(code) or services.directory.find(code.replace("-", ":", 1))
