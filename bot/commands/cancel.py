"""/cancel: take back an open order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.outcome import outcome_text
from bot.render_chain import chain_line
from bot.reply import Reply
from engine.desk_foreign import foreign_id
from engine.reconcile import read_foreign
from engine.replacing import chains_of
from market.messages import Button, Role
from market.orders import OPEN

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services

MOST_SHOWN = 10


@command("cancel", Role.TRADER, is_private=True, examples=("", "aaaaaaaaaaaa"))
async def cancel(services: Services, call: Call) -> Reply:
    """Cancel the order with this id; without one, list what can be cancelled."""
    order_id = call.args.strip().lstrip("#").lower()
    if not order_id:
        return await _which(services, call)
    outcome = await services.desk.cancel(order_id, call.user.id)
    if outcome.code == "order.unknown" and await _is_foreign(services, order_id):
        outcome = await services.desk.foreign.cancel(order_id, call.user.id)
    return Reply(outcome_text(services.texts, call.language, outcome))


async def _is_foreign(services: Services, order_id: str) -> bool:
    """Tell whether this names an order made elsewhere that rests at the broker."""
    found = await services.store.read(read_foreign)
    return any(foreign_id(one) == order_id for one in found)


async def _which(services: Services, call: Call) -> Reply:
    texts, language = services.texts, call.language
    found = await services.store.read(lambda tx: chains_of(tx, tx.orders.in_states(OPEN)))
    mine = [chain for chain in found if chain.last.user_id == call.user.id]
    if not mine:
        return Reply(texts.get("cancel.none", language))
    rows = []
    lines = [texts.get("cancel.which", language)]
    for chain in mine[-MOST_SHOWN:]:
        order = chain.last
        name = services.directory.name(order.instrument)
        lines.append(chain_line(texts, language, chain, name))
        label = texts.plain("button.cancel_order", language, name=name, id=order.id[:4])
        rows.append((Button(label=label, data=f"ox:{order.id}"),))
    return Reply("\n".join(lines), tuple(rows))
