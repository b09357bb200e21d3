"""/help: every command in one line, or one command in full; written from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import COMMANDS, command, listed
from bot.hints import hint_unknown
from bot.incoming import CommandLine
from bot.reply import Reply
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call, Command
    from bot.services import Services


@command("help", Role.VIEWER, is_private=False, examples=("", "buy", "/sell"))
async def show_help(services: Services, call: Call) -> Reply:
    """List the commands this person may use, or explain one with its examples."""
    name = call.args.strip().lstrip("/").lower()
    if not name:
        return Reply(_all(services, call))
    if name not in COMMANDS:
        return hint_unknown(services.texts, call.user, CommandLine(name, ""))
    return Reply(_one(services, call, COMMANDS.get(name)))


def _all(services: Services, call: Call) -> str:
    texts, language = services.texts, call.language
    lines = [texts.get("help.title", language)]
    for entry in listed():
        if call.user.role.includes(entry.role):
            words = texts.plain(f"menu.{entry.name}", language)
            lines.append(texts.get("help.line", language, name=entry.name, words=words))
    lines.append(texts.get("help.more", language))
    return "\n".join(lines)


def _one(services: Services, call: Call, entry: Command) -> str:
    texts, language = services.texts, call.language
    lines = [
        texts.get("help.name", language, name=entry.name),
        texts.get(f"usage.{entry.name}", language),
        texts.get("help.role", language, role=texts.plain(f"role.{entry.role}", language)),
    ]
    if entry.is_private:
        lines.append(texts.get("help.private", language))
    examples = [f"/{entry.name} {example}".strip() for example in entry.examples]
    lines += [texts.get("help.example", language, line=example) for example in examples]
    return "\n".join(lines)
