"""A pretend Korea Exchange: the same seed gives the same trades, on any day, in any order asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from market.sessions import KST
from market.types import from_ms, to_ms
from sandbox.market_bursts import schedule
from sandbox.market_day import Habit, Script, no_trades, trade_session
from sandbox.market_days import Day, summed
from sandbox.market_grid import on_tick
from sandbox.market_prices import footing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from market.sessions import Calendar, Window
    from market.types import Instrument
    from sandbox.market_bursts import Burst
    from sandbox.market_day import Trades

AUCTION_LENGTH = timedelta(minutes=10)
PRINT_DELAY = timedelta(seconds=30)
PREOPEN_LENGTH = timedelta(minutes=30)
ILLIQUID_TRADES_PER_MINUTE = 0.08
LIQUID_DAILY_VALUE = 10e9
"""KRW traded in a day from which an instrument takes part in bursts."""
BURST_PRICE = 300_000
"""Dearer instruments take no part in bursts: a small account should be able to act on them."""
_SWINGS = ((23, 0.015), (61, 0.03), (137, 0.05))
"""Days and height of the slow waves that closing prices ride on."""
_NOISE = 0.006
_KEPT_DAYS = 9
_MINUTE_MS = 60_000
_FEWEST_FOR_ODD_ONES = 10


@dataclass(frozen=True, slots=True)
class Quote:
    """What a price page shows of an instrument; zero for what has not traded in the session.

    `status` is OPEN, CLOSE or PREOPEN; `traded_at` is the last trade, perhaps of an earlier day.
    """

    instrument: Instrument
    status: str
    is_halted: bool
    traded_at: datetime
    price: float
    previous_close: float
    volume: int = 0
    value: float = 0.0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0


@dataclass(frozen=True, slots=True)
class Minute:
    """What traded in the minute from `start`; the closing auction is the minute of the close."""

    start: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int
    value: float


class Simulator:
    """Instruments of KRX with an invented but plausible life; pure, deterministic by seed.

    Of ten instruments or more, one is halted and one illiquid: the two that trade least, unless
    `halted` and `illiquid` name their codes (an empty text: none). `bursts=False` gives quiet
    days without scripted jumps and dips.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        calendar: Calendar,
        seed: int,
        *,
        bursts: bool = True,
        halted: str | None = None,
        illiquid: str | None = None,
    ) -> None:
        self._instruments = {instrument.code: instrument for instrument in instruments}
        self._calendar = calendar
        self._seed = seed
        self._has_bursts = bursts
        least = sorted(self._instruments, key=lambda code: footing(code).daily_value)
        odd = least if len(least) >= _FEWEST_FOR_ODD_ONES else ["", ""]
        self.illiquid = odd[0] if illiquid is None else illiquid
        self.halted = odd[1] if halted is None else halted
        self._trades = lru_cache(maxsize=_KEPT_DAYS * max(1, len(instruments)))(self._make_trades)
        self._past = lru_cache(maxsize=None)(self._make_past)
        self._close = lru_cache(maxsize=None)(self._make_close)
        self._script = lru_cache(maxsize=_KEPT_DAYS * 4)(self._make_bursts)

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes that trade here, in the order given."""
        return tuple(self._instruments)

    def snapshot(self, codes: Iterable[str], at: datetime) -> list[Quote]:
        """Return what is shown of each known code at a moment; unknown codes are left out."""
        day, status = self._shown_day(at)
        known = (self._instruments[code] for code in codes if code in self._instruments)
        return [self._quote(instrument, day, status, to_ms(at)) for instrument in known]

    def minutes(self, code: str, start: datetime, end: datetime, at: datetime) -> list[Minute]:
        """Return the minutes with trades, start <= minute < end, as known at a moment.

        An unknown code is a KeyError.
        """
        instrument = self._instruments[code]
        found: list[Minute] = []
        day = start.astimezone(KST).date()
        while day <= min(end, at).astimezone(KST).date():
            if self._calendar.window(day) is not None:
                found += _minutes(self._trades(instrument.code, day), start, end, at)
            day += timedelta(days=1)
        return found

    def days(self, code: str, first: date, last: date, at: datetime) -> list[Day]:
        """Return the sessions of these days as known at a moment, oldest first.

        An unknown code is a KeyError.
        """
        day, found = first, list[Day]()
        while day <= min(last, at.astimezone(KST).date()):
            window = self._calendar.window(day)
            if window is not None and window.open <= at:
                found.append(self._day(self._instruments[code].code, day, at))
            day += timedelta(days=1)
        return found

    def trades(self, code: str, day: date) -> Trades:
        """Return every trade of a day, also those still to come; an unknown code is a KeyError."""
        instrument = self._instruments[code]
        return (
            no_trades()
            if self._calendar.window(day) is None
            else self._trades(instrument.code, day)
        )

    def bursts(self, day: date) -> tuple[Burst, ...]:
        """Return the scripted jumps and dips of a session day, in time order."""
        return self._script(day)

    def _day(self, code: str, day: date, at: datetime) -> Day:
        if at >= self._window(day).close + timedelta(days=1):
            return self._past(code, day)
        trades = self._trades(code, day)
        return summed(day, trades, int(np.searchsorted(trades.times, to_ms(at), side="right")))

    def _make_past(self, code: str, day: date) -> Day:
        """Return a session that is long over; only the sum of its trades is kept."""
        trades = self._make_trades(code, day)
        found = summed(day, trades, len(trades.times))
        return found if found.volume else replace(found, close=self._close(code, day))

    def _quote(self, instrument: Instrument, day: date, status: str, now_ms: int) -> Quote:
        before = self._session_before(day)
        is_halted = instrument.code == self.halted
        previous_close = self._close(instrument.code, before)
        trades = self._trades(instrument.code, day)
        last = int(np.searchsorted(trades.times, now_ms, side="right")) - 1
        if status == "PREOPEN" or last < 0:
            closed = self._window(before).close
            return Quote(instrument, status, is_halted, closed, previous_close, previous_close)
        return Quote(
            instrument=instrument,
            status=status,
            is_halted=is_halted,
            traded_at=from_ms(int(trades.times[last])),
            price=float(trades.prices[last]),
            previous_close=previous_close,
            volume=int(trades.total_volume[last]),
            value=float(trades.total_value[last]),
            open=float(trades.prices[0]),
            high=float(trades.highs[last]),
            low=float(trades.lows[last]),
        )

    def _shown_day(self, at: datetime) -> tuple[date, str]:
        """Return the session that is shown at a moment, and the market's status."""
        day = at.astimezone(KST).date()
        window = self._calendar.window(day)
        if window is None or at < window.open - PREOPEN_LENGTH:
            return self._session_before(day), "CLOSE"
        if at < window.open:
            return day, "PREOPEN"
        return day, "OPEN" if at < window.close + PRINT_DELAY else "CLOSE"

    def _session_before(self, day: date) -> date:
        midnight = datetime.combine(day, datetime.min.time(), KST)
        return self._calendar.session_day(midnight - timedelta(minutes=1))

    def _window(self, day: date) -> Window:
        window = self._calendar.window(day)
        if window is None:
            raise ValueError(f"no session on {day}")
        return window

    def _make_trades(self, code: str, day: date) -> Trades:
        if code == self.halted:
            return no_trades()
        window = self._window(day)
        script = Script(
            open_ms=to_ms(window.open),
            close_ms=to_ms(window.close),
            minutes=_continuous_minutes(window),
            previous_close=self._close(code, self._session_before(day)),
            close=self._close(code, day),
            bursts=tuple(burst for burst in self._script(day) if burst.code == code),
        )
        random = np.random.default_rng((self._seed, _number(code), day.toordinal(), 2))
        return trade_session(self._habit(code), script, random)

    def _habit(self, code: str) -> Habit:
        usual, kind = footing(code), self._instruments[code].kind
        if code == self.illiquid:
            return Habit(kind, ILLIQUID_TRADES_PER_MINUTE, usual.daily_volume * 0.05)
        rate = 0.8 + 0.9 * np.log10(max(usual.daily_value, 1e9) / 1e9)
        return Habit(kind, float(np.clip(rate, 0.8, 4.0)), usual.daily_volume)

    def _make_close(self, code: str, day: date) -> float:
        """Return the price of a day's closing auction; no earlier day is needed for it."""
        usual, ordinal, kind = footing(code), day.toordinal(), self._instruments[code].kind
        if code == self.halted:
            return float(on_tick(np.array([usual.price]), kind)[0])
        phases = np.random.default_rng((self._seed, _number(code))).uniform(0, 2 * np.pi, 3)
        move = float(np.random.default_rng((self._seed, _number(code), ordinal)).normal(0, _NOISE))
        for (period, height), phase in zip(_SWINGS, phases, strict=True):
            move += height * float(np.sin(2 * np.pi * ordinal / period + phase))
        return float(on_tick(np.array([usual.price * np.exp(move)]), kind)[0])

    def _make_bursts(self, day: date) -> tuple[Burst, ...]:
        if not self._has_bursts:
            return ()
        liquid = [
            code
            for code in sorted(self._instruments)
            if footing(code).daily_value >= LIQUID_DAILY_VALUE
            and footing(code).price <= BURST_PRICE
            and code not in {self.halted, self.illiquid}
        ]
        return schedule(liquid, day, self._seed, _continuous_minutes(self._window(day)))


def _minutes(trades: Trades, start: datetime, end: datetime, at: datetime) -> list[Minute]:
    """Return the minutes of one session's trades."""
    first = int(np.searchsorted(trades.times, _whole_minute(start), side="left"))
    until = min(_whole_minute(end) - 1, to_ms(at))
    last = int(np.searchsorted(trades.times, until, side="right"))
    if first >= last:
        return []
    times, prices = trades.times[first:last], trades.prices[first:last]
    volumes = trades.volumes[first:last]
    labels = times // _MINUTE_MS * _MINUTE_MS
    begin = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
    finish = np.append(begin[1:], len(labels)) - 1
    columns = zip(
        labels[begin].tolist(),
        prices[begin].tolist(),
        np.maximum.reduceat(prices, begin).tolist(),
        np.minimum.reduceat(prices, begin).tolist(),
        prices[finish].tolist(),
        np.add.reduceat(volumes, begin).tolist(),
        np.add.reduceat(prices * volumes, begin).tolist(),
        strict=True,
    )
    return [Minute(from_ms(label), *numbers) for label, *numbers in columns]


def _whole_minute(at: datetime) -> int:
    """Return the first whole minute from `at` on, in UTC ms."""
    return -(-to_ms(at) // _MINUTE_MS) * _MINUTE_MS


def _continuous_minutes(window: Window) -> int:
    return int((window.close - window.open - AUCTION_LENGTH) / timedelta(minutes=1))


def _number(code: str) -> int:
    return crc32(code.encode())
