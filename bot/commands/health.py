"""/health: whether what the bot sees of the market can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.command import command
from bot.commands.status import source_line, trouble_line
from bot.reply import Reply, command_button
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services, VenueHealth


@command("health", Role.VIEWER, is_private=False, examples=("",))
async def health(services: Services, call: Call) -> Reply:
    """Show for every venue where prices come from, what is missing and what is wrong."""
    texts, language = services.texts, call.language
    venues = services.pipeline.health()
    blocks = [_venue(services, one, language) for one in venues]
    button = command_button(texts.plain("button.refresh", language), "/health")
    text = "\n\n".join(blocks) or texts.get("health.nothing", language)
    return Reply(text, ((button,),), card=call.card_for("health"))


def _venue(services: Services, health: VenueHealth, language: str) -> str:
    texts, now = services.texts, services.market_clock.now()
    lines = [
        f"<b>{source_line(services, health, language)}</b>",
        texts.get(
            "health.counts",
            language,
            source=health.source or "–",
            watched=str(health.watched),
            missing=str(health.missing),
            waiting=str(health.waiting),
        ),
    ]
    for trouble in health.troubles:
        since = numbers.minute(trouble.since)
        age = numbers.span_between(trouble.since, now, language)
        lasting = texts.get("health.since", language, since=since, age=age)
        lines.append(f"{trouble_line(services, trouble, language)} · {lasting}")
    if health.last_error:
        lines.append(texts.get("health.error", language, error=health.last_error))
    return "\n".join(lines)
