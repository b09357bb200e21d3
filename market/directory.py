"""Find an instrument by what a person types: its code, its id or its name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from market.types import Instrument, InstrumentId


class Directory:
    """The instruments that are known, in the order they were added.

    Case, spaces and width of letters do not matter, nor how Korean syllables are composed. Where
    two venues share a code or a name, the one that was added first answers to it.
    """

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._instruments: dict[InstrumentId, Instrument] = {}
        self._words: dict[str, Instrument] = {}
        for instrument in instruments:
            self.add(instrument)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(tuple(self._instruments.values()))

    def add(self, instrument: Instrument) -> None:
        """Enter an instrument, in the place of one with the same id."""
        former = self._instruments.get(instrument.id)
        self._instruments[instrument.id] = instrument
        if former is not None and former != instrument:
            self._words = {}
            for known in self._instruments.values():
                self._enter(known)
        else:
            self._enter(instrument)

    def get(self, instrument_id: InstrumentId) -> Instrument | None:
        """Return the instrument with this very id."""
        return self._instruments.get(instrument_id)

    def name(self, instrument_id: InstrumentId) -> str:
        """Return the instrument's name, or its code where it is not known."""
        instrument = self._instruments.get(instrument_id)
        return instrument_id.partition(":")[2] if instrument is None else instrument.name

    def find(self, text: str) -> Instrument | None:
        """Return the instrument whose code, id or whole name the text is."""
        return self._words.get(_plain(text))

    def suggest(self, text: str, limit: int = 5) -> list[Instrument]:
        """Return what the text may mean: what begins with it, contains it, then looks like it."""
        plain = _plain(text)
        if not plain:
            return []
        words = [word for word in self._words if word.startswith(plain)]
        words += [word for word in self._words if plain in word]
        if len(set(words)) < limit:
            words += get_close_matches(plain, _akin(plain, self._words), n=limit)
        found = {self._words[word].id: self._words[word] for word in words}
        return list(found.values())[:limit]

    def _enter(self, instrument: Instrument) -> None:
        for word in (instrument.code, instrument.id, instrument.name):
            if word:
                self._words.setdefault(_plain(word), instrument)


def _akin(plain: str, words: Iterable[str]) -> list[str]:
    """Return the codes and names that share half of their letters with a text.

    Others cannot look like it, and to compare thousands of them takes too long while one waits.
    """
    letters = set(plain)
    least, most = len(plain) // 2, 2 * len(plain) + 1
    return [
        word
        for word in words
        if least <= len(word) <= most
        and ":" not in word
        and 2 * len(letters.intersection(word)) >= min(len(letters), len(word))
    ]


def _plain(text: str) -> str:
    return "".join(normalize("NFKC", text).casefold().split())
