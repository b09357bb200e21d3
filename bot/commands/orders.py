"""/orders: today's orders and where each stands, and the questions that only a person answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.render_chain import chain_line
from bot.render_doubt import doubt_buttons, doubt_text
from bot.reply import Reply, command_button
from engine.desk_doubt import doubt_key, may_settle
from engine.desk_foreign import foreign_id
from engine.doubt import read_doubt, read_doubts
from engine.reconcile import read_foreign
from engine.replacing import chains_of
from engine.risk_case import shown
from market.errors import UsageError
from market.known import recall
from market.messages import Role
from market.sessions import KST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.command import Call
    from bot.services import Services
    from brokers.broker import OpenOrder
    from market.messages import Button
    from market.orders import Order
    from market.store import Transaction

MOST_SHOWN = 20
MOST_BUTTONS = 5


@command("orders", Role.VIEWER, is_private=True, examples=("", "aaaaaaaaaaaa"))
async def orders(services: Services, call: Call) -> Reply:
    """List today's orders, the newest first; with an id, ask again which order it is."""
    texts, language = services.texts, call.language
    order_id = call.args.strip().lstrip("#").lower()
    if order_id:
        return await _question(services, call, order_id)
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
    foreign = await services.store.read(read_foreign)
    lines += _foreign(services, language, foreign)
    buttons = (
        command_button(texts.plain("button.refresh", language), "/orders"),
        command_button(texts.plain("button.cancel_which", language), "/cancel"),
    )
    questions = await _questions(services, call)
    wishes = _foreign_buttons(services, call, foreign)
    return Reply("\n".join(lines), (*questions, *wishes, buttons), card=call.card_for("orders"))


async def _questions(services: Services, call: Call) -> list[tuple[Button, ...]]:
    """Return a button for each order of which this person may say which one it is."""

    def look(tx: Transaction) -> list[Order]:
        found = [tx.orders.get(one.order_id) for one in read_doubts(tx) if one.said is None]
        return [order for order in found if order is not None]

    rows: list[tuple[Button, ...]] = []
    for order in await services.store.read(look):
        if may_settle(order, call.user):
            name = services.directory.name(order.instrument)
            label = services.texts.plain("button.doubt", call.language, name=name, id=order.id[:4])
            rows.append((command_button(label, f"/orders {order.id}"),))
    return rows[:MOST_SHOWN]


async def _question(services: Services, call: Call, order_id: str) -> Reply:
    """Ask once more which of the venue's orders an order in doubt is."""
    order, doubt = await services.store.read(
        lambda tx: (tx.orders.get(order_id), read_doubt(tx, order_id))
    )
    if order is None:
        raise UsageError("order.unknown")
    if not may_settle(order, call.user):
        raise UsageError("order.not_yours")
    texts, language = services.texts, call.language
    if doubt is None:
        state = texts.plain(f"state.{order.state}", language)
        return Reply(texts.get("orders.no_question", language, state=state))
    instrument = await services.store.read(lambda tx: recall(tx, order.instrument))
    return Reply(
        doubt_text(texts, language, doubt, order, instrument),
        doubt_buttons(texts, language, doubt, order),
        card=f"{doubt_key(order.id)}/{call.key}",
    )


def _foreign(services: Services, language: str, found: Sequence[OpenOrder]) -> list[str]:
    """Return lines about what rests at the broker but was not sent from here."""
    texts = services.texts
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


def _foreign_buttons(
    services: Services, call: Call, found: Sequence[OpenOrder]
) -> list[tuple[Button, ...]]:
    """Return a row for each order made elsewhere: adopt it, or cancel it; for the owner alone."""
    if call.user.role is not Role.OWNER:
        return []
    texts, language = services.texts, call.language
    rows: list[tuple[Button, ...]] = []
    for one in found[:MOST_BUTTONS]:
        key = foreign_id(one)
        facts = {"name": services.directory.name(one.instrument), "quantity": shown(one.quantity)}
        adopt = texts.plain("button.adopt_order", language, **facts)
        cancel = texts.plain("button.cancel_foreign", language, **facts)
        rows.append(
            (command_button(adopt, f"/adopt #{key}"), command_button(cancel, f"/cancel #{key}"))
        )
    return rows


def start_of_day(now: datetime) -> datetime:
    """Return midnight in Korea before a moment."""
    return now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)
