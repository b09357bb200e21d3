"""Sudden death: every write and every request of a process is a numbered point to die at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from market.store import Store, Transaction
from market.store_file import check

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from random import Random

    from sqlalchemy import Connection, Engine

T = TypeVar("T")


COMPILED: dict[Any, Any] = {}
"""Statements as SQLAlchemy has compiled them, for all lives: they are the same in each."""
DIALECTS: dict[str, Any] = {}
"""The dialects that the first life's engines found out about."""


class Killed(BaseException):
    """The process died here. No `except Exception` may keep it alive."""


class Fate:
    """Counts the points of one life and ends it at one of them; the dead do nothing more."""

    def __init__(self, kill_at: int | None, on_death: Callable[[], None]) -> None:
        self.kill_at = kill_at
        self.points = 0
        self.is_dead = False
        self.place = ""
        self._on_death = on_death

    def pass_point(self, place: str) -> None:
        """Go past a point, or die at it."""
        self.check()
        self.points += 1
        if self.points == self.kill_at:
            self.die(place)
            raise Killed(place)

    def die(self, place: str) -> None:
        """End this life."""
        if not self.is_dead:
            self.is_dead, self.place = True, place
            self._on_death()

    def check(self) -> None:
        """Stop whoever is dead already."""
        if self.is_dead:
            raise Killed("dead already")


class MortalStore(Store):
    """The real store of a process that can die before and after every write.

    Its transactions run on the loop's own thread, with seeded pauses around them: the same seed
    makes the same order of events.
    """

    fate: Fate
    pace: Random
    _lines: dict[Engine, Connection]

    def share_statements(self) -> None:
        """Compile no statement that another life has compiled, and keep to two connections."""
        for name in ("_writer", "_reader"):
            engine = getattr(self, name).execution_options(compiled_cache=COMPILED)
            # What is compiled is kept by dialect: a dialect of its own would compile all anew.
            engine.dialect = DIALECTS.setdefault(name, engine.dialect)
            setattr(self, name, engine)
        self._lines = {one: one.connect() for one in (self._writer, self._reader)}

    def close(self) -> None:
        """Let go of the connections and of the file."""
        for line in self._lines.values():
            line.close()
        self._lines = {}
        super().close()

    async def write(self, function: Callable[[Transaction], T]) -> T:
        """Write between two points."""
        self.fate.pass_point("before write")
        result = await super().write(function)
        self.fate.pass_point("after write")
        return result

    def look(self, function: Callable[[Transaction], T]) -> T:
        """Read what is committed, for those outside who check."""
        return self._transact(self._reader, function)

    def _transact(self, engine: Engine, function: Callable[[Transaction], T]) -> T:
        line = self._lines.get(engine)
        if line is None:  # of a life that is over, whose file somebody still looks at
            return super()._transact(engine, function)
        with line.begin():
            result = function(Transaction(line, self._clock))
            check(line)
            return result

    async def _run(
        self, thread: ThreadPoolExecutor, engine: Engine, function: Callable[[Transaction], T]
    ) -> T:
        await self._pause()
        self.fate.check()
        result = self._transact(engine, function)
        await self._pause()
        self.fate.check()
        return result

    async def _pause(self) -> None:
        drawn = self.pace.random()
        if drawn < 0.5:
            await asyncio.sleep(0.02 * drawn if drawn < 0.1 else 0)
