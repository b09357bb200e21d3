"""/buy: propose a purchase; nothing is sent before its card is confirmed."""

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
    "buy",
    Role.TRADER,
    is_private=True,
    examples=("005930 10", "삼성전자 10", "삼성전자 10주 71,500", "005930 500000원", "005930"),
)
async def buy(services: Services, call: Call) -> Reply:
    """Propose to buy an instrument by code or name."""
    return await enter_order(services, call, Action.BUY)
