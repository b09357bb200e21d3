"""Minutes of many markets from a stream that says neither when one is over nor what it lost.

One rule keeps out holes: a minute is *known* once it is over and a look at the market's newest
trade agrees with what the stream told, or else an answer to a request has shown it. Pure; times
are milliseconds of the venue's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawlers.upbit_parsers import Candle, Streamed, Ticker

MINUTE_MS = 60_000
SETTLE_MS = 2_000
"""A minute may still change for a moment after its end."""
WAY_MS = 3_000
"""A trade is on the stream after so long, and so is a market that was just subscribed."""
END_MS = 3_000
"""What was told of a minute so shortly before its end is taken for the last that there was."""
MISSED_MS = 10_000
"""A trade that the stream did not tell for so long will not come any more."""
LATE_MINUTES = 2
"""Changes of minutes that were over are taken in for so long."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A candle and when it was shown to us."""

    candle: Candle
    seen_ms: int


@dataclass(slots=True)
class _Series:
    """Every minute before `known_ms` is known; the stream has told everything since `whole_ms`.

    What had traded at `filled_ms` is known from an answer: candles hold all of their minute, so a
    stream that was whole before then lacks nothing.
    """

    known_ms: int
    whole_ms: int | None = None
    filled_ms: int = 0
    is_new: bool = True
    candles: dict[int, Shown] = field(default_factory=dict)
    news: set[int] = field(default_factory=set)

    @property
    def newest(self) -> Candle | None:
        """Return the newest candle there is."""
        return self.candles[max(self.candles)].candle if self.candles else None


class Minutes:
    """What was told of each market, and how far that can be relied upon."""

    def __init__(self) -> None:
        self._series: dict[str, _Series] = {}

    def follow(self, codes: Iterable[str], now_ms: int) -> None:
        """Follow these and no others; new ones begin with the minute before the present one."""
        before = minute_of(now_ms) - MINUTE_MS
        known = self._series
        self._series = {code: known.get(code) or _Series(before) for code in codes}

    @property
    def has_new(self) -> bool:
        """Tell whether some market was never looked at."""
        return any(series.is_new for series in self._series.values())

    def is_due(self, over_ms: int) -> bool:
        """Tell whether some market has a minute that is over and not known."""
        return any(series.known_ms < over_ms for series in self._series.values())

    def hear(self, streamed: Streamed, seen_ms: int) -> None:
        """Take in what the stream told; a snapshot of long ago says nothing new."""
        series = self._series.get(streamed.code)
        if series is None:
            return
        start = streamed.candle.start_ms
        is_late = start < series.known_ms and start not in series.candles
        oldest = series.known_ms - LATE_MINUTES * MINUTE_MS
        if start >= oldest and not (is_late and streamed.is_snapshot):
            _take(series, streamed.candle, seen_ms)

    def interrupted(self) -> None:
        """Note that the stream was opened, or is another one: nobody knows what it lacks."""
        for series in self._series.values():
            series.whole_ms = None

    def paused(self, until_ms: int) -> None:
        """Note that the stream may have lost something before it went on."""
        for series in self._series.values():
            if series.whole_ms is not None:
                series.whole_ms = max(series.whole_ms, until_ms)

    def in_doubt(self, code: str, ticker: Ticker, over_ms: int, now_ms: int) -> int | None:
        """Return from which minute on a market has to be asked for, None where it has not.

        `ticker` shows its newest trade, minutes before `over_ms` are over. What did not trade is
        not in doubt, whatever happened to the stream.
        """
        series = self._series[code]
        first = series.known_ms
        if ticker.traded_ms < first:
            return None
        if series.whole_ms is None or series.whole_ms > max(first, series.filled_ms - SETTLE_MS):
            return first
        is_sure = _agrees(series.newest, ticker, over_ms, now_ms) and _has_ends(series, over_ms)
        return None if is_sure else first

    def has_missed(self, code: str, ticker: Ticker, now_ms: int) -> bool:
        """Tell whether a stream that should be whole lacks a trade of some time ago."""
        series = self._series[code]
        if series.whole_ms is None or ticker.traded_ms < max(series.whole_ms, series.known_ms):
            return False
        newest = series.newest
        is_lacking = newest is None or newest.at_ms // 1000 < ticker.traded_ms // 1000
        return is_lacking and now_ms - ticker.traded_ms >= MISSED_MS

    def fill(
        self, code: str, candles: Sequence[Candle], over_ms: int, now_ms: int, seen_ms: int
    ) -> bool:
        """Take in an answer to a request of `now_ms`; tell whether it is as new as the stream.

        A minute that was over for a while is as the answer shows it, whatever the stream told.
        """
        series = self._series.get(code)
        if series is None:
            return True
        shown = {candle.start_ms: candle for candle in candles}
        last = over_ms - MINUTE_MS
        told = series.candles.get(last)
        if told is not None and last >= series.known_ms:
            answer = shown.get(last)
            if answer is None or answer.volume < told.candle.volume:
                return False
        for start, candle in shown.items():
            _take(series, candle, seen_ms, is_final=start < last)
        series.filled_ms = now_ms
        return True

    def know(self, code: str, over_ms: int, whole_ms: int | None) -> None:
        """Note that every minute before `over_ms` is as we have it.

        The stream tells this market whole since `whole_ms`, where it did not before.
        """
        series = self._series.get(code)
        if series is None:
            return
        series.is_new = False
        if series.whole_ms is None:
            series.whole_ms = whole_ms
        if over_ms > series.known_ms:
            series.news |= {one for one in series.candles if series.known_ms <= one < over_ms}
            series.known_ms = over_ms

    def news(self) -> list[tuple[str, Shown, bool]]:
        """Return once what changed: code, candle, and whether its minute is known.

        Oldest minute first per market. Markets never looked at have to wait, and so has a minute
        until the one before is known.
        """
        found: list[tuple[str, Shown, bool]] = []
        for code, series in self._series.items():
            if series.is_new:
                continue
            known_ms = series.known_ms
            starts = sorted(start for start in series.news if start <= known_ms)
            found += [(code, series.candles[start], start < known_ms) for start in starts]
            series.news.difference_update(starts)
            oldest = series.known_ms - LATE_MINUTES * MINUTE_MS
            for start in [one for one in series.candles if one < oldest]:
                del series.candles[start]
        return found


def minute_of(at_ms: int) -> int:
    """Return the start of the minute that a moment is in."""
    return at_ms // MINUTE_MS * MINUTE_MS


def over_at(now_ms: int) -> int:
    """Return the end of the newest minute that is over and has settled."""
    return minute_of(now_ms - SETTLE_MS)


def _take(series: _Series, candle: Candle, seen_ms: int, *, is_final: bool = False) -> None:
    """Keep a candle that is newer than ours: what traded in a minute only grows."""
    ours = series.candles.get(candle.start_ms)
    if ours is not None:
        is_same = replace(ours.candle, at_ms=candle.at_ms) == candle
        if is_same or (ours.candle.volume >= candle.volume and not is_final):
            return
    series.candles[candle.start_ms] = Shown(candle, seen_ms)
    series.news.add(candle.start_ms)


def _agrees(newest: Candle | None, ticker: Ticker, over_ms: int, now_ms: int) -> bool:
    """Tell whether a whole stream's newest candle can be all there is.

    The stream keeps the order of a market: who has told of a later minute will not tell of earlier
    ones. The stream's times were seen in whole seconds.
    """
    if newest is None:
        return False
    traded_minute = minute_of(ticker.traded_ms)
    if newest.start_ms != traded_minute:
        return newest.start_ms > traded_minute
    is_under_way = now_ms - ticker.traded_ms < WAY_MS and traded_minute >= over_ms
    is_same = newest.at_ms // 1000 >= ticker.traded_ms // 1000 and newest.close == ticker.price
    return is_same or newest.at_ms > ticker.traded_ms or is_under_way


def _has_ends(series: _Series, over_ms: int) -> bool:
    """Tell whether minutes that later ones hide from the ticker were told up to their ends.

    A stream that lost a market's last change of a minute looks like one that had none to tell.
    """
    newest = max(series.candles)
    for start in range(series.known_ms, min(over_ms, newest), MINUTE_MS):
        told = series.candles.get(start)
        if told is None or told.candle.at_ms < start + MINUTE_MS - END_MS:
            return False
    return True
