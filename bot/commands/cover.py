"""/cover: propose to buy back what was sold short; nothing is sent before its card is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.order_entry import enter_order
from market.messages import Role
from market.orders import Action

if TYPE_CHECKING:
    from bot.command import Call
    from bot.reply import Reply
    from bot.services import Services


@command(
    "cover",
    Role.TRADER,
    is_private=True,
    examples=("BTCUSDT.P 0.01", "BTCUSDT.P 50%", "BTCUSDT.P 전부", "BTCUSDT.P"),
)
async def cover(services: Services, call: Call) -> Reply:
    """Propose to buy back what was sold short, by its code."""
    return await enter_order(services, call, Action.COVER)
