"""The minutes of many symbols, from a stream that may lose some and requests that fill them in.

One rule keeps out holes: a minute is known once the stream has closed it or, some time after its
end, an answer to a request has shown it. What is not known in time is *behind*, whatever the
reason (a connection that broke, a new symbol, a stream that stays silent where nothing trades),
and later minutes wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawlers.binance_parsers import Candle

MINUTE_MS = 60_000
GRACE_MS = 1_500
"""A minute's last candle may be under way for so long; after that it is asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A candle, when it last changed by the venue's clock, and when it was shown to us by ours."""

    candle: Candle
    at_ms: int
    seen_ms: int


@dataclass(slots=True)
class _Watch:
    """Every minute before `known_ms` is known; `news` is what was not told yet, by start."""

    known_ms: int
    news: dict[int, Shown] = field(default_factory=dict)
    told: Candle | None = None


class Candles:
    """Knows what was told of each symbol; pure, times are milliseconds of the venue's clock."""

    def __init__(self) -> None:
        self._watches: dict[str, _Watch] = {}

    def follow(self, symbols: Iterable[str], now_ms: int) -> None:
        """Watch these and no others; new ones begin with the minute before the present one."""
        before = minute_of(now_ms) - MINUTE_MS
        watches = self._watches
        self._watches = {one: watches.get(one) or _Watch(before) for one in symbols}

    def stream(self, symbol: str, shown: Shown) -> None:
        """Take in what a stream told; those of symbols that are not watched are left out."""
        watch = self._watches.get(symbol)
        if watch is None or shown.candle.start_ms < watch.known_ms:
            return
        _note(watch, shown)
        _advance(watch)

    def behind(self, now_ms: int) -> dict[str, int]:
        """Return what has to be asked for: symbols, and the start of the first minute lacking."""
        due = now_ms - GRACE_MS - MINUTE_MS
        return {
            one: watch.known_ms for one, watch in self._watches.items() if watch.known_ms <= due
        }

    def lacks(self, until_ms: int) -> bool:
        """Tell whether a minute before a moment is not known of all symbols."""
        return any(watch.known_ms < until_ms for watch in self._watches.values())

    def lacking(self, symbol: str) -> int:
        """Return the start of the first minute of a symbol that is not known, maybe the present."""
        return self._watches[symbol].known_ms

    def fill(self, symbol: str, candles: Sequence[Candle], asked_ms: int) -> None:
        """Take in an answer to a request, from the first minute lacking on.

        Minutes that were over for a while when it was asked are known by it, also those that it
        lacks, up to one of which it knows less than the stream told: then it is older than that.
        """
        watch = self._watches.get(symbol)
        if watch is None:
            return
        until = minute_of(asked_ms - GRACE_MS)
        for candle in candles:
            if candle.start_ms >= watch.known_ms:
                whole = replace(candle, is_closed=candle.start_ms < until)
                _note(watch, Shown(whole, min(candle.end_ms - 1, asked_ms), asked_ms))
        watch.known_ms = max(watch.known_ms, min([until, *_open_ones(watch)]))
        _advance(watch)

    def news(self) -> list[tuple[str, Shown]]:
        """Return once what has traded and changed, oldest first per symbol, no minute skipped."""
        found = []
        for symbol, watch in self._watches.items():
            ready = sorted(start for start in watch.news if start <= watch.known_ms)
            for start in ready:
                shown = watch.news.pop(start)
                watch.told = shown.candle
                if shown.candle.has_traded:
                    found.append((symbol, shown))
        return found


def minute_of(at_ms: int) -> int:
    """Return the start of the minute that a moment is in."""
    return at_ms // MINUTE_MS * MINUTE_MS


def _note(watch: _Watch, shown: Shown) -> None:
    """Keep a candle, unless it is as it was, or as it had been before."""
    candle = shown.candle
    known = watch.news.get(candle.start_ms)
    latest = watch.told if known is None else known.candle
    if latest is not None and latest.start_ms == candle.start_ms:
        is_older = latest.trades > candle.trades or latest.is_closed
        if is_older or latest == candle:
            return
    watch.news[candle.start_ms] = shown


def _advance(watch: _Watch) -> None:
    """Move on over minutes that are closed."""
    while (shown := watch.news.get(watch.known_ms)) is not None and shown.candle.is_closed:
        watch.known_ms += MINUTE_MS


def _open_ones(watch: _Watch) -> list[int]:
    """Return the starts of minutes that have traded and of which more may come."""
    candles = {} if watch.told is None else {watch.told.start_ms: watch.told}
    candles |= {start: shown.candle for start, shown in watch.news.items()}
    return [start for start, one in candles.items() if one.has_traded and not one.is_closed]
