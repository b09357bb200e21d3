"""Markets as sources: one of single trades that can fail on demand, and the pretend exchange."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from market.sessions import KST, KrxCalendar
from market.types import Bar, Instrument, Tick, Timeframe, Venue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.clock import ManualClock
    from market.errors import SourceError
    from market.types import InstrumentId
    from sandbox.market import Simulator

DAY = date(2026, 1, 6)  # a Tuesday
CALENDAR = KrxCalendar({})
CALENDARS = {Venue.KRX: CALENDAR}
SAMSUNG = Instrument(Venue.KRX, "005930", "Samsung Electronics", "KOSPI")
HYNIX = Instrument(Venue.KRX, "000660", "SK hynix", "KOSPI")
NAVER = Instrument(Venue.KRX, "035420", "NAVER", "KOSPI")


def kst(text: str, day: date = DAY) -> datetime:
    """Return a Korean time of day, `10:05` or `10:05:02`."""
    return datetime.combine(day, time.fromisoformat(text), KST).astimezone(UTC)


class TradedMarket:
    """A source that shows single trades, polled and in its minute chart; it can fail on demand.

    `chart_prices` are what the chart says otherwise, by instrument and minute; `hidden` are
    instruments that the polling leaves out; `lower_counts` takes that much off what it counts.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.trades: dict[InstrumentId, list[tuple[datetime, float, float]]] = {}
        self.polling_error: SourceError | None = None
        self.chart_errors: dict[InstrumentId, Exception] = {}
        self.chart_prices: dict[tuple[InstrumentId, datetime], float] = {}
        self.chart_ends: datetime | None = None
        self.hidden: set[InstrumentId] = set()
        self.lower_counts: dict[InstrumentId, float] = {}
        self.asked: list[tuple[InstrumentId, datetime, datetime]] = []
        self.swept: list[tuple[InstrumentId, ...]] = []

    def trade(
        self, at: datetime, price: float, volume: float = 10.0, of: Instrument = SAMSUNG
    ) -> None:
        """Let a trade happen."""
        self.trades.setdefault(of.id, []).append((at, price, volume))
        self.trades[of.id].sort()

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        self.swept.append(tuple(instruments))
        if self.polling_error is not None:
            raise self.polling_error
        shown = (self._tick(name) for name in instruments if name not in self.hidden)
        return [tick for tick in shown if tick is not None]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        self.asked.append((instrument, start, end))
        if instrument in self.chart_errors:
            raise self.chart_errors[instrument]
        minutes: dict[datetime, list[tuple[float, float]]] = {}
        for at, price, volume in self._until_now(instrument):
            minute = CALENDAR.slot(at, Timeframe.M1)
            if minute is not None and start <= minute < end and not self._is_cut(at):
                minutes.setdefault(minute, []).append((price, volume))
        return [self._minute(instrument, minute, part) for minute, part in minutes.items()]

    def _is_cut(self, at: datetime) -> bool:
        return self.chart_ends is not None and at >= self.chart_ends

    def _minute(
        self, instrument: InstrumentId, minute: datetime, part: list[tuple[float, float]]
    ) -> Bar:
        prices = [price for price, _ in part]
        told = self.chart_prices.get((instrument, minute))
        if told is not None:
            prices = [told]
        volume = sum(volume for _, volume in part)
        value = sum(price * volume for price, volume in part)
        return Bar(
            instrument,
            Timeframe.M1,
            minute,
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            volume,
            value,
        )

    def _until_now(self, instrument: InstrumentId) -> list[tuple[datetime, float, float]]:
        now = self.clock.now()
        return [one for one in self.trades.get(instrument, ()) if one[0] <= now]

    def _tick(self, instrument: InstrumentId) -> Tick | None:
        known = self._until_now(instrument)
        if not known:
            return None
        at, price, _ = known[-1]
        day = CALENDAR.session_day(at)
        today = [one for one in known if CALENDAR.session_day(one[0]) == day]
        prices = [one[1] for one in today]
        return Tick(
            instrument,
            at,
            self.clock.now(),
            price,
            day_volume=sum(one[2] for one in today) - self.lower_counts.get(instrument, 0.0),
            day_value=sum(one[1] * one[2] for one in today),
            day_open=prices[0],
            day_high=max(prices),
            day_low=min(prices),
        )


class SimulatedMarket:
    """The pretend exchange as a source, in memory."""

    def __init__(self, simulator: Simulator, clock: ManualClock) -> None:
        self._simulator = simulator
        self._clock = clock

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        now = self._clock.now()
        codes = [one.split(":")[1] for one in instruments]
        return [
            Tick(
                one.instrument.id,
                one.traded_at,
                now,
                one.price,
                day_volume=one.volume,
                day_value=one.value,
                day_open=one.open or None,
                day_high=one.high or None,
                day_low=one.low or None,
                halted=one.is_halted,
            )
            for one in self._simulator.snapshot(codes, now)
        ]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        code = instrument.split(":")[1]
        later = end + timedelta(minutes=2)
        found = self._simulator.minutes(code, start, later, self._clock.now())
        bars = []
        for one in found:
            minute = CALENDAR.slot(one.start, Timeframe.M1)
            if minute is not None and start <= minute < end:
                prices = (one.open, one.high, one.low, one.close)
                bars.append(Bar(instrument, Timeframe.M1, minute, *prices, one.volume, one.value))
        return bars
