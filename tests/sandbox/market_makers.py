"""Small makers for the tests of the pretend market."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from market.sessions import KST, KrxCalendar
from market.types import Bar, Instrument, Kind, Timeframe, Venue
from sandbox.market import Minute, Simulator

CODES = [
    "005930", "000660", "035420", "035720", "005380", "000270", "051910", "006400",
    "207940", "068270", "005490", "105560", "055550", "012330", "028260", "066570",
    "096770", "034730", "015760", "017670", "030200", "033780", "009150", "018260",
    "010130", "011200", "086790", "316140", "024110", "032830", "003550", "259960",
    "011170", "090430", "251270", "323410", "247540", "086520", "196170", "263750",
    "293490", "035900", "041510", "069500", "122630", "252670", "229200", "0195S0",
]  # fmt: skip
ETFS = {"069500", "122630", "252670", "229200", "0195S0"}
CALENDAR = KrxCalendar({})
DAY = date(2026, 9, 9)


def instruments(codes: list[str] = CODES) -> list[Instrument]:
    return [
        Instrument(Venue.KRX, code, code, "KOSPI", Kind.ETF if code in ETFS else Kind.STOCK)
        for code in codes
    ]


def simulator(seed: int = 7, *, bursts: bool = True) -> Simulator:
    return Simulator(instruments(), CALENDAR, seed, bursts=bursts)


def kst(hour: int, minute: int = 0, second: float = 0, day: date = DAY) -> datetime:
    midnight = datetime.combine(day, datetime.min.time(), KST)
    return midnight + timedelta(hours=hour, minutes=minute, seconds=second)


def whole_day(market: Simulator, code: str, day: date = DAY) -> list[Minute]:
    return market.minutes(code, kst(0, day=day), kst(24, day=day), kst(24, day=day))


def minute_bars(market: Simulator, code: str, start: datetime, end: datetime) -> list[Bar]:
    bars = []
    for minute in market.minutes(code, start, end, end):
        slot = CALENDAR.slot(minute.start, Timeframe.M1)
        if slot is not None:
            prices = (minute.open, minute.high, minute.low, minute.close)
            sums = (float(minute.volume), minute.value)
            bars.append(Bar(f"KRX:{code}", Timeframe.M1, slot, *prices, *sums))
    return bars
