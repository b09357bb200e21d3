"""A process that can die before and after every write and every request."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from market.store import Store, Transaction

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


T = TypeVar("T")
Hook: TypeAlias = "Callable[[], Awaitable[None]]"


class Killed(Exception):
    """The process died here; nothing that it would have done afterwards happens."""


class Fate:
    """Counts the points at which a process can die, and lets it die at one of them."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.kill_at = kill_at
        self.points = 0
        self.is_dead = False

    def pass_point(self) -> None:
        self.check()
        self.points += 1
        if self.points == self.kill_at:
            self.is_dead = True
            raise Killed(f"at point {self.points}")

    def check(self) -> None:
        if self.is_dead:
            raise Killed("dead already")


async def nothing() -> None:
    """Do nothing: what the hooks of the pretended things do until a test sets them."""


class MortalStore(Store):
    """The real store of a process that can die before and after every write."""

    fate = Fate()
    before_write: Hook = staticmethod(nothing)

    async def write(self, function: Callable[[Transaction], T]) -> T:
        await self.before_write()
        self.fate.pass_point()
        result = await super().write(function)
        self.fate.pass_point()
        return result

    async def read(self, function: Callable[[Transaction], T]) -> T:
        self.fate.check()
        return await super().read(function)
