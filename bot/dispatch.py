"""From an update to its answer: who is it, may they, is it fresh; each update acts once."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.again import PREFIX, ask_again, take_again
from bot.command import COMMANDS, Call, without_secret
from bot.hints import hint_text, hint_unknown
from bot.html_text import to_plain
from bot.incoming import (
    STALE,
    AgainTap,
    CommandLine,
    DoubtTap,
    Incoming,
    OrderTap,
    cut,
    read_command,
    read_tap,
)
from bot.outcome import outcome_text
from bot.replied import read_line
from bot.reply import Reply
from bot.texts import language_of
from engine.desk_doubt import Choice
from market.errors import SourceError, StoreError, TicktalkError, UsageError
from market.messages import Message, Person, Role

if TYPE_CHECKING:
    from bot.command import Command
    from bot.services import Services
    from engine.desk import Desk, Outcome
    from market.store import Transaction

logger = logging.getLogger(__name__)

NOTICE_LIMIT = 200
"""Characters Telegram allows in the answer to a tap."""


class Dispatcher:
    """Denies by default; `bot_name` (without @) tells commands meant for another bot."""

    def __init__(self, services: Services) -> None:
        self.bot_name = ""
        self._services = services

    async def handle(self, incoming: Incoming) -> str | None:
        """Act on an update, store its answer and that it is done; return a tap's notice.

        A tap that could not be stored says so; for a message the StoreError is raised, since
        there is nothing yet to say it with.
        """
        update_id = incoming.update_id
        try:
            is_done, stored = await self._services.store.read(
                lambda tx: (tx.inbox.is_done(update_id), tx.people.get(incoming.user_id))
            )
            if is_done:
                return None
            reply = await self._answer(incoming, stored)
            await self._finish(incoming, reply)
        except StoreError as error:
            if incoming.kind != "tap":
                raise
            logger.error("update %s could not be stored: %s", update_id, error)  # noqa: TRY400  (the text says how to mend it)
            language = language_of(incoming.language)
            return self._services.texts.plain("error.store", language)
        if reply is None or incoming.kind != "tap":
            return None
        return reply.notice[:NOTICE_LIMIT]

    async def _finish(self, incoming: Incoming, reply: Reply | None) -> None:
        now = self._services.wall_clock.now()

        def write(tx: Transaction) -> None:
            for message in _messages(incoming, reply):
                tx.outbox.enqueue(message, now)
            tx.inbox.receive(incoming.update_id, "", now)
            tx.inbox.done(incoming.update_id, now)

        await self._services.store.write(write)

    async def _answer(self, incoming: Incoming, stored: Person | None) -> Reply | None:
        """Return what to say; errors are said too, except those of the store."""
        if not incoming.is_personal:
            return None
        person = await self._known(incoming, stored)
        line = _open_line(incoming) if person is None else None
        if person is None and line is None:
            return None
        speaker = person or _guest(incoming)
        try:
            if line is None:
                return await self._act(incoming, speaker)
            return await self._run(COMMANDS.get(line.name), _call(incoming, speaker, line.args))
        except StoreError:
            raise
        except TicktalkError as error:
            code, facts = _words_for(error)
        except Exception:
            logger.exception(
                "update %s failed: %s", incoming.update_id, cut(without_secret(incoming.text))
            )
            self._services.events.emit("error", code="error.internal", update=incoming.update_id)
            code, facts = "error.internal", {}
        return self._said(incoming, speaker, code, **facts)

    async def _known(self, incoming: Incoming, person: Person | None) -> Person | None:
        """Return the person as stored, following their Telegram's language and name."""
        if person is None or not incoming.language:
            return person
        language = language_of(incoming.language)
        present = replace(person, language=language, name=incoming.user_name or person.name)
        if present != person:
            now = self._services.wall_clock.now()
            await self._services.store.write(lambda tx: tx.people.put(present, now))
        return present

    async def _act(self, incoming: Incoming, person: Person) -> Reply | None:
        if incoming.is_edited:
            is_command = incoming.is_private and read_command(incoming.text) is not None
            return self._said(incoming, person, "hint.edited") if is_command else None
        if incoming.kind == "tap":
            return await self._tap(incoming, person)
        if incoming.kind == "text" and incoming.text:
            return await self._text(incoming, person)
        return self._said(incoming, person, "hint.other") if incoming.is_private else None

    async def _text(self, incoming: Incoming, person: Person) -> Reply | None:
        line = await read_line(incoming, self._services.store)
        if line is None:
            return hint_text(self._services.texts, person) if incoming.is_private else None
        if line.addressee and line.addressee.lower() != self.bot_name.lower():
            return None
        if line.name not in COMMANDS:
            if not incoming.is_private:
                return None
            return hint_unknown(self._services.texts, person, line)
        age = self._services.wall_clock.now() - incoming.sent_at
        is_stale = COMMANDS.get(line.name).role.includes(Role.TRADER) and age > STALE
        return await self._command(incoming, person, line, is_stale=is_stale)

    async def _tap(self, incoming: Incoming, person: Person) -> Reply:
        tap = read_tap(incoming.text)
        if isinstance(tap, OrderTap):
            return await self._order_tap(incoming, person, tap)
        if isinstance(tap, DoubtTap):
            return await self._doubt_tap(incoming, person, tap)
        if isinstance(tap, AgainTap) and incoming.is_private:
            return await self._again_tap(incoming, person, tap)
        if isinstance(tap, CommandLine) and tap.name in COMMANDS:
            return await self._command(incoming, person, tap, is_stale=False)
        logger.warning("forged button by %s: %s", person.id, cut(incoming.text))
        return self._said(incoming, person, "tap.forged")

    async def _command(
        self, incoming: Incoming, person: Person, line: CommandLine, *, is_stale: bool
    ) -> Reply:
        command = COMMANDS.get(line.name)
        _check_allowed(incoming, person, command.role, is_private=command.is_private)
        if is_stale and command.is_secret:
            raise UsageError("again.secret")
        if is_stale:
            written = f"/{line.name} {line.args}".strip()
            return await ask_again(self._services, incoming, written, person)
        call = _call(incoming, person, line.args)
        if incoming.kind == "tap" and incoming.message_id is not None:
            message_id = incoming.message_id
            card = await self._services.store.read(
                lambda tx: tx.outbox.card_at(incoming.chat_id, message_id)
            )
            call = replace(call, card=card)
        return await self._run(command, call)

    async def _run(self, command: Command, call: Call) -> Reply:
        self._services.events.emit("command", name=command.name, user=call.user.id, key=call.key)
        return await command.handler(self._services, call)

    async def _again_tap(self, incoming: Incoming, person: Person, tap: AgainTap) -> Reply:
        written = await take_again(self._services, tap.update_id, person)
        texts, language = self._services.texts, person.language
        done = Message(
            chat_id=incoming.chat_id,
            text=texts.get("again.done", language, line=cut(written, 200)),
            card=f"{PREFIX}{tap.update_id}",
        )
        line = read_command(written)
        if line is None or line.name not in COMMANDS:
            return self._said(incoming, person, "tap.forged")
        original = replace(incoming, update_id=tap.update_id)
        command = COMMANDS.get(line.name)
        _check_allowed(incoming, person, command.role, is_private=command.is_private)
        reply = await self._run(command, _call(original, person, line.args))
        return replace(reply, others=(done, *reply.others))

    async def _order_tap(self, incoming: Incoming, person: Person, tap: OrderTap) -> Reply:
        _check_allowed(incoming, person, Role.TRADER, is_private=True)
        self._services.events.emit("command", name=tap.action, user=person.id, order=tap.order_id)
        outcome = await _tapped(self._services.desk, tap, person.id, incoming.message_id)
        words = outcome_text(self._services.texts, person.language, outcome)
        return Reply(notice=to_plain(words))

    async def _doubt_tap(self, incoming: Incoming, person: Person, tap: DoubtTap) -> Reply:
        _check_allowed(incoming, person, Role.TRADER, is_private=True)
        self._services.events.emit("command", name="settle", user=person.id, order=tap.order_id)
        choice = Choice(tap.order_id, tap.version, tap.number, person.id, incoming.message_id)
        outcome = await self._services.desk.doubts.answer(choice)
        words = outcome_text(self._services.texts, person.language, outcome)
        return Reply(notice=to_plain(words))

    def _said(self, incoming: Incoming, person: Person, code: str, **facts: str) -> Reply:
        """Return a text as a message, or as the notice of a tap."""
        texts = self._services.texts
        if incoming.kind == "tap":
            return Reply(notice=texts.plain(code, person.language, **facts))
        return Reply(text=texts.get(code, person.language, **facts))


async def _tapped(desk: Desk, tap: OrderTap, user_id: int, message_id: int | None) -> Outcome:
    if tap.action == "cancel":
        return await desk.cancel(tap.order_id, user_id)
    if tap.change is not None:
        return await desk.adjust(tap.change, tap.order_id, tap.version, user_id, message_id)
    if tap.action == "confirm":
        return await desk.confirm(tap.order_id, tap.version, user_id, message_id)
    return await desk.decline(tap.order_id, tap.version, user_id, message_id)


def _words_for(error: TicktalkError) -> tuple[str, dict[str, str]]:
    """Return the text key and facts that tell a person about an error."""
    if isinstance(error, UsageError):
        return error.code, error.facts
    key = "error.source" if isinstance(error, SourceError) else "error.refused"
    return key, {"error": str(error)[:300]}


def _open_line(incoming: Incoming) -> CommandLine | None:
    """Return a stranger's command if it is one of those open to all, in private."""
    line = read_command(incoming.text) if incoming.kind == "text" else None
    if line is None or incoming.is_edited or not incoming.is_private:
        return None
    return line if line.name in COMMANDS and COMMANDS.get(line.name).is_open else None


def _guest(incoming: Incoming) -> Person:
    language = language_of(incoming.language)
    return Person(incoming.user_id, Role.VIEWER, language, incoming.user_name)


def _check_allowed(incoming: Incoming, person: Person, role: Role, *, is_private: bool) -> None:
    if not person.role.includes(role):
        raise UsageError("deny.role")
    if is_private and not incoming.is_private:
        raise UsageError("deny.private")


def _call(incoming: Incoming, person: Person, args: str) -> Call:
    return Call(
        args=args,
        user=person,
        key=f"update:{incoming.update_id}",
        chat_id=incoming.chat_id,
        message_id=incoming.message_id,
    )


def _messages(incoming: Incoming, reply: Reply | None) -> tuple[Message, ...]:
    if reply is None:
        return ()
    if not reply.text:
        return reply.others
    first = Message(incoming.chat_id, reply.text, buttons=reply.buttons, card=reply.card)
    return (first, *reply.others)


__all__ = ["Dispatcher", "Incoming"]
