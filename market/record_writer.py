"""The writing of the raw record: which file is written, when another begins, what makes room."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

from market import record_files as files
from market.record_blocks import pack
from market.record_code import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from market.record_events import Event

logger = logging.getLogger(__name__)

ROOM_BYTES: Final = 200 << 20
"""So much of the disk is left to others, the database above all."""


class RecordWriter:
    """Writes blocks: one open file, and the size of all days; used from one thread."""

    def __init__(
        self, folder: Path, most: int, file_bytes: int, free_bytes: Callable[[Path], int]
    ) -> None:
        self._folder = folder
        self._most = most
        self._file_bytes = file_bytes
        self._free_bytes = free_bytes
        self._lock = -1
        self._sizes: dict[date, int] = {}
        self._day: date | None = None
        self._file: files.RecordFile | None = None
        self._encoder = Encoder()

    def write(self, day: date, events: Sequence[Event]) -> None:
        """Append a block to the day's file; OSError where that cannot be."""
        file = self._opened(day)
        try:
            encoded = [self._encoder.encode(event) for event in events]
            block = pack(file.number + 1, encoded, events[0].at, events[-1].at)
            self._make_room(day, len(block))
            file.append(block)
        except BaseException:
            self._leave()  # the encoder has told what the file does not hold
            raise
        self._sizes[day] = self._sizes.get(day, 0) + len(block)
        if file.length >= self._file_bytes:
            following = files.next_file(file.path)
            self._leave()
            self._enter(day, following)

    def close(self) -> None:
        """Let go of the file and the folder."""
        self._leave()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _opened(self, day: date) -> files.RecordFile:
        if self._lock < 0:
            self._lock = _locked(self._folder)
            self._sizes = {
                one: files.size_of(self._folder / one.isoformat())
                for one in files.days_in(self._folder)
            }
        if self._file is not None and self._day == day:
            return self._file
        self._leave()
        place = self._folder / day.isoformat()
        place.mkdir(exist_ok=True)
        return self._enter(day, files.newest_file(place))

    def _enter(self, day: date, path: Path) -> files.RecordFile:
        file = files.RecordFile(path)
        if file.cut:
            logger.warning("%s: %d bytes of a torn block are cut off", path, file.cut)
            self._sizes[day] = self._sizes.get(day, 0) - file.cut
        self._file, self._day, self._encoder = file, day, Encoder()
        return file

    def _leave(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._day = None

    def _make_room(self, today: date, more: int) -> None:
        """Remove the oldest days that there is no room for; OSError where today needs it all."""
        while sum(self._sizes.values()) + more > self._most:
            oldest = min(self._sizes, default=today)
            if oldest >= today:
                raise OSError("the raw record of today has reached record.max_megabytes")
            files.remove_day(self._folder, oldest)
            logger.info("the raw record of %s made room for today's", oldest)
            del self._sizes[oldest]
        if self._free_bytes(self._folder) - more < ROOM_BYTES:
            raise OSError(f"the disk of {self._folder} is full but for the rest kept free")


def _locked(folder: Path) -> int:
    try:
        return files.lock(folder)
    except BlockingIOError as error:
        raise OSError(f"another ticktalk records into {folder}") from error
