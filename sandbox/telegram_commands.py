"""The command menus that setMyCommands stores, by scope and language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.telegram_errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"[a-z0-9_]{1,32}")
MOST_COMMANDS = 100


@dataclass(frozen=True, slots=True)
class BotCommand:
    """One line of the menu."""

    command: str
    description: str

    def as_json(self) -> dict[str, str]:
        """Return a Bot API BotCommand."""
        return {"command": self.command, "description": self.description}


class CommandTable:
    """Menus as https://core.telegram.org/bots/api#botcommandscope orders them."""

    def __init__(self) -> None:
        self._menus: dict[tuple[str, str], tuple[BotCommand, ...]] = {}

    def put(self, scope: str, language: str, commands: Sequence[BotCommand]) -> None:
        """Store a menu; an empty one takes it away."""
        if commands:
            self._menus[scope, language] = tuple(commands)
        else:
            self._menus.pop((scope, language), None)

    def get(self, scope: str, language: str) -> tuple[BotCommand, ...]:
        """Return exactly this menu."""
        return self._menus.get((scope, language), ())

    def seen_by(self, user_id: int, language: str) -> tuple[BotCommand, ...]:
        """Return the menu that a person sees in the private chat: the narrowest there is."""
        for scope in (f"chat:{user_id}", "all_private_chats", "default"):
            for spoken in (language, ""):
                if menu := self.get(scope, spoken):
                    return menu
        return ()


def scope_name(scope: Any) -> str:
    """Return a BotCommandScope as one word; the default one where none is given."""
    if not scope:
        return "default"
    if not isinstance(scope, dict) or "type" not in scope:
        raise bad_request("can't parse BotCommandScope: expected an Object")
    places = [str(scope[key]) for key in ("chat_id", "user_id") if key in scope]
    return ":".join([str(scope["type"]), *places])


def parse_commands(written: Any) -> tuple[BotCommand, ...]:
    """Return the commands of a setMyCommands call; RefusalError where one is not allowed."""
    if not isinstance(written, list) or not all(isinstance(item, dict) for item in written):
        raise bad_request("can't parse commands: expected an Array of BotCommand")
    if len(written) > MOST_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands = tuple(
        BotCommand(str(item.get("command", "")).removeprefix("/"), str(item.get("description", "")))
        for item in written
    )
    for command in commands:
        if not _NAME.fullmatch(command.command):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command.description) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands
