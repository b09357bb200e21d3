"""Condition files that are edited while the bot runs: the new ones, whole and well, or the old."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

from bot.changes import changes
from bot.condition_files import ConditionFiles
from bot.folder_look import FolderLook
from bot.plugins import compile_config, members_of
from bot.render_reload import refused_text, reloaded_text, restart_text
from bot.start_files import StartFiles
from config.load import reloaded_files
from market.errors import StoreError
from market.messages import Message, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bot.changes import Changes
    from bot.condition_files import Found
    from bot.texts import Texts
    from conditions.compile import Condition
    from config.load import Config
    from engine.pipeline import Pipeline
    from engine.ports import Events
    from market.clock import Clock
    from market.errors import Problem
    from market.store import Store, Transaction

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""An edit is seen at one look, taken at the next, and complained of at the one after."""


class Reloader:
    """Looks at the files of a configuration, and has the pipeline watch what they say.

    Editors write in several steps: a file counts when two looks in a row saw the same of it.
    `resolve` puts in the members of universes that depend on markets' lists.
    """

    def __init__(
        self,
        *,
        config: Config,
        conditions: Sequence[Condition],
        pipeline: Pipeline,
        store: Store,
        texts: Texts,
        events: Events,
        wall_clock: Clock,
        resolve: Callable[[Config], Config] = lambda config: config,
    ) -> None:
        self._config = config
        self._members = members_of(config, conditions)
        self._resolve = resolve
        self._exchanging = asyncio.Lock()
        self._folder = config.folder
        self._pipeline = pipeline
        self._store = store
        self._texts = texts
        self._events = events
        self._wall_clock = wall_clock
        self._look = FolderLook(lambda: reloaded_files(config.folder))
        self._files = ConditionFiles(config, resolve)
        self._start_files = StartFiles(config.folder)
        self._seen: Mapping[Path, str] | None = None
        self._in_force: Mapping[Path, str] | None = None
        self._read: Mapping[Path, str] | None = None
        self._is_refused = False
        self._found: Found | None = None
        self._untold: list[Callable[[str], str]] = []

    @property
    def config(self) -> Config:
        """Return the configuration in force."""
        return self._config

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions in force."""
        return tuple(condition for condition, _ in self._members)

    async def renew(self) -> bool:
        """Watch the members that universes have now; return whether any condition's changed.

        Raises StoreError, with all as it was.
        """
        async with self._exchanging:
            config = self._resolve(self._config)
            if config.universes == self._config.universes:
                return False
            # Compiled anew: a condition ranks and counts among the members that it was made with.
            conditions = await asyncio.to_thread(compile_config, config)
            members = members_of(config, conditions)
            is_changed = bool(changes(self._members, members))
            if is_changed:
                await self._pipeline.exchange(members)
            self._config, self._members = config, members
            return is_changed

    async def look(self) -> bool:
        """Look once; return whether there was anything to tell the owner.

        Raises StoreError; what could not be stored is tried again at the next look.
        """
        self._tell_of_restart(await asyncio.to_thread(self._start_files.changed))
        contents = await asyncio.to_thread(self._look.contents)
        is_stable, self._seen = contents == self._seen, contents
        if contents == self._in_force:
            self._go_back()
        elif is_stable:
            await self._take(contents)
        return await self._tell()

    async def _take(self, contents: Mapping[Path, str]) -> None:
        """Find out what the files say, then use it, or at the next look say why not.

        What we could not read by a fault of our own is not read again before it is edited.
        """
        if self._read != contents:
            await self._find(contents)
            if self._found is None or self._found.problems:
                return
        found, self._found = self._found, None
        if found is None:
            return
        if found.problems:
            self._refuse(found.problems)
            return
        try:
            await self._use(found)
        except StoreError:
            self._found = found
            raise
        self._in_force = contents

    async def _find(self, contents: Mapping[Path, str]) -> None:
        self._read, self._found = contents, None
        found = await asyncio.to_thread(self._files.find)
        if await asyncio.to_thread(self._look.contents) == contents:
            self._found = found
        else:
            self._read = None  # edited while it was read

    async def _use(self, found: Found) -> None:
        async with self._exchanging:
            config, conditions = self._resolve(found.config), found.conditions
            if config.universes != found.config.universes:  # renewed while the files were read
                conditions = await asyncio.to_thread(compile_config, config)
            members = members_of(config, conditions)
            change = changes(self._members, members)
            if change:
                await self._pipeline.exchange(members)
                self._report(change)
            elif self._is_refused:
                self._report_unchanged()
            self._config, self._members = config, members
            self._is_refused = False

    def _go_back(self) -> None:
        """Forget what was found: the files are again as they are in force."""
        self._read = self._found = None
        if self._is_refused:
            self._is_refused = False
            self._report_unchanged()

    def _report(self, change: Changes) -> None:
        facts = {kind: names for kind, names in asdict(change).items() if names}
        listed = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in facts.items())
        logger.info("conditions reloaded: %s", listed)
        self._events.emit("reload", **facts)
        self._untold.append(lambda language: reloaded_text(self._texts, language, change))

    def _report_unchanged(self) -> None:
        logger.info("the condition files are in order again; nothing has changed")
        self._untold.append(lambda language: self._texts.get("reload.unchanged", language))

    def _refuse(self, problems: Sequence[Problem]) -> None:
        self._is_refused = True
        lines = "\n".join(str(one) for one in problems)
        logger.warning("conditions not reloaded, those in force stay:\n%s", lines)
        self._events.emit("error", code="reload.refused", problems=[str(one) for one in problems])
        self._untold.append(
            lambda language: refused_text(self._texts, language, problems, self._folder)
        )

    def _tell_of_restart(self, names: Sequence[str]) -> None:
        if names:
            logger.warning("changed, but read at a start only: %s", ", ".join(names))
            self._untold.append(lambda language: restart_text(self._texts, language, names))

    async def _tell(self) -> bool:
        """Put what is untold into the owner's chat; what cannot be stored stays untold."""
        if not self._untold:
            return False

        def write(tx: Transaction) -> list[Message]:
            owners = [one for one in tx.people.all() if one.role is Role.OWNER]
            messages = [
                Message(chat_id=owner.id, text=text(owner.language))
                for text in self._untold
                for owner in owners
            ]
            for message in messages:
                tx.outbox.enqueue(message, self._wall_clock.now())
            return messages

        messages = await self._store.write(write)
        self._untold.clear()
        for message in messages:
            self._events.emit("message", chat=message.chat_id, card=message.card)
        return True
