"""/sell: propose a sale; nothing is sent before its card is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.order_entry import enter_order
from bot.sell_where import read_where, sell_where
from market.messages import Role
from market.orders import Action

if TYPE_CHECKING:
    from bot.command import Call
    from bot.reply import Reply
    from bot.services import Services


@command(
    "sell",
    Role.TRADER,
    is_private=True,
    examples=(
        "005930 10",
        "005930 50%",
        "삼성전자 전부",
        "삼성전자 3주 72,000",
        "005930",
        "where profit > 1%",
    ),
)
async def sell(services: Services, call: Call) -> Reply:
    """Propose to sell an instrument by code or name, or what is held and meets a condition."""
    words = read_where(call.args)
    if words is not None:
        return await sell_where(services, call, words)
    return await enter_order(services, call, Action.SELL)
