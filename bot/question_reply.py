"""Answers to questions about conditions that are not clear yet, and the ranking by nearness."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.render import typed_code
from bot.render_near import near_text
from bot.reply import DATA_LIMIT_BYTES, Reply, command_button
from conditions.near import Ranking
from market.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.asking import UnknownCondition, UnknownName
    from bot.command import Call
    from bot.services import Services
    from market.messages import Button

TOP = 5


async def near_reply(services: Services, call: Call, name: str) -> Reply:
    """Return the ranking of a condition, with a button for each instrument that asks why."""
    looks = await services.pipeline.looks(name)
    if not any(look.has_bars for look in looks):
        raise UsageError("near.no_bars", condition=name)
    ranking = Ranking()
    for look in looks:
        ranking = ranking.joined(await asyncio.to_thread(look.near, TOP), TOP)
    found = (services.directory.get(one.instrument) for one in ranking.nearest)
    lines = [(one.name, f"/why {name} {typed_code(one)}") for one in found if one is not None]
    lines.append((services.texts.plain("button.refresh", call.language), f"/near {name}"))
    condition, directory = looks[0].condition, services.directory
    text = near_text(services.texts, call.language, condition, ranking, directory)
    return Reply(text, in_pairs(fitting_buttons(lines)), card=call.card_for("near"))


def condition_names(services: Services) -> tuple[str, ...]:
    """Return the names of the conditions that are watched."""
    return tuple(one.name for one in services.pipeline.conditions)


def which(services: Services, call: Call, word: str, names: Iterable[str], tail: str = "") -> Reply:
    """Ask which condition is meant, with a button for each."""
    buttons = fitting_buttons([(name, f"/{word} {name} {tail}".strip()) for name in names])
    return Reply(services.texts.get("condition.which", call.language), in_pairs(buttons))


def did_you_mean(services: Services, call: Call, unknown: UnknownCondition, word: str) -> Reply:
    """Answer an unknown condition with those that are like it."""
    lines = [(name, f"/{word} {name} {unknown.rest}".strip()) for name in unknown.near]
    text = services.texts.get(unknown.code, call.language, **unknown.facts)
    return Reply(text, in_pairs(fitting_buttons(lines)))


def instruments_like(services: Services, call: Call, unknown: UnknownName) -> Reply:
    """Answer an unknown instrument with those that are like it."""
    lines = [
        (f"{one.name} ({one.code})", f"/why {unknown.condition} {typed_code(one)}")
        for one in unknown.near
    ]
    text = services.texts.get(unknown.code, call.language, **unknown.facts)
    return Reply(text, in_pairs(fitting_buttons(lines)))


def fitting_buttons(lines: Sequence[tuple[str, str]]) -> list[Button]:
    """Return a button for every (label, command line) that fits into one."""
    return [
        command_button(label, line)
        for label, line in lines
        if len(f"c:{line}".encode()) <= DATA_LIMIT_BYTES
    ]


def in_pairs(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], ...]:
    """Return buttons in rows of two."""
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))
