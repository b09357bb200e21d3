"""The sources of one venue in the order in which they are wanted, and which of them rests."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from market.errors import SourceChanged, SourceError, SourceUnavailable
from market.types import EPOCH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from datetime import datetime

    from crawlers.source import Source

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=5)
"""A source that failed while another could stand in is not asked for so long, longer each time."""


@dataclass(frozen=True, slots=True)
class Named:
    """A source with the name that people know it by."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was answered, by whom, and what the sources before it had said."""

    by: Named
    value: T
    failures: tuple[SourceError, ...] = ()


@dataclass(slots=True)
class _Rest:
    """How long one source is left alone for one kind of question."""

    until: datetime = EPOCH
    length: timedelta = field(default=FIRST_REST)

    def begin(self, now: datetime) -> None:
        self.until = now + self.length
        self.length = min(2 * self.length, LONGEST_REST)


class Chain:
    """Asks the first source that does not rest; where it fails, the next one at once.

    Rests are kept by kind of question: a chart that is down says nothing about the prices. Where
    every source rests, all are asked as if none did: nobody else could answer.
    """

    def __init__(self, members: Sequence[Named]) -> None:
        if not members:
            raise ValueError("a venue without a source")
        self._members = tuple(members)
        self._rests: dict[tuple[str, str], _Rest] = {}

    @property
    def members(self) -> tuple[Named, ...]:
        """Return the sources, the wanted one first."""
        return self._members

    async def ask(
        self, kind: str, call: Callable[[Source], Awaitable[T]], now: datetime
    ) -> Answer[T]:
        """Return the first answer; raises what the last source said where all have failed."""
        failures: list[SourceError] = []
        for member in self._order(kind, now):
            try:
                value = await call(member.source)
            except SourceError as error:
                failures.append(error)
                self._failed(kind, member, error, now)
            else:
                self._rests.pop((kind, member.name), None)
                return Answer(member, value, tuple(failures))
        raise _together(failures)

    def distrust(self, kind: str, member: Named, now: datetime) -> None:
        """Let a source rest although it answered."""
        self._rests.setdefault((kind, member.name), _Rest()).begin(now)

    def resting(self, now: datetime) -> Iterator[tuple[str, str, datetime]]:
        """Yield kind of question, name and end of every rest that lasts."""
        for (kind, name), rest in self._rests.items():
            if rest.until > now:
                yield kind, name, rest.until

    def _order(self, kind: str, now: datetime) -> tuple[Named, ...]:
        rested = tuple(one for one in self._members if self._until(kind, one) <= now)
        return rested or self._members

    def _until(self, kind: str, member: Named) -> datetime:
        rest = self._rests.get((kind, member.name))
        return EPOCH if rest is None else rest.until

    def _failed(self, kind: str, member: Named, error: SourceError, now: datetime) -> None:
        if len(self._members) == 1:
            return
        # a chart of one instrument that is odd says nothing about the others'
        if kind == SWEEP or isinstance(error, SourceUnavailable):
            self._rests.setdefault((kind, member.name), _Rest()).begin(now)
        logger.warning("%s fails (%s): the next source is asked", member.name, error)


SWEEP = "prices"
CHART = "minutes"
DAYS = "days"
"""The kinds of question."""


def _together(failures: Sequence[SourceError]) -> SourceError:
    """Return one error for all: that of the wanted source, with what the others said."""
    first, *others = failures
    if not others:
        return first
    text = "; ".join(str(one) for one in failures)
    is_changed = all(isinstance(one, SourceChanged) for one in failures)
    return SourceChanged(text) if is_changed else SourceUnavailable(text)
