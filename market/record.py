"""The raw record: everything that was crawled, kept by a thread of its own, never in the way.

What is handed in waits in memory for a few seconds at most and is then one compressed, checksummed
block at the end of the day's newest file, written through to the disk. What cannot be written (a
full disk) is given up with one notice, and recording goes on when it can.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Final

from market import record_files as files
from market.errors import SourceChanged
from market.record_events import Break, Candle, Candles, Failure, Sweep, Told
from market.record_writer import RecordWriter
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from market.clock import Clock
    from market.errors import SourceError
    from market.record_events import Event, Forming
    from market.types import Bar, InstrumentId, Tick

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 3.0
"""A kill loses what was crawled within this time at most."""

FILE_BYTES: Final = 16 << 20
"""A file that has grown beyond this is followed by another."""

MOST_WAITING = 20_000
"""Events that may wait for a disk that does not answer; further ones are given up."""


@dataclass(slots=True)
class _Request:
    """Asks the thread to write what it has, and to end where `is_last`."""

    is_last: bool = False
    done: Flag = field(default_factory=Flag)


class RawRecord:
    """Keeps what sources told in a folder, a folder a day in it; older days make room for new ones.

    `clock` is the market's. Every method returns at once; nothing that goes wrong is raised.
    `trouble` says in words why nothing is being recorded, None while all is well.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        max_megabytes: int,
        *,
        flush_seconds: float = FLUSH_SECONDS,
        file_bytes: int = FILE_BYTES,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self.trouble: str | None = None
        self._clock = clock
        self._flush_seconds = flush_seconds
        self._folder = folder
        self._writer = RecordWriter(folder, max_megabytes << 20, file_bytes, free_bytes)
        self._queue: SimpleQueue[Event | _Request] = SimpleQueue()
        self._hurry = Flag()
        self._last_at = clock.now()
        self._given_up: str | None = "recording began"
        self._thread = Thread(target=self._run, name="raw-record", daemon=True)
        self._thread.start()

    def ticks(self, source: str, ticks: Sequence[Tick]) -> None:
        """Keep a sweep; one without ticks is kept too."""
        self._put(Sweep(source, self._clock.now(), tuple(ticks)))

    def updates(self, source: str, updates: Iterable[Forming]) -> None:
        """Keep what changed in forming candles; an answer that nothing did is kept too."""
        candles = tuple(Candle(one.bar, one.at, one.seen_at) for one in updates)
        self._put(Candles(source, self._clock.now(), candles))

    def bars(
        self,
        source: str,
        instrument: InstrumentId,
        start: datetime,
        end: datetime,
        bars: Sequence[Bar],
    ) -> None:
        """Keep what a minute chart told."""
        self._tell(source, instrument, Timeframe.M1, (start, end), bars)

    def days(
        self,
        source: str,
        instrument: InstrumentId,
        start: datetime,
        end: datetime,
        bars: Sequence[Bar],
    ) -> None:
        """Keep what a daily chart told."""
        self._tell(source, instrument, Timeframe.D1, (start, end), bars)

    def failed(self, source: str, call: str, error: SourceError, about: str) -> None:
        """Keep that a call (ticks, updates, bars, days) about an instrument or venue failed."""
        is_changed = isinstance(error, SourceChanged)
        at = self._clock.now()
        self._put(Failure(source, at, call, about, is_changed, str(error)))

    def flush(self) -> None:
        """Wait until everything handed in so far is written, or given up."""
        self._ask(_Request())

    def close(self) -> None:
        """Write what is left and end the thread; may be called twice."""
        if self._thread.is_alive():
            self._ask(_Request(is_last=True))
            self._thread.join()

    def _tell(
        self,
        source: str,
        instrument: InstrumentId,
        timeframe: Timeframe,
        span: tuple[datetime, datetime],
        bars: Sequence[Bar],
    ) -> None:
        at = self._clock.now()
        self._put(Told(source, at, instrument, timeframe, *span, tuple(bars)))

    def _put(self, event: Event) -> None:
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put(event)
        else:
            self._given_up = "the disk did not keep up"

    def _ask(self, request: _Request) -> None:
        if not self._thread.is_alive():
            return
        self._queue.put(request)
        self._hurry.set()
        request.done.wait()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch = [self._queue.get()]
            self._hurry.wait(self._flush_seconds)
            self._hurry.clear()
            batch += self._waiting()
            requests = [one for one in batch if isinstance(one, _Request)]
            self._keep([one for one in batch if not isinstance(one, _Request)])
            is_last = any(one.is_last for one in requests)
            if is_last:
                self._writer.close()
            for one in requests:
                one.done.set()

    def _waiting(self) -> list[Event | _Request]:
        found: list[Event | _Request] = []
        while True:
            try:
                found.append(self._queue.get_nowait())
            except Empty:
                return found

    def _keep(self, events: Sequence[Event]) -> None:
        """Write events, or give them up: then the next ones that are kept say so."""
        for day, held in groupby(events, key=lambda event: files.day_of(event.at)):
            part = list(held)
            if self._given_up is not None:
                part.insert(0, Break(part[0].at, self._last_at, self._given_up))
            try:
                self._writer.write(day, part)
            except OSError as error:
                self._stopped(error)
            except Exception:
                # the edge of a thread that must not end: what it was given is lost, not the rest
                logger.exception("%d crawled events could not be recorded", len(part))
                self._given_up = "a fault of ticktalk"
            else:
                self._goes_on(part[-1].at)

    def _stopped(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        self._given_up = reason
        if self.trouble is None:
            logger.warning(
                "nothing is recorded into %s (record.path) until this is mended: %s",
                self._folder,
                reason,
            )
        self.trouble = reason

    def _goes_on(self, at: datetime) -> None:
        if self.trouble is not None:
            logger.warning("recording goes on; nothing was recorded since %s", self._last_at)
        self.trouble, self._given_up, self._last_at = None, None, at
