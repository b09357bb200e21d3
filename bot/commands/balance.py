"""/balance: the money at the brokers, and what everything is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.command import command
from bot.reply import Reply, command_button
from engine.brokers import paid_by
from engine.positions import equity
from market.errors import UsageError
from market.messages import Role
from market.money import to_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from bot.command import Call
    from bot.services import Services
    from engine.brokers import Seat
    from market.orders import Account, Position
    from market.types import InstrumentId


@command("balance", Role.VIEWER, is_private=True, examples=("",))
async def balance(services: Services, call: Call) -> Reply:
    """Tell cash, buying power, what the positions are worth, and all of it, purse by purse."""
    told = await services.desk.accounts()
    if all(accounts is None for accounts in told.values()):
        raise UsageError("balance.unknown")
    positions = await services.store.read(lambda tx: tx.orders.positions())
    blocks = [services.texts.get("balance.title", call.language)]
    for seat in services.desk.brokers.seats:
        accounts = told[seat.name]
        if accounts is None:
            blocks.append(services.texts.get("balance.untold", call.language, broker=seat.name))
            continue
        blocks += [_block(services, call, seat, accounts, one, positions) for one in accounts]
    refresh = command_button(services.texts.plain("button.refresh", call.language), "/balance")
    holdings = command_button(services.texts.plain("button.positions", call.language), "/positions")
    return Reply("\n".join(blocks), ((refresh, holdings),), card=call.card_for("balance"))


def _block(
    services: Services,
    call: Call,
    seat: Seat,
    accounts: Sequence[Account],
    account: Account,
    positions: Sequence[Position],
) -> str:
    """Return what one purse comes to, with what it has paid for."""

    def last(instrument: InstrumentId) -> Decimal | None:
        tick = services.quotes.last(instrument)
        return None if tick is None else to_decimal(tick.price)

    total = equity(account.cash, paid_by(seat, accounts, account, positions), last)
    amounts = {
        "cash": account.cash,
        "power": account.buying_power,
        "worth": total - account.cash,
        "total": total,
    }
    shown = {
        name: numbers.amount(amount, account.currency, call.language)
        for name, amount in amounts.items()
    }
    broker = " ".join(word for word in (seat.name, account.purse) if word)
    return services.texts.get("balance.text", call.language, broker=broker, **shown)
