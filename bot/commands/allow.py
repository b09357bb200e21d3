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


@command(
    "allow",
    Role.OWNER,
    is_private=True,
    is_secret=True,
    examples=("424242 viewer", "424242 trader"),
)
async def allow(services: Services, call: Call) -> Reply:
    """Give a Telegram user id the role viewer or trader, and greet them.

    Where a second factor is set up, a role that moves money needs its code.
    """
    words = call.args.split(maxsplit=2)
    if len(words) < 2:
        raise UsageError("allow.usage")
    user_id, role = read_user_id(words[0]), GRANTABLE.get(words[1].lower())
    if role is None:
        raise UsageError("allow.unknown_role", word=cut(words[1]))
    await _prove(services, role, words[2] if len(words) > 2 else "")
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


async def _prove(services: Services, role: Role, code: str) -> None:
    """Raise UsageError unless the role may be given with what was written behind it."""
    factor = services.second_factor
    is_needed = role.includes(Role.TRADER) and await factor.is_set()
    if not is_needed and not code:
        return
    if not is_needed:
        raise UsageError("allow.usage" if await factor.is_set() else "factor.missing")
    if not code:
        raise UsageError("allow.with_code")
    proof = await factor.prove(code, services.wall_clock.now())
    if not proof.is_given:
        raise UsageError(proof.code, **proof.facts)


def read_user_id(word: str) -> int:
    """Return a Telegram user id; UsageError for what cannot be one."""
    if not word.isascii() or not word.isdigit() or not 0 < int(word[:20]) < HIGHEST_ID:
        raise UsageError("allow.bad_id", word=cut(word))
    return int(word)
