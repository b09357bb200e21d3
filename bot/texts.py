"""The words of the bot in every language it speaks, by key, from the catalogues in texts/."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bot.html_text import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LANGUAGES = ("ko", "en")
FALLBACK = "en"


class Texts:
    """Catalogues by language; a text's placeholders are filled with escaped facts."""

    def __init__(self, catalogues: Mapping[str, Mapping[str, str]]) -> None:
        self._catalogues = catalogues

    @classmethod
    @cache
    def load(cls) -> Texts:
        """Return the catalogues that come with the program; they are read once."""
        folder = Path(__file__).parent / "texts"
        return cls({name: read_catalogue(folder / f"{name}.yaml") for name in LANGUAGES})

    def get(self, key: str, language: str, **facts: str) -> str:
        """Return a text as Telegram HTML; an unknown key or a missing fact is a KeyError."""
        safe = {name: escape(fact, quote=False) for name, fact in facts.items()}
        return self._template(key, language).format_map(safe)

    def plain(self, key: str, language: str, **facts: str) -> str:
        """Return a text without markup, for buttons and for the answer to a tap."""
        return to_plain(self.get(key, language, **facts))

    def has(self, key: str) -> bool:
        """Return whether there is such a text."""
        return key in self._catalogues[FALLBACK]

    def keys(self, language: str) -> Iterator[str]:
        """Return the keys of one language's catalogue."""
        return iter(self._catalogues[language])

    def _template(self, key: str, language: str) -> str:
        return self._catalogues.get(language, self._catalogues[FALLBACK])[key]


def read_catalogue(path: Path) -> dict[str, str]:
    """Return a flat catalogue; a value that YAML does not read as text is a ValueError."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    odd = [key for key, value in entries.items() if type(key) is not str or type(value) is not str]
    if odd:
        raise ValueError(f"{path.name}: not texts, put them in quotes: {odd}")
    return dict(entries)


def language_of(code: str) -> str:
    """Return the language we speak to somebody whose Telegram is set to an IETF language code."""
    return "ko" if code.lower().startswith("ko") else FALLBACK
