"""Old commands ask before they act: the command is kept until its button is tapped, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.incoming import cut
from bot.render_numbers import span_between
from bot.reply import Reply
from market.errors import UsageError
from market.messages import Button
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from bot.incoming import Incoming
    from bot.services import Services
    from market.messages import Person
    from market.store import Transaction

LIFETIME = timedelta(minutes=10)
"""How long after the question its button works."""

PREFIX = "again/"


async def ask_again(services: Services, incoming: Incoming, line: str, person: Person) -> Reply:
    """Keep an old command and ask whether it is still wanted."""
    now = services.wall_clock.now()
    kept = {"user_id": person.id, "line": line, "asked_ms": to_ms(now)}

    def keep(tx: Transaction) -> None:
        _forget_old(tx, now)
        tx.documents.put(f"{PREFIX}{incoming.update_id}", kept)

    await services.store.write(keep)
    texts, language = services.texts, person.language
    age = span_between(incoming.sent_at, now, language)
    label = texts.plain("button.again", language)
    return Reply(
        text=texts.get("again.ask", language, line=cut(line, 200), age=age),
        buttons=((Button(label=label, data=f"again:{incoming.update_id}"),),),
        card=f"{PREFIX}{incoming.update_id}",
    )


async def take_again(services: Services, update_id: int, person: Person) -> str:
    """Return the kept command line, which is then gone; UsageError if it is not to be had."""
    now = services.wall_clock.now()
    key = f"{PREFIX}{update_id}"

    def take(tx: Transaction) -> str:
        kept = tx.documents.get(key)
        if kept is None or int(kept["user_id"]) != person.id:
            raise UsageError("again.gone")
        if now - from_ms(int(kept["asked_ms"])) > LIFETIME:
            raise UsageError("again.gone")
        if not tx.inbox.claim_key(f"again:{update_id}", now):
            raise UsageError("again.gone")
        tx.documents.delete(key)
        return str(kept["line"])

    return await services.store.write(take)


def _forget_old(tx: Transaction, now: datetime) -> None:
    for key, kept in tx.documents.items(PREFIX):
        if now - from_ms(int(kept["asked_ms"])) > LIFETIME:
            tx.documents.delete(key)
