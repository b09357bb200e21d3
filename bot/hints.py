"""Kind answers to words that are no command, with the nearest commands as buttons."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from bot.command import COMMANDS
from bot.incoming import cut
from bot.reply import Reply, command_button

if TYPE_CHECKING:
    from bot.incoming import CommandLine
    from bot.texts import Texts
    from market.messages import Button, Person

NAME_LIMIT = 32


def hint_text(texts: Texts, person: Person) -> Reply:
    """Answer plain words: this bot listens to commands."""
    return Reply(texts.get("hint.text", person.language), (_basics(texts, person.language),))


def hint_unknown(texts: Texts, person: Person, line: CommandLine) -> Reply:
    """Answer an unknown command with the nearest ones this person may use."""
    allowed = [name for name in COMMANDS if person.role.includes(COMMANDS.get(name).role)]
    near = get_close_matches(line.name[:NAME_LIMIT], allowed, n=3, cutoff=0.5)
    written = cut(f"/{line.name}")
    if not near:
        text = texts.get("hint.unknown", person.language, written=written)
        return Reply(text, (_basics(texts, person.language),))
    buttons = tuple(command_button(f"/{name}", f"/{name}") for name in near)
    return Reply(texts.get("hint.did_you_mean", person.language, written=written), (buttons,))


def _basics(texts: Texts, language: str) -> tuple[Button, ...]:
    return tuple(
        command_button(texts.plain(f"button.{name}", language), f"/{name}")
        for name in ("status", "conditions", "help")
    )
