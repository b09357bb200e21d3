"""/orders: today's orders and where each stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.render_chain import chain_line
from bot.reply import Reply, command_button
from engine.reconcile import read_foreign
from engine.replacing import chains_of
from engine.risk_case import shown
from market.messages import Role
from market.sessions import KST

if TYPE_CHECKING:
    from datetime import datetime

    from bot.command import Call
    from bot.services import Services

MOST_SHOWN = 20


@command("orders", Role.VIEWER, is_private=True, examples=("",))
async def orders(services: Services, call: Call) -> Reply:
    """List today's orders, the newest first."""
    texts, language = services.texts, call.language
    start = start_of_day(services.wall_clock.now())

    since = await services.store.read(lambda tx: chains_of(tx, tx.orders.since(start)))
    found = sorted(since, key=lambda chain: chain.last.proposed_at, reverse=True)
    lines = [texts.get("orders.title", language, count=str(len(found)))]
    for chain in found[:MOST_SHOWN]:
        name = services.directory.name(chain.last.instrument)
        lines.append(chain_line(texts, language, chain, name))
    if len(found) > MOST_SHOWN:
        lines.append(texts.get("list.more", language, count=str(len(found) - MOST_SHOWN)))
    if not found:
        lines.append(texts.get("orders.none", language))
    lines += await _foreign(services, language)
    buttons = (
        command_button(texts.plain("button.refresh", language), "/orders"),
        command_button(texts.plain("button.cancel_which", language), "/cancel"),
    )
    return Reply("\n".join(lines), (buttons,), card=call.card_for("orders"))


async def _foreign(services: Services, language: str) -> list[str]:
    """Return lines about what rests at the broker but was not sent from here."""
    texts, found = services.texts, await services.store.read(read_foreign)
    if not found:
        return []
    lines = [texts.get("orders.foreign", language, count=str(len(found)))]
    for one in found[:MOST_SHOWN]:
        price = texts.plain("price.market", language)
        lines.append(
            texts.get(
                "orders.foreign_line",
                language,
                name=services.directory.name(one.instrument),
                side=texts.plain(f"side.{one.side}", language),
                quantity=shown(one.quantity),
                price=price if one.price is None else shown(one.price),
                filled=shown(one.filled_quantity),
            )
        )
    return lines


def start_of_day(now: datetime) -> datetime:
    """Return midnight in Korea before a moment."""
    return now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)
