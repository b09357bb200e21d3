"""/allow: let somebody in, or change what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.incoming import cut
from bot.reply import Reply
from market.errors import UsageError
from market.messages import Message, Person, Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services

GRANTABLE = {role.value: role for role in (Role.VIEWER, Role.TRADER)}
"""The owner's role is taken with /claim, never given."""

HIGHEST_ID = 2**52


@command("allow", Role.OWNER, is_private=True, examples=("424242 viewer", "424242 trader"))
async def allow(services: Services, call: Call) -> Reply:
    """Give a Telegram user id the role viewer or trader, and greet them."""
    words = call.args.split()
    if len(words) != 2:
        raise UsageError("allow.usage")
    user_id, role = read_user_id(words[0]), GRANTABLE.get(words[1].lower())
    if role is None:
        raise UsageError("allow.unknown_role", word=cut(words[1]))
    language = services.config.settings.telegram.language
    person = Person(user_id, role, language)
    if not await services.access.allow(person, services.wall_clock.now()):
        raise UsageError("allow.owner_stays")
    texts = services.texts
    shown = texts.plain(f"role.{role}", call.language)
    greeting = texts.get("allow.greeting", language, role=texts.plain(f"role.{role}", language))
    return Reply(
        texts.get("allow.done", call.language, id=str(user_id), role=shown),
        others=(Message(chat_id=user_id, text=greeting),),
    )


def read_user_id(word: str) -> int:
    """Return a Telegram user id; UsageError for what cannot be one."""
    if not word.isascii() or not word.isdigit() or not 0 < int(word[:20]) < HIGHEST_ID:
        raise UsageError("allow.bad_id", word=cut(word))
    return int(word)
