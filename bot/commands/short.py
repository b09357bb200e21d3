"""/short: propose to sell a future short; nothing is sent before its card is confirmed."""

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
    "short",
    Role.TRADER,
    is_private=True,
    examples=("BTCUSDT.P 0.01", "BTCUSDT.P 0.01 61,000", "BTCUSDT.P 10%", "BTCUSDT.P"),
)
async def short(services: Services, call: Call) -> Reply:
    """Propose to sell a future short, by its code."""
    return await enter_order(services, call, Action.SHORT)
