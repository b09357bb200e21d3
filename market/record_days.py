"""Reading the raw record: the events of a day in order, and what was lost of it."""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.record_blocks import Block, unpack
from market.record_code import Decoder, Head, head_of
from market.record_files import days_in, files_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    from market.record_events import Event

__all__ = ["Loss", "RecordedDay", "days_in"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loss:
    """A place of a file that could not be read, and in words what it held."""

    file: Path
    offset: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, byte {self.offset}: {self.text}"


class RecordedDay:
    """What was recorded on one day; it may be read more than once, also while it is written.

    `losses` are those of the last reading so far.
    """

    def __init__(self, folder: Path, day: date) -> None:
        self.day = day
        self.losses: list[Loss] = []
        self._files = files_in(folder / day.isoformat())

    @property
    def size(self) -> int:
        """Return the bytes on the disk."""
        return sum(path.stat().st_size for path in self._files)

    def events(self, is_wanted: Callable[[Head], bool] = lambda _: True) -> Iterator[Event]:
        """Yield the events in the order of their recording; damaged places are left out and noted.

        Events that are not wanted are not read. What is wanted of one source's sweeps must be all
        or nothing.
        """
        self.losses.clear()
        for path in self._files:
            decoder = Decoder()
            for one in unpack(path.read_bytes()):
                if isinstance(one, Block):
                    yield from self._decoded(path, one, decoder, is_wanted)
                else:
                    self._lose(Loss(path, one.offset, one.text), decoder)

    def _decoded(
        self, path: Path, block: Block, decoder: Decoder, is_wanted: Callable[[Head], bool]
    ) -> Iterator[Event]:
        for data in block.events:
            try:
                if is_wanted(head_of(data)):
                    yield decoder.decode(data)
            except (ValueError, IndexError, OverflowError, struct.error) as error:
                text = f"an event of block {block.number} cannot be read ({error})"
                self._lose(Loss(path, block.offset, text), decoder)

    def _lose(self, loss: Loss, decoder: Decoder) -> None:
        decoder.lose()
        self.losses.append(loss)
        logger.warning("%s", loss)
