"""Made-up events of the raw record, and its folder as a test sees it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from market.record_days import RecordedDay
from market.record_events import Break, Candle, Candles, Failure, Sweep, Told
from market.types import Bar, Tick, Timeframe

if TYPE_CHECKING:
    from pathlib import Path

    from market.record_events import Event

DAY = date(2026, 11, 24)
START = datetime(2026, 11, 24, 0, 0, 2, tzinfo=UTC)
"""Two seconds past nine in Korea."""

_NAMES = ("KRX:005930", "KRX:0001A0", "KRX:035420", "UPBIT:KRW-BTC", "BINANCE:BTCUSDT.P")
_PRICES = st.one_of(
    st.integers(1, 10**9).map(float),
    st.decimals("0.00000001", "1000", places=8).map(float),
    st.floats(1e-300, 1e300),
)
_COUNTS = st.one_of(st.integers(0, 2**60).map(float), st.floats(0, 1e18))
_MOMENTS = st.timedeltas(timedelta(days=-9), timedelta(hours=6)).map(lambda part: START + part)


def tick(code: str = "005930", at: datetime = START, price: float = 70_000.0) -> Tick:
    """Return a tick as Naver tells it, seen at the time at which it traded."""
    return Tick(f"KRX:{code}", at, at, price, day_volume=price / 10, day_value=price * 7)


def bar(start: datetime = START, close: float = 110.0, instrument: str = "KRX:005930") -> Bar:
    """Return a minute bar."""
    return Bar(instrument, Timeframe.M1, start, 100.0, max(close, 100.0), 90.0, close, 9.0, 900.0)


def events(folder: Path, day: date = DAY) -> list[Event]:
    """Return what a folder holds of a day; nothing of it may be lost."""
    recorded = RecordedDay(folder, day)
    found = list(recorded.events())
    assert recorded.losses == []
    return found


def sweeps(folder: Path, day: date = DAY) -> list[Sweep]:
    """Return the sweeps of a day."""
    return [one for one in events(folder, day) if isinstance(one, Sweep)]


_BESIDE = ("value", "day_value", "day_open", "day_high", "day_low", "previous_close")


def _counted(*, is_counting: bool, count: float) -> dict[str, float]:
    return {"day_volume" if is_counting else "volume": count}


@st.composite
def ticks(draw: st.DrawFn) -> tuple[Tick, ...]:
    """Return ticks in order of their instruments, some of them seen at the same time."""
    names = draw(st.sets(st.sampled_from(_NAMES)))
    common = draw(st.none() | _MOMENTS)
    found = []
    for name in sorted(names):
        seen_at = draw(_MOMENTS) if common is None else common
        counts = _counted(is_counting=draw(st.booleans()), count=draw(_COUNTS))
        beside = {field: draw(st.none() | _PRICES) for field in _BESIDE}
        halted = draw(st.booleans())
        made = Tick(name, draw(_MOMENTS), seen_at, draw(_PRICES), halted=halted, **counts, **beside)
        found.append(made)
    return tuple(found)


@st.composite
def bars(draw: st.DrawFn, instrument: str, timeframe: Timeframe) -> Bar:
    """Return any bar."""
    opening, high, low, close = (draw(_PRICES) for _ in range(4))
    volume, value = draw(_COUNTS), draw(_COUNTS)
    start, is_complete = draw(_MOMENTS), draw(st.booleans())
    return Bar(instrument, timeframe, start, opening, high, low, close, volume, value, is_complete)


@st.composite
def told(draw: st.DrawFn, at: datetime) -> Told:
    """Return any answer of a chart."""
    name, frame = draw(st.sampled_from(_NAMES)), draw(st.sampled_from(list(Timeframe)))
    found = tuple(draw(st.lists(bars(name, frame), max_size=5)))
    return Told("naver", at, name, frame, draw(_MOMENTS), draw(_MOMENTS), found)


@st.composite
def candles(draw: st.DrawFn, at: datetime) -> Candles:
    """Return any answer of forming candles."""
    names = draw(st.lists(st.sampled_from(_NAMES), max_size=5))
    frames = draw(st.lists(st.sampled_from(list(Timeframe)), min_size=5, max_size=5))
    held = [
        Candle(draw(bars(name, frame)), draw(_MOMENTS), draw(_MOMENTS))
        for name, frame in zip(names, frames, strict=False)
    ]
    return Candles("upbit", at, tuple(held))


@st.composite
def any_events(draw: st.DrawFn) -> list[Event]:
    """Return what a stretch of recording may bring, in order."""
    at = START
    found: list[Event] = []
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.timedeltas(timedelta(0), timedelta(minutes=9)))
        text, source = draw(st.text(max_size=20)), draw(st.sampled_from(["naver", "kis"]))
        kinds: list[st.SearchStrategy[Event]] = [
            st.builds(Sweep, st.just(source), st.just(at), ticks()),
            told(at),
            candles(at),
            st.just(Failure(source, at, "bars", "KRX:005930", bool(text), text)),
            st.just(Break(at, START, text)),
        ]
        found.append(draw(st.one_of(kinds)))
    return found
