"""What a person types after /pause and /resume: what of, which side, how long; in any order."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.incoming import cut
from config.values import read_duration
from engine.pauses import Scope
from market.errors import UsageError
from market.orders import Side
from market.sessions import KST
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.load import Config
    from market.directory import Directory

SIDES = {
    **dict.fromkeys(("buy", "buys", "buying", "매수"), Side.BUY),
    **dict.fromkeys(("sell", "sells", "sales", "selling", "매도"), Side.SELL),
}
VENUES = {
    **{venue.lower(): venue for venue in Venue},
    "업비트": Venue.UPBIT,
    "바이낸스": Venue.BINANCE,
}
FILLERS = frozenset({"for", "until", "까지", "동안", "간"})

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?:까지)?", re.ASCII)
_SPAN = re.compile(r"(\d{1,4})\s*([a-z]+|초|분|시간|일)(?:동안|간)?")
_KOREAN = {"초": "s", "분": "m", "시간": "h", "일": "d"}
_JOINED = re.compile(r"(\d+) +(seconds?|minutes?|hours?|days?|초|분|시간|일)(?= |$)")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PauseWords:
    """What is to be paused, and until which market time if that was said.

    `is_sided` tells whether a side was named; if both were, the scope has none.
    """

    scope: Scope
    until: datetime | None = None
    is_sided: bool = False

    @property
    def of_pause(self) -> Scope:
        """Return what a pause is about: purchases unless a side, or a condition, is named."""
        if self.is_sided or self.scope.condition:
            return self.scope
        return replace(self.scope, side=Side.BUY)


def condition_names(config: Config) -> frozenset[str]:
    """Return the names of all conditions, of those that are off too."""
    return frozenset(one.name for one in (*config.conditions, *config.off))


def read_pause(
    args: str, directory: Directory, conditions: Collection[str], now: datetime
) -> PauseWords:
    """Return what was typed; UsageError names the word that says nothing."""
    until: datetime | None = None
    kept = []
    for word in _words(args):
        end = _end(word, now)
        if end is None:
            kept.append(word)
        elif until is not None:
            raise UsageError("pause.unclear", word=cut(word))
        else:
            until = end
    is_sided = any(word.lower() in SIDES for word in kept)
    return PauseWords(_scope(kept, directory, conditions), until, is_sided)


def read_scope(args: str, directory: Directory, conditions: Collection[str]) -> Scope:
    """Return what was typed, without a time; UsageError names the word that says nothing."""
    return _scope(_words(args), directory, conditions)


def _words(args: str) -> list[str]:
    text = unicodedata.normalize("NFKC", args[:200])
    return _JOINED.sub(r"\1\2", " ".join(text.split())).split()


def _end(word: str, now: datetime) -> datetime | None:
    if match := _CLOCK.fullmatch(word):
        at = now.astimezone(KST).replace(
            hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0
        )
        return at if at > now else at + _DAY
    match = _SPAN.fullmatch(word.lower())
    if match is None:
        return None
    try:
        span = read_duration(f"{match[1]}{_KOREAN.get(match[2], match[2])}")
    except ValueError:
        return None
    if not span:
        raise UsageError("pause.unclear", word=cut(word))
    return now + span


def _scope(words: list[str], directory: Directory, conditions: Collection[str]) -> Scope:
    venues: list[str] = []
    named: list[str] = []
    sides: set[Side] = set()
    rest: list[str] = []
    for word in words:
        low = word.lower()
        if low in SIDES:
            sides.add(SIDES[low])
        elif low in VENUES:
            venues.append(VENUES[low].value)
        elif word in conditions:
            named.append(word)
        elif low not in FILLERS:
            rest.append(word)
    for doubled in (venues[1:], named[1:]):
        if doubled:
            raise UsageError("pause.unclear", word=cut(doubled[0]))
    return Scope(
        venue=venues[0] if venues else "",
        condition=named[0] if named else "",
        instrument=_instrument(rest, directory),
        side=next(iter(sides)) if len(sides) == 1 else None,
    )


def _instrument(words: list[str], directory: Directory) -> str:
    name = " ".join(words)
    if not name:
        return ""
    found = directory.find(name)
    if found is None:
        raise UsageError("pause.unclear", word=cut(name))
    return found.id
