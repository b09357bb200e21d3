"""What became of an edit of condition files, in a few lines for the owner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.changes import Changes
    from bot.texts import Texts
    from market.errors import Problem

MOST_PROBLEMS = 3
MOST_NAMES = 10
MOST_CHARACTERS = 300


def reloaded_text(texts: Texts, language: str, changes: Changes) -> str:
    """Return what has been added, changed and removed."""
    kinds = (
        ("reload.added", changes.added),
        ("reload.meaning", changes.meaning),
        ("reload.deeds", changes.deeds),
        ("reload.instruments", changes.instruments),
        ("reload.words", changes.words),
        ("reload.removed", changes.removed),
    )
    lines = [
        texts.get(key, language, names=_joined(names), count=str(len(names)))
        for key, names in kinds
        if names
    ]
    return "\n".join([texts.get("reload.done", language), *lines])


def refused_text(texts: Texts, language: str, problems: Sequence[Problem], folder: Path) -> str:
    """Return why the files are not used: the first problems, files named from `folder` on."""
    lines = [texts.get("reload.refused", language)]
    for one in problems[:MOST_PROBLEMS]:
        place = replace(one, file=_short(one.file, folder)).place
        message = one.message
        if len(message) > MOST_CHARACTERS:
            message = f"{message[:MOST_CHARACTERS]}…"
        lines.append(texts.get("reload.problem", language, place=place, message=message))
    if len(problems) > MOST_PROBLEMS:
        more = str(len(problems) - MOST_PROBLEMS)
        lines.append(texts.get("list.more", language, count=more))
    return "\n".join(lines)


def restart_text(texts: Texts, language: str, files: Iterable[str]) -> str:
    """Return that these files count only after a restart."""
    return texts.get("reload.restart", language, files=", ".join(files))


def _joined(names: Sequence[str]) -> str:
    more = ["…"] if len(names) > MOST_NAMES else []
    return ", ".join([*names[:MOST_NAMES], *more])


def _short(file: str, folder: Path) -> str:
    path = Path(file)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
