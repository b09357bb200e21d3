"""Files that are read at a start only: who edits one while the bot runs hears that, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.folder_look import FolderLook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAMES = ("settings.yaml", "instruments.yaml", "krx_calendar.yaml")


class StartFiles:
    """Looks at the files of a folder that count only after a restart; the first look is the start.

    A change is told when two looks in a row have seen it.
    """

    def __init__(self, folder: Path) -> None:
        self._look = FolderLook(lambda: [folder / name for name in NAMES])
        self._started: Mapping[Path, str] | None = None
        self._seen: Mapping[Path, str] = {}
        self._told: Mapping[Path, str] = {}

    def changed(self) -> tuple[str, ...]:
        """Return the names of files that are not any more as they were at the start, once."""
        contents = self._look.contents()
        if self._started is None:
            self._started = self._told = contents
        is_stable, self._seen = contents == self._seen, contents
        if not is_stable or contents == self._told:
            return ()
        self._told = contents
        paths = {**self._started, **contents}
        return tuple(path.name for path in paths if self._started.get(path) != contents.get(path))
