"""The form of a chat command, and the registry that commands enter by their name."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

import bot.commands
from bot.incoming import read_command
from config.registry import Registry
from market.messages import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.reply import Reply
    from bot.services import Services
    from bot.texts import Texts
    from market.messages import Person

    Handler: TypeAlias = Callable[[Services, "Call"], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a command: `key` names it across restarts (`update:<id>`).

    `card` is the key of the message whose button was tapped, if that was a card.
    """

    args: str
    user: Person
    key: str
    chat_id: int
    message_id: int | None = None
    card: str | None = None

    @property
    def language(self) -> str:
        """Return the language to answer in."""
        return self.user.language

    def card_for(self, name: str) -> str:
        """Return the card to answer in: the tapped one if it is of this name, else a new one."""
        if self.card is not None and self.card.startswith(f"{name}/"):
            return self.card
        return f"{name}/{self.key}"


@dataclass(frozen=True, slots=True)
class Command:
    """A chat command: who may use it, where, and arguments that show how (they are tested).

    `is_private` keeps it out of groups; `is_open` lets strangers use it in private. What follows
    one that `is_secret` is neither stored nor logged, and its message is deleted where that works.
    Its words are `menu.NAME` (one line) and `usage.NAME` (how to write it) in the catalogues.
    """

    name: str
    role: Role
    handler: Handler
    is_private: bool
    examples: tuple[str, ...]
    is_open: bool = False
    is_secret: bool = False


COMMANDS: Registry[Command] = Registry("command")
"""Commands by name, without the slash."""


def command(
    name: str,
    role: Role,
    *,
    is_private: bool,
    examples: tuple[str, ...],
    is_open: bool = False,
    is_secret: bool = False,
) -> Callable[[Handler], Handler]:
    """Return a decorator that enters a handler into the registry as a command."""

    def enter(handler: Handler) -> Handler:
        made = Command(name, role, handler, is_private, examples, is_open, is_secret)
        COMMANDS.register(name)(made)
        return handler

    return enter


def without_secret(text: str) -> str:
    """Return a text as it may be stored and logged: a secret command without what follows it."""
    line = read_command(text)
    if line is None or line.name not in COMMANDS or not COMMANDS.get(line.name).is_secret:
        return text
    return text.split(maxsplit=1)[0]


def load_commands() -> None:
    """Import every module of bot/commands, so that all commands are registered."""
    for module in pkgutil.iter_modules(bot.commands.__path__):
        import_module(f"{bot.commands.__name__}.{module.name}")


def listed() -> list[Command]:
    """Return all commands as people should read them: what everybody may do comes first."""
    roles = list(Role)
    return sorted(
        (COMMANDS.get(name) for name in COMMANDS), key=lambda one: (roles.index(one.role), one.name)
    )


def bot_commands(texts: Texts, language: str) -> list[tuple[str, str]]:
    """Return (name, help) of every command for Telegram's menu."""
    return [(one.name, texts.plain(f"menu.{one.name}", language)) for one in listed()]
