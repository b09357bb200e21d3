"""/adopt: take for ours what the broker holds, or an order that was made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.outcome import outcome_text
from bot.reply import Reply, command_button
from engine.cash import differing
from engine.difference import facts_of, read_differences
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services

MOST_SHOWN = 20


@command("adopt", Role.OWNER, is_private=True, examples=("", "KRX:005930", "#aaaaaaaaaaaa", "cash"))
async def adopt(services: Services, call: Call) -> Reply:
    """Adopt the broker's position in an instrument, or an order; else list where books differ."""
    if call.args.startswith("#"):
        outcome = await services.desk.foreign.adopt(call.args[1:].strip().lower(), call.user.id)
        return Reply(outcome_text(services.texts, call.language, outcome))
    instrument = call.args.strip().upper()
    if instrument == "CASH":
        outcome = await services.desk.adopt_cash(call.user.id)
        return Reply(outcome_text(services.texts, call.language, outcome))
    if not instrument:
        return await _which(services, call)
    if ":" not in instrument:
        instrument = f"KRX:{instrument}"
    outcome = await services.desk.adopt(instrument, call.user.id)
    return Reply(outcome_text(services.texts, call.language, outcome))


async def _which(services: Services, call: Call) -> Reply:
    texts, language = services.texts, call.language
    found, money = await services.store.read(lambda tx: (read_differences(tx), differing(tx)))
    if not found and not money:
        return Reply(texts.get("adopt.nothing", language))
    lines = [texts.get("adopt.which", language)]
    rows = []
    for one in found[:MOST_SHOWN]:
        facts = facts_of(one)
        name = services.directory.name(one.instrument)
        lines.append(texts.get("adopt.line", language, name=name, **facts))
        label = texts.plain("button.adopt", language, name=name, theirs=facts["theirs"])
        rows.append((command_button(label, f"/adopt {one.instrument}"),))
    if len(found) > MOST_SHOWN:
        lines.append(texts.get("list.more", language, count=str(len(found) - MOST_SHOWN)))
    lines += [texts.get("adopt.cash_line", language, **one.facts) for one in money]
    if money:
        rows.append((command_button(texts.plain("button.adopt_cash", language), "/adopt cash"),))
    return Reply("\n".join(lines), tuple(rows))
