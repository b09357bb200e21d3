"""/balance: the money at the broker, and what everything is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.command import command
from bot.reply import Reply, command_button
from engine.positions import equity
from market.errors import UsageError
from market.messages import Role
from market.money import to_decimal

if TYPE_CHECKING:
    from decimal import Decimal

    from bot.command import Call
    from bot.services import Services
    from market.types import InstrumentId


@command("balance", Role.VIEWER, is_private=True, examples=("",))
async def balance(services: Services, call: Call) -> Reply:
    """Tell cash, buying power, what the positions are worth, and all of it together."""
    account = await services.desk.account()
    if account is None:
        raise UsageError("balance.unknown")
    positions = await services.store.read(lambda tx: tx.orders.positions())

    def last(instrument: InstrumentId) -> Decimal | None:
        tick = services.quotes.last(instrument)
        return None if tick is None else to_decimal(tick.price)

    total = equity(account.cash, positions, last)
    amounts = {
        "cash": account.cash,
        "power": account.buying_power,
        "worth": total - account.cash,
        "total": total,
    }
    shown = {
        name: numbers.won(numbers.whole(amount), call.language) for name, amount in amounts.items()
    }
    broker = services.config.settings.broker.name
    text = services.texts.get("balance.text", call.language, broker=broker, **shown)
    refresh = command_button(services.texts.plain("button.refresh", call.language), "/balance")
    holdings = command_button(services.texts.plain("button.positions", call.language), "/positions")
    return Reply(text, ((refresh, holdings),), card=call.card_for("balance"))
