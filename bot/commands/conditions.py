"""/conditions: what is being watched for, how often it fired today, and what is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.commands.orders import start_of_day
from bot.html_text import TEXT_LIMIT, length
from bot.reply import Reply
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services
    from market.store import Transaction

MOST_OFF = 30
"""Conditions that are off and named; a name has at most a few dozen letters."""


@command("conditions", Role.VIEWER, is_private=False, examples=("",))
async def conditions(services: Services, call: Call) -> Reply:
    """List the conditions with their universe, timeframe and firings of today, then those off."""
    texts, language = services.texts, call.language
    watched = services.pipeline.conditions
    start = start_of_day(services.market_clock.now())

    def fired(tx: Transaction) -> list[int]:
        return [tx.signals.count_since(one.name, start) for one in watched]

    counts = await services.store.read(fired)
    text = texts.get("conditions.title", language, count=str(len(watched)))
    off = _off(services, language)
    for index, (condition, count) in enumerate(zip(watched, counts, strict=True)):
        spec, universe = condition.spec, condition.reference.members(condition.spec) or ()
        entry = texts.get(
            "conditions.line.order" if spec.order is not None else "conditions.line.alert",
            language,
            name=spec.name,
            describe=spec.describe[:200],
            timeframe=spec.timeframe.value,
            instruments=str(len(universe)),
            fired=str(count),
        )
        if length(f"{text}\n{entry}{off}") > TEXT_LIMIT - 100:
            more = texts.get("list.more", language, count=str(len(watched) - index))
            return Reply(f"{text}\n{more}{off}")
        text = f"{text}\n{entry}"
    return Reply(text + off)


def _off(services: Services, language: str) -> str:
    """Return the line that names what is off, "" where nothing is."""
    names = [one.name for one in services.config.off]
    if not names:
        return ""
    shown = ", ".join([*names[:MOST_OFF], *(["…"] if len(names) > MOST_OFF else [])])
    count = str(len(names))
    return "\n\n" + services.texts.get("conditions.off", language, count=count, names=shown)
