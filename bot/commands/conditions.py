"""/conditions: what is being watched for, and how often it fired today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.commands.orders import start_of_day
from bot.html_text import TEXT_LIMIT, length
from bot.reply import Reply
from config.load import members
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services
    from market.store import Transaction


@command("conditions", Role.VIEWER, is_private=False, examples=("",))
async def conditions(services: Services, call: Call) -> Reply:
    """List the conditions with their universe, timeframe and firings of today."""
    texts, language = services.texts, call.language
    specs = services.config.conditions
    start = start_of_day(services.market_clock.now())

    def fired(tx: Transaction) -> list[int]:
        return [tx.signals.count_since(spec.name, start) for spec in specs]

    counts = await services.store.read(fired)
    text = texts.get("conditions.title", language, count=str(len(specs)))
    for index, (spec, count) in enumerate(zip(specs, counts, strict=True)):
        entry = texts.get(
            "conditions.line.order" if spec.order is not None else "conditions.line.alert",
            language,
            name=spec.name,
            describe=spec.describe[:200],
            timeframe=spec.timeframe.value,
            instruments=str(len(members(services.config, spec))),
            fired=str(count),
        )
        if length(f"{text}\n{entry}") > TEXT_LIMIT - 100:
            return Reply(
                f"{text}\n{texts.get('list.more', language, count=str(len(specs) - index))}"
            )
        text = f"{text}\n{entry}"
    return Reply(text)
